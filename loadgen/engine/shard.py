"""One process's part of a load run: its arrivals in, its books out.

More processes can share a run because a shard and its result are values that cross a process boundary:
of n shards the first has the arrivals 0, n, 2n …, and so on; counts add up, and histograms merge.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import assert_never

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.endpoint import Protocol
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.health.collector import circles_freed, heap_at_rest
from loadgen.engine.health.in_flight import Presence
from loadgen.engine.health.monitor import HealthMonitor
from loadgen.engine.health.process import keep_large_blocks_apart
from loadgen.engine.open_loop import open_loop
from loadgen.engine.overhearing import Heard, MakeJudge, Overhearing
from loadgen.engine.progress import AcceptedRate, Progress, progress_of
from loadgen.engine.recorder import Recorder
from loadgen.engine.series import sessions_in_series
from loadgen.engine.session_limit import SessionLimit
from loadgen.engine.standing import Watched
from loadgen.engine.window import Window
from loadgen.ledger.journal import Journal
from loadgen.message.compose import Composer
from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.model import ClosedLoad, OpenLoad, Scenario
from loadgen.schedule.arrivals import arrivals as intended_instants
from loadgen.schedule.arrivals import load_duration_ns
from loadgen.schedule.plans import Plan, Planner
from loadgen.session.outcome import Outcome
from loadgen.session.perform import perform
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.readiness import best_readiness
from reports.health import Health

ENDLESS_NS = 1 << 62                   # a closed load that ends by its count has no instant of its own

Observe = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Shard:
    """What one process does of a run. The same shard gives the same arrivals, plans and octets."""

    scenario: Scenario
    book: AccountBook
    run_token: str                     # tells this run's mail from that of every other
    date: datetime                     # in every message's Date field
    worker: int = 0                    # of `workers`, from 0: arrival k belongs to worker k mod workers
    workers: int = 1
    make_judge: MakeJudge | None = None    # of what is overheard; None: nobody listens
    journals: Path | None = None       # the directory for what the ledger is made from; None: it is kept in memory


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What the load left behind in one process: its books, closed."""

    recorder: Recorder
    health: Health
    journals: tuple[Journal, ...]      # what the ledger is made from; none: deliveries are not verified
    ended_ns: int                      # when the last session had ended
    heard: Heard | None = None         # what was overheard; None: nobody listened


Begin = Callable[[], Awaitable[int]]


def crash_instants_ns(scenario: Scenario) -> tuple[int, ...]:
    """Return when the server is to be crashed, ns from the run's start; none where the scenario does not."""
    return () if scenario.crash is None else scenario.crash.instants_ns(load_duration_ns(scenario.load))


async def at_once() -> int:
    """Begin the run now."""
    return clock_ns()


