"""The plain course of a session: led by the poller while all goes as hoped, else gone over by the ordinary code."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from loadgen.session.dialogue import close, connected
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.route import Route
from loadgen.session.trace import Mark, Trace
from loadgen.transport.conversation import Conversation
from loadgen.transport.errors import TransportError
from loadgen.transport.native_connection import conversed
from loadgen.transport.overheard import Recording
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import NativeLane

CONNECTED: Final = Mark(timings=1)


class PlainSession(Conversation):
    """A session that has all its wishes, in clear text. Notes in the trace all that happens, as it happens."""

    __slots__ = ("_recording", "_route", "_trace", "mark")

    def __init__(self, route: Route, trace: Trace, log: Trace | None = None) -> None:
        super().__init__(log)
        self._route = route
        self._trace = trace
        self._recording: Recording | None = None      # what a listener wants of it
        self.mark = CONNECTED         # how far the trace had come when the leg began that may have to be gone over

    def run(self, arrival: int, otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Awaitable[Outcome]:
        """Connect, run and close. Where it is not as hoped, `otherwise` goes over it, and closes the transport."""
        self.arrival = arrival
        lanes = self._route.native_lanes()
        if lanes is None or self.log is None:
            return self._run_in_turn(otherwise)
        lane = lanes.lane(self)
        self.begin_natively(lane)
        return self.run_natively(lane, otherwise)

    def begin_natively(self, lane: "NativeLane") -> None:
        """Begin to connect, by a native lane, which is its own."""
        route = self._route
        assert route.native_way is not None, "there are lanes"
        self._be_heard()
        lane.begin(*route.native_way.beginning(self.arrival))

    async def run_natively(self, lane: "NativeLane", otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Outcome:
        """Run what a lane has begun, and close."""
        route, trace, listener = self._route, self._trace, self._route.listener
        assert route.native_way is not None, "there are lanes"
        transport = None
        try:
            transport = await conversed(lane, route.native_way, self, route.readiness, route.endpoint.host)
        except TransportError as error:
            return Outcome.of_error(error, trace.phase)
        finally:
            if transport is None:
                self._over()
        if transport is None:
            return ACCEPTED
        if listener is not None:
            transport = listener.listening_to(transport, route.endpoint.protocol, self._recording)
        trace.forget_since(self.mark)
        return await otherwise(transport)

    def _over(self) -> None:
        """Note that the connection is over, or was never made, and that nothing is gone over."""
        self._was_heard()

    def _be_heard(self) -> None:
        """Let a native lane note what is said, if somebody wants to hear it."""
        listener = self._route.listener
        if listener is not None and listener.wants_more:
            self._recording, self.noted = listener.recording(self._route.endpoint.protocol), []

    def _was_heard(self, *, tallied: bool = False) -> None:
        """Give the listener what was noted, now that the connection is over."""
        listener = self._route.listener
        if listener is not None:
            listener.was_noted(self.noted, self._recording, connected=self.began_s > 0 and not tallied)
            self._recording = self.noted = None

    async def _run_in_turn(self, otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Outcome:
        trace = self._trace
        try:
            transport = await connected(self._route, trace, self.arrival)
        except TransportError as error:
            return Outcome.of_error(error, trace.phase)
        goes_on = False
        try:
            goes_on = not await transport.converse(self)
        finally:
            if not goes_on:
                await close(transport, trace)
        if goes_on:
            trace.forget_since(self.mark)
            return await otherwise(transport)
        return ACCEPTED
