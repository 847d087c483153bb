"""The plain course of a session: led by the poller while all goes as hoped, else gone over by the ordinary code."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from loadgen.session.dialogue import close, connected
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Conversation
from loadgen.transport.errors import TransportError
from loadgen.transport.native_connection import connect_and_converse
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import Lanes


class PlainSession(Conversation):
    """A session that has all its wishes, in clear text. Notes in the trace all that happens, as it happens."""

    __slots__ = ("_route", "_trace")

    def __init__(self, route: Route, trace: Trace, log: Trace | None = None) -> None:
        super().__init__(log)
        self._route = route
        self._trace = trace

    def run(self, arrival: int, otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Awaitable[Outcome]:
        """Connect, run and close. Where it is not as hoped, `otherwise` goes over it, and closes the transport."""
        route = self._route
        lanes = route.native_lanes()
        if lanes is None or self.log is None:
            return self._run_in_turn(arrival, otherwise)
        return self._run_natively(lanes, arrival, otherwise)

    async def _run_natively(
        self, lanes: "Lanes", arrival: int, otherwise: Callable[[Transport], Awaitable[Outcome]]
    ) -> Outcome:
        route, trace = self._route, self._trace
        assert route.native_way is not None, "there are lanes"
        trace.phase = name = route.phase_names["connect"]
        transport, listener, recording = None, route.listener, None
        if listener is not None and listener.wants_more:
            recording, self.noted = listener.recording(route.endpoint.protocol), []
        try:
            transport = await connect_and_converse(
                lanes, route.readiness, route.native_way, arrival, self, name, route.phase_limits_s["connect"],
                route.endpoint.host,
            )  # fmt: skip
        except TransportError as error:
            return Outcome.of_error(error, trace.phase)
        finally:
            if transport is None and listener is not None:
                listener.was_noted(self.noted, recording, connected=self.began_s > 0)
        if transport is None:
            return ACCEPTED
        if listener is not None:
            transport = listener.listening_to(transport, route.endpoint.protocol, recording)
        trace.forget_since(1)
        return await otherwise(transport)

    async def _run_in_turn(self, arrival: int, otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Outcome:
        trace = self._trace
        try:
            transport = await connected(self._route, trace, arrival)
        except TransportError as error:
            return Outcome.of_error(error, trace.phase)
        connecting = len(trace.timings)
        goes_on = False
        try:
            goes_on = not await transport.converse(self)
        finally:
            if not goes_on:
                await close(transport, trace)
        if goes_on:
            trace.forget_since(connecting)
            return await otherwise(transport)
        return ACCEPTED
