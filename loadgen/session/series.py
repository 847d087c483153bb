"""Deliveries of one virtual user that follow each other at once, led by one native lane while all goes as hoped.

Between two of them no task has a turn: what one did is tallied by the lane, and the next begins. The first that is
otherwise ends the series, and is gone over by the ordinary code.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar

from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, Plan
from loadgen.session.deliver import go_over
from loadgen.session.outcome import Outcome
from loadgen.session.plain import PlainSession
from loadgen.session.plain_delivery import QUIT, ehlo, plain_envelope
from loadgen.session.route import Route
from loadgen.session.trace import Settled, Trace
from loadgen.transport.conversation import Beginning, Question, Round
from loadgen.transport.stream import Transport

NextPlan = Callable[[], Plan | None]


class DeliverySeries(PlainSession):
    """One session after another. Nobody verifies what becomes of the messages: their names are not kept."""

    __slots__ = (
        "_composer", "_connecting", "_next_plan", "_opening", "_quit", "_way",
        "all_tallied", "messages", "name", "plan",
    )   # fmt: skip
    SERIES: ClassVar[bool] = True

    def __init__(
        self, route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, next_plan: NextPlan
    ) -> None:
        """Begin with a plan; `next_plan` gives the one that follows. The trace is of a session that is otherwise."""
        super().__init__(route, trace, log=trace)
        assert route.stages is not None, "of SMTP"
        assert route.native_way is not None, "who asked for a series has looked"
        self._way = route.native_way
        self._connecting = route.phase_names["connect"], route.phase_limits_s["connect"]
        self.all_tallied = False       # the last session too has gone as hoped
        self._composer = composer
        self._next_plan = next_plan
        self._opening: Round = (route.stages.greeting, b""), (route.stages.ehlo, ehlo(route.hello_name))
        self._quit: Question = route.stages.quit, QUIT
        self._go_on_to(plan)

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next in the session under way."""
        plan, stages, compose = self.plan, self._route.stages, self._composer.compose
        assert stages is not None, "of SMTP"
        yield self._opening
        answer = self.said
        for planned in plan.messages:
            message = compose(
                plan.arrival, planned.index,
                reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
                hidden=planned.hidden, body=planned.body,
            )
            envelope = plain_envelope(stages, answer, plan.reverse_path, planned.envelope, message)
            if envelope is None:
                return
            self.messages += 1
            yield *envelope, (stages.body, message.pieces)
        yield (self._quit,)
        self.done = True

    def follow(self) -> Beginning | None:
        """Go on to the next session, if there is one."""
        if self._recording is not None:
            self._was_heard(tallied=True)
        plan = self._next_plan()
        if plan is None:
            self.all_tallied = True
            return None
        assert isinstance(plan, DeliveryPlan), "each is taken by a series of deliveries"
        self._go_on_to(plan)
        self._be_heard()
        return self._way.beginning(plan.arrival, *self._connecting)

    async def perform(self) -> Outcome:
        """Run all of them; return how the last one ended."""
        lanes = self._route.native_lanes()
        assert lanes is not None, "there is a way for them"
        return await self.run_natively(lanes, self._otherwise)

    def _go_on_to(self, plan: DeliveryPlan) -> None:
        self.plan = plan
        self.name = plan.session_name
        self.arrival = plan.arrival
        self.messages = 0
        self.done = False
        self.began_s = 0.0

    def _over(self) -> None:
        if self.all_tallied:
            return
        super()._over()
        trace, stages = self._trace, self._route.stages
        assert stages is not None, "of SMTP"
        trace.messages_offered = self.messages
        body, _, _ = stages.body
        taken_ns = [finished_ns for phase, _, finished_ns in trace.timings if phase == body]
        for number, (planned, at_ns) in enumerate(zip(self.plan.messages, taken_ns, strict=False)):
            trace.settled[number] = Settled(planned.envelope, at_ns)

    def _otherwise(self, transport: Transport) -> Awaitable[Outcome]:
        return go_over(self._route, self.plan, self._composer, self._trace, self, transport)
