"""A delivery that goes as hoped, as the poller can lead it: every reply lawful, positive, one for one.

Nearly all sessions of a load test are that, and this is what makes a hundred thousand of them cheap. What is
otherwise ends it, and `deliver` goes over the session again by the ordinary code, which knows what everything
means; the tests hold both against each other, for any server.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.message.compose import JOINED_MAX_OCTETS, Composer, Message
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.fates import note_taken
from loadgen.session.phases import Stages
from loadgen.session.plain import PlainSession
from loadgen.session.refused import NotOffered
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.session.trace import Offered, Settled, Trace
from loadgen.session.transaction import mail_parameters
from loadgen.transport.conversation import LEG, Round
from loadgen.wire.commands import Data, Ehlo, Mail, Quit, Rcpt
from loadgen.wire.extensions import Extensions, parse_extensions
from loadgen.wire.reply import lawful_reply

LEG_MESSAGES: Final = 100        # are gone over again where one is otherwise: some 30 ms
DATA: Final = Data().to_bytes()
QUIT: Final = Quit().to_bytes()


def is_plain(route: Route, plan: DeliveryPlan) -> bool:
    """Say whether a session may go this way: SMTP in clear text, without login, groups and chunks."""
    return (
        route.tls is None
        and plan.dialect == "SMTP"
        and plan.account is None
        and plan.pipelining == "never"
        and plan.chunk_octets is None
    )


class PlainDelivery(PlainSession):
    """One session from the greeting to the answer to QUIT."""

    __slots__ = ("_composer", "_plan")

    def __init__(self, route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace) -> None:
        super().__init__(route, trace, log=trace)
        self._plan = plan
        self._composer = composer

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next, one round after another, each time all answers to the last were as hoped."""
        plan, trace, stages, clock = self._plan, self._trace, self._route.stages, clock_of_this_run()
        assert stages is not None, "of SMTP"
        yield (stages.greeting, b""), (stages.ehlo, ehlo(self._route.hello_name))
        answer = self.said
        for leg in legs_of(plan):
            if len(leg) < len(plan.messages):
                self.mark = trace.mark()
                yield LEG
            for planned in leg:
                message = self._composer.compose(
                    plan.arrival, planned.index,
                    reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
                    hidden=planned.hidden, body=planned.body,
                )
                recipients = planned.envelope
                envelope = plain_envelope(stages, answer, plan.reverse_path, recipients, message)
                if envelope is None:
                    return
                trace.messages_offered += 1
                yield envelope
                entry = len(trace.begun)
                trace.begun.append(Offered(message.stamp, recipients, plan.reverse_path))
                trace.dots[entry] = int(clock() * NS_PER_S)      # all of it goes by one write
                pieces = message.pieces
                yield ((stages.body, pieces if len(pieces) > 1 else message.mail_data),)
                _, _, at_ns = trace.timings[-1]
                trace.settled[entry] = Settled(recipients, at_ns)
                trace.words.append((entry, recipients, True, int(trace.replies[-1][1]), at_ns))
                if trace.fates is not None:
                    note_taken(trace, planned.index, recipients, at_ns)
        yield ((stages.quit, QUIT),)
        self.done = True


def legs_of(plan: DeliveryPlan) -> Iterable[Sequence[MessagePlan]]:
    """Return the messages of a session in its legs."""
    messages = plan.messages
    if len(messages) <= LEG_MESSAGES:
        return (messages,)
    return (messages[start : start + LEG_MESSAGES] for start in range(0, len(messages), LEG_MESSAGES))


def plain_envelope(
    stages: Stages, answer: bytes, reverse_path: str, recipients: tuple[str, ...], message: Message
) -> Round | None:
    """Return what is said before the mail data to a server that has answered EHLO so; None if that is no plain course.

    The server does not offer what the message needs, or it is so long that each block of it has its own limit.
    """
    if message.content_octets > JOINED_MAX_OCTETS and message.mail_octets > BLOCK_OCTETS:
        return None
    envelope = envelope_to_one if len(recipients) == 1 else _envelope
    return envelope(
        stages, answer, reverse_path, recipients, message.content_octets, message.eight_bit, message.utf8_header
    )


def _envelope(
    stages: Stages, answer: bytes, reverse_path: str, recipients: tuple[str, ...], octets: int, eight_bit: bool,
    utf8_header: bool,
) -> Round | None:  # fmt: skip
    try:
        parameters = mail_parameters(
            _offered_in(answer), (reverse_path, *recipients), size_octets=octets, eight_bit=eight_bit,
            utf8_header=utf8_header,
        )
    except NotOffered:
        return None
    rcpts = [(stages.rcpt, _rcpt(recipient)) for recipient in recipients]
    return (stages.mail, _mail(reverse_path, parameters)), *rcpts, (stages.data, DATA)


envelope_to_one = lru_cache(maxsize=4096)(_envelope)    # a run says the same over and over: some 500 octets for each


@lru_cache(maxsize=16)
def _offered_in(answer: bytes) -> Extensions:
    said = lawful_reply(answer)
    assert said is not None, "the answer to EHLO was as hoped"
    return parse_extensions(said.texts)


@lru_cache(maxsize=16)
def ehlo(name: str) -> bytes:
    return Ehlo(name).to_bytes()


@lru_cache(maxsize=4096)     # a run says the same over and over: some 200 octets for each
def _mail(reverse_path: str, parameters: tuple[str, ...]) -> bytes:
    return Mail(reverse_path, parameters).to_bytes()


@lru_cache(maxsize=4096)
def _rcpt(recipient: str) -> bytes:
    return Rcpt(recipient).to_bytes()
