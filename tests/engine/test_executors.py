"""A run whose workers an executor of somebody else's brings about, from the embedded server to the document."""

import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
import trio

from loadgen.engine.pool import Pool
from loadgen.engine.run import run
from loadgen.scenario.accounts import open_accounts
from reports.load_result import books_balance
from reports.verdict import Verdict
from tests.engine.house import scenario_of
from tests.engine.test_run import SMALL

pytestmark = pytest.mark.timeout(60)     # a server's process, and those of a pool


class Cluster(Executor):
    """An executor like a cluster's: all that goes to a worker or comes back is octets."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2)
        self.octets = 0

    def submit(  # type: ignore[override]
        self, fn: Callable[[object], object], /, given: object
    ) -> Future[object]:
        sent = pickle.dumps((fn, given))
        self.octets += len(sent)
        carried = self._threads.submit(_far_away, sent)
        back: Future[object] = Future()
        carried.add_done_callback(lambda done: back.set_result(pickle.loads(done.result())))
        return back

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def _far_away(sent: bytes) -> bytes:
    function, given = pickle.loads(sent)
    return pickle.dumps(function(given))


def spawned() -> Executor:
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


Make = Callable[[], AbstractContextManager[Executor]]
EXECUTORS: list[Make] = [lambda: ThreadPoolExecutor(2), Cluster, spawned]


@pytest.mark.parametrize("make", EXECUTORS, ids=["threads", "cluster", "process-pool"])
async def test_whoever_makes_the_calls_the_run_is_the_same(make: Make) -> None:
    scenario = scenario_of(SMALL)
    with make() as executor:
        result = await run(
            scenario, open_accounts(scenario.accounts, environ={}), run_id="r", version="0", stop=trio.Event(),
            observe=lambda progress: None, pool=Pool(2, executor),
        )
        assert executor.submit(len, "still open").result() == 10
    document = result.document
    assert document.load is not None
    assert document.ledger is not None
    assert [(each.arrived, each.lost) for each in document.load.workers] == [(25, None), (25, None)]
    assert document.load.sessions.arrived == 50
    assert books_balance(document.load.sessions)
    assert document.ledger.accepted == document.ledger.delivered_once > 0
    assert document.verdicts.correct is Verdict.PASS
