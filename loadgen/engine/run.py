"""One load run, from a checked scenario to its document."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.endpoint import Protocol
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.audit import audit
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.health import HealthMonitor, doubts, raise_open_files_limit
from loadgen.engine.open_loop import open_loop
from loadgen.engine.preflight import look_at
from loadgen.engine.progress import Progress, progress_of
from loadgen.engine.recorder import Recorder
from loadgen.engine.result import host_facts, load_result
from loadgen.engine.routes import open_routes
from loadgen.engine.window import Window
from loadgen.ledger import Ledger
from loadgen.message.compose import Composer
from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import OpenLoad, Pop3Retrieve, Scenario
from loadgen.scenario.resolved import resolved
from loadgen.schedule import arrivals as schedule
from loadgen.schedule.plans import Plan, Planner
from loadgen.session.outcome import Outcome
from loadgen.session.perform import perform
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from reports.conclude import conclude
from reports.document import Document, LedgerResult
from reports.histogram import Interval
from reports.load_result import LoadResult
from reports.verdict import Verdict, Verdicts, exit_code_for

AUDIT_EVERY_ACCOUNT_UP_TO = 10_000     # past it only the maildrops that were written to are read
ENDLESS_NS = 1 << 62                   # a closed load that ends by its count has no instant of its own

Observe = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: the document, and what the `.hlog` is written from."""

    document: Document
    intervals: tuple[Interval, ...]
    started: datetime


@dataclass(frozen=True, slots=True)
class Driven:
    """What the load left behind."""

    load: LoadResult
    intervals: tuple[Interval, ...]
    exhausted: Mapping[str, int]


async def run(
    scenario: Scenario, book: AccountBook, *, run_id: str, version: str, stop: trio.Event, observe: Observe
) -> RunResult:
    """Run a scenario. `stop` ends the arrivals early: what is in flight drains, and the result is made all the same.

    Raises UserError and PreconditionFailed before any load. `observe` is called once a second.
    """
    started = datetime.now(UTC)
    started_ns = clock_ns()
    nofile = raise_open_files_limit()
    composer = Composer(seed=scenario.about.seed, run_token=secrets.token_hex(4), date=started)
    ledger = Ledger(composer.owns) if scenario.ledger.verify else None
    async with open_routes(scenario, book) as offered:
        routes = {protocol: offered[protocol] for protocol in _protocols(scenario)}
        target = await look_at(routes, _logins(scenario), book.account(1))
        driven = await _drive(scenario, Planner(scenario, book), routes, composer, ledger, stop, observe)
        entries = None
        if ledger is not None:
            entries = await _settle(scenario, book, ledger, routes["pop3"])
    undecided = Verdicts(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    document = Document(
        kind="load",
        mailproof=version,
        run_id=run_id,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_s=(clock_ns() - started_ns) / NS_PER_S,
        seed=scenario.about.seed,
        interrupted=stop.is_set(),
        verdicts=undecided,
        exit_code=int(exit_code_for(undecided, interrupted=stop.is_set())),
        load=driven.load,
        ledger=entries,
        scenario=resolved(scenario),
        target=target,
        host=host_facts(nofile),
    )
    judged = conclude(document, scenario.gates, doubts=[*_doubts(driven, ledger)])
    return RunResult(judged, driven.intervals, started)


def _doubts(driven: Driven, ledger: Ledger | None) -> Iterator[str]:
    """Give the reasons not to believe the run that its numbers alone do not tell."""
    for cause, count in driven.exhausted.items():
        yield f"{count:,} sessions met a limit of this host: {cause}"
    yield from doubts(driven.load.health)
    if ledger is not None and ledger.copies_untold:
        yield "the POP3 server has no UIDL, so a duplicate cannot be told from a message that was read twice"


async def _drive(
    scenario: Scenario,
    planner: Planner,
    routes: Mapping[Protocol, Route],
    composer: Composer,
    ledger: Ledger | None,
    stop: trio.Event,
    observe: Observe,
) -> Driven:
    load = scenario.load
    duration_ns = schedule.load_duration_ns(load)
    end_ns = ENDLESS_NS if duration_ns is None else duration_ns
    recorder = Recorder(Window(load.warm_up.ns, end_ns))
    origin_ns = clock_ns()
    monitor = HealthMonitor(recorder, origin_ns)

    async def carry_out(plan: Plan, trace: Trace, arrival: int) -> Outcome:
        return await perform(plan, routes, composer, trace, arrival)

    arrivals = Arrivals(planner.plan_for, carry_out, recorder, ledger, origin_ns, scenario.limits.session.s)
    with monitor:
        async with trio.open_nursery() as watching:
            watching.start_soon(monitor.beat)
            watching.start_soon(_watch, arrivals, observe)
            if isinstance(load, OpenLoad):
                await open_loop(
                    arrivals, schedule.arrivals(load, scenario.about.seed), in_flight_max=load.in_flight_max,
                    end_ns=end_ns, drain_s=load.drain.s, stop=stop,
                )
            else:
                await closed_loop(
                    arrivals, virtual_users=load.virtual_users, think_ns=planner.think_ns, sessions=load.sessions,
                    end_ns=duration_ns, drain_s=load.drain.s, stop=stop,
                )
            watching.cancel_scope.cancel()
    ended_ns = arrivals.now_ns()
    recorder.close_second(ended_ns // NS_PER_S)
    result = load_result(
        recorder, monitor, model="open" if isinstance(load, OpenLoad) else "closed", warm_up_s=load.warm_up.s,
        drain_s=max(0, ended_ns - recorder.load_ended_ns) / NS_PER_S,
    )
    return Driven(result, tuple(recorder.intervals), recorder.exhausted)


async def _watch(arrivals: Arrivals, observe: Observe) -> None:
    """Close every second's books when it is over, and show how the run stands. Runs until cancelled."""
    second = 0
    while True:
        await trio.sleep_until(arrivals.instant_s((second + 1) * NS_PER_S))
        while second < arrivals.now_ns() // NS_PER_S:      # all that were missed, if we were late
            arrivals.recorder.close_second(second)
            second += 1
        observe(progress_of(arrivals.recorder, second))


async def _settle(scenario: Scenario, book: AccountBook, ledger: Ledger, route: Route) -> LedgerResult:
    addressed = ledger.maildrops_written()
    everybody = book.count <= AUDIT_EVERY_ACCOUNT_UP_TO
    numbers = [n for n in range(1, book.count + 1) if everybody or book.address(n) in addressed]
    auth = next((session.auth for session in scenario.sessions if isinstance(session, Pop3Retrieve)), "user")
    read = await audit(ledger, route, map(book.account, numbers), auth=auth, settle_s=scenario.ledger.settle.s)
    return ledger.result(read)


def _protocols(scenario: Scenario) -> list[Protocol]:
    """Return the protocols the scenario speaks, in the order of the target's."""
    spoken = {protocol_of(session) for session in scenario.sessions if session.weight}
    if scenario.ledger.verify:
        spoken.add("pop3")
    order: tuple[Protocol, ...] = ("smtp", "lmtp", "pop3")
    return [protocol for protocol in order if protocol in spoken]


def _logins(scenario: Scenario) -> dict[Protocol, list[str]]:
    """Return the ways to log in that the scenario uses, by protocol."""
    logins: dict[Protocol, set[str]] = {}
    for session in scenario.sessions:
        logins.setdefault(protocol_of(session), set()).add(session.auth)
    if scenario.ledger.verify and not logins.get("pop3", set()) - {"none"}:
        logins.setdefault("pop3", set()).add("user")
    return {protocol: sorted(names) for protocol, names in logins.items()}
