"""The grammar of a reply: what must be flagged, and what must not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.monitors.exchange import Asked, Exchange
from conformance.monitors.grammar import MONITORS
from conformance.monitors.monitor import Tally
from conformance.monitors.watch import watch_smtp
from tests.conformance.monitors.listening import broken, heard

GRAMMAR = {monitor.requirement for monitor in MONITORS}


def flagged(exchange: Exchange) -> set[str]:
    return broken([exchange]) & GRAMMAR


@pytest.mark.parametrize(
    ("octets", "requirement"),
    [
        (b"250 ok\n", "smtp.reply.crlf"),
        (b"250-a\n250 b\r\n", "smtp.reply.crlf"),
        (b"250 a\rb\r\n", "smtp.reply.crlf"),
        (b"250 ok\r\r\n", "smtp.reply.crlf"),
        (b"25 ok\r\n", "smtp.reply.three-digits"),
        (b"2500 ok\r\n", "smtp.reply.three-digits"),
        (b"ok\r\n", "smtp.reply.three-digits"),
        (b"2x0 ok\r\n", "smtp.reply.three-digits"),
        (b"\r\n", "smtp.reply.three-digits"),
        (b"250-a\r\nb\r\n250 c\r\n", "smtp.reply.three-digits"),
        (b"150 ok\r\n", "smtp.reply.first-digit"),
        (b"050 ok\r\n", "smtp.reply.first-digit"),
        (b"650 ok\r\n", "smtp.reply.first-digit"),
        (b"260 ok\r\n", "smtp.reply.second-digit"),
        (b"591 ok\r\n", "smtp.reply.second-digit"),
        (b"250_ok\r\n", "smtp.reply.separator"),
        (b"250\tok\r\n", "smtp.reply.separator"),
        (b"250ok\r\n", "smtp.reply.separator"),
        (b"220-a\r\n521 b\r\n", "smtp.reply.multiline-same-code"),
        (b"250-a\r\n251-b\r\n250 c\r\n", "smtp.reply.multiline-same-code"),
        (b"250\r\n", "smtp.reply.text-present"),
        (b"250-a\r\n250\r\n", "smtp.reply.text-present"),
        (b"250 " + b"x" * 507 + b"\r\n", "smtp.reply.line-512"),
        (b"250-" + b"x" * 507 + b"\r\n250 ok\r\n", "smtp.reply.line-512"),
        (b"250 \xe9t\xe9\r\n", "smtp.reply.ascii"),
        (b"250 a\x00b\r\n", "smtp.reply.ascii"),
        (b"250 a\x1b[2Jb\r\n", "smtp.reply.ascii"),
        (b"250 a\x7f\r\n", "smtp.reply.ascii"),
    ],
)
def test_a_departure_is_flagged_and_nothing_else_is(octets: bytes, requirement: str) -> None:
    assert flagged(heard(octets, b"NOOP")) == {requirement}


@pytest.mark.parametrize(
    "exchange",
    [
        heard(b"220 mail.example.test ESMTP\r\n"),
        heard(b"220-mail.example.test\r\n220 welcome\r\n"),
        heard(b"554 no service\r\n"),
        heard(b"250 \r\n", b"NOOP"),
        heard(b"250-\r\n250-\ttabbed\r\n250 end\r\n", b"NOOP"),
        heard(b"250-First line\r\n250-234 Text beginning with numbers\r\n250 The last line\r\n", b"X"),
        heard(b"250 " + b"x" * 506 + b"\r\n", b"NOOP"),
        heard(b"334 " + b"QUJD" * 500 + b"\r\n", b"AUTH GSSAPI"),
        heard(b"334 \r\n", b"AUTH PLAIN"),
        heard(b"421 shutting down\r\n", b"NOOP"),
        heard(b"421 shutting down\r\n", asked=Asked.UNKNOWN),
        heard(b"250 J\xc3\xb6rg <j\xc3\xb6rg@example.test>\r\n", b"VRFY j\xc3\xb6rg SMTPUTF8"),
    ],
)
def test_a_lawful_reply_is_not_flagged(exchange: Exchange) -> None:
    assert flagged(exchange) == set()


def test_utf_8_is_lawful_in_a_transaction_that_asked_for_it_and_not_in_the_next() -> None:
    refusal = "551 <j\xf6rg@example.test> moved\r\n".encode()
    mail = heard(b"250 ok\r\n", b"MAIL FROM:<a@b> SMTPUTF8")
    plain = heard(b"250 ok\r\n", b"MAIL FROM:<a@b>")
    rcpt = heard(refusal, b"RCPT TO:<x@example.test>")
    assert "smtp.reply.ascii" not in broken([mail, rcpt])
    assert "smtp.reply.ascii" in broken([mail, plain, rcpt])


@pytest.mark.parametrize(
    ("rest", "requirement"),
    [
        (b"250 o", {"smtp.reply.crlf"}),
        (b"250-a\r\n250-b\r\n", {"smtp.reply.multiline-last-space"}),
        (b"250-a\r\n250-b", {"smtp.reply.crlf", "smtp.reply.multiline-last-space"}),
        (b"", set()),
    ],
)
def test_a_close_in_the_middle_of_a_reply_is_flagged(rest: bytes, requirement: set[str]) -> None:
    greeted = heard(b"220 mail.example.test\r\n").reply
    assert flagged(Exchange(greeted, Asked.GREETING, closed_after=True, rest=rest)) == requirement
    assert flagged(Exchange(None, Asked.GREETING, closed_after=True, rest=rest)) == requirement


TEXT = st.text(alphabet=string.printable[:95] + "\t", max_size=80).map(str.encode)


@given(st.sampled_from(["220", "235", "250", "354", "421", "450", "554"]), st.lists(TEXT, min_size=1, max_size=6))
def test_what_follows_the_grammar_is_never_flagged(code: str, texts: list[bytes]) -> None:
    *first, last = texts
    octets = b"".join(b"%b-%b\r\n" % (code.encode(), text) for text in first) + b"%b %b\r\n" % (code.encode(), last)
    for exchange in (heard(octets, b"NOOP"), heard(octets), heard(octets, asked=Asked.UNKNOWN)):
        assert flagged(exchange) == set()


@given(st.binary(max_size=60).filter(lambda octets: b"\n" not in octets), st.sampled_from(list(Asked)))
def test_no_octets_make_a_monitor_fall_over_and_what_is_shown_is_printable(octets: bytes, asked: Asked) -> None:
    tally = watch_smtp([heard(b"250-" + octets + b"\n" + octets + b"\n250 end\r\n", octets, asked=asked)])
    assert tally.looked["smtp.reply.crlf"] == 1
    for examples in tally.examples.values():
        for example in examples:
            assert example.isprintable()
            assert example.isascii()


def test_a_monitor_that_never_looked_is_told_from_one_that_saw_nothing_amiss() -> None:
    tally = watch_smtp([heard(b"250 ok\r\n", b"NOOP")])
    assert tally.looked["smtp.reply.crlf"] == 1
    assert tally.broken["smtp.reply.crlf"] == 0
    assert "smtp.reply.multiline-same-code" not in tally.looked


def test_tallies_of_several_sessions_add_up_and_keep_a_few_different_examples() -> None:
    total = Tally()
    for number in range(9):
        total.merge(watch_smtp([heard(b"250_%d\r\n" % number, b"NOOP"), heard(b"250_same\r\n", b"NOOP")]))
    assert total.looked["smtp.reply.separator"] == total.broken["smtp.reply.separator"] == 18
    assert len(total.examples["smtp.reply.separator"]) == 5
    assert len(set(total.examples["smtp.reply.separator"])) == 5
