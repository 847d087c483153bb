"""What a run's parent and its workers say to each other while the run lasts: ready, start, how it stands, stop.

One line of JSON for each, over TCP, so that a worker may be wherever an executor puts it. Work and result do not
go this way: those the executor carries. A worker whose parent is gone stops at once.
"""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import msgspec
import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.progress import Progress
from loadgen.transport.own import OwnStream, open_own_stream

HOST = "127.0.0.1"
LEAD_S = 0.25                      # between the last worker's readiness and the run's start
HELLO_LIMIT_S = 10.0               # whoever connects and does not say who it is
LINE_OCTETS_MAX = 1 << 20
READ_OCTETS = 1 << 16


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """Where a worker reports to. Crosses processes."""

    host: str
    port: int
    token: str                     # without it nobody is a worker of this run
    worker: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A worker's first word."""

    token: str
    worker: int


class Report(msgspec.Struct, frozen=True, tag="report"):
    """How a worker's part stands."""

    progress: Progress


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The run's start, on the monotonic clock that all processes of one machine share."""

    at_ns: int


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Start no more sessions, and drain."""


_FROM_WORKER = msgspec.json.Decoder(Ready | Report)
_FROM_PARENT = msgspec.json.Decoder(Start | Stop)
_ENCODER = msgspec.json.Encoder()


class Lines:
    """Whole lines out of a stream."""

    def __init__(self, stream: OwnStream) -> None:
        self._stream = stream
        self._octets = bytearray()

    async def next(self) -> bytes:
        """Return the next line; b"" when there is none any more."""
        while (end := self._octets.find(b"\n")) < 0:
            try:
                octets = await self._stream.receive_some(READ_OCTETS)
            except trio.BrokenResourceError:
                return b""
            if not octets or len(self._octets) > LINE_OCTETS_MAX:
                return b""
            self._octets += octets
        line = bytes(self._octets[:end])
        del self._octets[: end + 1]
        return line


class WorkerEnd:
    """The link as a worker has it."""

    def __init__(self, stream: OwnStream, address: LinkAddress) -> None:
        self._stream = stream
        self._lines = Lines(stream)
        self._address = address
        self._start: Start | None = None
        self._started = trio.Event()
        self._newest: Progress | None = None
        self._told = trio.Event()

    async def begin(self) -> int:
        """Say that this worker is ready, and return the run's start on this process's `clock_ns`, when it is known.

        The word comes by way of `watch`.
        """
        with suppress(trio.BrokenResourceError):       # `watch` sees the same end, and acts on it
            await self._stream.send_all(_ENCODER.encode(Ready(self._address.token, self._address.worker)) + b"\n")
        await self._started.wait()
        assert self._start is not None
        return clock_ns() + self._start.at_ns - time.monotonic_ns()

    def observe(self, progress: Progress) -> None:
        """Report when there is time to; of two reports that wait the newer is enough."""
        self._newest = progress
        self._told.set()

    async def report(self) -> None:
        """Send what is observed. Runs until cancelled, or the parent is gone."""
        while True:
            await self._told.wait()
            self._told = trio.Event()
            assert self._newest is not None
            try:
                await self._stream.send_all(_ENCODER.encode(Report(self._newest)) + b"\n")
            except trio.BrokenResourceError:
                return

    async def watch(self, stop: trio.Event, gone: Callable[[], None]) -> None:
        """Set `stop` when the parent says so; call `gone` when it is no more. Runs until cancelled, or that."""
        while line := await self._lines.next():
            word = _FROM_PARENT.decode(line)
            if isinstance(word, Start):
                self._start = word
                self._started.set()
            else:
                stop.set()
        gone()


@asynccontextmanager
async def linked(address: LinkAddress) -> AsyncIterator[WorkerEnd]:
    """Connect a worker to its parent. OSError if there is none."""
    async with await open_own_stream(address.host, address.port) as stream:
        yield WorkerEnd(stream, address)


class ParentEnd:
    """The links of all workers as their parent has them."""

    def __init__(self, workers: int, shown: Callable[[], None]) -> None:
        self.newest: dict[int, Progress] = {}        # of each worker that has reported
        self._token = secrets.token_hex(16)
        self._streams: dict[int, OwnStream] = {}
        self._awaited = set(range(workers))          # neither ready nor lost
        self._all_there = trio.Event()
        self._stopped = False
        self._one_at_a_time = trio.Lock()            # two words to one stream
        self._shown = shown
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
            [listener] = await nursery.start(partial(trio.serve_tcp, self._hear, 0, host=HOST))
            self._port = listener.socket.getsockname()[1]
            task_status.started()

    async def start(self) -> None:
        """Wait until every worker is ready, or lost, and tell all when the run starts."""
        await self._all_there.wait()
        await self._tell(Start(time.monotonic_ns() + round(LEAD_S * NS_PER_S)))

    async def stop(self) -> None:
        """Tell every worker to start no more sessions."""
        self._stopped = True
        await self._tell(Stop())

    async def _tell(self, word: Start | Stop) -> None:
        line = _ENCODER.encode(word) + b"\n"
        async with self._one_at_a_time:
            for stream in tuple(self._streams.values()):
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):      # the executor says how it ended
                    await stream.send_all(line)

    async def _hear(self, stream: OwnStream) -> None:
        lines = Lines(stream)
        async with stream:
            word = None
            with trio.move_on_after(HELLO_LIMIT_S):
                word = _word(await lines.next())
            if not isinstance(word, Ready) or not secrets.compare_digest(word.token, self._token):
                return
            self._streams[word.worker] = stream
            if self._stopped:
                await self._tell(Stop())
            self.wait_no_longer_for(word.worker)
            while isinstance(report := _word(await lines.next()), Report):
                self.newest[word.worker] = report.progress
                self._shown()
            del self._streams[word.worker]


def _word(line: bytes) -> Ready | Report | None:
    try:
        word: Ready | Report = _FROM_WORKER.decode(line)
    except msgspec.DecodeError:
        return None
    return word
