"""The null sink in a process of its own, and what it says it has used."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import trio

from loadgen.engine.embedded import own_server
from reports.errors import PreconditionFailed

SINK: Final = (sys.executable, "-m", "mailproof", "sink", "--until-eof")
ANSWER_LIMIT_S: Final = 10.0


class Used(msgspec.Struct, frozen=True):
    """What the sink served up to now, and its processor time."""

    connections: int
    messages: int
    cpu_s: float


class Sink:
    """A sink that runs."""

    def __init__(self, url: str, process: trio.Process) -> None:
        self.url = url
        self._process = process

    async def used(self) -> Used:
        """Ask what it has used. PreconditionFailed if it does not answer: then nothing is measured."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = b""
        try:
            with trio.move_on_after(ANSWER_LIMIT_S):
                await self._process.stdin.send_all(b"\n")
                while not line.endswith(b"\n") and (octets := await self._process.stdout.receive_some()):
                    line += octets
            return msgspec.json.decode(line, type=Used)
        except (msgspec.DecodeError, trio.BrokenResourceError):
            raise PreconditionFailed("the null sink ended or does not answer, so nothing can be measured") from None


@asynccontextmanager
async def null_sink() -> AsyncIterator[Sink]:
    """Run a null sink on a port of its choice. PreconditionFailed if it does not come up."""
    async with own_server(SINK) as server:
        assert server.ready.smtp is not None
        yield Sink(server.ready.smtp, server.process)
