"""A run shared out among processes, and their books put together again.

A worker is a call that an executor makes, wherever it makes it; work and result are values. One that dies is named
in the result, and what the others measured is kept.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, replace

import trio

from loadgen.clock import NS_PER_S
from loadgen.engine.health.worst import worst_of
from loadgen.engine.parent import ParentEnd
from loadgen.engine.processes import CallFailed, ProcessDied
from loadgen.engine.progress import Overview
from loadgen.engine.recorder import Recorder
from loadgen.engine.routes import Reach
from loadgen.engine.shard import Observe, Shard, ShardResult, crash_instants_ns
from loadgen.engine.window import Window
from loadgen.engine.worker import Work, work
from loadgen.scenario.model import Load
from loadgen.schedule.arrivals import load_duration_ns
from reports.health import Health
from reports.histogram import merged
from reports.interval_log import IntervalLog
from reports.load_result import WorkerResult

NOTHING_SAID = "it ended without a result"


@dataclass(frozen=True, slots=True)
class Shared:
    """What a run left behind in all its workers together, and each of them."""

    whole: ShardResult
    workers: tuple[WorkerResult, ...]


async def run_workers(
    shard: Shard,
    reach: Reach,
    workers: int,
    executor: Executor,
    *,
    stop: trio.Event,
    observe: Observe,
    call: Callable[[Work], ShardResult] = work,
    began: Callable[[int], None] = lambda _: None,
) -> Shared:
    """Drive the load in so many workers to its end, or until `stop` and then to the end of what is in flight.

    They start at one instant, when all are ready, and `began` is told it (on `clock_ns`). `observe` is called once a
    second. A worker that gets never ready, falls silent or talks nonsense is given up: its future is cancelled, and it
    is lost. If this is cancelled, the workers stop as soon as they notice; the executor stays the caller's.
    """
    overview = Overview(workers, observe)
    calls = [_Call() for _ in range(workers)]
    parent = ParentEnd(
        workers, told=overview.told, give_up=lambda worker, why: calls[worker].give_up(why), began=began
    )
    ended: dict[int, ShardResult | str] = {}

    async def attend(worker: int) -> None:
        ended[worker] = result = await calls[worker].result()
        parent.wait_no_longer_for(worker)
        overview.ended(worker, lost=isinstance(result, str))

    async def pass_on_stop() -> None:
        await stop.wait()
        await parent.stop()

    async with trio.open_nursery() as linking:
        await linking.start(parent.serve)
        linking.start_soon(parent.start)
        linking.start_soon(pass_on_stop)
        async with trio.open_nursery() as working:
            for worker in range(workers):
                part = replace(shard, worker=worker, workers=workers)
                calls[worker].submit(executor, call, Work(part, reach, parent.address(worker)))
                working.start_soon(attend, worker)
        linking.cancel_scope.cancel()
    return put_together([ended[worker] for worker in range(workers)], shard)


class _Call:
    """A worker's call. It ends with its result, with how it died, or by being given up."""

    def __init__(self) -> None:
        self._future: Future[ShardResult] | None = None
        self._over = trio.Event()
        self._no_result: str | None = None

    def submit(self, executor: Executor, call: Callable[[Work], ShardResult], given: Work) -> None:
        """Ask the executor to make the call."""
        token = trio.lowlevel.current_trio_token()

        def wake(future: Future[ShardResult]) -> None:
            try:
                token.run_sync_soon(self._over.set)
            except (trio.RunFinishedError, OSError):     # the run is over, or just being ended: trio closes a socket
                return

        try:
            self._future = executor.submit(call, given)
        except OSError as error:
            self._end_without(f"its process could not be started: {error.strerror}")
        except BrokenExecutor as error:        # the death of an earlier one has broken it
            self._end_without(f"its executor could not take it: {error}")
        else:
            self._future.add_done_callback(wake)

    def give_up(self, why: str) -> None:
        """Wait for it no longer, unless it has ended; end it, if its executor can."""
        if self._future is not None and not self._future.done():
            self._end_without(f"{why}, and was given up")
            self._future.cancel()

    async def result(self) -> ShardResult | str:
        """Return its result when it has ended, or why there is none."""
        await self._over.wait()
        if self._no_result is not None:
            return self._no_result
        assert self._future is not None
        try:
            return self._future.result()
        except (ProcessDied, CallFailed) as error:
            return str(error)
        except Exception as error:             # an executor of another kind: what it raises is its own affair
            return f"{NOTHING_SAID}: {type(error).__name__}: {error}"

    def _end_without(self, why: str) -> None:
        self._no_result = why
        self._over.set()


def put_together(ended: Sequence[ShardResult | str], shard: Shard) -> Shared:
    """Return the books of all workers as one; those of a worker that died are missing, and it is named.

    Counts add up and histograms merge. The condition of the generator is that of its worst process.
    """
    there = [each for each in ended if isinstance(each, ShardResult)]
    whole = there[0] if there else _nothing(shard)
    workers = tuple(_worker_result(number, each) for number, each in enumerate(ended, start=1))     # before they merge
    for each in there[1:]:
        whole.recorder.merge(each.recorder)
        if whole.heard is not None and each.heard is not None:
            whole.heard.merge(each.heard)
    journals = tuple([journal for each in there for journal in each.journals])
    if len(there) > 1:
        whole.recorder.intervals = IntervalLog(merged(whole.recorder.intervals))
    health = worst_of([each.health for each in there], whole.recorder.lag_histogram) if there else whole.health
    ended_ns = max((each.ended_ns for each in there), default=0)
    return Shared(replace(whole, health=health, ended_ns=ended_ns, journals=journals), workers)


def _worker_result(number: int, ended: ShardResult | str) -> WorkerResult:
    """Return what a worker did on its own, or why that is not known."""
    if isinstance(ended, str):
        return WorkerResult(worker=number, lost=ended)
    recorder = ended.recorder
    steady_s = recorder.window.steady_ns / NS_PER_S
    return WorkerResult(
        worker=number,
        arrived=recorder.arrived,
        sessions_per_s=recorder.steady.sessions_ended / steady_s if steady_s else None,
        health=ended.health,
    )


def _nothing(shard: Shard) -> ShardResult:
    """Return the books of a run of which nothing is known."""
    load: Load = shard.scenario.load
    window = Window(load.warm_up.ns, load_duration_ns(load) or load.warm_up.ns)
    recorder = Recorder(window, crash_instants_ns(shard.scenario))
    recorder.end_load(0)
    return ShardResult(recorder, Health(), (), 0)
