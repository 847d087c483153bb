"""What went wrong, as workflow commands of GitHub Actions: it shows them on the run's page and on the pull request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.document import CaseResult, Document, Question
from reports.safe import inert
from reports.verdict import Verdict

SHOWN_PER_KIND: Final = 10      # of one step; what is more the runner leaves out without a word

Kind = Literal["error", "warning"]
_KINDS: Final[dict[str, Kind]] = {"fail": "error", "inconclusive": "warning", "error": "warning"}
_TITLES: Final[dict[Question, str]] = {
    "correct": "not correct", "fast_enough": "not fast enough", "valid": "cannot be believed",
}   # fmt: skip


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing to show. What failed is an error; what could not be decided is a warning."""

    kind: Kind
    title: str
    message: str

    def command(self) -> str:
        """Return the line that makes the runner show it."""
        return f"::{self.kind} title={_property(self.title)}::{_data(self.message)}"


def github(*documents: Document) -> str:
    """Return the lines for results, each with its end; "" when nothing is amiss."""
    found = [each for document in documents for each in annotations(document)]
    shown = [each for kind in ("error", "warning") for each in _bounded([one for one in found if one.kind == kind])]
    return "".join(f"{each.command()}\n" for each in shown)


def annotations(document: Document) -> Iterator[Annotation]:
    """Yield all that is amiss: why each verdict is not good, then gate by gate, then case by case."""
    of_gates = {gate.sentence for gate in document.gates}
    for reason in document.reasons:
        kind = _KINDS.get(getattr(document.verdicts, reason.verdict))
        if kind is not None and reason.sentence not in of_gates:
            yield Annotation(kind, f"mailproof: {_TITLES[reason.verdict]}", reason.sentence)
    for gate in document.gates:
        if (kind := _KINDS.get(gate.verdict)) is not None:
            word = "failed" if gate.verdict is Verdict.FAIL else "could not be judged"
            yield Annotation(kind, f"mailproof: gate on {gate.metric} {word}", gate.sentence)
    for case in document.conformance.cases if document.conformance is not None else ():
        if case.verdict == "fail" and case.known is None:
            yield _of_case(case)


def _of_case(case: CaseResult) -> Annotation:
    sources = f" ({', '.join(case.sources)})" if case.sources else ""
    again = f"\nagain: {case.again}" if case.again else ""
    message = f"{case.title}{sources}\nexpected {case.expected}\ngot {case.got}{again}"
    return Annotation("error", f"mailproof: {case.id} failed", message)


def _bounded(found: Sequence[Annotation]) -> Sequence[Annotation]:
    """Return no more than are shown, the last of them then saying how many there are."""
    if len(found) <= SHOWN_PER_KIND:
        return found
    left = len(found) - SHOWN_PER_KIND + 1
    more = Annotation(found[0].kind, "mailproof: and more", f"{left} more are in the report: no more is shown here")
    return [*found[: SHOWN_PER_KIND - 1], more]


def _data(text: str) -> str:
    """Return a text that stays one line and one command, whatever a server put into it."""
    lines = (inert(line) for line in text.split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
