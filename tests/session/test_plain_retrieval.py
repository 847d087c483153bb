"""The plain course of a retrieval and the ordinary code are the same session, whatever the server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loadgen.schedule.plans import RetrievalPlan
from loadgen.session import plain_retrieval
from loadgen.session import retrieve as retrieving
from loadgen.session.outcome import ACCEPTED
from loadgen.session.plain_retrieval import LEG_OCTETS, is_plain
from loadgen.session.route import Route
from loadgen.transport.conversation import Conversation, Rehearsal
from loadgen.transport.stream import Transport
from tests.session.plain_stage import Piece, Play, at_once, both_ways
from tests.session.theatre import ACCOUNT, LIMITS, Tls

PLAN = RetrievalPlan("pop3-retrieve", 0, "reading", ACCOUNT, "user", delete=True)
MAIL = b"+OK 20 octets\r\nX-Mailproof-Id: a.1.0\r\n\r\n..dots\r\n.\r\n"
HOPED_FOR = [
    b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n", b"+OK\r\n", b"+OK in\r\n", b"+OK 2 40\r\n",
    b"+OK\r\n1 20\r\n2 20\r\n.\r\n", b"+OK\r\n1 a\r\n2 b\r\n.\r\n",
    MAIL, b"+OK\r\n", MAIL, b"+OK gone\r\n", b"+OK bye\r\n",
]
OTHERWISE = [
    b"", b"+", b"+OK", b"+OK\n", b"-ERR no\r\n", b"-ERR [IN-USE] later\r\n", b"+OK\r\n+OK\r\n", b"+OK 0 0\r\n",
    b"+OK 1 20\r\n", b"+OK x y\r\n", b"+ \r\n", b"nonsense \xff\x00\r\n", b"+OK\r\n.\r\n",
    b"+OK\r\n1 2 3\r\nx\r\n.\r\n", b"+OK\r\n9 20\r\n.\r\n", b"+OK \xc3\xa9\r\n",
    b"+OK 3 %d\r\n" % (LEG_OCTETS + 1), b"+OK\r\nbare\ncr\r.\r\n.\r\n",
]


def play_of(plan: RetrievalPlan = PLAN) -> Play:
    return Play(retrieving, "pop3", lambda route, trace: retrieving.retrieve(route, plan, trace, 0))


def test_all_that_is_hoped_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Transport, conversation: object) -> None:
        raise AssertionError("nothing was otherwise")

    monkeypatch.setattr(Transport, "rehearse", never)
    met = both_ways(play_of(), [[(1.0, answer)] for answer in HOPED_FOR])
    assert met.outcome == ACCEPTED
    assert [(each.unique_id, each.octets) for each in met.trace.retrieved] == [(b"a", 32), (b"b", 32)]
    by_digest = both_ways(
        play_of(replace(PLAN, auth="apop", delete=False)),
        [at_once(answer) for answer in (HOPED_FOR[0], *HOPED_FOR[2:7], MAIL, HOPED_FOR[-1])],
    )
    assert by_digest.outcome == ACCEPTED
    assert b"APOP user1 " in by_digest.said


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
@pytest.mark.parametrize("closes", [True, False], ids=["then-closes", "then-is-silent"])
def test_one_answer_that_is_otherwise(number: int, closes: bool) -> None:
    answers = [at_once(answer) for answer in HOPED_FOR]
    for octets in OTHERWISE:
        both_ways(play_of(), [*answers[:number], at_once(octets), *answers[number + 1 :]], closes=closes)
        both_ways(play_of(), [*answers[:number], at_once(octets)], closes=closes)


@pytest.mark.parametrize("cancel_after", [0.5, 1.5, 2.5, 3.5, 6.5, 7.5, 10.5])
def test_cancelled_at_any_answer_the_trace_is_the_same(cancel_after: float) -> None:
    assert both_ways(play_of(), [[(1.0, answer)] for answer in HOPED_FOR], cancel_after=cancel_after).outcome is None


pauses = st.sampled_from([0.0, 0.25, 3.0, 100.0])
pieces = st.lists(st.tuples(pauses, st.sampled_from([*OTHERWISE, *HOPED_FOR])), max_size=3)


@st.composite
def conversations(draw: st.DrawFn) -> list[list[Piece]]:
    """What is hoped for, cut anywhere and slowly, and here and there something else in its place."""
    said: list[list[Piece]] = []
    for answer in HOPED_FOR:
        if draw(st.integers(0, 9)) == 0:
            said.append(draw(pieces))
        else:
            cut = draw(st.integers(0, len(answer)))
            said.append([(draw(pauses), answer[:cut]), (draw(pauses), answer[cut:])])
    return said[: draw(st.integers(0, len(said)))]


@settings(deadline=None, max_examples=40)
@given(conversations(), st.booleans(), st.sampled_from([1e6, 3.1, 9.9]))
def test_whatever_a_server_says_and_when(answers: list[list[Piece]], closes: bool, cancel_after: float) -> None:
    both_ways(play_of(), answers, closes=closes, cancel_after=cancel_after)


@settings(deadline=None, max_examples=60)
@given(conversations(), st.booleans(), st.booleans(), st.sampled_from([1e6, 6.1, 12.6]))
def test_whatever_a_server_says_in_a_session_of_legs(
    answers: list[list[Piece]], closes: bool, delete: bool, cancel_after: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_retrieval, "LEG_OCTETS", 30)
        both_ways(play_of(replace(PLAN, delete=delete)), answers, closes=closes, cancel_after=cancel_after)


@pytest.mark.parametrize("number", range(8, len(HOPED_FOR)))
def test_one_answer_that_is_otherwise_in_a_later_leg(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    rehearsed: list[int] = []
    rehearse = Transport.rehearse

    def noting(self: Transport, conversation: Conversation) -> Rehearsal:
        rehearsed.append(len(conversation.heard))
        return rehearse(self, conversation)

    monkeypatch.setattr(Transport, "rehearse", noting)
    monkeypatch.setattr(plain_retrieval, "LEG_OCTETS", 30)
    for octets in (b"-ERR it is gone\r\n", b"nonsense\r\n", b"+OK\r\nnot stuffed\r\n.x\r\n.\r\n"):
        answers = [[(1.0, answer)] for answer in [*HOPED_FOR[:number], octets, *HOPED_FOR[number + 1 :]]]
        assert len(both_ways(play_of(), answers).trace.retrieved) in {1, 2}
    assert set(rehearsed) == {number - 1}, "without the first message and its deletion"


def test_legs_are_as_long_as_there_is_room() -> None:
    def legs(*sizes: int) -> list[int]:
        return [len(leg) for leg in plain_retrieval.legs_of(enumerate(sizes))]

    assert legs(LEG_OCTETS, 1) == [1, 1]
    assert legs(LEG_OCTETS - 2, 1, 1, 1) == [3, 1]
    assert legs(1, LEG_OCTETS + 1, 1) == [1, 1, 1]
    assert legs(0, 0, 0) == [3]
    assert legs() == []


def test_what_is_not_plain_is_not_tried(tls: Tls) -> None:
    route = Route(play_of().endpoint, LIMITS)
    assert is_plain(route, PLAN)
    assert not is_plain(route, replace(PLAN, auth="plain"))
    assert not is_plain(route, replace(PLAN, pipelining="if-offered"))
    assert not is_plain(Route(play_of().endpoint, LIMITS, tls=tls.client), PLAN)
