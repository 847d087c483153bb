"""A whole load against the reference server's machines, in virtual time: the same from the same seed, to the octet."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import trio
from msgspec import structs
from trio.testing import MockClock

from loadgen.endpoint import Protocol
from loadgen.engine.audit import audit
from loadgen.engine.result import load_result
from loadgen.engine.settle import ledger_of
from loadgen.engine.shard import Shard, ShardResult, run_shard
from loadgen.engine.workers import Shared
from loadgen.ledger.steps import finished
from loadgen.scenario.accounts import open_accounts
from loadgen.session.route import Route
from loadgen.transport.readiness import Readiness, best_readiness
from loadgen.transport.stream import Transport
from reports.health import Health
from reports.histogram import Histogram
from reports.load_result import LoadResult
from tests.engine.house import House, scenario_of
from tests.engine.stage import MS

MIX = """
[load]
model = "open"
arrivals = [{shape = "poisson", rate = 20, for = "10s"}]
warm_up = "2s"
[[session]]
kind = "smtp-deliver"
messages = {uniform = [1, 3]}
recipients = {uniform = [1, 3]}
size = {uniform = ["500", "3 KiB"]}
pipelining = "if-offered"
[[session]]
kind = "lmtp-deliver"
recipients = 2
auth = "none"
[[session]]
kind = "pop3-retrieve"
delete = true
[[session]]
kind = "idle-hold"
hold = "3s"
noop_every = "1s"
[ledger]
verify = true
"""
STEADY = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 10, for = "5s"}]
[[session]]
kind = "smtp-deliver"
"""


def shard_of(text: str, seed: int = 7) -> Shard:
    scenario = scenario_of(text)
    scenario = structs.replace(scenario, about=structs.replace(scenario.about, seed=seed))
    book = open_accounts(scenario.accounts, environ={})
    return Shard(scenario, book, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Played:
    """What a shard left behind, and the numbers made of it."""

    books: ShardResult
    load: LoadResult


async def play(shard: Shard, routes: Mapping[Protocol, Route], stop: trio.Event | None = None) -> Played:
    given = trio.Event() if stop is None else stop
    books = await run_shard(shard, routes, stop=given, observe=lambda progress: None)
    return Played(books, load_result(shard.scenario.load, books))


async def played(shard: Shard, **house: object) -> tuple[Played, House]:
    async with trio.open_nursery() as nursery:
        target = House(nursery, **house)  # type: ignore[arg-type]
        return await play(shard, target.routes()), target


async def test_a_mix_of_everything_ends_well_and_balances(autojump_clock: MockClock) -> None:
    shard = shard_of(MIX)
    async with trio.open_nursery() as nursery:
        target = House(nursery)
        result = await play(shard, target.routes())
        ledger = finished(ledger_of(shard, Shared(result.books, ())))
        accounts = [shard.book.account(number) for number in range(1, 11)]
        read = await audit(ledger, target.route("pop3"), accounts, auth="user", settle_s=1, stop=trio.Event())
    load = result.load
    assert load.sessions.arrived == load.sessions.accepted + load.sessions.refused > 150
    assert sum(kind.arrived for kind in load.kinds.values()) == load.sessions.arrived
    assert set(load.kinds) == {"smtp-deliver", "lmtp-deliver", "pop3-retrieve", "idle-hold"}
    assert load.sessions.refused == load.kinds["pop3-retrieve"].refused, "only a locked maildrop refuses"
    assert (load.messages.offered, load.messages.refused) == (load.messages.accepted, 0)
    assert sum(load.timeline.messages_accepted) == load.messages.accepted
    assert sum(load.timeline.arrived) == load.sessions.arrived
    settled = ledger.result(read)
    assert settled.accepted == settled.delivered_once > load.messages.accepted
    assert (load.warm_up_s, load.steady_s) == (2.0, 8.0)


async def test_the_same_seed_gives_the_same_arrivals_plans_octets_and_books(autojump_clock: MockClock) -> None:
    # No maildrop is read while it is written to: the order of two sessions at one instant is trio's to choose.
    idle = 'kind = "idle-hold"\nname = "idle-pop3"\nprotocol = "pop3"'
    text = MIX.replace('kind = "pop3-retrieve"\ndelete = true', idle)
    first, first_house = await played(shard_of(text))
    second, second_house = await played(shard_of(text))
    assert first_house.sent == second_house.sent
    assert len(first_house.sent) == first.load.sessions.arrived
    without_health = [structs.replace(each.load, health=Health()) for each in (first, second)]
    assert without_health[0] == without_health[1]


async def test_another_seed_gives_other_octets(autojump_clock: MockClock) -> None:
    _, first = await played(shard_of(STEADY))
    _, second = await played(shard_of(STEADY, seed=8))
    assert first.sent != second.sent


async def test_a_target_that_stalls_is_waited_for_by_those_due_in_the_stall_alone(autojump_clock: MockClock) -> None:
    result, _ = await played(shard_of(STEADY), stall=(2.0, 2.95))
    whole = result.load.phases["smtp.session"]
    times = Histogram.decode(whole.response_hdr)
    assert whole.count == 50, "nobody waited with the server before starting"
    assert whole.response_ns.max == 950 * MS
    curve = times.curve([100 * (k + 0.5) / 50 for k in range(50)])
    assert [round(at_ns / MS, -1) for at_ns in curve] == [*[0] * 40, *range(50, 1000, 100)]
    assert result.load.in_flight_peak == 10


async def test_a_generator_that_stalls_shifts_response_time_but_not_service_time(autojump_clock: MockClock) -> None:
    async def hold_up() -> None:
        await trio.sleep(2.05)
        autojump_clock.jump(1.0)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold_up)
        result, _ = await played(shard_of(STEADY))
    connect, whole, mail = (result.load.phases[f"smtp.{name}"] for name in ("connect", "session", "mail"))
    assert whole.service_ns.max == connect.service_ns.max == 0
    assert whole.response_ns.max == connect.response_ns.max == result.load.health.schedule_lag_ns.max == 950 * MS
    assert mail.response_ns.max == mail.service_ns.max == 0, "a later phase was due at no instant of its own"


