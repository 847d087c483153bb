"""What a run's parent and its workers say to each other while the run lasts: ready, start, how it stands, stop.

One line of JSON for each, over TCP, so that a worker may be wherever an executor puts it. Work and result do not
go this way: those the executor carries. A worker whose parent is gone stops at once. The parent's end of the link is
in `parent.py`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import msgspec
import trio

from loadgen.clock import clock_ns
from loadgen.engine.processes import Unheard
from loadgen.engine.progress import Progress
from loadgen.transport.own import OwnStream, open_own_stream

LINE_OCTETS_MAX = 1 << 20
READ_OCTETS = 1 << 16


class ParentGone(Unheard):
    """Whoever started this worker is no more: there is nobody to give the books to, and nobody to tell."""


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


def line_of(word: Ready | Report | Start | Stop) -> bytes:
    """Return a word as it goes over the link."""
    return msgspec.json.encode(word) + b"\n"


def word_of_worker(line: bytes | None) -> Ready | Report | None:
    """Return what a worker said; None if no worker says such a thing."""
    try:
        word: Ready | Report = _FROM_WORKER.decode(line or b"")
    except (msgspec.DecodeError, RecursionError):      # whoever is on this machine can connect
        return None
    return word


class Lines:
    """Whole lines out of a stream."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._octets = bytearray()

    async def next(self) -> bytes | None:
        """Return the next line, or what there is of one that is too long; None when there is none any more."""
        while (end := self._octets.find(b"\n")) < 0:
            if len(self._octets) > LINE_OCTETS_MAX:
                return bytes(self._octets)
            try:
                octets = await self._stream.receive_some(READ_OCTETS)
            except trio.BrokenResourceError:
                return None
            if not octets:
                return None
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
            await self._stream.send_all(line_of(Ready(self._address.token, self._address.worker)))
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
                await self._stream.send_all(line_of(Report(self._newest)))
            except trio.BrokenResourceError:
                return

    async def watch(self, stop: trio.Event, gone: Callable[[], None]) -> None:
        """Set `stop` when the parent says so; call `gone` when it is no more. Runs until cancelled, or that."""
        while (line := await self._lines.next()) is not None:
            word = _FROM_PARENT.decode(line)
            if isinstance(word, Start):
                self._start = word
                self._started.set()
            else:
                stop.set()
        gone()


@asynccontextmanager
async def linked(address: LinkAddress) -> AsyncIterator[WorkerEnd]:
    """Connect a worker to its parent. ParentGone if there is none."""
    try:
        opened = await open_own_stream(address.host, address.port)
    except OSError:
        raise ParentGone("the parent process is gone") from None
    async with opened as stream:
        yield WorkerEnd(stream, address)
