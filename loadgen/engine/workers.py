"""A run shared out among processes, and their books put together again.

A worker is a call that an executor makes, wherever it makes it; work and result are values. One that dies is named
in the result, and what the others measured is kept.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import trio
from msgspec import structs

from loadgen.engine.link import ParentEnd
from loadgen.engine.processes import CallFailed, ProcessDied
from loadgen.engine.progress import Progress, together
from loadgen.engine.recorder import Recorder
from loadgen.engine.routes import Reach
from loadgen.engine.shard import Observe, Shard, ShardResult
from loadgen.engine.window import Window
from loadgen.engine.worker import Work, work
from loadgen.ledger import Ledger
from loadgen.scenario.model import Load
from loadgen.schedule.arrivals import load_duration_ns
from reports.histogram import merged
from reports.load_result import Health, WorkerResult

NOTHING_SAID = "it ended without a result"


@dataclass(frozen=True, slots=True)
class Pool:
    """Who generates the load: this process alone, or so many calls that an executor makes."""

    workers: int = 1
    executor: Executor | None = None       # None: processes on this machine


ALONE = Pool()


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
) -> Shared:
    """Drive the load in so many workers to its end, or until `stop` and then to the end of what is in flight.

    They start at one instant, when all are ready. `observe` is called once a second. If this is cancelled, the
    workers stop as soon as they notice; the executor stays the caller's.
    """
    observer = _Observer(observe)
    parent = ParentEnd(workers, observer.show)
    observer.newest = parent.newest
    ended: dict[int, ShardResult | str] = {}

    async def attend(worker: int) -> None:
        given = Work(replace(shard, worker=worker, workers=workers), reach, parent.address(worker))
        ended[worker] = await _result_of(executor, call, given)
        parent.wait_no_longer_for(worker)
        observer.living.discard(worker)

    async def pass_on_stop() -> None:
        await stop.wait()
        await parent.stop()

    observer.living = set(range(workers))
    async with trio.open_nursery() as linking:
        await linking.start(parent.serve)
        linking.start_soon(parent.start)
        linking.start_soon(pass_on_stop)
        async with trio.open_nursery() as working:
            for worker in range(workers):
                working.start_soon(attend, worker)
        linking.cancel_scope.cancel()
    return put_together([ended[worker] for worker in range(workers)], shard)


class _Observer:
    """Shows the workers together, once all that live have told of a second."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._shown_s = 0.0
        self.newest: dict[int, Progress] = {}
        self.living: set[int] = set()

    def show(self) -> None:
        """Show the newest of each, if it is newer than what was shown for all of them."""
        told = [self.newest.get(worker) for worker in self.living]
        whole = [each for each in told if each is not None]
        if len(whole) == len(told) and min(each.elapsed_s for each in whole) > self._shown_s:
            progress = together([*self.newest.values()])
            self._shown_s = min(each.elapsed_s for each in whole)
            self._observe(replace(progress, elapsed_s=self._shown_s))


async def _result_of(
    executor: Executor, call: Callable[[Work], ShardResult], given: Work
) -> ShardResult | str:
    """Have a worker's call made, and return its result, or how it died."""
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def wake(future: Future[ShardResult]) -> None:
        try:
            token.run_sync_soon(done.set)
        except trio.RunFinishedError:      # we were cancelled long ago
            return

    try:
        future = executor.submit(call, given)
    except OSError as error:
        return f"its process could not be started: {error.strerror}"
    future.add_done_callback(wake)
    await done.wait()
    try:
        return future.result()
    except (ProcessDied, CallFailed) as error:
        return str(error)
    except Exception as error:             # an executor of another kind: what it raises is its own affair
        return f"{NOTHING_SAID}: {type(error).__name__}: {error}"


def put_together(ended: Sequence[ShardResult | str], shard: Shard) -> Shared:
    """Return the books of all workers as one; those of a worker that died are missing, and it is named.

    Counts add up and histograms merge. The condition of the generator is that of its worst process.
    """
    there = [each for each in ended if isinstance(each, ShardResult)]
    whole = there[0] if there else _nothing(shard)
    alone = {id(each): each.recorder.arrived for each in there}
    for each in there[1:]:
        whole.recorder.merge(each.recorder)
        if whole.ledger is not None and each.ledger is not None:
            whole.ledger.merge(each.ledger)
    if len(there) < len(ended) and whole.ledger is not None:
        whole.ledger.miss_pages()
    if len(there) > 1:
        whole.recorder.intervals = merged(whole.recorder.intervals)
    workers = tuple(
        WorkerResult(worker=number, lost=each)
        if isinstance(each, str)
        else WorkerResult(worker=number, arrived=alone[id(each)], health=each.health)
        for number, each in enumerate(ended, start=1)
    )
    health = worst_of([each.health for each in there], whole.recorder) if there else whole.health
    ended_ns = max((each.ended_ns for each in there), default=0)
    return Shared(replace(whole, health=health, ended_ns=ended_ns), workers)


def worst_of(parts: Sequence[Health], recorder: Recorder) -> Health:
    """Return the condition of the generator: of each sign the worst, schedule lag and memory of all together."""
    return structs.replace(
        max(parts, key=lambda part: part.loop_lag_ns.p99),
        schedule_lag_ns=recorder.lag_histogram.quantiles(),
        schedule_lag_hdr=recorder.lag_histogram.encode(),
        cpu_share=max(part.cpu_share for part in parts),
        gc_pause_ns_max=max(part.gc_pause_ns_max for part in parts),
        rss_octets_max=sum(part.rss_octets_max for part in parts),
    )


def _nothing(shard: Shard) -> ShardResult:
    """Return the books of a run of which nothing is known."""
    load: Load = shard.scenario.load
    recorder = Recorder(Window(load.warm_up.ns, load_duration_ns(load) or load.warm_up.ns))
    recorder.end_load(0)
    return ShardResult(recorder, Health(), Ledger(shard.run_token) if shard.scenario.ledger.verify else None, 0)
