"""A delivery that goes as hoped, as the poller can lead it: every reply lawful, positive, one for one.

Nearly all sessions of a load test are that, and this is what makes a hundred thousand of them cheap. What is
otherwise ends it, and `deliver` goes over the session again by the ordinary code, which knows what everything
means; the tests hold both against each other, for any server.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan
from loadgen.session.fates import note_taken
from loadgen.session.refused import NotOffered
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.session.trace import Offered, Settled, Trace
from loadgen.session.transaction import mail_parameters
from loadgen.transport.conversation import Conversation, Steps
from loadgen.wire.commands import Data, Ehlo, Mail, Quit, Rcpt
from loadgen.wire.extensions import parse_extensions
from loadgen.wire.reply import USUAL_OCTETS, Reply, ReplyClass, lawful_reply

MESSAGES_MAX: Final = 1_000      # of one session, which may have to be gone over again as a whole
_DATA: Final = Data().to_bytes()
_QUIT: Final = Quit().to_bytes()
_YES: Final = ReplyClass.POSITIVE_COMPLETION
_GO_ON: Final = ReplyClass.POSITIVE_INTERMEDIATE

Question = tuple[str, bytes, ReplyClass]      # the phase, what is said in it, and what is hoped for


def is_plain(route: Route, plan: DeliveryPlan) -> bool:
    """Say whether a session may go this way: by SMTP, without TLS that begins inside it, login, groups and chunks."""
    return (
        plan.dialect == "SMTP"
        and plan.account is None
        and plan.pipelining == "never"
        and plan.chunk_octets is None
        and not route.upgrades
        and len(plan.messages) <= MESSAGES_MAX
    )


class PlainDelivery(Conversation):
    """One session from the greeting to the answer to QUIT. Notes in the trace all that happens, as it happens."""

    __slots__ = ("_composer", "_plan", "_reply", "_route", "_timed_before", "_trace")

    def __init__(self, route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace) -> None:
        super().__init__()
        self._route = route
        self._plan = plan
        self._composer = composer
        self._trace = trace
        self._timed_before = len(trace.timings)
        self._reply: Reply | None = None      # the last one

    def forget(self) -> None:
        """Take all of it out of the trace: it is gone over again."""
        self._trace.forget_since(self._timed_before)

    def steps(self) -> Steps:
        """Say and hear, until something is not as hoped."""
        trace, names, limits_s = self._trace, self._route.phase_names, self._route.phase_limits_s
        timings, replies = trace.timings, trace.replies
        clock, now_s = clock_of_this_run(), self.began_s
        now_ns = int(now_s * NS_PER_S)
        for phase, question, hoped in self._questions():
            trace.phase = name = names[phase]
            # A phase begins where the last ended; but composing the message is no time of the server's.
            if phase == "mail":
                now_s = clock()
                now_ns = int(now_s * NS_PER_S)
            started_ns, deadline = now_ns, now_s + limits_s[phase]
            octets, now_s = yield question, deadline
            reply = lawful_reply(octets) if len(octets) <= USUAL_OCTETS else None
            while reply is None and _goes_on(octets):
                more, now_s = yield b"", deadline
                octets += more
                reply = lawful_reply(octets) if len(octets) <= USUAL_OCTETS else None
            if reply is None or reply.reply_class is not hoped:
                return
            now_ns = int(now_s * NS_PER_S)
            timings.append((name, started_ns, now_ns))
            replies.append((name, *reply.counted_as))
            self._reply = reply

    def _questions(self) -> Iterator[Question]:
        """Say what to ask next, each time the last answer was as hoped."""
        plan, trace = self._plan, self._trace
        yield "greeting", b"", _YES
        yield "ehlo", _ehlo(self._route.hello_name), _YES
        assert self._reply is not None, "to EHLO"
        extensions = parse_extensions(self._reply.texts)
        for planned in plan.messages:
            message = self._composer.compose(
                plan.arrival, planned.index,
                reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
                hidden=planned.hidden, body=planned.body,
            )
            recipients = planned.envelope
            if len(message.mail_data) > BLOCK_OCTETS:
                return                       # each block has a limit of its own
            try:
                parameters = mail_parameters(
                    extensions, (plan.reverse_path, *recipients), size_octets=message.content_octets,
                    eight_bit=message.eight_bit, utf8_header=message.utf8_header,
                )
            except NotOffered:
                return
            trace.messages_offered += 1
            yield "mail", _mail(plan.reverse_path, parameters), _YES
            for recipient in recipients:
                yield "rcpt", _rcpt(recipient), _YES
            yield "data", _DATA, _GO_ON
            trace.begun.append(Offered(message.stamp, recipients))
            yield "body", message.mail_data, _YES
            _, _, at_ns = trace.timings[-1]
            trace.settled[len(trace.begun) - 1] = Settled(recipients, at_ns)
            note_taken(trace, planned.index, recipients, at_ns)
        yield "quit", _QUIT, _YES
        self.done = True


def _goes_on(octets: bytes) -> bool:
    """Say whether these octets may be the beginning of one reply: its last line has not come, or not ended."""
    last_line = octets[octets.rfind(b"\n", 0, -1) + 1 :]
    return len(octets) < USUAL_OCTETS and (not octets.endswith(b"\n") or last_line[3:4] == b"-")


@lru_cache(maxsize=16)
def _ehlo(name: str) -> bytes:
    return Ehlo(name).to_bytes()


@lru_cache(maxsize=4096)     # a run says the same over and over: some 200 octets for each
def _mail(reverse_path: str, parameters: tuple[str, ...]) -> bytes:
    return Mail(reverse_path, parameters).to_bytes()


@lru_cache(maxsize=4096)
def _rcpt(recipient: str) -> bytes:
    return Rcpt(recipient).to_bytes()
