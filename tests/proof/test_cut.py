"""A load that is cut at any instant: the books balance, and an honest server is accused of nothing.

Real sessions against the reference server's machines, each answer 7 ms away, so that a cut meets every phase there is.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache

import pytest
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from trio.testing import MockClock

from loadgen.engine import shard as shard_module
from loadgen.engine.audit import audit
from loadgen.engine.result import load_result
from loadgen.engine.settle import ledger_of
from loadgen.engine.shard import Shard, ShardResult, run_shard
from loadgen.engine.workers import Shared, put_together
from loadgen.ledger.steps import finished
from loadgen.message.compose import Composer
from loadgen.scenario.quantities import Duration
from reports.document import LedgerResult
from reports.load_result import LoadResult, books_balance
from tests.engine.house import House
from tests.engine.stage import MS
from tests.engine.test_shard import shard_of

LATENCY_S = 0.007
SESSIONS = """
[[session]]
kind = "smtp-deliver"
weight = 2
messages = 2
recipients = 2
pipelining = "if-offered"
[[session]]
kind = "lmtp-deliver"
recipients = 2
[[session]]
kind = "pop3-retrieve"
weight = 2
delete = true
[[session]]
kind = "idle-hold"
hold = "200ms"
[ledger]
verify = true
"""
ARRIVALS = 'arrivals = [{shape = "constant", rate = 30, for = "600ms"}]'
OPEN = f'[load]\nmodel = "open"\nin_flight_max = 6\n{ARRIVALS}\n{SESSIONS}'
CLOSED = '[load]\nmodel = "closed"\nvirtual_users = 4\nsessions = 16\nthink = "20ms"\n' + SESSIONS


@pytest.fixture(scope="module", autouse=True)
def made_once() -> Iterator[None]:
    """What a run takes most of its time for before it begins: the same text for all, and a heap that is let be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_module, "Composer", cache(Composer))
        patch.setattr(shard_module, "heap_at_rest", nullcontext)
        yield


@dataclass(frozen=True)
class Cut:
    """When somebody presses Ctrl-C, how long is drained then, and how long a session may take."""

    stop_ms: int | None
    drain_ms: int
    session_ms: int


CUTS = st.builds(Cut, st.none() | st.integers(0, 900), st.integers(0, 250), st.integers(1, 250) | st.just(600_000))


def cut_load(text: str, cut: Cut) -> Shard:
    shard = shard_of(text)
    scenario = shard.scenario
    scenario = structs.replace(
        scenario,
        load=structs.replace(scenario.load, drain=Duration(cut.drain_ms * MS)),
        limits=structs.replace(scenario.limits, session=Duration(cut.session_ms * MS)),
    )
    return Shard(scenario, shard.book, shard.run_token, shard.date)


def part_of(shard: Shard, worker: int, workers: int) -> Shard:
    return Shard(shard.scenario, shard.book, shard.run_token, shard.date, worker, workers)


async def driven(shard: Shard, house: House, cut: Cut) -> ShardResult:
    """Drive a shard, and cut it."""
    stop = trio.Event()

    async def press() -> None:
        if cut.stop_ms is not None:
            await trio.sleep(cut.stop_ms / 1000)
            stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        result = await run_shard(shard, house.routes(), stop=stop, observe=lambda progress: None)
        nursery.cancel_scope.cancel()
    return result


async def looked_for(shared: Shared, shard: Shard, house: House) -> LedgerResult:
    """Read every maildrop, as a run does when its load is over."""
    ledger = finished(ledger_of(shard, shared))
    accounts = [shard.book.account(number) for number in range(1, shard.book.count + 1)]
    read = await audit(ledger, house.route("pop3"), accounts, auth="user", settle_s=5, stop=trio.Event())
    assert len(read) == len(accounts)
    return ledger.result(read)


def check_books(load: LoadResult, result: ShardResult) -> None:
    assert result.recorder.in_flight == 0
    assert result.recorder.balanced()
    assert all(books_balance(each) for each in [load.sessions, *load.kinds.values()])
    assert sum(each.arrived for each in load.kinds.values()) == load.sessions.arrived == sum(load.timeline.arrived)
    assert sum(load.timeline.dropped) == load.sessions.dropped
    assert load.messages.accepted + load.messages.refused <= load.messages.offered
    assert sum(load.timeline.messages_accepted) == load.messages.accepted


def check_honesty(ledger: LedgerResult) -> None:
    assert (ledger.lost, ledger.duplicate, ledger.corrupt, ledger.misdelivered, ledger.pending) == (0, 0, 0, 0, 0)
    assert ledger.accepted == ledger.delivered_once


async def cut_and_checked(text: str, cut: Cut) -> None:
    shard = cut_load(text, cut)
    async with trio.open_nursery() as nursery:
        house = House(nursery, latency_s=LATENCY_S)
        result = await driven(shard, house, cut)
        load = load_result(shard.scenario.load, result)
        check_books(load, result)
        ledger = await looked_for(Shared(result, ()), shard, house)
        check_honesty(ledger)
        # What the server took: what we were told of, and perhaps what we were not told of.
        assert ledger.accepted <= house.drops.taken <= ledger.accepted + ledger.ambiguous


@settings(max_examples=24)
@given(st.sampled_from([OPEN, CLOSED]), CUTS)
@example(OPEN, Cut(None, 0, 600_000))          # the end of the schedule cuts
@example(OPEN, Cut(0, 0, 1))
@example(CLOSED, Cut(100, 14, 70))
def test_the_books_balance_and_the_server_is_cleared_wherever_the_load_is_cut(text: str, cut: Cut) -> None:
    trio.run(cut_and_checked, text, cut, clock=MockClock(autojump_threshold=0))


async def shared_out(text: str, cuts: Sequence[Cut], lost: frozenset[int]) -> None:
    shard = cut_load(text, cuts[0])
    async with trio.open_nursery() as nursery:
        house = House(nursery, latency_s=LATENCY_S)
        parts: dict[int, ShardResult | str] = {}

        async def work(worker: int) -> None:
            part = await driven(part_of(shard, worker, len(cuts)), house, cuts[worker])
            parts[worker] = "its process was killed" if worker in lost else part

        async with trio.open_nursery() as working:
            for worker in range(len(cuts)):
                working.start_soon(work, worker)
        alone = [part.recorder.arrived for part in parts.values() if not isinstance(part, str)]
        shared = put_together([parts[worker] for worker in range(len(cuts))], shard)
        load = load_result(shard.scenario.load, shared.whole, shared.workers)
        check_books(load, shared.whole)
        assert load.sessions.arrived == sum(alone) == sum(each.arrived for each in load.workers)
        assert {each.worker - 1 for each in load.workers if each.lost is not None} == lost
        ledger = await looked_for(shared, shard, house)
        if lost:
            assert (ledger.lost, ledger.duplicate, ledger.corrupt, ledger.misdelivered) == (0, 0, 0, 0)
        else:
            check_honesty(ledger)


@settings(max_examples=14)
@given(
    st.sampled_from([OPEN, CLOSED]), st.lists(CUTS, min_size=2, max_size=4), st.frozensets(st.integers(0, 3)),
)
@example(OPEN, [Cut(None, 250, 600_000)] * 3, frozenset({0, 1, 2}))
def test_workers_that_are_cut_each_at_its_own_instant_or_lost_leave_one_set_of_books(
    text: str, cuts: list[Cut], lost: frozenset[int]
) -> None:
    those = frozenset(worker for worker in lost if worker < len(cuts))
    trio.run(shared_out, text, cuts, those, clock=MockClock(autojump_threshold=0))
