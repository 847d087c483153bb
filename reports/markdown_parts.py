"""What every Markdown report is made of: verdicts, gates, and text that nothing in Markdown acts on."""

import re
from collections.abc import Iterator
from typing import Final

from reports.document import Document, Verdict
from reports.safe import inert

SIGNS: Final = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.NOT_APPLICABLE: "–"}
_ACTS: Final = re.compile(r"([\\`*_\[\]<>#|~&])")
_BAD: Final = {Verdict.FAIL, Verdict.INCONCLUSIVE}


def escaped(text: str) -> str:
    """Return text that nothing in Markdown acts on."""
    return _ACTS.sub(r"\\\1", inert(text)).replace("@", "<code>@</code>")     # elsewhere it calls people


def row(*cells: str) -> str:
    """Return a row of a table; the cells are escaped already."""
    return f"| {' | '.join(cells)} |"


def heading(title: str, document: Document) -> str:
    """Return the three answers as a heading."""
    verdicts = document.verdicts
    asked = (("correct", verdicts.correct), ("fast enough", verdicts.fast_enough), ("believable", verdicts.valid))
    said = " · ".join(f"{SIGNS[verdict]} {question}: {verdict.value.replace('-', ' ')}" for question, verdict in asked)
    return f"### {escaped(title)}: {said}"


def bad_reasons(document: Document) -> Iterator[str]:
    """Give why a verdict is not a pass, a list's line for each reason."""
    for reason in document.reasons:
        if getattr(document.verdicts, reason.verdict) in _BAD:
            yield f"- **{escaped(reason.sentence)}**"


def gates(document: Document, no_data: str) -> Iterator[str]:
    """Give the table of gates, if there are any; `no_data` stands where nothing was measured."""
    if not document.gates:
        return
    yield "| | gate | allowed | measured |"
    yield "|---|---|---|---|"
    for gate in document.gates:
        measured = escaped(gate.measured or no_data)
        yield row(SIGNS[gate.verdict], escaped(gate.metric), escaped(gate.condition), measured)
    yield ""
