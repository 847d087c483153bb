"""Which command a reply answers: however the octets were cut, and never guessed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.monitors.exchange import Asked, Exchange
from conformance.monitors.follow import Conversation, Event, Side, exchanges_of
from tests.conformance.monitors.listening import CLIENT, SERVER, conversation


def told(events: list[Event], *, lmtp: bool = False) -> list[tuple[str, int]]:
    """What each reply answers, and its code."""
    return [name_of(exchange) for exchange in exchanges_of(events, lmtp=lmtp)]


def name_of(exchange: Exchange) -> tuple[str, int]:
    return (exchange.verb or exchange.asked.value), exchange.code


PIPELINED = conversation(r"""
    S: 220 mail.example.test
    C: EHLO x
    S: 250-mail.example.test
    S: 250 PIPELINING
    C: MAIL FROM:<a@b>
    C: RCPT TO:<c@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go on
    C: QUIT
    C: .QUIT
    C: ..
    C: .
    C: MAIL FROM:<a@b>
    C: QUIT
    S: 250 taken
    S: 250 ok
    S: 221 bye
    CLOSED
""")
TOLD = [
    ("greeting", 220), ("EHLO", 250), ("MAIL", 250), ("RCPT", 250), ("DATA", 354), ("mail_data", 250),
    ("MAIL", 250), ("QUIT", 221),
]


def test_a_pipelined_session_is_followed() -> None:
    assert told(PIPELINED) == TOLD
    assert [exchange.closed_after for exchange in exchanges_of(PIPELINED)] == [None] * 7 + [True]


@given(st.data())
def test_how_the_octets_were_cut_does_not_matter(data: st.DataObject) -> None:
    cut: list[Event] = []
    for side, octets in PIPELINED:
        places = data.draw(st.lists(st.integers(0, len(octets)), max_size=4).map(sorted))
        cut += [(side, octets[a:b]) for a, b in pairwise([0, *places, len(octets)])]
        if not octets:
            cut.append((side, octets))
    assert told(cut) == TOLD


def test_mail_data_sent_before_the_354_are_read_as_the_server_reads_them() -> None:
    group = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@b>\r\nDATA\r\nNOOP\r\n.\r\nNOOP\r\n"
    begun: list[Event] = [(SERVER, b"220 x\r\n"), (CLIENT, group), (SERVER, b"250 ok\r\n")]
    granted = [(SERVER, b"250 ok\r\n354 go on\r\n250 taken\r\n250 ok\r\n")]
    refused = [(SERVER, b"550 no\r\n554 no recipients\r\n250 ok\r\n500 what\r\n250 ok\r\n")]
    assert told([*begun, *granted])[2:] == [("RCPT", 250), ("DATA", 354), ("mail_data", 250), ("NOOP", 250)]
    assert told([*begun, *refused])[2:] == [("RCPT", 550), ("DATA", 554), ("NOOP", 250), (".", 500), ("NOOP", 250)]


def test_an_auth_exchange_is_followed() -> None:
    assert told(conversation(r"""
        S: 220 x
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dXNlcjE=
        S: 334 UGFzc3dvcmQ6
        C: RSET
        S: 535 no
        C: AUTH PLAIN
        S: 504 no
        C: RSET
        S: 250 ok
    """)) == [
        ("greeting", 220), ("AUTH", 334), ("response", 334), ("response", 535), ("AUTH", 504), ("RSET", 250),
    ]


def test_what_was_sent_in_clear_text_behind_starttls_is_answered_by_nobody() -> None:
    assert told(conversation(r"""
        S: 220 x
        C: STARTTLS
        C: NOOP
        S: 220 go
        TLS
        S: 250 ok
    """)) == [("greeting", 220), ("STARTTLS", 220), ("unknown", 250)]


def test_implicit_tls_comes_before_the_greeting() -> None:
    (greeting,) = exchanges_of([(Side.TLS, b""), (SERVER, b"220 x\r\n")])
    assert greeting.asked is Asked.GREETING
    assert greeting.tls


LMTP = r"""
    S: 220 x
    C: LHLO x
    S: 250 x
    C: MAIL FROM:<>
    C: RCPT TO:<a@b>
    C: RCPT TO:<b@b>
    C: RCPT TO:<c@b>
    S: 250 ok
    S: 250 ok
    S: 550 no
    S: 250 ok
