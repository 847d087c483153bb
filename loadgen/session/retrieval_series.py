"""Retrievals in series."""

from collections.abc import Awaitable, Iterator
from functools import lru_cache
from typing import Final

from loadgen.schedule.plans import Plan, RetrievalPlan
from loadgen.session.outcome import Outcome
from loadgen.session.plain_retrieval import QUIT, dele, logged_in_and_listed, retr
from loadgen.session.pop3_stages import Pop3Stages
from loadgen.session.retrieve import go_over
from loadgen.session.series import Series
from loadgen.session.trace import Mark
from loadgen.transport.conversation import LEG, Round
from loadgen.transport.stream import Transport
from loadgen.wire.response import END_OF_LINES, LINE_END, lines_of

MESSAGES_AT_ONCE: Final = 64     # asked for in one round: some 10 KiB, which sessions have in common
OPENED: Final = {"user": Mark(timings=6, replies=6), "apop": Mark(timings=6, replies=5)}     # down to UIDL


class RetrievalSeries(Series):
    """One retrieval after another."""

    __slots__ = ("_before", "_leg")
    _before: int               # messages in the legs before
    _leg: tuple[int, ...]      # the numbers of its messages

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next in the session under way."""
        plan, stages = self._retrieval, self._route.pop3_stages
        assert stages is not None, "of POP3"
        listed = yield from logged_in_and_listed(self, stages, plan)
        if listed is None:
            return
        legs, _ = listed
        for leg in legs:
            if len(legs) > 1:
                self.mark = OPENED[plan.auth]
                self._before += len(self._leg)
                yield LEG
            self._leg = leg
            for start in range(0, len(leg), MESSAGES_AT_ONCE):
                yield _all_of(stages, leg[start : start + MESSAGES_AT_ONCE], plan.delete)
        yield ((stages.quit, QUIT),)
        self.done = True

    @property
    def _retrieval(self) -> RetrievalPlan:
        assert isinstance(self.plan, RetrievalPlan), "each is of one kind"
        return self.plan

    def _go_on_to(self, plan: Plan) -> None:
        self._before, self._leg = 0, ()
        super()._go_on_to(plan)

    def _note_messages(self) -> None:
        trace, stages = self._trace, self._route.pop3_stages
        assert stages is not None, "of POP3"
        with_lines = {stages.list.phase, stages.uidl.phase, stages.retr.phase}
        came_ns = iter([finished_ns for phase, _, finished_ns in trace.timings if phase == stages.retr.phase])
        numbers = iter(self._leg)
        octets, begin, maildrop = b"".join([each for each, _ in self.heard]), 0, self._retrieval.account.address
        for phase, _, _ in trace.replies:
            ending = END_OF_LINES if phase in with_lines else LINE_END
            end = octets.index(ending, begin) + len(ending)
            if phase == stages.retr.phase:
                content = lines_of(octets[begin:end])
                trace.found(maildrop, next(numbers), None, content, next(came_ns), verified=False)
            begin = end

    def _go_over(self, transport: Transport) -> Awaitable[Outcome]:
        return go_over(self._route, self._retrieval, self._trace, self, transport, self._before)


@lru_cache(maxsize=256)     # the maildrops of a run have the same numbers over and over
def _all_of(stages: Pop3Stages, numbers: tuple[int, ...], delete: bool) -> Round:
    """Return the questions that retrieve these messages, and delete each if that is wanted."""
    questions = []
    for number in numbers:
        questions.append((stages.retr, retr(number)))
        if delete:
            questions.append((stages.dele, dele(number)))
    return tuple(questions)
