"""A run shared out among workers: the same arrivals, one set of books, and nobody lost silently.

The workers are calls of an executor of threads, each in virtual time of its own against a house of its own.
"""

import pickle
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from loadgen.engine.link import linked
from loadgen.engine.progress import Progress
from loadgen.engine.result import load_result
from loadgen.engine.routes import Reach
from loadgen.engine.settle import ledger_of
from loadgen.engine.shard import Observe, Shard, ShardResult, run_shard
from loadgen.engine.worker import Work
from loadgen.engine.workers import Shared, run_workers
from loadgen.ledger.steps import finished
from reports.health import Health
from reports.histogram import Histogram
from reports.ledger_result import COUNTS
from reports.load_result import LoadResult
from tests.engine.house import House
from tests.engine.test_shard import MIX, STEADY, played, shard_of

pytestmark = pytest.mark.timeout(30)     # threads that wait for each other over loopback
NOWHERE = Reach({}, None)
# No maildrop is read while it is written to, so that what each session does is settled.
SETTLED = MIX.replace(
    'kind = "pop3-retrieve"\ndelete = true', 'kind = "idle-hold"\nname = "idle-pop3"\nprotocol = "pop3"'
).replace('hold = "3s"', 'hold = "3500ms"')      # no NOOP is due at the very instant of the end
CLOSED = """
[load]
model = "closed"
virtual_users = 5
sessions = 33
think = "100ms"
[[session]]
kind = "smtp-deliver"
"""


def in_a_house(given: Work, each_second: Observe = lambda progress: None) -> ShardResult:
    """Do what a worker does, but for the server and the clock. `each_second` may hold it up: its clock waits."""
    crossed: Work = pickle.loads(pickle.dumps(given))

    async def act() -> ShardResult:
        stop = trio.Event()
        async with linked(crossed.link) as end, trio.open_nursery() as nursery:

            def observe(progress: Progress) -> None:
                each_second(progress)
                end.observe(progress)

            nursery.start_soon(end.report)
            nursery.start_soon(end.watch, stop, nursery.cancel_scope.cancel)
            routes = House(nursery).routes()
            result = await run_shard(crossed.shard, routes, stop=stop, observe=observe, begin=end.begin)
            nursery.cancel_scope.cancel()
        return result

    return pickle.loads(pickle.dumps(trio.run(act, clock=MockClock(autojump_threshold=0))))  # type: ignore[no-any-return]


async def shared_out(
    shard: Shard,
    workers: int,
    *,
    executor: Executor | None = None,
    call: Callable[[Work], ShardResult] = in_a_house,
    stop: trio.Event | None = None,
    observe: Observe = lambda progress: None,
) -> tuple[Shared, LoadResult]:
    with executor or ThreadPoolExecutor(workers) as pool:
        shared = await run_workers(
            shard, NOWHERE, workers, pool, stop=trio.Event() if stop is None else stop, observe=observe, call=call
        )
    return shared, load_result(shard.scenario.load, shared.whole, shared.workers)


def alone(shard: Shard) -> LoadResult:
    result, _ = trio.run(played, shard, clock=MockClock(autojump_threshold=0))
    return result.load


@pytest.mark.parametrize("text", [SETTLED, STEADY, CLOSED], ids=["mix", "steady", "closed"])
def test_however_many_workers_the_arrivals_and_the_books_are_the_same(text: str) -> None:
    shard = shard_of(text)
    one = alone(shard)
    for workers in (2, 3):
        _, many = trio.run(shared_out, shard, workers)
        assert (many.sessions, many.messages, many.kinds) == (one.sessions, one.messages, one.kinds)
        assert (many.replies, many.throughput, many.steady_s) == (one.replies, one.throughput, one.steady_s)
        assert many.timeline.arrived == one.timeline.arrived
        assert many.timeline.accepted == one.timeline.accepted
        assert {name: phase.count for name, phase in many.phases.items()} == {
            name: phase.count for name, phase in one.phases.items()
        }
        assert [each.arrived for each in many.workers] == [
            len(range(worker, one.sessions.arrived, workers)) for worker in range(workers)
        ] or text is CLOSED
        assert sum(each.arrived for each in many.workers) == one.sessions.arrived