"""


def test_lmtp_answers_each_recipient_that_was_taken() -> None:
    assert told(conversation(LMTP + r"""
        C: DATA
        C: .
        C: NOOP
        S: 354 go on
        S: 250 a
        S: 452 c
        S: 250 ok
    """), lmtp=True)[-4:] == [("DATA", 354), ("mail_data", 250), ("mail_data", 452), ("NOOP", 250)]


def test_chunks_are_skipped_by_their_length_and_the_last_is_answered_like_mail_data() -> None:
    events = conversation(LMTP)
    events += [(CLIENT, b"BDAT 6\r\nNOOP\r\nBDAT 0 LAST\r\nNOOP\r\n"), (SERVER, b"250 ok\r\n" * 4)]
    assert told(events, lmtp=True)[-4:] == [("BDAT", 250), ("mail_data", 250), ("mail_data", 250), ("NOOP", 250)]


@pytest.mark.parametrize(
    "octets",
    [
        b"NOOP\n", b"NOOP\nNOOP\r\n", b"NOOP\rNOOP\r\n", b"NO\x00OP\r\n", b"\r\n", b"NOOP " + b"x" * 600 + b"\r\n",
        b"BDAT x\r\n", b"BDAT 5 LAST X\r\n",
    ],
)
def test_of_what_is_no_plain_command_line_nobody_guesses_the_answer(octets: bytes) -> None:
    events = [(SERVER, b"220 x\r\n"), (CLIENT, octets), (SERVER, b"250 ok\r\n"), (CLIENT, b"MAIL FROM:<>\r\n")]
    events += [(SERVER, b"354 what\r\n")]
    assert told(events) == [("greeting", 220), ("unknown", 250), ("unknown", 354)]


def test_a_reply_before_the_end_of_the_mail_data_leaves_nothing_sure() -> None:
    smuggled = conversation(r"""
        S: 220 x
        C: MAIL FROM:<a@b>
        S: 250 ok
        C: RCPT TO:<c@b>
        S: 250 ok
        C: DATA
        S: 354 go on
    """)
    smuggled += [(CLIENT, b"text\n.\nMAIL FROM:<x@y>\r\n"), (SERVER, b"250 taken\r\n250 ok\r\n")]
    smuggled += [(CLIENT, b"\r\n.\r\n"), (SERVER, b"500 what\r\n")]
    assert told(smuggled)[-3:] == [("unknown", 250), ("unknown", 250), ("unknown", 500)]


def test_a_421_comes_unasked_and_everything_else_stays_sure() -> None:
    events = [(SERVER, b"220 x\r\n421 closing\r\n"), (CLIENT, b"NOOP\r\n"), (SERVER, b"250 ok\r\n")]
    assert told(events) == [("greeting", 220), ("unknown", 421), ("NOOP", 250)]


def test_what_is_cut_off_by_a_close_in_good_order_is_kept() -> None:
    (greeting,) = exchanges_of([(SERVER, b"220 x\r\n250-a"), (Side.CLOSED, b"")])
    assert (greeting.rest, greeting.closed_after) == (b"250-a", True)
    (nothing,) = exchanges_of([(SERVER, b"220"), (Side.CLOSED, b"")])
    assert (nothing.reply, nothing.rest) == (None, b"220")
    assert exchanges_of([(Side.CLOSED, b"")]) == ()


def test_a_flood_that_is_no_reply_is_left_to_who_reads_it() -> None:
    flood = [(SERVER, b"220 x\r\n" + b"x" * 100_000), (CLIENT, b"NOOP\r\n"), (SERVER, b"\r\n")]
    assert told(flood) == [("greeting", 220)]


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.binary(max_size=30)), max_size=12), st.booleans())
def test_whatever_is_said_every_reply_is_an_exchange_and_nothing_is_raised(events: list[Event], lmtp: bool) -> None:
    exchanges = exchanges_of(events, lmtp=lmtp)
    assert all(exchange.reply is not None or exchange.rest for exchange in exchanges)


def test_a_last_chunk_for_nobody_in_lmtp_may_go_unanswered_and_leaves_nothing_sure() -> None:
    events = [(SERVER, b"220 x\r\n"), (CLIENT, b"LHLO x\r\n"), (SERVER, b"250 x\r\n")]
    events += [(CLIENT, b"BDAT 0 LAST\r\nRSET\r\n"), (SERVER, b"250 ok\r\n250 ok\r\n")]
    assert told(events, lmtp=True)[2:] == [("unknown", 250), ("unknown", 250)]


def test_after_a_chunk_that_was_refused_nothing_is_sure() -> None:
    events = [(SERVER, b"220 x\r\n"), (CLIENT, b"BDAT 6\r\nNOOP\r\nQUIT\r\n")]
    events += [(SERVER, b"503 no\r\n250 ok\r\n221 bye\r\n")]
    assert told(events)[1:] == [("BDAT", 503), ("unknown", 250), ("unknown", 221)]


def test_a_last_chunk_behind_the_last_is_for_nobody() -> None:
    events = [(SERVER, b"220 x\r\n")]
    for command in (b"LHLO x\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a>\r\n", b"BDAT 0 LAST\r\n", b"BDAT 0 LAST\r\n"):
        events += [(CLIENT, command), (SERVER, b"250 ok\r\n")]
    assert told(events, lmtp=True)[-2:] == [("mail_data", 250), ("unknown", 250)]


def test_endless_input_is_not_kept() -> None:
    conversation_so_far = Conversation(lmtp=False)
    conversation_so_far.hear(Side.SERVER, b"220 x\r\n")
    for _ in range(100):
        conversation_so_far.hear(Side.CLIENT, b"x" * 10_000)
    conversation_so_far.hear(Side.SERVER, b"500 too long\r\n")
    assert len(conversation_so_far.exchanges[-1].command) <= 2048
    assert conversation_so_far.exchanges[-1].asked is Asked.UNKNOWN
