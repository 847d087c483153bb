"""Whether a run can be believed: every reason not to, each with what to do about it."""

from collections.abc import Iterator, Sequence
from typing import Final

from reports import units
from reports.document import Document
from reports.load_result import LoadResult
from reports.signs import PAUSE_NS_MAX, signs
from reports.under_load import UnderLoad
from reports.verdict import Verdict

Finding = tuple[Verdict, str]

NOTHING_COMPLETED: Final = "nothing was completed in the steady phase, so there are no times to judge"


def validity_findings(document: Document, doubts: Sequence[str]) -> Iterator[Finding]:
    """Yield each doubt as inconclusive; if there is none, why the run can be believed.

    `doubts` are sentences of whoever ran it, for what the document's numbers do not tell.
    """
    found = [*doubts, *_of_the_document(document)]
    for sentence in found:
        yield Verdict.INCONCLUSIVE, sentence
    if not found and document.load is not None:
        yield Verdict.PASS, f"the generator kept up: {_in_brief(document.load)}"
    elif not found:
        yield Verdict.PASS, "every planned case was run to its end"


def _of_the_document(document: Document) -> Iterator[str]:
    if document.load is not None:
        yield from _of_the_load(document.load, None if document.host is None else document.host.cpus)
    elif not (document.conformance and document.conformance.executed):
        yield "nothing was run"
    elif document.conformance.under_load is not None:
        yield from _of_the_load_beside(document.conformance.under_load)
    if document.interrupted in {"load", "cases"}:
        yield "the run was interrupted before its time"


def _of_the_load_beside(load: UnderLoad) -> Iterator[str]:
    """Give the reasons not to believe the load that cases were judged under."""
    if load.verdicts.valid is not Verdict.PASS:
        for reason in load.reasons:
            if reason.verdict == "valid":
                yield f"the load cannot be believed: {reason.sentence}"


def _of_the_load(load: LoadResult, cpus: int | None) -> Iterator[str]:
    if not load.sessions.arrived:
        yield "no session arrived"
    elif not any(phase.count for phase in load.phases.values()):
        yield NOTHING_COMPLETED
    for sign in signs(load, cpus):
        if sign.doubt is not None:
            yield sign.doubt


def _in_brief(load: LoadResult) -> str:
    """Say how the generator kept up, and whether the scenario was content with less than usual."""
    health = load.health
    lag, cpu = units.duration(health.schedule_lag_ns.p99), units.share(health.cpu_share)
    pause = units.duration(health.longest_pause_ns)
    if load.pause_max_ns > PAUSE_NS_MAX:
        pause += f" ({units.duration(load.pause_max_ns)} allowed by load.pause_max)"
    return f"p99 schedule lag {lag}, longest pause {pause}, processor {cpu} of a core"
