"""What is asked for each message of the deliveries in series over one route."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.phases import Stages
from loadgen.session.plain_delivery import QUIT, ehlo, envelope_to_one, plain_envelope
from loadgen.transport.conversation import Round

if TYPE_CHECKING:
    from loadgen.message.pool import TextPool
    from loadgen.scenario.content import PlainKind
    from loadgen.session.mailing import Mailing, Text

ANSWERS_MAX: Final = 16        # to EHLO, from each reverse-path: what is asked is known so long


class Asked(Protocol):
    """The questions of each of some messages, their mail data the last, up to the first that is no plain course."""

    @property
    def count(self) -> int:
        """Return how many messages were asked for."""

    def __iter__(self) -> Iterator[Round]:
        """Go on with the next."""

    def __next__(self) -> Round:
        """Return the questions of the next."""


Asking = Callable[[int, Sequence[MessagePlan]], Asked]       # of messages of an arrival


class Writer(Protocol):
    """Who asks for the messages of one session: is told how far it has come."""

    said: bytes              # the last answer of the last round
    asked: Asked | None      # in the leg under way, whose messages are not counted yet; None: nothing, any more
    messages: int            # that were offered, in the legs before
    done: bool               # all has been asked

    def begin_leg(self) -> None:
        """Take note that a leg begins that may have to be gone over by itself."""


class Correspondence:
    """How messages are asked for, by what the server has answered to EHLO.

    Most are put together by `mailing.pyx`, which is built with the native lanes that series need.
    """

    __slots__ = ("_asking", "_closing", "_opening", "_rounds", "_stages", "_texts", "composer")

    def __init__(self, stages: Stages, composer: Composer, hello_name: str) -> None:
        from loadgen.session.mailing import rounds  # noqa: PLC0415  it is not there without native lanes
        self.composer = composer
        self._stages = stages
        self._rounds = rounds
        self._opening: Round = (stages.greeting, b""), (stages.ehlo, ehlo(hello_name))
        self._closing: Round = ((stages.quit, QUIT),)
        self._asking: dict[tuple[bytes, str], Asking] = {}
        self._texts: dict[TextPool, Text] = {}

    def rounds(self, series: Writer, plan: DeliveryPlan) -> Iterator[Round]:
        """Give what the session of a plan asks, one round after another."""
        return self._rounds(series, plan, self.asking, self._opening, self._closing)

    def asking(self, answer: bytes, reverse_path: str) -> Asking:
        """Return how it is asked for messages from there, by a server that has answered so."""
        asking = self._asking.get((answer, reverse_path))
        if asking is None:
            if len(self._asking) == ANSWERS_MAX:
                self._asking.clear()
            asking = self._asking[answer, reverse_path] = self._new_asking(answer, reverse_path)
        return asking

    def _new_asking(self, answer: bytes, reverse_path: str) -> Asking:
        any_message = partial(_any_message, self._stages, self.composer, answer, reverse_path)
        if self.composer.digests:
            return partial(_OneByOne, any_message)
        from loadgen.session.mailing import Mailings  # noqa: PLC0415
        mailing = partial(_mailing, self._stages, self.composer, self._texts, answer, reverse_path)
        return Mailings(self.composer.run_token, mailing, any_message).asked


class _OneByOne:
    """Messages of any kind."""

    __slots__ = ("_any_message", "_arrival", "_messages", "count")

    def __init__(
        self, any_message: Callable[[int, MessagePlan], Round | None], arrival: int, messages: Sequence[MessagePlan]
    ) -> None:
        self._any_message, self._arrival, self._messages = any_message, arrival, iter(messages)
        self.count = 0

    def __iter__(self) -> Iterator[Round]:
        return self

    def __next__(self) -> Round:
        questions = self._any_message(self._arrival, next(self._messages))
        if questions is None:
            raise StopIteration
        self.count += 1
        return questions


def _any_message(
    stages: Stages, composer: Composer, answer: bytes, reverse_path: str, arrival: int, planned: MessagePlan
) -> Round | None:
    """Ask for any message."""
    recipients = planned.recipients          # all of them: nothing is tried again in series
    message = composer.compose(
        arrival, planned.index, reverse_path=reverse_path, recipients=recipients, size_octets=planned.size_octets,
        hidden=planned.hidden, body=planned.body,
    )
    envelope = plain_envelope(stages, answer, reverse_path, recipients, message)
    return None if envelope is None else (*envelope, (stages.body, message.pieces))


def _mailing(
    stages: Stages, composer: Composer, texts: "dict[TextPool, Text]", answer: bytes, reverse_path: str,
    recipients: tuple[str, ...], kind: "PlainKind",
) -> "Mailing":  # fmt: skip
    """Return messages of plain text to one recipient."""
    from loadgen.session.mailing import Mailing, Text  # noqa: PLC0415
    letter = composer.letter(reverse_path, recipients, kind)
    if letter.pool not in texts:
        texts[letter.pool] = Text(letter.pool)

    def envelope(octets: int) -> Round | None:
        return envelope_to_one(stages, answer, reverse_path, recipients, octets, letter.eight_bit, letter.utf8_header)

    return Mailing(texts[letter.pool], letter.joined, envelope, stages.body)
