"""The summary of a CI job: what all steps came to, then each of them."""

from collections.abc import Iterator
from typing import Final

from reports.ci import Outcome, Step
from reports.document import Document, Verdict
from reports.exit_codes import ExitCode
from reports.markdown import markdown
from reports.markdown_parts import SIGNS, escaped, row
from reports.text import exit_meaning

_SIGNS: Final = {ExitCode.HELD: SIGNS[Verdict.PASS], ExitCode.INCONCLUSIVE: SIGNS[Verdict.INCONCLUSIVE]}


def ci_markdown(outcome: Outcome) -> str:
    """Return the summary."""
    code = outcome.exit_code
    head = f"## {_SIGNS.get(code, SIGNS[Verdict.FAIL])} mailproof: {exit_meaning(code)} (exit {code:d})"
    notes = (f"- **{escaped(note)}**" for note in outcome.notes)
    return "\n".join([head, "", *notes, "", *(line for step in outcome.steps for line in _step(step))]) + "\n"


def _step(step: Step) -> Iterator[str]:
    if not step.documents:
        yield f"### {SIGNS[Verdict.FAIL]} {step.name.capitalize()}: it left no result (exit {step.code}): see the log"
        yield ""
    elif len(step.documents) == 1:
        yield markdown(step.documents[0])
    else:
        yield from _set(step)


def _set(step: Step) -> Iterator[str]:
    """Give a row for each run of a set, then each that was not as it should be."""
    yield f"### {step.name.capitalize()}: {len(step.documents)} runs (exit {step.code})"
    yield ""
    yield row("run", "seed", "correct", "fast enough", "believable", "exit")
    yield f"|{'---|' * 6}"
    for number, document in enumerate(step.documents, start=1):
        verdicts = document.verdicts
        answers = (verdicts.correct, verdicts.fast_enough, verdicts.valid)
        words = (f"{SIGNS[verdict]} {verdict.value.replace('-', ' ')}" for verdict in answers)
        yield row(str(number), str(document.seed), *words, str(document.exit_code))
    yield ""
    for number, document in enumerate(step.documents, start=1):
        if document.exit_code != ExitCode.HELD:
            yield from _folded(number, document)


def _folded(number: int, document: Document) -> Iterator[str]:
    yield from (f"<details><summary>Run {number}</summary>", "", markdown(document), "</details>", "")
