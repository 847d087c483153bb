"""Enhanced status codes: who must have one, and what it looks like."""

import pytest

from conformance.monitors.enhanced import MONITORS
from conformance.monitors.exchange import Asked, Exchange
from tests.conformance.monitors.listening import broken, heard, watched

ENHANCED = {monitor.requirement for monitor in MONITORS}
EHLO = heard(b"250-mail.example.test\r\n250 ENHANCEDSTATUSCODES\r\n", b"EHLO x")


def flagged(*exchanges: Exchange) -> set[str]:
    return broken([EHLO, *exchanges]) & ENHANCED


@pytest.mark.parametrize(
    ("octets", "requirements"),
    [
        (b"250 ok\r\n", {"smtp.esc.present"}),
        (b"550 192.0.2.1 is not welcome\r\n", {"smtp.esc.present"}),
        (b"550-5.1.1 no\r\n550 such user\r\n", {"smtp.esc.every-line"}),
        (b"550-5.1.1 no\r\n550 5.1.2 such user\r\n", {"smtp.esc.every-line"}),
        (b"550 4.1.1 no\r\n", {"smtp.esc.class-match"}),
        (b"250 5.1.1 no\r\n", {"smtp.esc.class-match"}),
        (b"550 3.1.1 no\r\n", {"smtp.esc.class-match", "smtp.esc.class-values"}),
        (b"550 5.1.1: no\r\n", {"smtp.esc.syntax"}),
        (b"550 5.01.1 no\r\n", {"smtp.esc.syntax"}),
        (b"550 5.1.01 no\r\n", {"smtp.esc.syntax"}),
        (b"550 [5.1.1] no\r\n", {"smtp.esc.syntax"}),
        (b"550 #5.1.1 no\r\n", {"smtp.esc.syntax"}),
        (b"550 5.1.1234 no\r\n", {"smtp.esc.syntax"}),
        (b"550 5.9.1 no\r\n", {"smtp.esc.registered"}),
        (b"550 5.7.999 no\r\n", {"smtp.esc.registered"}),
    ],
)
def test_a_departure_is_flagged_and_nothing_else_is(octets: bytes, requirements: set[str]) -> None:
    assert flagged(heard(octets, b"RCPT TO:<a@b>")) == requirements


@pytest.mark.parametrize(
    ("octets", "command"),
    [
        (b"250 2.1.0 ok\r\n", b"MAIL FROM:<a@b>"),
        (b"250 2.0.0\r\n", b"RSET"),
        (b"250 2.0.0 \r\n", b"RSET"),
        (b"550-5.1.1 no\r\n550-5.1.1  such\r\n550 5.1.1 user\r\n", b"RCPT TO:<a@b>"),
        (b"450 4.7.1 later\r\n", b"RCPT TO:<a@b>"),
        (b"421 4.3.2 closing\r\n", b"NOOP"),
        (b"354 End data with <CR><LF>.<CR><LF>\r\n", b"DATA"),
        (b"334 \r\n", b"AUTH PLAIN"),
        (b"334 VXNlcm5hbWU6\r\n", b"AUTH LOGIN"),
        (b"220 Ready to start TLS\r\n", b"STARTTLS"),        # as in RFC 4954 §4.1
        (b"220 2.0.0 Ready to start TLS\r\n", b"STARTTLS"),
        (b"501 Syntax: EHLO hostname\r\n", b"EHLO"),         # any response to EHLO is excepted
        (b"501 5.5.4 Syntax: EHLO hostname\r\n", b"EHLO"),
        (b"250 mail.example.test\r\n", b"HELO x"),
        (b"530 5.7.0 Must issue a STARTTLS command first\r\n", b"MAIL FROM:<a@b>"),
        (b"250 2.7.30 fine\r\n", b"NOOP"),
    ],
)
def test_a_lawful_reply_is_not_flagged(octets: bytes, command: bytes) -> None:
    assert flagged(heard(octets, command)) == set()


def test_nothing_is_asked_of_a_server_that_does_not_offer_them() -> None:
    plain = heard(b"250-mail.example.test\r\n250 DSN\r\n", b"EHLO x")
    odd = heard(b"550 3.01.1: no\r\n", b"RCPT TO:<a@b>")
    assert broken([plain, odd]) & ENHANCED == set()
    assert broken([odd]) & ENHANCED == set()
    assert broken([EHLO, heard(b"250 x\r\n", b"HELO x"), odd]) & ENHANCED == set()


@pytest.mark.parametrize("octets", [b"354 2.0.0 go on\r\n", b"334 3.0.0 go on\r\n", b"354 3.0.0 go on\r\n"])
def test_an_intermediate_reply_has_none(octets: bytes) -> None:
    assert "smtp.esc.not-on-3yz" in flagged(heard(octets, b"DATA"))


def test_neither_greeting_nor_ehlo_have_one() -> None:
    greeting = heard(b"220 2.0.0 mail.example.test\r\n")
    ehlo = heard(b"250-2.1.0 mail.example.test\r\n250 ENHANCEDSTATUSCODES\r\n", b"EHLO x")
    assert broken([greeting, EHLO]) & ENHANCED == {"smtp.esc.not-on-greeting"}
    assert broken([ehlo]) & ENHANCED == {"smtp.esc.not-on-greeting"}


def test_a_refusal_at_the_start_may_have_one() -> None:
    assert broken([heard(b"521 5.7.1 Blocked\r\n"), EHLO]) & ENHANCED == set()


def test_a_reply_that_may_answer_ehlo_needs_none() -> None:
    assert flagged(heard(b"250-mail.example.test\r\n250 DSN\r\n", asked=Asked.UNKNOWN)) == set()


def test_what_was_offered_in_clear_text_counts_no_more_in_tls() -> None:
    tally = watched(r"""
        S: 220 mail.example.test
        C: EHLO x
        S: 250-mail.example.test
        S: 250-ENHANCEDSTATUSCODES
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 2.0.0 go
        TLS
        C: NOOP
        S: 250 ok
    """)
    assert "smtp.esc.present" not in tally.broken
