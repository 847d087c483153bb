"""What every session has, whatever the protocol: one transport, its life, and phases timed into a trace."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Generic, Protocol, Self, TypeVar

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.session.refused import CutOff, Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Conversation
from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.transport.stream import Transport
from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError

CLOSED: Final = "closed"      # stands among the replies where the server lawfully closed instead


class Machine(Protocol):
    """What a client machine takes in, whatever it speaks."""

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""

    def receive_eof(self) -> None:
        """Note that the server closed; RemoteProtocolError if it did so amid an answer."""


CommandT = TypeVar("CommandT")
CommandT_contra = TypeVar("CommandT_contra", contravariant=True)
SaidT = TypeVar("SaidT", bound="Said")
SaidT_co = TypeVar("SaidT_co", bound="Said", covariant=True)


class Said(Protocol):
    """What a server said, whatever the protocol."""

    @property
    def counted_as(self) -> tuple[str, str | None]:
        """Return its code or indicator, and what goes with it, as text."""

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """Return what it has that the grammar has not."""

    @property
    def evidence(self) -> bytes:
        """Return the octets that deviate."""


class Client(Machine, Protocol[CommandT_contra, SaidT_co]):
    """A machine that knows what may be said and what is owed."""

    def send(self, command: CommandT_contra) -> bytes:
        """Return the octets to send. RemoteProtocolError if the server has already said what would be its answer."""

    @property
    def unread(self) -> bool:
        """Say whether something was received that is part of no answer taken yet."""

    def hear(self, octets: bytes = b"") -> SaidT_co | None:
        """Take in what was received; return the next answer, or None until more is received."""


async def connected(route: Route, trace: Trace, arrival: int) -> Transport:
    """Connect to a route's server. The phase `connect` is timed. Raises TransportError."""
    trace.phase = name = route.phase_names["connect"]
    now = clock_of_this_run()
    started = now()
    transport = await route.dial(route, arrival, started + route.phase_limits_s["connect"])
    if route.listener is not None:
        transport = route.listener.listening_to(transport, route.endpoint.protocol)
    if route.segment_octets is not None:
        transport.send_in_segments(route.segment_octets)
    trace.timings.append((name, int(started * NS_PER_S), int(now() * NS_PER_S)))
    return transport


def close(transport: Transport, trace: Trace) -> Awaitable[None]:
    """Close a session's transport, and count what went over it. To be awaited at once."""
    trace.octets_sent += transport.octets_sent
    trace.octets_received += transport.octets_received
    return transport.aclose()