def test_times_merge_as_histograms_and_seconds_as_rows() -> None:
    shard = shard_of(SETTLED)
    one = alone(shard)
    shared, many = trio.run(shared_out, shard, 2)
    held = "smtp.noop"
    assert Histogram.decode(many.phases[held].service_hdr).count == one.phases[held].count
    assert many.in_flight_peak == max(many.timeline.in_flight) >= one.in_flight_peak
    rows = [(interval.tag, interval.start_s) for interval in shared.whole.recorder.intervals]
    assert len(rows) == len(set(rows)), "one interval for each phase and second, whoever measured it"
    ended = [sum(ends) for ends in zip(many.timeline.accepted, many.timeline.refused, strict=True)]
    assert [p50 is None for p50 in many.timeline.response_p50_ns] == [
        p50 is None for p50 in one.timeline.response_p50_ns
    ]
    assert sum(ended) == many.sessions.arrived


def test_the_ledgers_of_all_workers_are_one() -> None:
    shard = shard_of(SETTLED)
    result, _ = trio.run(played, shard, clock=MockClock(autojump_threshold=0))
    shared, _ = trio.run(shared_out, shard, 3)
    one, many = finished(ledger_of(shard, Shared(result.books, ()))), finished(ledger_of(shard, shared))
    assert one.maildrops_owing() == many.maildrops_owing()
    alone, together = one.result(set()), many.result(set())
    assert [getattr(together, name) for name in COUNTS] == [getattr(alone, name) for name in COUNTS]
    assert together.sent > 0


def dies(given: Work) -> ShardResult:
    if given.shard.worker == 1:
        raise ZeroDivisionError("before it was ready")
    return in_a_house(given)


def test_a_worker_that_dies_is_named_and_what_the_others_measured_is_kept() -> None:
    shard = shard_of(SETTLED)
    one = alone(shard)
    shared, load = trio.run(lambda: shared_out(shard, 3, call=dies))
    assert [each.lost is not None for each in load.workers] == [False, True, False]
    assert "before it was ready" in (load.workers[1].lost or "")
    assert load.sessions.arrived == one.sessions.arrived - len(range(1, one.sessions.arrived, 3))
    settled = finished(ledger_of(shard, shared)).result({f"user{n}@example.test" for n in range(1, 11)})
    assert settled.lost == 0, "the worker that died may have taken it away"
    assert settled.pending == settled.accepted > 0


def test_when_all_workers_die_there_is_a_result_of_nothing() -> None:
    def die(given: Work) -> ShardResult:
        raise ZeroDivisionError

    _, load = trio.run(lambda: shared_out(shard_of(MIX), 2, call=die))
    assert load.sessions.arrived == 0
    assert all(each.lost for each in load.workers)


class Refusing(Executor):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def submit(self, fn: object, /, *args: object, **kwargs: object) -> Future[ShardResult]:  # type: ignore[override]
        raise self._error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(11, "Not now"), "its process could not be started: Not now"),
        (BrokenExecutor("a process died"), "its executor could not take it: a process died"),
    ],
)
def test_a_worker_that_cannot_be_started_is_lost_too(error: Exception, why: str) -> None:
    _, load = trio.run(lambda: shared_out(shard_of(STEADY), 2, executor=Refusing(error)))
    assert [each.lost for each in load.workers] == [why, why]


def test_a_stop_before_the_start_reaches_every_worker() -> None:
    async def stopped() -> LoadResult:
        stop = trio.Event()
        stop.set()
        return (await shared_out(shard_of(MIX), 2, stop=stop))[1]

    assert trio.run(stopped).sessions.arrived == 0


def test_the_live_figures_are_those_of_all_workers() -> None:
    shown: list[Progress] = []
    shard = shard_of(STEADY.replace('"5s"', '"60s"'))
    _, load = trio.run(lambda: shared_out(shard, 2, observe=shown.append))
    assert shown, "each second, once all that live have told of it"
    assert [each.elapsed_s for each in shown] == sorted({each.elapsed_s for each in shown})
    assert all(each.arrived <= load.sessions.arrived for each in shown)


def test_the_health_shown_is_the_worst_of_all_workers() -> None:
    def tired(given: Work) -> ShardResult:
        books = in_a_house(given)
        health = structs.replace(books.health, cpu_share=0.2 + given.shard.worker / 2, rss_octets_max=1000)
        object.__setattr__(books, "health", health)
        return books

    _, load = trio.run(lambda: shared_out(shard_of(STEADY), 2, call=tired))
    assert isinstance(load.health, Health)
    assert (load.health.cpu_share, load.health.rss_octets_max) == (0.7, 2000)
    assert [each.health.cpu_share for each in load.workers] == [0.2, 0.7]
