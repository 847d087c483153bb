"""A session met by a server that improvises, twice: by its plain course, and by the ordinary code alone."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from loadgen.endpoint import Endpoint, Protocol
from loadgen.session.outcome import Outcome
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.stream import Transport
from tests.session.theatre import LIMITS, SERVER_NAME

Piece = tuple[float, bytes]      # so many seconds later these octets


@dataclass
class Met:
    """What came of a session with an improvising server."""

    outcome: Outcome | None
    trace: Trace
    said: bytes
    seconds: float


async def improvise(stream: trio.abc.Stream, answers: Sequence[Sequence[Piece]], *, closes: bool) -> bytes:
    """Give the next answer whenever a line, or a message, has been heard; then close, or be silent."""
    heard = b""
    try:
        for number, pieces in enumerate(answers):
            while number and not heard.endswith(b"\r\n"):
                octets = await stream.receive_some()
                if not octets:
                    return heard
                heard += octets
            for seconds, octets in pieces:
                await trio.sleep(seconds)
                await stream.send_all(octets)
            if number:
                heard += b"|"
        if closes:
            await stream.aclose()
            return heard
        while octets := await stream.receive_some():
            heard += octets
    except trio.BrokenResourceError:
        return heard
    return heard


@dataclass(frozen=True)
class Play:
    """Which session is to meet the server. `module` is the one that asks `is_plain`."""

    module: ModuleType
    protocol: Protocol
    session: Callable[[Route, Trace], Awaitable[Outcome]]
    noting: bool = False      # somebody wants to know whom to try again

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.protocol, SERVER_NAME, 2525, None, implicit_tls=False)


async def meet(
    play: Play, answers: Sequence[Sequence[Piece]], *, closes: bool, plainly: bool, cancel_after: float
) -> Met:
    ours, theirs = trio.testing.memory_stream_pair()
    trace = Trace(fates={} if play.noting else None)
    met = Met(None, trace, b"", 0.0)

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        await trio.lowlevel.checkpoint()
        return Transport.over(ours, peer="the server")

    async def serve() -> None:
        met.said = await improvise(theirs, answers, closes=closes)

    with pytest.MonkeyPatch.context() as patch:
        if not plainly:
            patch.setattr(play.module, "is_plain", lambda route, plan: False)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            with trio.move_on_after(cancel_after):
                met.outcome = await play.session(Route(play.endpoint, LIMITS, dial=dial), trace)
            met.seconds = trio.current_time()
            await ours.aclose()
    return met


def both_ways(
    play: Play, answers: Sequence[Sequence[Piece]], *, closes: bool = True, cancel_after: float = 1e6
) -> Met:
    """Run the session plainly and by the ordinary code, and hold one against the other."""
    met = [
        trio.run(
            partial(meet, play, answers, closes=closes, plainly=plainly, cancel_after=cancel_after),
            clock=MockClock(autojump_threshold=0),
        )
        for plainly in (True, False)
    ]
    assert met[0] == met[1]
    return met[0]


def at_once(octets: bytes) -> list[Piece]:
    return [(0.0, octets)]
