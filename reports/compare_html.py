"""What the page of a comparison shows, made ready for its template."""

from reports.compare_plots import effects, strips
from reports.compare_result import MetricComparison
from reports.compare_text import change_in_words, explanations, middle, side_in_words, value_in_words
from reports.compare_words import signed, with_interval
from reports.document import Document


def comparison_values(document: Document) -> dict[str, object]:
    """Return the names that `compare.html.j2` knows; none when the document compares nothing."""
    comparison = document.comparison
    if comparison is None:
        return {"comparison": None}
    return {
        "comparison": comparison,
        "said_of": side_in_words,
        "middle": middle,
        "change_of": change_in_words,
        "in_unit": _in_unit,
        "figure_of": value_in_words,
        "explanations": list(explanations(comparison)),
        "effects": effects(comparison),
        "strips": strips(comparison, [gate.metric for gate in document.gates]),
        "most_runs": max((len(side) for each in comparison.metrics for side in (each.base, each.new)), default=0),
    }


def comparison_title(document: Document) -> str | None:
    """Return what is compared, as a heading; None when nothing is."""
    if document.comparison is None:
        return None
    base, new = document.comparison.base.scenario, document.comparison.new.scenario
    return f"{new or 'new'} against its base" if base == new else f"{new or 'new'} against {base or 'base'}"


def _in_unit(compared: MetricComparison) -> str:
    return "" if compared.shift is None else with_interval(compared.shift, lambda value: signed(value, compared.unit))