class Connection:
    """One connection of a session. Enter it to connect; leaving it closes the transport."""

    transport: Transport              # once entered

    def __init__(self, route: Route, trace: Trace, arrival: int, machine: Machine) -> None:
        self.route = route
        self.trace = trace
        self._arrival = arrival
        self._machine = machine
        self._is_connected = False
        self._now = clock_of_this_run()
        self._names = route.phase_names
        self._limits_s = route.phase_limits_s
        self.timed = True                 # false: what follows goes at our pace, and its times tell nothing
        self.may_be_cut_off = False       # true: a server that closes from here on does what it may

    async def __aenter__(self) -> Self:
        if self._is_connected:
            return self
        self.transport = await connected(self.route, self.trace, self._arrival)
        if not self.timed:
            self.trace.timings.pop()
        if self.route.endpoint.implicit_tls:
            async with AsyncExitStack() as undo:
                undo.push_async_callback(self.transport.aclose)
                started_ns, deadline = self._begin("tls")
                await self._handshake(deadline)
                self._end("tls", started_ns)
                undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close(self.transport, self.trace)

    async def quit(self) -> Refused | None:
        """Leave without a word. Ends without a checkpoint."""
        return None

    def go_over(self, transport: Transport, conversation: Conversation) -> None:
        """Have what was said and heard in a conversation said and heard again, at the instants it was.

        Instead of connecting: the transport is this one's now.
        """
        self.transport = transport
        self._is_connected = True
        self._now = transport.rehearse(conversation).now

    def now_ns(self) -> int:
        """Return the instant at which things stand, on `clock_ns`."""
        return int(self._now() * NS_PER_S)

    async def _handshake(self, deadline: float) -> None:
        assert self.route.tls is not None, "the route's endpoint or scenario asks for TLS"
        await self.transport.start_tls(self.route.tls, self.route.server_name, deadline)

    def name_of(self, phase: str) -> str:
        """Return a phase's name in documents and gates: `smtp.mail` for `mail`."""
        return self._names[phase]

    def _begin(self, phase: str) -> tuple[int, float]:
        """Return when a phase starts, ns, and the instant by which it must have ended, trio's seconds."""
        self.trace.phase = self._names[phase]
        now = self._now()
        return int(now * NS_PER_S), now + self._limits_s[phase]

    def _end(self, phase: str, started_ns: int) -> None:
        if self.timed:
            self.trace.timings.append((self._names[phase], started_ns, int(self._now() * NS_PER_S)))

    def _by(self, phase: str) -> float:
        """Return the instant (trio's clock) by which a phase that begins now must have ended."""
        return self._now() + self._limits_s[phase]

    async def _say(self, octets: bytes | memoryview, deadline: float) -> None:
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
            self._heed_end()
            raise
        self._machine.receive(octets)

    def _heed_end(self) -> None:
        """Raise what it means that the server closed, if it is more than that."""
        if not self.may_be_cut_off:
            self._machine.receive_eof()
            return
        self.trace.replies.append((self.trace.phase, CLOSED, None))
        with suppress(RemoteProtocolError):
            self._machine.receive_eof()
        raise CutOff from None

    def _ask(self, octets: bytes, deadline: float) -> Awaitable[bytes]:
        """Send octets that an answer is owed to, and return what the server sends next."""
        return self.transport.ask(octets, deadline)

    def _receive(self, deadline: float) -> Awaitable[bytes]:
        """Return what the server sends next."""
        return self.transport.receive(deadline)


class Dialogue(Connection, ABC, Generic[CommandT, SaidT]):
    """A connection on which a protocol is spoken by its rules."""

    def __init__(self, route: Route, trace: Trace, arrival: int, client: Client[CommandT, SaidT]) -> None:
        super().__init__(route, trace, arrival, client)
        self._client = client

    async def ask(self, phase: str, command: CommandT, *, whole: bool = True) -> SaidT:
        """Send one command and return its answer, whatever it says; the phase is timed.

        It is not if `whole` is false: then this is only part of a phase, which has begun.
        """
        name, trace, client, started = self._names[phase], self.trace, self._client, self._now()
        trace.phase = name
        deadline = started + self._limits_s[phase]
        octets = client.send(command)
        if client.unread:                   # 421, before it was asked
            await self._say(octets, deadline)
            said = client.hear()
        else:
            try:
                said = client.hear(await self._ask(octets, deadline))
            except PeerClosed:
                self._heed_end()
                raise
        while said is None:
            await self._listen(deadline)
            said = client.hear()
        if whole and self.timed:
            trace.timings.append((name, int(started * NS_PER_S), int(self._now() * NS_PER_S)))
        trace.replies.append((name, *said.counted_as))
        if said.deviations:
            self._note_deviations(name, said)
        return said

    async def _answer(self, phase: str, deadline: float) -> SaidT:
        """Wait for the next answer, and keep it in the trace. May end without a checkpoint if it is here already."""
        client, name = self._client, self._names[phase]
        said = client.hear() if client.unread else None
        while said is None:
            try:
                said = client.hear(await self._receive(deadline))
            except PeerClosed:
                self._heed_end()
                raise
        self.trace.replies.append((name, *said.counted_as))
        if said.deviations:
            self._note_deviations(name, said)
        return said

    def _note_deviations(self, name: str, said: SaidT) -> None:
        for deviation in said.deviations:
            self.trace.deviations.append((name, deviation, said.evidence))

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
