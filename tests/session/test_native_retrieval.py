"""The native lane and the ordinary code are the same retrieval: same octets, same outcome, same books, any server.

As test_plain_retrieval holds it of the lane in Python; over TCP and in real time, because that is all it knows.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loadgen.session import plain_retrieval
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from loadgen.session.pop3_stages import LINES_OCTETS_MAX, HopedForLines
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.overheard import MAIL_DATA_KEPT, Happening
from loadgen.transport.stream import Transport
from loadgen.wire.response import END_OF_LINES
from tests.session.native_stage import Server, both_ways, needs_native
from tests.session.test_plain_retrieval import HOPED_FOR, MAIL, OTHERWISE, PLAN, play_of

SHORT = PhaseLimits(
    connect=5, greeting=0.2, tls=1, ehlo=1, auth=0.2, mail=1, rcpt=1, data=1, block=1, body=1, rset=1, noop=1,
    quit=0.2, pop3=0.2,
)  # fmt: skip
LONG_MAIL = b"+OK here it is\r\nX-Mailproof-Id: a.1.0\r\n\r\n" + b"a line\r\n..\r\n" * 12_000 + b".\r\n"
AS_HOPED = [[response] for response in HOPED_FOR]
pytestmark = needs_native


def is_whole(octets: bytes, number: int) -> bool:
    """Say whether no more is waited for behind these octets in the place of that answer."""
    lines = HOPED_FOR[number].endswith(END_OF_LINES) and octets.startswith(b"+OK")
    return END_OF_LINES in octets if lines else b"\n" in octets


def test_all_that_is_hoped_for_is_the_same_session_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(Transport, "rehearse", lambda self, conversation: made.append(self))
    met = both_ways(play_of(), Server(AS_HOPED))
    assert made == []
    assert met.outcome == ACCEPTED
    assert [name for name, _, _ in met.trace.timings] == [
        f"pop3.{phase}"
        for phase in ["connect", "greeting", "auth", "stat", "list", "uidl", "retr", "dele", "retr", "dele", "quit"]
    ]
    assert [(each.unique_id, each.octets) for each in met.trace.retrieved] == [(b"a", 32), (b"b", 32)]


def test_a_login_by_digest_that_deletes_nothing_is_the_same_session_of_both() -> None:
    answers = [[answer] for answer in (HOPED_FOR[0], *HOPED_FOR[2:7], MAIL, HOPED_FOR[-1])]
    met = both_ways(play_of(replace(PLAN, auth="apop", delete=False)), Server(answers))
    assert met.outcome == ACCEPTED
    assert b"APOP user1 " in met.said


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
def test_one_answer_that_is_otherwise(number: int) -> None:
    for octets in OTHERWISE[1:]:
        both_ways(play_of(), Server([*AS_HOPED[:number], [octets]]))
        if is_whole(octets, number):
            both_ways(play_of(), Server([*AS_HOPED[:number], [octets], *AS_HOPED[number + 1 :]]))


@pytest.mark.parametrize("number", range(1, len(HOPED_FOR)))
def test_a_server_that_closes_anywhere(number: int) -> None:
    assert both_ways(play_of(), Server(AS_HOPED[:number])).outcome != ACCEPTED


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
def test_a_server_that_falls_silent_anywhere(number: int) -> None:
    met = both_ways(play_of(), Server(AS_HOPED[:number], closes=False), SHORT)
    assert met.outcome is not None
    assert met.outcome.kind is OutcomeKind.TIMED_OUT


@pytest.mark.parametrize("number", range(1, len(HOPED_FOR)))
def test_cancelled_at_any_answer_the_books_are_the_same(number: int) -> None:
    met = both_ways(play_of(), Server(AS_HOPED, cancels_at=number))
    assert met.outcome is None
    assert len(met.trace.replies) == number
    assert met.trace.octets_sent


def test_a_message_that_comes_in_many_reads_is_the_same() -> None:
    pieces = [LONG_MAIL[at : at + 5_000] for at in range(0, len(LONG_MAIL), 5_000)]
    met = both_ways(play_of(), Server([*AS_HOPED[:6], pieces, *AS_HOPED[7:]]), all_is_kept=False)
    assert met.outcome == ACCEPTED
    assert met.trace.retrieved[0].octets == len(b"X-Mailproof-Id: a.1.0\r\n\r\n" + b"a line\r\n.\r\n" * 12_000)


def test_a_message_above_the_bound_is_the_same() -> None:
    """The maildrop's own count was wrong; the lane gives it back before it has all come."""
    huge = b"+OK\r\n" + b"x" * (LINES_OCTETS_MAX + 100_000) + b"\r\n.\r\n"
    assert not HopedForLines("pop3.retr").goes_on(huge[: LINES_OCTETS_MAX + 1])
    met = both_ways(play_of(), Server([*AS_HOPED[:6], [huge], *AS_HOPED[7:]]), all_is_kept=False)
    assert met.outcome == ACCEPTED


@st.composite
def servers(draw: st.DrawFn) -> Server:
    """What is hoped for, cut anywhere, and here and there something else in its place."""
    answers: list[list[bytes]] = []
    as_hoped = True
    for number, response in enumerate(HOPED_FOR):
        if draw(st.integers(0, 9)) == 0:
            as_hoped = False
            answers.append([draw(st.sampled_from([octets for octets in OTHERWISE if is_whole(octets, number)]))])
        elif as_hoped:
            cut = draw(st.integers(1, len(response) - 1))
            answers.append([response[:cut], response[cut:]])
        else:
            answers.append([response])      # perhaps to another question: what is behind the first line comes with it
    return Server(answers[: draw(st.integers(0, len(answers)))])


@settings(deadline=None, max_examples=40)
@given(servers())
def test_whatever_a_server_says(server: Server) -> None:
    both_ways(play_of(), server)


@settings(deadline=None, max_examples=40)
@given(servers())
def test_whatever_a_server_says_in_a_session_of_legs(server: Server) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_retrieval, "LEG_OCTETS", 30)
        both_ways(play_of(), server, all_is_kept=False)


@pytest.mark.parametrize("number", range(8, len(HOPED_FOR)))
def test_closed_silent_or_cancelled_in_a_later_leg(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(plain_retrieval, "LEG_OCTETS", 30)
    for server in (
        Server(AS_HOPED[:number]), Server(AS_HOPED[:number], closes=False), Server(AS_HOPED, cancels_at=number),
    ):  # fmt: skip
        met = both_ways(play_of(), server, SHORT, all_is_kept=False)
        assert met.outcome != ACCEPTED
        assert len(met.trace.replies) == number
        assert len(met.trace.retrieved) == 1 + (number > 8)


@pytest.mark.parametrize("answers", [AS_HOPED, AS_HOPED[:8]], ids=["as-hoped", "cut-off"])
def test_who_listens_hears_the_same_of_both(answers: list[list[bytes]]) -> None:
    """Also of long messages: they are the server's words, and not our own mail data, of which only the end is kept."""
    long_mail = b"+OK\r\n\r\n" + b"a line\r\n" * MAIL_DATA_KEPT + b".\r\n"
    met = both_ways(play_of(), Server([*answers[:6], [long_mail], *answers[7:]]))
    assert (Happening.RECEIVED, long_mail) in met.heard
