"""Tasks that run one job after another: waking one costs a third of starting one anew."""

from collections.abc import Awaitable, Callable

import trio
from outcome import Value

from loadgen.engine.session_limit import Seat, SessionLimit

Job = Callable[[Seat], Awaitable[None]]


class TaskPool:
    """As many tasks as jobs were ever under way at once, in a nursery that outlasts them.

    A job is still a task's only work from its begin to its end: what waits, is cancelled or fails is that job alone.
    """

    def __init__(self, nursery: trio.Nursery, limit: SessionLimit) -> None:
        self._nursery = nursery
        self._limit = limit
        self._idle: dict[trio.lowlevel.Task, None] = {}      # a set that gives the newest first: its memory is warm
        self._open = True

    def start(self, job: Job) -> None:
        """Run a job soon."""
        if self._idle:
            task, _ = self._idle.popitem()
            trio.lowlevel.reschedule(task, Value(job))
        else:
            self._nursery.start_soon(self._work, job)

    def close(self) -> None:
        """Let tasks end when they have nothing to do. Jobs can still be started."""
        self._open = False
        while self._idle:
            task, _ = self._idle.popitem()
            trio.lowlevel.reschedule(task, Value(None))

    async def _work(self, job: Job | None) -> None:
        with self._limit.seat() as seat:
            while job is not None:
                await job(seat)
                job = await self._next() if self._open else None

    async def _next(self) -> Job | None:
        """Wait for another job; None if there will be none."""
        task = trio.lowlevel.current_task()
        self._idle[task] = None

        def abort(_: object) -> trio.lowlevel.Abort:
            del self._idle[task]
            return trio.lowlevel.Abort.SUCCEEDED

        job: Job | None = await trio.lowlevel.wait_task_rescheduled(abort)
        return job
