"""Deliveries in series."""

from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING

from loadgen.schedule.plans import DeliveryPlan
from loadgen.session.correspondence import Asked, Correspondence
from loadgen.session.deliver import go_over
from loadgen.session.outcome import Outcome
from loadgen.session.plain_delivery import QUIT, ehlo, legs_of
from loadgen.session.route import Route
from loadgen.session.series import NextPlan, Series
from loadgen.session.trace import Mark, Settled, Trace
from loadgen.transport.conversation import LEG, Round
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import Tally


class DeliverySeries(Series):
    """One delivery after another."""

    __slots__ = ("_asked", "_closing", "_correspondence", "_opening")

    def __init__(
        self, route: Route, plan: DeliveryPlan, correspondence: Correspondence, trace: Trace, tally: "Tally",
        next_plan: NextPlan, due_ns: int | None,
    ) -> None:  # fmt: skip
        assert route.stages is not None, "of SMTP"
        self._correspondence = correspondence
        self._asked: Asked | None = None        # of the leg under way, which `messages` does not count yet
        self._opening: Round = (route.stages.greeting, b""), (route.stages.ehlo, ehlo(route.hello_name))
        self._closing: Round = ((route.stages.quit, QUIT),)
        super().__init__(route, plan, trace, tally, next_plan, due_ns)

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next in the session under way."""
        plan, self._asked = self._delivery, None
        yield self._opening
        arrival, asking = plan.arrival, self._correspondence.asking(self.said, plan.reverse_path)
        for leg in legs_of(plan):
            if len(leg) < len(plan.messages):
                self.mark = Mark(1 + len(self._opening), len(self._opening), offered=self.messages)     # with CONNECTED
                yield LEG
            self._asked = asked = asking(arrival, leg)
            yield from asked
            if asked.count < len(leg):
                return
            self._asked = None
            self.messages += asked.count
        yield self._closing
        self.done = True

    @property
    def _delivery(self) -> DeliveryPlan:
        assert isinstance(self.plan, DeliveryPlan), "each is of one kind"
        return self.plan

    def _note_messages(self) -> None:
        trace, stages = self._trace, self._route.stages
        assert stages is not None, "of SMTP"
        asked, messages = self._asked, self._delivery.messages[self.mark.offered :]
        trace.messages_offered = self.messages + (0 if asked is None else asked.count)
        taken_ns = [finished_ns for phase, _, finished_ns in trace.timings if phase == stages.body.phase]
        for number, (planned, at_ns) in enumerate(zip(messages, taken_ns, strict=False)):
            trace.settled[number] = Settled(planned.envelope, at_ns)

    def _go_over(self, transport: Transport) -> Awaitable[Outcome]:
        return go_over(self._route, self._delivery, self._correspondence.composer, self._trace, self, transport)
