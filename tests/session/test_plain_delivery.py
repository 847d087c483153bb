"""The plain course and the ordinary code are the same session: same octets, same outcome, same times, any server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loadgen.scenario.accounts import Account
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session import deliver as delivering
from loadgen.session import plain_delivery
from loadgen.session.outcome import ACCEPTED
from loadgen.session.plain_delivery import is_plain
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.transport.conversation import Conversation, Rehearsal
from loadgen.transport.stream import Transport
from tests.session.plain_stage import Piece, Play, at_once, both_ways
from tests.session.theatre import COMPOSER, LIMITS, Tls

HOPED_FOR = [
    b"220 mx ready\r\n", b"250-mx\r\n250-SIZE 100000\r\n250 8BITMIME\r\n", b"250 2.1.0 Ok\r\n", b"250 2.1.5 Ok\r\n",
    b"250 2.1.5 Ok\r\n", b"354 go on\r\n", b"250 2.0.0 queued\r\n", b"221 2.0.0 bye\r\n",
]


def plan_of(messages: int, *, size: int = 300, retrying: bool = False) -> DeliveryPlan:
    recipients = ("user1@example.test", "user2@example.test")
    return DeliveryPlan(
        "smtp-deliver", 5, "mail", "SMTP", None, "none", "never", "load@example.test",
        tuple(MessagePlan(index, recipients, size, left=recipients if retrying else None) for index in range(messages)),
    )  # fmt: skip


def play_of(messages: int, *, size: int = 300, retrying: bool = False) -> Play:
    plan = plan_of(messages, size=size, retrying=retrying)
    return Play(
        delivering, "smtp", lambda route, trace: delivering.deliver(route, plan, COMPOSER, trace, 0), noting=retrying
    )


def test_all_that_is_hoped_for_is_the_plain_course_of_both() -> None:
    met = both_ways(play_of(1), [[(1.0, reply)] for reply in HOPED_FOR])
    assert met.outcome == ACCEPTED
    assert [name for name, _, _ in met.trace.timings] == [
        f"smtp.{phase}" for phase in ["connect", "greeting", "ehlo", "mail", "rcpt", "rcpt", "data", "body", "quit"]
    ]
    assert met.seconds == len(HOPED_FOR)
    assert met.trace.messages_accepted == met.trace.messages_offered == 1


def test_nothing_is_gone_over_again_where_all_is_as_hoped(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Transport, conversation: object) -> None:
        raise AssertionError("nothing was otherwise")

    monkeypatch.setattr(Transport, "rehearse", never)
    both_ways(play_of(2), [at_once(reply) for reply in HOPED_FOR[:7] + HOPED_FOR[2:]])


OTHERWISE = [
    b"", b"2", b"250", b"250-more\r\n", b"250-a\r\n250-b\r\n25", b"250 ok\r\n250 twice\r\n", b"250\r\n", b"250 ok\n",
    b"251 elsewhere\r\n", b"354 go on\r\n", b"334 \r\n", b"421 4.3.2 closing\r\n", b"450 4.2.0 later\r\n",
    b"451 4.7.1 greylisted\r\n", b"503 5.5.1 order\r\n", b"550 5.1.1 nobody\r\n", b"554 5.3.0 no\r\n", b"600 what\r\n",
    b"250 \xff\r\n", b"\x00\xff nonsense\r\n", b"250-one\r\n251 two\r\n", b"250 " + b"x" * 508 + b"\r\n",
    b"250-" + b"x" * 400 + b"\r\n250 " + b"y" * 400 + b"\r\n", b"250 ok\r\n421 4.3.2 closing\r\n",
]


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
@pytest.mark.parametrize("closes", [True, False], ids=["then-closes", "then-is-silent"])
def test_one_answer_that_is_otherwise(number: int, closes: bool) -> None:
    for octets in OTHERWISE:
        answers = [at_once(reply) for reply in HOPED_FOR]
        both_ways(play_of(2), [*answers[:number], at_once(octets), *answers[number + 1 :]], closes=closes)
        both_ways(play_of(1, retrying=True), [*answers[:number], at_once(octets)], closes=closes)


@pytest.mark.parametrize("cancel_after", [0.5, 1.5, 2.5, 5.5, 6.5, 7.5])
def test_cancelled_at_any_answer_the_trace_is_the_same(cancel_after: float) -> None:
    met = both_ways(play_of(1), [[(1.0, reply)] for reply in HOPED_FOR], cancel_after=cancel_after)
    assert met.outcome is None
    assert len(met.trace.timings) == 1 + int(cancel_after)


pauses = st.sampled_from([0.0, 0.25, 3.0, 100.0])
pieces = st.lists(
    st.tuples(pauses, st.sampled_from([*OTHERWISE, *HOPED_FOR])), max_size=3
)


@st.composite
def conversations(draw: st.DrawFn, messages: int = 2) -> list[list[Piece]]:
    """What is hoped for, cut anywhere and slowly, and here and there something else in its place."""
    said: list[list[Piece]] = []
    for reply in HOPED_FOR[:2] + HOPED_FOR[2:7] * messages + HOPED_FOR[7:]:
        if draw(st.integers(0, 9)) == 0:
            said.append(draw(pieces))
        else:
            cut = draw(st.integers(0, len(reply)))
            said.append([(draw(pauses), reply[:cut]), (draw(pauses), reply[cut:])])
    return said[: draw(st.integers(0, len(said)))]


@settings(deadline=None, max_examples=40)
@given(conversations(), st.integers(1, 3), st.booleans(), st.sampled_from([1e6, 3.1, 9.9]))
def test_whatever_a_server_says_and_when(
    answers: list[list[Piece]], messages: int, closes: bool, cancel_after: float
) -> None:
    both_ways(play_of(messages), answers, closes=closes, cancel_after=cancel_after)


@settings(deadline=None, max_examples=60)
@given(
    conversations(3), st.integers(2, 4), st.integers(1, 2), st.booleans(), st.sampled_from([1e6, 6.1, 12.6]),
    st.booleans(),
)
def test_whatever_a_server_says_in_a_session_of_legs(
    answers: list[list[Piece]], messages: int, at_once: int, closes: bool, cancel_after: float, retrying: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_delivery, "LEG_MESSAGES", at_once)
        both_ways(play_of(messages, retrying=retrying), answers, closes=closes, cancel_after=cancel_after)


@pytest.mark.parametrize("number", range(len(HOPED_FOR) - 1, 2 * len(HOPED_FOR) - 3))
def test_one_answer_that_is_otherwise_in_a_later_leg(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    rehearsed: list[int] = []
    rehearse = Transport.rehearse

    def noting(self: Transport, conversation: Conversation) -> Rehearsal:
        rehearsed.append(len(conversation.heard))
        return rehearse(self, conversation)

    monkeypatch.setattr(Transport, "rehearse", noting)
    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", 1)
    hoped_for = HOPED_FOR[:7] + HOPED_FOR[2:]
    for octets in [b"451 4.7.1 greylisted\r\n", b"421 4.3.2 closing\r\n", b"250 ok\r\n250 twice\r\n"]:
        answers = [[(1.0, reply)] for reply in [*hoped_for[:number], octets, *hoped_for[number + 1 :]]]
        met = both_ways(play_of(2, retrying=True), answers)
        assert met.trace.begun[0].recipients == met.trace.settled[0].recipients
    assert set(rehearsed) == {2 + 1 + number - len(HOPED_FOR[:7])}, "the opening, and the leg up to that answer"


@pytest.mark.parametrize("size", [BLOCK_OCTETS - 5_000, 3 * BLOCK_OCTETS])
def test_a_long_message_goes_the_same_way(size: int) -> None:
    assert both_ways(play_of(1, size=size), [at_once(reply) for reply in HOPED_FOR]).outcome == ACCEPTED


def test_what_is_not_plain_is_not_tried(tls: Tls) -> None:
    route, plan = Route(play_of(1).endpoint, LIMITS), plan_of(1)
    assert is_plain(route, plan)
    account = Account("user1@example.test", "user1", "secret1")
    for otherwise in (
        replace(plan, account=account, auth="plain"), replace(plan, dialect="LMTP"),
        replace(plan, pipelining="if-offered"), replace(plan, chunk_octets=100),
    ):  # fmt: skip
        assert not is_plain(route, otherwise)
    assert not is_plain(Route(play_of(1).endpoint, LIMITS, tls=tls.client), plan), "STARTTLS comes inside"