async def test_stop_in_the_middle_still_makes_a_whole_result(autojump_clock: MockClock) -> None:
    stop = trio.Event()

    async def press() -> None:
        await trio.sleep(2.0625)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        result = await play(shard_of(STEADY), House(nursery).routes(), stop)
    assert result.load.sessions.arrived == result.load.sessions.accepted == 21
    assert result.load.steady_s == 2.0625


async def test_every_second_has_its_histograms_for_the_log(autojump_clock: MockClock) -> None:
    result, _ = await played(shard_of(STEADY))
    rows = [
        (interval.tag, interval.start_s, Histogram.decode(interval.encoded).count)
        for interval in result.books.recorder.intervals
    ]
    assert [row for row in rows if row[0] == "smtp.body"] == [("smtp.body", float(second), 10) for second in range(5)]


async def test_a_part_of_a_run_and_its_result_can_cross_processes(autojump_clock: MockClock) -> None:
    shard: Shard = pickle.loads(pickle.dumps(shard_of(STEADY)))
    result, _ = await played(shard)
    again: ShardResult = pickle.loads(pickle.dumps(result.books))
    assert load_result(shard.scenario.load, again) == result.load
    assert list(again.recorder.intervals) == list(result.books.recorder.intervals)
    assert again.health == result.books.health
    assert result.load.sessions.accepted == 50


async def test_the_sessions_of_a_shard_share_one_readiness_the_best_there_is(autojump_clock: MockClock) -> None:
    used: list[Readiness] = []
    async with trio.open_nursery() as nursery:
        route = House(nursery).route("smtp")

        async def dial(dialled: Route, arrival: int, deadline: float) -> Transport:
            used.append(dialled.readiness)
            return await route.dial(dialled, arrival, deadline)

        result = await play(shard_of(STEADY), {"smtp": replace(route, dial=dial)})
        assert type(used[0]) is type(await best_readiness(nursery))
        nursery.cancel_scope.cancel()
    assert result.load.sessions.accepted == len(used) == 50
    assert len(set(map(id, used))) == 1
