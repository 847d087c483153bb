"""Judging while a load goes on: cases are put once the load is steady, and the load is ended when they are done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Final, Protocol

import trio

from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.pace import keep_pace, time_again
from conformance.passive import Overhearing
from conformance.pressure import Pressure
from conformance.runner import Manner, Planned, run_cases, still_serves
from conformance.shared_maildrops import ACCUSING, unless_shared
from conformance.subject import Subject
from reports.document import Document, SessionCounts
from reports.errors import UserError
from reports.under_load import LoadReason, Pace, UnderLoad
from reports.write import REPORT, RESULT

LOAD_DIRECTORY: Final = "load"       # in that of the results
AFTER_THE_LOAD: Final = "load"       # in the id of what is looked at when the load is over


class Load(Protocol):
    """A load run under way: `LoadBeside`, or in tests what stands for it."""

    @property
    def steady_until_s(self) -> float:
        """Return until when it is known to have been steady, on trio's clock."""

    @property
    def ended_by_us(self) -> bool:
        """Say whether it was still steady when it was ended."""

    async def until_steady(self) -> None:
        """Wait for its steady part. UserError if there will be none."""

    async def end(self) -> Document:
        """Have it end, wait for that, and return what it measured. UserError if it left nothing."""



Note = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Beside:
    """The load that is to go on beside the judging."""

    start: Callable[[], Awaitable[Load]]
    stop: trio.Event                     # set: no more cases are put, and the load is ended



