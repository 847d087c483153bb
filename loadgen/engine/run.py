"""One load run, from a checked scenario to its document.

In order: the target is opened and looked at, the load is driven, the maildrops are read, and what came of it is judged.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import trio
from msgspec import structs

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.breach import BreachWatch
from loadgen.engine.content_check import content_notes
from loadgen.engine.crash import Crasher, crash_result, crasher_for
from loadgen.engine.health.machine import MachineWatch
from loadgen.engine.limits import check_ports, ephemeral_ports, raise_descriptors, shortages
from loadgen.engine.overhearing import MakeJudge
from loadgen.engine.pool import ALONE, Pool
from loadgen.engine.preflight import logins_used, look_at
from loadgen.engine.processes import ProcessForEach
from loadgen.engine.progress import Progress, reading_maildrops
from loadgen.engine.result import host_facts, load_result
from loadgen.engine.routes import OpenTarget, Reach, open_target
from loadgen.engine.settle import settle
from loadgen.engine.shard import Observe, Shard, ShardResult, run_shard
from loadgen.engine.stop import pass_on
from loadgen.engine.workers import Shared, run_workers
from loadgen.ledger.journal import journals_in
from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.model import Scenario
from loadgen.scenario.resolve import resolved
from reports.conclude import conclude
from reports.document import Document, EndpointFacts
from reports.interval_log import IntervalLog
from reports.load_result import LoadResult
from reports.machine import Machine
from reports.verdict import UNJUDGED, exit_code_for

ENDED_EARLY = "the load was ended after {:.1f} s, before its schedule was over: whoever started it had enough of it"


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: the document, and what the `.hlog` is written from."""

    document: Document
    intervals: IntervalLog
    started: datetime


