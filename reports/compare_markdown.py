"""A comparison as Markdown, short enough for a pull request; the rows nobody asked about are folded away."""

from collections.abc import Iterator

from reports.compare_result import Comparison, MetricComparison
from reports.compare_text import change_in_words, explanations, middle, side_in_words, value_in_words
from reports.compare_words import signed, with_interval
from reports.document import Document
from reports.markdown_parts import bad_reasons, escaped, gates, heading


def comparison_markdown(document: Document) -> str:
    """Return the comparison of this document. ValueError when it is of none."""
    if document.comparison is None:
        raise ValueError("the document compares nothing")
    return "\n".join([*_verdict(document), *gates(document, "too few runs"), *_metrics(document.comparison)]) + "\n"


def _verdict(document: Document) -> Iterator[str]:
    comparison = document.comparison
    assert comparison is not None
    yield heading("Comparison", document)
    yield ""
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        yield f"- **{name}**: {escaped(side_in_words(side))}"
        left_out = [(run.result, run.left_out) for run in side.runs if run.left_out is not None]
        yield from (f"  - left out: {escaped(result)}: {escaped(why)}" for result, why in left_out)
    yield from (f"- {escaped(note)}" for note in comparison.notes)
    yield from bad_reasons(document)
    yield ""


def _metrics(comparison: Comparison) -> Iterator[str]:
    yield f"<details><summary>All {len(comparison.metrics)} metrics</summary>"
    yield ""
    yield "| metric | base | new | change | interval | in its unit | |"
    yield "|---|--:|--:|--:|--:|--:|---|"
    for each in comparison.metrics:
        yield f"| {escaped(each.metric)} | " + " | ".join(escaped(cell) for cell in _cells(each)) + " |"
    yield ""
    yield from (escaped(line) for line in explanations(comparison))
    yield ""
    yield "</details>"


def _cells(each: MetricComparison) -> tuple[str, ...]:
    if each.shift is None:
        base, new = (", ".join(value_in_words(value, each.unit) for value in side) for side in (each.base, each.new))
        return base, new, "", "", "", each.finding
    finding = "" if each.finding == "nothing shown" else each.finding
    in_unit = with_interval(each.shift, lambda value: signed(value, each.unit))
    change = change_in_words(each) if each.change is not None else ("", "")
    return middle(each.base, each.unit), middle(each.new, each.unit), *change, in_unit, finding
