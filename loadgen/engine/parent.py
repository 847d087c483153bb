"""The parent's end of the link to its workers: who is ready, when all start, how each stands, who is given up.

A worker that ends is known from the executor. Here those are noticed that do not end and are of no use: never ready,
silent, or talking nonsense.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.link import Lines, LinkAddress, Ready, Report, Start, Stop, line_of, word_of_worker
from loadgen.engine.progress import Progress

HOST = "127.0.0.1"
LEAD_S = 0.25                 # between the last worker's readiness and the run's start
HELLO_LIMIT_S = 10.0          # whoever connects and does not say who it is
READY_LIMIT_S = 60.0          # an interpreter to start and a scenario to read, on a busy machine
SILENCE_LIMIT_S = 20.0        # a worker reports once a second: one as late as this generates no load worth the name
BOOKS_LIMIT_S = 120.0         # between a worker's last word and its result: a long run's ledger is large


class ParentEnd:
    """The links of all workers as their parent has them.

    `told` is called with every report, `give_up` once for a worker that is of no use, with the reason why;
    `began` once, with the run's start on `clock_ns`.
    """

    def __init__(
        self,
        workers: int,
        *,
        told: Callable[[int, Progress], None],
        give_up: Callable[[int, str], None],
        began: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._token = secrets.token_hex(16)
        self._streams: dict[int, trio.abc.Stream] = {}
        self._awaited = set(range(workers))          # neither ready nor lost
        self._all_there = trio.Event()
        self._started = trio.Event()
        self._stopped = False
        self._one_at_a_time = trio.Lock()            # two words to one stream
        self._told = told
        self._give_up = give_up
        self._began = began
        self._port = 0

    def address(self, worker: int) -> LinkAddress:
        """Return what one worker needs to report here."""
        return LinkAddress(HOST, self._port, self._token, worker)

    def wait_no_longer_for(self, worker: int) -> None:
        """Start without this worker if need be: it is ready, or never will be."""
        self._awaited.discard(worker)
        if not self._awaited:
            self._all_there.set()

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen to the workers. Runs until cancelled."""
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(partial(trio.serve_tcp, self.hear, 0, host=HOST))
            self._port = listener.socket.getsockname()[1]
            task_status.started()

    async def start(self) -> None:
        """Wait until every worker is ready, or lost, or given up, and tell all when the run starts."""
        with trio.move_on_after(READY_LIMIT_S):
            await self._all_there.wait()
        for worker in sorted(self._awaited):
            self._give_up(worker, f"it was not ready after {READY_LIMIT_S:g} s")
        self._awaited.clear()
        lead_ns = round(LEAD_S * NS_PER_S)
        self._began(clock_ns() + lead_ns)
        await self._tell(Start(time.monotonic_ns() + lead_ns))
        self._started.set()

    async def stop(self) -> None:
        """Tell every worker to start no more sessions."""
        self._stopped = True
        await self._tell(Stop())

    async def hear(self, stream: trio.abc.Stream) -> None:
        """Listen to one worker for as long as it is of use; to a stranger not at all."""
        async with stream:
            lines = Lines(stream)
            worker = await self._introduced(lines)
            if worker is None:
                return
            self._streams[worker] = stream
            if self._stopped:
                await self._tell(Stop())
            self.wait_no_longer_for(worker)
            await self._started.wait()       # before that it has nothing to say
            why = await self._follow(worker, lines)
            self._streams.pop(worker, None)
        if why is None:                      # it has said its last word: the executor brings its result, or its end
            await trio.sleep(BOOKS_LIMIT_S)
            why = f"it ended its part of the load, and its result had not come after {BOOKS_LIMIT_S:g} s"
        self._give_up(worker, why)

    async def _introduced(self, lines: Lines) -> int | None:
        """Return which worker this is; None for a stranger, and for one that is not waited for (any more)."""
        word = None
        with trio.move_on_after(HELLO_LIMIT_S):
            word = word_of_worker(await lines.next())
        if not isinstance(word, Ready) or not secrets.compare_digest(word.token.encode(), self._token.encode()):
            return None
        return word.worker if word.worker in self._awaited else None

    async def _follow(self, worker: int, lines: Lines) -> str | None:
        """Take a worker's reports until its last; return why it must be given up, None if it need not."""
        while True:
            with trio.move_on_after(SILENCE_LIMIT_S) as patience:
                line = await lines.next()
            if patience.cancelled_caught:
                return f"it said nothing for {SILENCE_LIMIT_S:g} s"
            if line is None:
                return None
            word = word_of_worker(line)
            if not isinstance(word, Report):
                return "it said what no worker says"
            self._told(worker, word.progress)

    async def _tell(self, word: Start | Stop) -> None:
        async with self._one_at_a_time:
            for stream in tuple(self._streams.values()):
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):      # the executor says how it ended
                    await stream.send_all(line_of(word))
