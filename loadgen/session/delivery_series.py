"""Deliveries in series."""

from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Final

from loadgen.schedule.plans import DeliveryPlan
from loadgen.session.correspondence import Asked, Correspondence
from loadgen.session.deliver import go_over
from loadgen.session.outcome import Outcome
from loadgen.session.route import Route
from loadgen.session.series import NextPlan, Series
from loadgen.session.trace import Mark, Settled, Trace
from loadgen.transport.conversation import Round
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import Tally

OPENED: Final = Mark(timings=3, replies=2)      # connected, greeted, and answered to EHLO


class DeliverySeries(Series):
    """One delivery after another."""

    __slots__ = ("_correspondence", "asked")

    def __init__(
        self, route: Route, plan: DeliveryPlan, correspondence: Correspondence, trace: Trace, tally: "Tally",
        next_plan: NextPlan, due_ns: int | None,
    ) -> None:  # fmt: skip
        self._correspondence = correspondence
        self.asked: Asked | None = None
        super().__init__(route, plan, trace, tally, next_plan, due_ns)

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next in the session under way."""
        return self._correspondence.rounds(self, self._delivery)

    def begin_leg(self) -> None:
        """Mark where a leg begins that may have to be gone over by itself."""
        self.mark = OPENED._replace(offered=self.messages)

    @property
    def _delivery(self) -> DeliveryPlan:
        assert isinstance(self.plan, DeliveryPlan), "each is of one kind"
        return self.plan

    def _note_messages(self) -> None:
        trace, stages = self._trace, self._route.stages
        assert stages is not None, "of SMTP"
        asked, messages = self.asked, self._delivery.messages[self.mark.offered :]
        trace.messages_offered = self.messages + (0 if asked is None else asked.count)
        taken_ns = [finished_ns for phase, _, finished_ns in trace.timings if phase == stages.body.phase]
        for number, (planned, at_ns) in enumerate(zip(messages, taken_ns, strict=False)):
            trace.settled[number] = Settled(planned.envelope, at_ns)

    def _go_over(self, transport: Transport) -> Awaitable[Outcome]:
        return go_over(self._route, self._delivery, self._correspondence.composer, self._trace, self, transport)