async def run(  # noqa: PLR0913  what is run, under which names, who watches and who works
    scenario: Scenario,
    book: AccountBook,
    *,
    run_id: str,
    version: str,
    stop: trio.Event,
    observe: Observe,
    enough: trio.Event | None = None,
    authorized: bool = False,
    pool: Pool = ALONE,
    make_judge: MakeJudge | None = None,
    crash_command: str | None = None,
    directory: Path | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> RunResult:
    """Run a scenario. `stop` ends the arrivals early: what is in flight drains, and the result is made all the same.
    `enough` does so too, but nothing is missing then: whoever set it wanted no more load.

    Raises UserError and PreconditionFailed before any load. `observe` is called once a second; `note` with each
    sentence on what is waited for or to be known, before the load, and when a gate ends it or the server is crashed.
    `authorized` says that the public addresses among the permitted hosts may be loaded; `pool` who generates the load;
    `make_judge` who judges what is overheard in its sessions; `crash_command` how the server is killed and started
    again, where the scenario wants that and the server is not the embedded one; `directory` where the ledger is kept,
    in memory if there is none.
    """
    started, started_ns = datetime.now(UTC), clock_ns()
    nofile = raise_descriptors(scenario, pool.workers)
    settled, breach = None, BreachWatch(scenario, note)
    with journals_in(directory if scenario.ledger.verify else None) as journals:
        async with open_target(scenario, book, authorized=authorized) as target:
            check_ports(scenario, target.routes, ephemeral_ports())
            seen = await _look(target, scenario, book, stop, note)
            notes = content_notes(scenario, seen)
            for sentence in notes:
                note(sentence)
            shard = Shard(
                scenario, book, run_token=secrets.token_hex(4), date=started, make_judge=make_judge, journals=journals
            )
            crasher = crasher_for(scenario, crash_command, target.embedded, note)
            ends = (stop, breach.event) if enough is None else (stop, enough, breach.event)
            shared, machine = await _watched(shard, target, pool, ends, breach.observing(observe), crasher)
            driven, crash = shared.whole, crash_result(crasher, scenario, crash_command, shared.whole.recorder)
            load = load_result(scenario.load, driven, shared.workers, machine, crash)
            if scenario.ledger.verify:
                observe(reading_maildrops(driven.recorder, driven.ended_ns / NS_PER_S))
                pop3 = target.routes.get("pop3")
                settled = await settle(shard, shared, pop3, directory=directory, stop=stop, crash=crash)
            interrupted = _what_was_cut(driven, stop, breach, verified=scenario.ledger.verify)
            if driven.recorder.cut_short and interrupted is None and breach.aborted is None:
                notes.append(ENDED_EARLY.format(driven.recorder.load_ended_ns / NS_PER_S))
            doubts = [*_doubts(scenario, driven, load, target, nofile), *(settled.doubts if settled else ())]
    document = Document(
        kind="load",
        mailproof=version,
        run_id=run_id,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_s=(clock_ns() - started_ns) / NS_PER_S,
        seed=scenario.about.seed,
        interrupted=interrupted,
        verdicts=UNJUDGED,
        exit_code=int(exit_code_for(UNJUDGED, interrupted=interrupted is not None)),
        load=structs.replace(load, notes=tuple(notes), aborted=breach.aborted),
        ledger=None if settled is None else settled.result,
        scenario=resolved(scenario),
        target=seen,
        host=host_facts(nofile),
    )
    judged = conclude(document, scenario.gates, preset=scenario.about.preset, doubts=doubts)
    return RunResult(judged, driven.recorder.intervals, started)


async def _look(
    target: OpenTarget, scenario: Scenario, book: AccountBook, stop: trio.Event, note: Callable[[str], None]
) -> tuple[EndpointFacts, ...]:
    logins, accounts = logins_used(scenario), book.first_and_last()
    return await look_at(target.routes, logins, accounts, limits=scenario.limits, stop=stop, note=note)


async def _watched(
    shard: Shard, target: OpenTarget, pool: Pool, ends: Sequence[trio.Event], observe: Observe, crasher: Crasher
) -> tuple[Shared, Machine]:
    """Drive the load, here or in workers, with an eye on the machine. Any one of `ends` ends the arrivals.

    A crash that has begun by then is seen to its end: it starts the server again.
    """
    watch, stop = MachineWatch(), trio.Event()

    def observe_both(progress: Progress) -> None:
        watch.observe(progress)
        observe(progress)

    async with trio.open_nursery() as watching:
        watching.start_soon(watch.watch_ports)
        for end in ends:
            watching.start_soon(pass_on, end, stop)
        async with trio.open_nursery() as crashing:
            crashing.start_soon(crasher.watch, stop)
            if pool.workers == 1:
                whole = await run_shard(
                    shard, target.routes, stop=stop, observe=observe_both, begin=crasher.begin_now
                )
                shared = Shared(whole, ())
            else:
                shared = await _shared_out(shard, target.reach, pool, stop, observe_both, crasher.begin)
            stop.set()
        watching.cancel_scope.cancel()
    await watch.look_at_ports()
    return shared, watch.result()


async def _shared_out(
    shard: Shard, reach: Reach, pool: Pool, stop: trio.Event, observe: Observe, began: Callable[[int], None]
) -> Shared:
    """Drive the load in workers. Those of our own are killed if this is cancelled."""
    if pool.executor is not None:
        return await run_workers(shard, reach, pool.workers, pool.executor, stop=stop, observe=observe, began=began)
    processes = ProcessForEach()
    try:
        return await run_workers(shard, reach, pool.workers, processes, stop=stop, observe=observe, began=began)
    finally:
        processes.shutdown(cancel_futures=True)      # those that are done are gone; the others need no asking


def _what_was_cut(
    driven: ShardResult, stop: trio.Event, breach: BreachWatch, *, verified: bool
) -> Literal["load", "audit"] | None:
    """Return what `stop` ended before its time: between the last arrival and the audit there is nothing to cut."""
    if driven.recorder.cut_short and stop.is_set() and breach.aborted is None:
        return "load"
    return "audit" if verified and stop.is_set() else None


def _doubts(
    scenario: Scenario, driven: ShardResult, load: LoadResult, target: OpenTarget, nofile: int
) -> Iterator[str]:
    """Give the reasons not to believe the run that its numbers alone do not tell."""
    yield from shortages(scenario, driven.recorder.exhausted, load.in_flight_peak, nofile)
    for worker in load.workers:
        if worker.lost is not None:
            yield (
                f"worker {worker.worker} of {len(load.workers)} was lost ({worker.lost}): its part of the load is "
                "missing from every number; run again"
            )
    if target.embedded is not None and (complaint := target.embedded.complaint()) is not None:
        yield complaint
