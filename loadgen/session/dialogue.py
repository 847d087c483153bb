"""What every session has, whatever the protocol: one transport, its life, and phases timed into a trace."""

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Protocol, Self

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.session.refused import CutOff, Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.transport.stream import Transport
from loadgen.wire.errors import RemoteProtocolError

# Phases that wait as long as another: the transport's limits name what RFC 5321 §4.5.3.2 does, and some more.
LIMITED_AS: Final = {"vrfy": "noop"}
CLOSED: Final = "closed"      # stands among the replies where the server lawfully closed instead


class Machine(Protocol):
    """What a client machine takes in, whatever it speaks."""

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""

    def receive_eof(self) -> None:
        """Note that the server closed; RemoteProtocolError if it did so amid an answer."""


class Connection:
    """One connection of a session. Enter it to connect; leaving it closes the transport."""

    def __init__(self, route: Route, trace: Trace, arrival: int, machine: Machine) -> None:
        self.route = route
        self.trace = trace
        self._arrival = arrival
        self._machine = machine
        self._prefix = route.endpoint.protocol
        self._transport: Transport | None = None
        self.timed = True                 # false: what follows goes at our pace, and its times tell nothing
        self.may_be_cut_off = False       # true: a server that closes from here on does what it may

    async def __aenter__(self) -> Self:
        started_ns, deadline = self._begin("connect")
        self._transport = await self.route.dial(self.route, self._arrival, deadline)
        self._end("connect", started_ns)
        if self.route.endpoint.implicit_tls:
            async with AsyncExitStack() as undo:
                undo.push_async_callback(self._transport.aclose)
                started_ns, deadline = self._begin("tls")
                await self._handshake(deadline)
                self._end("tls", started_ns)
                undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.trace.octets_sent += self.transport.octets_sent
        self.trace.octets_received += self.transport.octets_received
        await self.transport.aclose()

    @property
    def transport(self) -> Transport:
        """Return the open connection."""
        assert self._transport is not None, "entered before use"
        return self._transport

    async def quit(self) -> Refused | None:
        """Leave without a word. Ends without a checkpoint."""
        return None

    async def _handshake(self, deadline: float) -> None:
        assert self.route.tls is not None, "the route's endpoint or scenario asks for TLS"
        await self.transport.start_tls(self.route.tls, self.route.server_name, deadline)

    def name_of(self, phase: str) -> str:
        """Return a phase's name in documents and gates: `smtp.mail` for `mail`."""
        return f"{self._prefix}.{phase}"

    def _begin(self, phase: str) -> tuple[int, float]:
        """Return when a phase starts, ns, and the instant by which it must have ended, trio's seconds."""
        name = self.name_of(phase)
        self.trace.phase = name
        started_ns = clock_ns()
        return started_ns, started_ns / NS_PER_S + self._limit(phase)

    def _limit(self, phase: str) -> float:
        return self.route.limits.for_phase(self.name_of(LIMITED_AS.get(phase, phase)))

    def _end(self, phase: str, started_ns: int) -> None:
        if self.timed:
            self.trace.timings.append((self.name_of(phase), started_ns, clock_ns()))

    async def _say(self, octets: bytes, deadline: float) -> None:
        """Send octets that an answer is owed to. A server that is gone may have said why: the read tells."""
        try:
            await self.transport.send(octets, deadline)
        except PeerClosed:
            return

    async def _listen(self, deadline: float) -> None:
        """Let the machine have what the server sends next. An end amid an answer is the server's error.

        Not where the server may close: then CutOff, and it counts among the replies as `closed`.
        """
        try:
            octets = await self._receive(deadline)
        except PeerClosed:
            if not self.may_be_cut_off:
                self._machine.receive_eof()
                raise
            self.trace.replies.append((self.trace.phase, CLOSED, None))
            with suppress(RemoteProtocolError):
                self._machine.receive_eof()
            raise CutOff from None
        self._machine.receive(octets)

    async def _receive(self, deadline: float) -> bytes:
        """Return what the server sends next."""
        return await self.transport.receive(deadline)


class Dialogue(Connection, ABC):
    """A connection on which a protocol is spoken by its rules."""

    @abstractmethod
    async def noop(self) -> None:
        """Ask for nothing; raise Refused if even that is."""

    @abstractmethod
    async def quit(self) -> Refused | None:
        """Say goodbye if the server is still there, and return its refusal if it would not have it."""

    async def idle(self, until: float) -> None:
        """Be silent until an instant (trio's clock, seconds), unless the server speaks or closes before it.

        Nothing was asked, so what it says can only be that it leaves: Refused. Anything else is its error.
        What happens here counts under `noop`: that is the phase in which a client asks whether the server
        is still there.
        """
        self._begin("noop")
        try:
            refusal = await self._unasked(until)
        except TransportTimeout:
            return
        raise refusal

    @abstractmethod
    async def _unasked(self, deadline: float) -> Refused:
        """Wait for an answer to nothing, and return the refusal that it is."""
