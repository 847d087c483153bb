"""One process's part of a load run: its arrivals in, its books out.

A run has one shard today. More processes can share a run because a shard and its result are values
that cross a process boundary: arrival k belongs to shard k mod n, and histograms merge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.endpoint import Protocol
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.health import HealthMonitor, heap_at_rest
from loadgen.engine.open_loop import open_loop
from loadgen.engine.progress import Progress, progress_of
from loadgen.engine.recorder import Recorder
from loadgen.engine.result import load_result
from loadgen.engine.window import Window
from loadgen.ledger import Ledger
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
from reports.histogram import Interval
from reports.load_result import LoadResult

ENDLESS_NS = 1 << 62                   # a closed load that ends by its count has no instant of its own

Observe = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Shard:
    """What one process does of a run. The same shard gives the same arrivals, plans and octets."""

    scenario: Scenario
    book: AccountBook
    run_token: str                     # tells this run's mail from that of every other
    date: datetime                     # in every message's Date field


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What the load left behind. A value too, but for the ledger: how that is shared out is not decided."""

    load: LoadResult
    intervals: tuple[Interval, ...]    # for the .hlog
    exhausted: Mapping[str, int]       # what this host ran out of, and how often
    ledger: Ledger | None              # None: deliveries are not verified


async def run_shard(
    shard: Shard, routes: Mapping[Protocol, Route], *, stop: trio.Event, observe: Observe
) -> ShardResult:
    """Drive the load to its end, or until `stop` and then to the end of what is in flight.

    `observe` is called once a second. The run's start is when everything is made ready.
    """
    load = shard.scenario.load
    composer = Composer(seed=shard.scenario.about.seed, run_token=shard.run_token, date=shard.date)
    ledger = Ledger(composer.owns) if shard.scenario.ledger.verify else None
    planner = Planner(shard.scenario, shard.book)
    duration_ns = load_duration_ns(load)
    recorder = Recorder(Window(load.warm_up.ns, ENDLESS_NS if duration_ns is None else duration_ns))

    async def carry_out(plan: Plan, trace: Trace, arrival: int) -> Outcome:
        return await perform(plan, routes, composer, trace, arrival)

    with heap_at_rest():
        arrivals = Arrivals(
            planner.plan_for, carry_out, recorder, ledger, clock_ns(), shard.scenario.limits.session.s
        )
        with HealthMonitor(recorder, arrivals.origin_ns) as monitor:
            async with trio.open_nursery() as watching:
                watching.start_soon(monitor.beat)
                watching.start_soon(_watch, arrivals, observe)
                await _drive(arrivals, planner, shard.scenario, duration_ns, stop)
                watching.cancel_scope.cancel()
    ended_ns = arrivals.now_ns()
    for _ in recorder.close_seconds(ended_ns // NS_PER_S + 1):
        pass                           # the load is over: there is nobody to give way to
    drain_s = max(0, ended_ns - recorder.load_ended_ns) / NS_PER_S
    result = load_result(recorder, monitor, model=_model(load), warm_up_s=load.warm_up.s, drain_s=drain_s)
    return ShardResult(result, tuple(recorder.intervals), dict(recorder.exhausted), ledger)


async def _drive(
    arrivals: Arrivals, planner: Planner, scenario: Scenario, duration_ns: int | None, stop: trio.Event
) -> None:
    """Run the loop of the scenario's load model."""
    load = scenario.load
    match load:
        case OpenLoad():
            assert duration_ns is not None, "an open load has a schedule"
            schedule = enumerate(intended_instants(load, scenario.about.seed))
            await open_loop(
                arrivals, schedule, in_flight_max=load.in_flight_max,
                end_ns=duration_ns, drain_s=load.drain.s, stop=stop,
            )
        case ClosedLoad():
            await closed_loop(
                arrivals, virtual_users=load.virtual_users, think_ns=planner.think_ns, sessions=load.sessions,
                end_ns=duration_ns, drain_s=load.drain.s, stop=stop,
            )
        case _:
            assert_never(load)


async def _watch(arrivals: Arrivals, observe: Observe) -> None:
    """Close every second's books when it is over, and show how the run stands. Runs until cancelled."""
    recorder = arrivals.recorder
    while True:
        await trio.sleep_until(arrivals.instant_s((recorder.seconds.closed + 1) * NS_PER_S))
        with trio.CancelScope(shield=True):       # a few milliseconds: a second once begun to be closed is closed
            for _ in recorder.close_seconds(arrivals.now_ns() // NS_PER_S):     # all we missed, if we were late
                await trio.lowlevel.checkpoint()
        observe(progress_of(recorder, recorder.seconds.closed))


def _model(load: OpenLoad | ClosedLoad) -> str:
    return "open" if isinstance(load, OpenLoad) else "closed"
