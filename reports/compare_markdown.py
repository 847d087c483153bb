"""A comparison as Markdown, short enough for a pull request; the rows nobody asked about are folded away."""

import re
from collections.abc import Iterator
from typing import Final

from reports.compare_result import Comparison, MetricComparison
from reports.compare_text import change_in_words, explanations, middle, side_in_words, value_in_words
from reports.compare_words import signed, with_interval
from reports.document import Document, Verdict
from reports.safe import inert

_SIGNS: Final = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.NOT_APPLICABLE: "–"}
_ACTS: Final = re.compile(r"([\\`*_\[\]<>#|~&])")


def comparison_markdown(document: Document) -> str:
    """Return the comparison of this document. ValueError when it is of none."""
    if document.comparison is None:
        raise ValueError("the document compares nothing")
    return "\n".join([*_verdict(document), *_gates(document), *_metrics(document.comparison)]) + "\n"


def _verdict(document: Document) -> Iterator[str]:
    comparison, verdicts = document.comparison, document.verdicts
    assert comparison is not None
    asked = (("correct", verdicts.correct), ("fast enough", verdicts.fast_enough), ("believable", verdicts.valid))
    said = " · ".join(f"{_SIGNS[verdict]} {question}: {verdict.value.replace('-', ' ')}" for question, verdict in asked)
    yield f"### Load: {said}"
    yield ""
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        yield f"- **{name}**: {_plain(side_in_words(side))}"
        left_out = [(run.result, run.left_out) for run in side.runs if run.left_out is not None]
        yield from (f"  - left out: {_plain(result)}: {_plain(why)}" for result, why in left_out)
    yield from (f"- {_plain(note)}" for note in comparison.notes)
    bad = {Verdict.FAIL, Verdict.INCONCLUSIVE}
    for reason in document.reasons:
        if getattr(verdicts, reason.verdict) in bad:
            yield f"- **{_plain(reason.sentence)}**"
    yield ""


def _gates(document: Document) -> Iterator[str]:
    if not document.gates:
        return
    yield "| | gate | allowed | measured |"
    yield "|---|---|---|---|"
    for gate in document.gates:
        measured = _plain(gate.measured or "too few runs")
        yield f"| {_SIGNS[gate.verdict]} | {_plain(gate.metric)} | {_plain(gate.condition)} | {measured} |"
    yield ""


def _metrics(comparison: Comparison) -> Iterator[str]:
    yield f"<details><summary>All {len(comparison.metrics)} metrics</summary>"
    yield ""
    yield "| metric | base | new | change | interval | in its unit | |"
    yield "|---|--:|--:|--:|--:|--:|---|"
    for each in comparison.metrics:
        yield f"| {_plain(each.metric)} | " + " | ".join(_plain(cell) for cell in _cells(each)) + " |"
    yield ""
    yield from (_plain(line) for line in explanations(comparison))
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


def _plain(text: str) -> str:
    """Return text that nothing in Markdown acts on."""
    return _ACTS.sub(r"\\\1", inert(text)).replace("@", "<code>@</code>")     # elsewhere it calls people