async def run_shard(
    shard: Shard, routes: Mapping[Protocol, Route], *, stop: trio.Event, observe: Observe, begin: Begin = at_once
) -> ShardResult:
    """Drive the load to its end, or until `stop` and then to the end of what is in flight.

    `observe` is called once a second. When everything is made ready `begin` says when the run's start is, on
    `clock_ns`: other processes may have to be waited for.
    """
    load = shard.scenario.load
    verify = shard.scenario.ledger.verify
    composer = Composer(
        seed=shard.scenario.about.seed, run_token=shard.run_token, date=shard.date, digests=verify
    )
    journal = Journal(shard.journals and shard.journals / f"{shard.worker}.pages") if verify else None
    planner = Planner(shard.scenario, shard.book)
    duration_ns = load_duration_ns(load)
    presence = Presence()
    overhearing = None if shard.make_judge is None else Overhearing(Heard(shard.make_judge()))
    crashes_ns = crash_instants_ns(shard.scenario)
    recorder = Recorder(Window(load.warm_up.ns, ENDLESS_NS if duration_ns is None else duration_ns), crashes_ns)

    keep_large_blocks_apart()
    with heap_at_rest():
        async with trio.open_nursery() as serving:
            # Arrivals of an open load have instants; of a closed one all that is late is the ramp, by a millisecond.
            readiness = await best_readiness(serving, punctual=isinstance(load, OpenLoad))
            watched = {
                protocol: replace(route, readiness=readiness, verified=verify) for protocol, route in routes.items()
            }
            if overhearing is not None:
                watched = {protocol: replace(route, listener=overhearing) for protocol, route in watched.items()}
                serving.start_soon(overhearing.judge, readiness.at_instants)

            def carry_out(plan: Plan, trace: Trace, arrival: int) -> Awaitable[Outcome]:
                return perform(plan, watched, composer, trace, arrival)

            in_series = None
            if journal is None and not crashes_ns:     # else more is asked of a session than a tally has
                in_series = sessions_in_series(watched, composer)
            arrivals = Arrivals(
                planner.plan_for, carry_out, recorder, journal, await begin(),
                SessionLimit(shard.scenario.limits.session.s), planner.back_off_ns, in_series, presence,
                at_instants=readiness.at_instants,
            )
            if in_series is not None:
                recorder.tally(*in_series.tallies(arrivals.origin_ns))
            if journal is not None:
                journal.begin(arrivals.origin_ns)
            await trio.sleep_until(arrivals.instant_s(0))
            monitor = HealthMonitor(
                recorder, arrivals.origin_ns, pause_max_ns=load.pause_max.ns, presence=presence,
                seed=shard.scenario.about.seed,
            )
            with monitor:
                serving.start_soon(monitor.watch, readiness.at_instants)
                serving.start_soon(_watch, arrivals, observe, Watched.by(shard.scenario.gates))
                await _drive(arrivals, planner, shard, duration_ns, stop)
            recorder.tally()
            serving.cancel_scope.cancel()      # every connection is closed by now
    ended_ns = arrivals.now_ns()
    for _ in recorder.close_seconds(ended_ns // NS_PER_S + 1):
        pass                           # the load is over: there is nobody to give way to
    if journal is not None:
        journal.close()
    if overhearing is not None:
        await overhearing.finish()
    heard = None if overhearing is None else overhearing.heard
    return ShardResult(recorder, monitor.result(), () if journal is None else (journal,), ended_ns, heard)


async def _drive(
    arrivals: Arrivals, planner: Planner, shard: Shard, duration_ns: int | None, stop: trio.Event
) -> None:
    """Run the loop of the scenario's load model, for this shard's part.

    In a closed load a user belongs to one worker, and so do all its arrivals.
    """
    load, worker, workers = shard.scenario.load, shard.worker, shard.workers
    match load:
        case OpenLoad():
            assert duration_ns is not None, "an open load has a schedule"
            schedule = enumerate(intended_instants(load, shard.scenario.about.seed))
            await open_loop(
                arrivals, islice(schedule, worker, None, workers),
                in_flight_max=len(range(worker, load.in_flight_max, workers)),
                end_ns=duration_ns, drain_s=load.drain.s, stop=stop,
            )
        case ClosedLoad():
            await closed_loop(
                arrivals, virtual_users=load.virtual_users, users=range(worker, load.virtual_users, workers),
                think_ns=planner.think_ns, sessions=load.sessions, end_ns=duration_ns, drain_s=load.drain.s, stop=stop,
            )
        case _:
            assert_never(load)


async def _watch(arrivals: Arrivals, observe: Observe, watched: Watched | None) -> None:
    """Close every second's books when it is over, and show how the run stands. Runs until cancelled."""
    recorder, rate = arrivals.recorder, AcceptedRate()
    while True:
        await trio.sleep_until(arrivals.instant_s((recorder.seconds.closed + 1) * NS_PER_S))
        with trio.CancelScope(shield=True):       # a few milliseconds: a second once begun to be closed is closed
            # All we missed, if we were late; and never none, should float seconds have rounded a second's end away.
            until = max(recorder.seconds.closed + 1, arrivals.now_ns() // NS_PER_S)
            steps, more = _closing(arrivals, until), True
            while more:
                with circles_freed():             # a library's histograms and encoders are such
                    more = next(steps, None) is not None
                await trio.lowlevel.checkpoint()
        with circles_freed():
            under_way = 0 if arrivals.in_series is None else arrivals.in_series.accepted_under_way()
            per_s = rate.at(arrivals.now_ns(), recorder.messages["accepted"] + under_way)
            observe(progress_of(
                recorder, recorder.seconds.closed, watched, under_way=under_way, accepted_per_s=per_s
            ))  # fmt: skip


def _closing(arrivals: Arrivals, until: int) -> Iterator[str | int]:
    """Close the books of every second before `until`, the ledger's too, in steps of a few milliseconds at most."""
    yield from arrivals.recorder.close_seconds(until)
    if arrivals.journal is not None:
        yield from arrivals.journal.fold()