@dataclass(slots=True)
class JudgedUnderLoad:
    """What was made of every subject while the load went on, and after it."""

    began_s: float = 0.0
    finished: list[tuple[float, Finding]] = field(default_factory=list)      # when each case was done
    paces: list[Pace] = field(default_factory=list)

    def note(self, finding: Finding) -> None:
        """Note that a case is done now."""
        self.finished.append((trio.current_time(), finding))

    def outside(self, load: Load) -> tuple[str, ...]:
        """Return the cases that were not done before the load was over. What was not put was not outside."""
        return tuple(
            finding.case_id for at_s, finding in self.finished
            if at_s > load.steady_until_s and finding.verdict is not CaseVerdict.NOT_APPLICABLE
        )   # fmt: skip

    def _last_s(self) -> float:
        return max((at_s for at_s, _ in self.finished), default=self.began_s)

    def result(self, load: Load, document: Document) -> UnderLoad:
        """Return what the document of the judging says of the load."""
        measured = document.load
        rates = None if measured is None else measured.throughput
        about = document.scenario.get("scenario")
        return UnderLoad(
            scenario=str(about.get("name")) if isinstance(about, dict) else document.run_id,
            run_id=document.run_id,
            result=f"{LOAD_DIRECTORY}/{RESULT}",
            report=f"{LOAD_DIRECTORY}/{REPORT}",
            verdicts=document.verdicts,
            reasons=tuple(LoadReason(reason.verdict, reason.sentence) for reason in document.reasons),
            exit_code=document.exit_code,
            ended_by_us=load.ended_by_us,
            steady_s=max(0.0, min(load.steady_until_s, self._last_s()) - self.began_s),
            sessions=SessionCounts() if measured is None else measured.sessions,
            sessions_per_s=None if rates is None else rates.sessions_per_s,
            messages_accepted_per_s=None if rates is None else rates.messages_accepted_per_s,
            paces=tuple(self.paces),
            outside=self.outside(load),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One endpoint's part of a run: what is put to it, and who listens."""

    subject: Subject
    planned: list[Planned]
    overhearing: Overhearing


def part_of(subject: Subject, planned: list[Planned]) -> Part:
    """Return a sounded subject's part, with ears."""
    overhearing = Overhearing(subject.endpoint.protocol)
    subject.overhear = overhearing.hear
    return Part(subject, planned, overhearing)


async def put_all(part: Part, manner: Manner, note: Note, *, loaded: bool = False) -> list[Finding]:
    """Put one server's cases to it."""
    async with trio.open_nursery() as looking:
        for mailbox in part.subject.mailboxes.values():
            looking.start_soon(mailbox.pass_over_what_is_there)
    planned = not_beside_a_load(part.planned) if loaded else part.planned
    return await run_cases(planned, part.subject, manner, note)


async def put_under_load(
    parts: Sequence[Part], manner: Manner, note: Note, beside: Beside
) -> tuple[list[list[Finding]], UnderLoad]:
    """Put all servers' cases to them while a load goes on. After `stop` those that were done are returned."""
    load, judged = await beside.start(), JudgedUnderLoad()
    made: list[list[Finding]] = [[] for _ in parts]

    async def put(part: Part, done: list[Finding]) -> None:
        def note_both(finding: Finding) -> None:
            done.append(finding)
            judged.note(finding)
            note(finding)

        done[:] = await under_pressure(part.subject, judged, partial(put_all, part, manner, note_both, loaded=True))

    async def put_each() -> None:
        await load.until_steady()
        judged.began_s = trio.current_time()
        for part, done in zip(parts, made, strict=True):
            await put(part, done)

    await until_stopped(beside.stop, put_each)
    measured = await load.end()
    if not beside.stop.is_set():
        for part, done in zip(parts, made, strict=True):
            again = await again_without_load(done, part.planned, part.subject, manner)
            done[:] = unless_shared(again, measured.scenario, part.subject)
    return made, judged.result(load, measured)


async def under_pressure(
    subject: Subject, judged: JudgedUnderLoad, judge: Callable[[], Awaitable[list[Finding]]]
) -> list[Finding]:
    """Judge one server while the load goes on, with an eye on its pace."""
    before_s = subject.found.latency_s
    subject.pressure = pressure = Pressure()
    await time_again(subject)
    async with trio.open_nursery() as watching:
        watching.start_soon(keep_pace, subject, pressure)
        findings = await judge()
        watching.cancel_scope.cancel()
    waits = pressure.of_all()
    judged.paces.append(
        Pace(
            url=str(subject.endpoint),
            before_s=before_s,
            median_s=median(waits) if waits else 0.0,
            slowest_s=max(waits, default=0.0),
            asked=len(waits),
            turned_away=pressure.turned_away,
        )
    )
    return findings


async def until_stopped(stop: trio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work; cancel it when `stop` is set."""
    refused: UserError | None = None

    async def cancel(scope: trio.CancelScope) -> None:
        await stop.wait()
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancel, nursery.cancel_scope)
        try:
            await work()
        except UserError as error:      # a nursery would make a group of it
            refused = error
        nursery.cancel_scope.cancel()
    if refused is not None:
        raise refused


def not_beside_a_load(planned: Sequence[Planned]) -> list[Planned]:
    """Return the cases as they are put under a load: those that must be alone with the server are not."""
    return [
        replace(item, lacking="must be alone with the server, and a load goes on")
        if item.case.alone and item.lacking is None else item
        for item in planned
    ]   # fmt: skip


async def again_without_load(
    findings: Sequence[Finding], planned: Sequence[Planned], subject: Subject, manner: Manner
) -> list[Finding]:
    """Return the findings of one server, each that accuses it with the verdict of the same case put without the load.

    One more is added if the load has left the server unable to serve.
    """
    subject.pressure = None
    for maildrop in subject.maildrops.every:
        maildrop.lying = None        # whatever the load has put there
    accused = {finding.case_id for finding in findings if finding.verdict in ACCUSING}
    once = [item for item in planned if item.case.id in accused]
    made = await run_cases(once, subject, replace(manner, repeat=1))
    verdicts = {finding.case_id: finding.verdict for finding in made}
    told = [replace(finding, without_load=verdicts.get(finding.case_id)) for finding in findings]
    left = await still_serves(subject, AFTER_THE_LOAD)
    return told if left is None else [*told, left]
