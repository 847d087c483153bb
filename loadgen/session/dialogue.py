"""What every dialogue has, whatever the protocol: one transport, its life, and phases timed into a trace."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from loadgen.clock import clock_ns
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.stream import Transport


class Dialogue:
    """One connection of a session. Enter it to connect; leaving it closes the transport."""

    def __init__(self, route: Route, trace: Trace, arrival: int) -> None:
        self.route = route
        self.trace = trace
        self._prefix = route.endpoint.protocol
        self._arrival = arrival
        self._transport: Transport | None = None

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

    async def _handshake(self, deadline: float) -> None:
        assert self.route.tls is not None, "the route's endpoint or scenario asks for TLS"
        await self.transport.start_tls(self.route.tls, self.route.server_name, deadline)

    def name_of(self, phase: str) -> str:
        """Return a phase's name in documents and gates: `smtp.mail` for `mail`."""
        return f"{self._prefix}.{phase}"

    def _begin(self, phase: str) -> tuple[int, float]:
        """Return when a phase starts, ns, and the instant by which it must have ended, trio's seconds."""
        self.trace.phase = self.name_of(phase)
        return clock_ns(), self.route.deadline(phase)

    def _end(self, phase: str, started_ns: int) -> None:
        self.trace.timings.append((self.name_of(phase), started_ns, clock_ns()))
