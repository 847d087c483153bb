"""Workers that are killed or hang, for real: each is named with its cause, and what the others measured is kept."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest
import trio

from loadgen.engine import parent
from loadgen.engine.pool import Pool
from loadgen.engine.processes import ProcessForEach
from loadgen.engine.progress import Progress
from loadgen.engine.run import run
from loadgen.engine.shard import ShardResult
from loadgen.engine.worker import Work
from loadgen.engine.workers import run_workers
from loadgen.scenario.accounts import open_accounts
from reports.exit_codes import ExitCode
from reports.load_result import books_balance
from reports.text import plain
from reports.verdict import Verdict
from tests.engine.house import scenario_of
from tests.engine.test_shard import STEADY, shard_of
from tests.engine.test_workers import NOWHERE, in_a_house

pytestmark = pytest.mark.timeout(90)      # interpreters, a server, and a limit in real time

THREE_SHARES = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 30, for = "4s"}]
[[session]]
kind = "smtp-deliver"
[ledger]
verify = true
[[gate]]
metric = "ledger.lost"
equals = 0
"""


async def test_one_killed_and_one_that_hangs_are_named_and_the_third_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "SILENCE_LIMIT_S", 5.0)
    scenario = scenario_of(THREE_SHARES)
    struck: list[Progress] = []

    with ProcessForEach() as processes:

        def strike(progress: Progress) -> None:
            if not struck:
                os.kill(processes.pids[0], signal.SIGKILL)
                os.kill(processes.pids[1], signal.SIGSTOP)
            struck.append(progress)

        result = await run(
            scenario, open_accounts(scenario.accounts, environ={}), run_id="struck", version="0.0", observe=strike,
            stop=trio.Event(), pool=Pool(3, processes),
        )
    document = result.document
    assert document.load is not None
    assert document.ledger is not None
    killed, hung, sound = document.load.workers
    assert killed.lost == "its process was killed by SIGKILL, as a system does that runs out of memory"
    assert hung.lost == "it said nothing for 5 s, and was given up"
    assert (sound.lost, sound.arrived) == (None, 40)
    assert document.load.sessions.arrived == document.load.sessions.accepted == 40
    assert books_balance(document.load.sessions)
    assert document.ledger.accepted == 40
    assert document.ledger.lost == document.ledger.misdelivered == 0
    assert (document.verdicts.valid, document.exit_code) == (Verdict.INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    said = " ".join(plain(document).split())
    assert "worker 1 of 3 was lost (its process was killed by SIGKILL" in said
    assert "worker 2 of 3 was lost (it said nothing for 5 s" in said
    assert "above" not in said, "neither had any last words"


class TooSmall(Executor):
    """An executor with a place for one call only."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.waiting: list[Future[ShardResult]] = []

    def submit(  # type: ignore[override]
        self, fn: Callable[[Work], ShardResult], /, given: Work
    ) -> Future[ShardResult]:
        if given.shard.worker == 0:
            return self._executor.submit(fn, given)
        self.waiting.append(Future())
        return self.waiting[-1]


async def test_a_worker_that_is_never_begun_is_given_up_and_its_call_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parent, "READY_LIMIT_S", 5.0)
    with ThreadPoolExecutor(1) as pool:
        executor = TooSmall(pool)
        shared = await run_workers(
            shard_of(STEADY), NOWHERE, 2, executor, stop=trio.Event(), observe=lambda progress: None, call=in_a_house
        )
    assert [each.lost for each in shared.workers] == [None, "it was not ready after 5 s, and was given up"]
    assert [each.arrived for each in shared.workers] == [25, 0]
    assert [future.cancelled() for future in executor.waiting] == [True]
