"""A session met over TCP by a server that improvises, twice: by the native lane, and by the ordinary code alone."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import pytest
import trio
from msgspec import structs

from loadgen.endpoint import Endpoint, Protocol
from loadgen.session.outcome import Outcome
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.addresses import numeric_address
from loadgen.transport.conversation import Noted
from loadgen.transport.epoll import EpollReadiness, serve_epoll
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.native_lane import why_not_native
from loadgen.transport.overheard import Event, Overheard, Recording
from loadgen.transport.stream import Transport
from tests.session.plain_stage import Play
from tests.session.theatre import LIMITS

HOST = "127.0.0.1"
SMALL_WINDOW = 4096      # octets the server takes in unread
needs_native = pytest.mark.skipif(why_not_native() is not None, reason=f"no native lane: {why_not_native()}")


@dataclass
class Met:
    """What came of a session with an improvising server."""

    outcome: Outcome | None
    trace: Trace
    said: bytes
    heard: list[Event]        # by somebody who listens
    led_natively: bool


@dataclass(frozen=True)
class Server:
    """A server that gives one answer after another, each in pieces, whatever is said; then it closes, or is silent."""

    answers: Sequence[Sequence[bytes]]
    closes: bool = True
    cancels_at: int | None = None      # instead of that answer the session is cancelled

    async def serve(self, stream: trio.SocketStream, met: Met, session: trio.CancelScope) -> None:
        """Play to the end, and hear what else is said."""
        try:
            for number, pieces in enumerate(self.answers):
                while number and not met.said.endswith(b"\r\n"):
                    octets = await stream.receive_some()
                    if not octets:
                        return
                    met.said += octets
                if number == self.cancels_at:
                    session.cancel()
                    break
                for octets in pieces:
                    await stream.send_all(octets)
                    await trio.lowlevel.checkpoint()
                met.said += b"|"
            if self.closes:
                await stream.send_eof()
            while octets := await stream.receive_some():
                met.said += octets
        except trio.BrokenResourceError:
            pass


@dataclass(frozen=True)
class Listening:
    """Listens to the session."""

    met: Met
    wants_more = True

    def recording(self, protocol: Protocol) -> Recording:
        """Return the recording of a new connection."""
        return Recording(protocol, lambda recording: self.met.heard.extend(recording.events))

    def listening_to(self, transport: Transport, protocol: Protocol, recording: Recording | None = None) -> Transport:
        """Return a transport that is listened to."""
        return Overheard.with_listener(transport, recording or self.recording(protocol))

    def were_tallied(self, connections: int) -> None:
        raise AssertionError("of a series only")

    def was_noted(self, noted: Sequence[Noted] | None, recording: Recording | None, *, connected: bool) -> None:
        """Take what was noted."""
        assert noted is not None
        assert recording is not None
        recording.take(noted)
        recording.end()


async def meet(play: Play, server: Server, limits: PhaseLimits, listening: socket.socket, *, natively: bool) -> Met:
    """Have the session meet the server over TCP."""
    trace = Trace(fates={} if play.noting else None)
    met = Met(None, trace, b"", [], led_natively=False)
    address = numeric_address(*listening.getsockname())
    assert address is not None
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening.dup()))
    async with listener, trio.open_nursery() as serving:
        readiness: EpollReadiness = await serving.start(partial(serve_epoll, lingers=False))      # for the server
        endpoint = Endpoint(play.protocol, HOST, listening.getsockname()[1], None, implicit_tls=False)
        route = Route(endpoint, limits, readiness=readiness, addresses=(address,), listener=Listening(met))
        session = trio.CancelScope()

        async def accept() -> None:
            async with await listener.accept() as stream:
                await server.serve(stream, met, session)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            with pytest.MonkeyPatch.context() as patch, session:
                if not natively:
                    patch.setattr(play.module, "is_plain", lambda route, plan: False)
                met.led_natively = natively and route.native_lanes() is not None
                met.outcome = await play.session(route, trace)
        assert not len(readiness), "no connection stays open"
        serving.cancel_scope.cancel()
    return met


def both_ways(play: Play, server: Server, limits: PhaseLimits = LIMITS, *, all_is_kept: bool = True) -> Met:
    """Run the session by the native lane and by the ordinary code, and hold one against the other.

    Not all that is said is kept for who listens if it is much: what is left out is how TCP cuts it.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        listening.bind((HOST, 0))
        listening.listen()
        natively, ordinarily = [
            trio.run(partial(meet, play, server, limits, listening, natively=each)) for each in (True, False)
        ]
    assert natively.led_natively
    if not all_is_kept:
        natively.heard = ordinarily.heard = []
    assert timeless(natively) == timeless(ordinarily)
    return natively


def timeless(met: Met) -> Met:
    """Return what came of a session without its instants: no two take the same time over TCP."""
    trace = met.trace
    ended = [finished for _, started, finished in trace.timings if started <= finished]
    assert len(ended) == len(trace.timings)
    assert ended == sorted(ended)
    fates = None if trace.fates is None else {one: at and 0 for one, at in trace.fates.items()}
    without = structs.replace(
        trace, timings=[(name, 0, 0) for name, _, _ in trace.timings],
        settled={index: structs.replace(word, at_ns=0) for index, word in trace.settled.items()},
        words=[(*word[:-1], 0) for word in trace.words], dots=dict.fromkeys(trace.dots, 0), fates=fates,
        retrieved=[structs.replace(one, at_ns=0) for one in trace.retrieved],
    )  # fmt: skip
    together = [
        (happening, b"".join(octets for _, octets in events))
        for happening, events in groupby(met.heard, key=lambda event: event[0])
    ]      # how TCP cuts it may be another way each time
    return replace(met, trace=without, heard=together, led_natively=False)
