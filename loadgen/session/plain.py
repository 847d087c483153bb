"""The plain course of a session: led by the poller while all goes as hoped, else gone over by the ordinary code."""

from collections.abc import Awaitable, Callable

from loadgen.session.dialogue import close, connected
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Conversation
from loadgen.transport.errors import TransportError
from loadgen.transport.stream import Transport


class PlainSession(Conversation):
    """A session that has all its wishes, in clear text. Notes in the trace all that happens, as it happens."""

    __slots__ = ("_route", "_trace")

    def __init__(self, route: Route, trace: Trace) -> None:
        super().__init__()
        self._route = route
        self._trace = trace

    async def run(self, arrival: int, otherwise: Callable[[Transport], Awaitable[Outcome]]) -> Outcome:
        """Connect, run and close. Where it is not as hoped, `otherwise` goes over it, and closes the transport."""
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
