"""What is asked for a message: put together by the compiled module as `compose` and `plain_envelope` have it."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.message.compose import JOINED_MAX_OCTETS, Composer
from loadgen.scenario.content import Body, Multipart, Plain
from loadgen.schedule.plans import Alike, MessagePlan
from loadgen.session.correspondence import ANSWERS_MAX, Correspondence
from loadgen.session.phases import LimitsByPhase, PhaseNames, Stages
from loadgen.session.plain_delivery import plain_envelope
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.transport.conversation import Round
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.native_lane import why_not_native

pytestmark = pytest.mark.skipif(why_not_native() is not None, reason=f"no native lane: {why_not_native()}")

STAGES: Final = Stages(PhaseNames("smtp"), LimitsByPhase("smtp", PhaseLimits()))
COMPOSER: Final = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC), digests=False)
SENDER: Final = "load@example.test"
EVERYTHING: Final = b"250-mail.example.test\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
NOTHING: Final = b"250 mail.example.test\r\n"


@cache
def correspondence() -> Correspondence:
    return Correspondence(STAGES, COMPOSER, "client.example")      # in a test: it needs what is built with native lanes


def ordinarily(answer: bytes, arrival: int, planned: MessagePlan, reverse_path: str = SENDER) -> Round | None:
    message = COMPOSER.compose(
        arrival, planned.index, reverse_path=reverse_path, recipients=planned.recipients,
        size_octets=planned.size_octets, hidden=planned.hidden, body=planned.body,
    )
    envelope = plain_envelope(STAGES, answer, reverse_path, planned.recipients, message)
    return None if envelope is None else (*envelope, (STAGES.body, message.mail_data))


def asked(answer: bytes, arrival: int, planned: MessagePlan, reverse_path: str = SENDER) -> Round | None:
    questions = next(correspondence().asking(answer, reverse_path)(arrival, (planned,)), None)
    return None if questions is None else joined(questions)


def joined(questions: Round) -> Round:
    *envelope, (stage, said) = questions
    return (*envelope, (stage, b"".join(said) if isinstance(said, tuple) else said))


BODIES: Final[list[Body]] = [Plain("text"), Plain("8bit"), Plain("smtputf8"), Multipart((57, 300))]
PEOPLE: Final = [("user1@example.test",), ("jörg@bücher.example",), ("a@example.test", "b@example.test")]
SHORTEST: Final = COMPOSER.compose(0, 0, reverse_path=SENDER, recipients=PEOPLE[0], size_octets=0).content_octets


@given(
    st.integers(0, 3000) | st.integers(0, 2 * BLOCK_OCTETS), st.integers(0, 10**12), st.integers(0, 10**6),
    st.sampled_from(BODIES), st.sampled_from(PEOPLE), st.sampled_from([EVERYTHING, NOTHING]),
    st.sampled_from([SENDER, ""]),
)  # fmt: skip
@example(SHORTEST, 0, 0, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
@example(SHORTEST + 1, 0, 0, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
@example(SHORTEST + 2, 0, 0, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
@example(JOINED_MAX_OCTETS, 3, 1, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
@example(JOINED_MAX_OCTETS + 1, 3, 1, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
@example(BLOCK_OCTETS, 3, 1, BODIES[0], PEOPLE[0], EVERYTHING, SENDER)
def test_a_message_is_asked_for_as_the_composer_has_it_octet_for_octet(
    size_octets: int, arrival: int, index: int, body: Body, recipients: tuple[str, ...], answer: bytes,
    reverse_path: str,
) -> None:
    planned = MessagePlan(index, recipients, size_octets, 0, body)
    for _ in range(2):      # what was worked out for the first is used again
        assert asked(answer, arrival, planned, reverse_path) == ordinarily(answer, arrival, planned, reverse_path)


def test_every_size_and_beginning_of_a_text_is_cut_where_the_pool_cuts_it() -> None:
    for size_octets in range(SHORTEST - 2, SHORTEST + 9000, 7):
        planned = MessagePlan(0, PEOPLE[0], size_octets)
        assert asked(EVERYTHING, size_octets, planned) == ordinarily(EVERYTHING, size_octets, planned), size_octets


def test_what_is_too_long_for_one_block_is_left_to_the_ordinary_code() -> None:
    for size_octets in (BLOCK_OCTETS, 10_000_000):      # with the dots that it is stuffed with; and in very many pieces
        planned = MessagePlan(0, PEOPLE[0], size_octets)
        assert ordinarily(EVERYTHING, 1, planned) is None
        assert asked(EVERYTHING, 1, planned) is None


@pytest.mark.parametrize("size_octets", [0, 1000, JOINED_MAX_OCTETS + 1])
def test_messages_that_are_alike_are_asked_for_as_each_of_them_is(size_octets: int) -> None:
    leg = Alike([PEOPLE[0], PEOPLE[1], PEOPLE[0], PEOPLE[2]] * 3, size_octets, BODIES[0])[5:]
    asking = correspondence().asking(EVERYTHING, SENDER)(9, leg)
    assert [joined(questions) for questions in asking] == [ordinarily(EVERYTHING, 9, planned) for planned in leg]
    assert asking.count == len(leg) == 7


def test_no_more_is_asked_once_a_message_is_no_plain_course() -> None:
    short, long = MessagePlan(0, PEOPLE[0], 1000), MessagePlan(1, PEOPLE[0], BLOCK_OCTETS)
    asking = correspondence().asking(EVERYTHING, SENDER)(9, (short, long, short))
    assert [joined(questions) for questions in asking] == [ordinarily(EVERYTHING, 9, short)]
    assert asking.count == 1
    alike = correspondence().asking(EVERYTHING, SENDER)(9, Alike([PEOPLE[0]] * 2, BLOCK_OCTETS, BODIES[0]))
    assert list(alike) == []
    assert alike.count == 0


def test_a_server_that_says_something_else_each_time_is_not_remembered_for_ever() -> None:
    for number in range(3 * ANSWERS_MAX):
        answer = b"250-%d\r\n250 SIZE 1000000\r\n" % number
        planned = MessagePlan(0, PEOPLE[0], 1000)
        assert asked(answer, number, planned) == ordinarily(answer, number, planned)
    assert len(correspondence()._asking) <= ANSWERS_MAX


def test_mail_that_is_verified_has_its_digest() -> None:
    composer = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
    asking = Correspondence(STAGES, composer, "client.example").asking(EVERYTHING, SENDER)
    questions = next(asking(3, (MessagePlan(0, PEOPLE[0], 1000),)))
    _, (said,) = questions[-1]
    assert b"X-Mailproof-Digest: " in bytes(said)
