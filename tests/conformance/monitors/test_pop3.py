"""POP3's passive requirements: what must be flagged, and what must not."""

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.monitors.exchange import Asked
from conformance.monitors.monitor import Tally
from conformance.monitors.pop3_exchange import Pop3Exchange
from conformance.monitors.watch_pop3 import watch_pop3
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.response import ResponseReader


def heard(octets: bytes, command: bytes | None = None, *, asked: Asked | None = None) -> Pop3Exchange:
    """One response, to a command; to the connection when none is named. What follows it is `extra`."""
    if asked is None:
        asked = Asked.GREETING if command is None else Asked.COMMAND
    exchange = Pop3Exchange(None, asked, command or b"", rest=octets)
    reader = ResponseReader()
    reader.feed(octets)
    try:
        response = reader.next_response(multi_line=exchange.wants_lines)
    except RemoteProtocolError:
        response = None
    if response is None:
        return exchange
    return replace(exchange, response=response, extra=octets[response.octets_received :], rest=b"")


def tally(*exchanges: Pop3Exchange) -> Tally:
    return watch_pop3(exchanges)


def broken(*exchanges: Pop3Exchange) -> set[str]:
    return set(tally(*exchanges).broken)


CAPA = heard(b"+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nSASL PLAIN\r\n.\r\n", b"CAPA")
NO_CODES = heard(b"+OK\r\nTOP\r\n.\r\n", b"CAPA")


@pytest.mark.parametrize(
    ("octets", "command", "requirement"),
    [
        (b"+ok ready\r\n", b"NOOP", "pop3.reply.status"),
        (b"-Err no\r\n", b"NOOP", "pop3.reply.status"),
        (b"OK ready\r\n", b"NOOP", "pop3.reply.status"),
        (b"250 ready\r\n", b"NOOP", "pop3.reply.status"),
        (b"+ more\r\n", b"NOOP", "pop3.reply.status"),
        (b"+OK:ready\r\n", b"NOOP", "pop3.reply.sep"),
        (b"-ERR\tno\r\n", b"NOOP", "pop3.reply.sep"),
        (b"+OK ready\n", b"NOOP", "pop3.reply.crlf"),
        (b"+OK rea\rdy\r\n", b"NOOP", "pop3.reply.crlf"),
        (b"+OK " + b"x" * 507 + b"\r\n", b"NOOP", "pop3.reply.512"),
        (b"+OK J\xf6rg\r\n", b"USER x", "pop3.reply.ascii"),
        (b"+OK a\x1bb\r\n", b"USER x", "pop3.reply.ascii"),
        (b"+OK\r\n+OK\r\n", b"NOOP", "pop3.reply.one-per-command"),
        (b"+OK 1 120\r\n.\r\n", b"LIST 1", "pop3.reply.one-per-command"),
        (b"+OK\r\n1 120\r\n.\r\n.\r\n", b"LIST", "pop3.reply.one-per-command"),
        (b"-ERR no\r\n.\r\n", b"RETR 9", "pop3.reply.err-not-multi"),
        (b"-ERR no\r\nTOP\r\n.\r\n", b"CAPA", "pop3.reply.err-not-multi"),
        (b"+OK\r\n1 120\r\n.\n", b"LIST", "pop3.reply.multi-end"),
        (b"+OK\n1 120\n.\n", b"LIST", "pop3.reply.multi-end"),
        (b"+OK\r\nText\r\n\n.\r\n", b"RETR 1", "pop3.reply.multi-end"),
        (b"+OK\r\nA: b\nC: d\r\n\r\n.\r\n", b"RETR 1", "pop3.retr.crlf-lines"),
        (b"+OK\r\n1 \xe4\xf6\r\n.\r\n", b"UIDL", "pop3.uidl.chars"),
        (b"+OK\r\n1 " + b"x" * 71 + b"\r\n.\r\n", b"UIDL", "pop3.uidl.chars"),
        (b"+OK\r\n1 \r\n.\r\n", b"UIDL", "pop3.uidl.chars"),
        (b"+OK 1 a\x01b\r\n", b"UIDL 1", "pop3.uidl.chars"),
        (b"+OK\r\nSASL " + b"X" * 506 + b"\r\n.\r\n", b"CAPA", "pop3.capa.line-512"),
        (b"+OK\r\nSASL  PLAIN\r\n.\r\n", b"CAPA", "pop3.capa.tags-printable"),
        (b"+OK\r\nSASL PLAIN \r\n.\r\n", b"CAPA", "pop3.capa.tags-printable"),
        (b"+OK\r\nT\xc3\x96P\r\n.\r\n", b"CAPA", "pop3.capa.tags-printable"),
        (b"+OK\r\nTOP\r\nFASTER\r\n.\r\n", b"CAPA", "pop3.capa.unknown-x"),
    ],
)
def test_a_departure_is_flagged(octets: bytes, command: bytes, requirement: str) -> None:
    assert requirement in broken(heard(octets, command))


@pytest.mark.parametrize(
    ("octets", "command"),
    [
        (b"+OK\r\n", b"NOOP"),
        (b"-ERR\r\n", b"NOOP"),
        (b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n", None),
        (b"+OK<1896.697170952@dbc.mtview.ca.us>\r\n", None),     # RFC 2449 §3 has no space there
        (b"-ERR too many connections\r\n", None),
        (b"+OK 2 320\r\n", b"STAT"),
        (b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n", b"LIST"),
        (b"+OK\r\n.\r\n", b"LIST"),
        (b"+OK\r\n.\r\n", b"UIDL"),
        (b"+OK 2 200\r\n", b"LIST 2"),
        (b"-ERR no such message\r\n", b"LIST 3"),
        (b"+OK\r\nA: b\r\n\r\n..\r\n.\r\n", b"RETR 1"),
        (b"+OK\r\nA: \xe4\r\n\r\n\x00\x7f\r\n.\r\n", b"TOP 1 0"),
        (b"+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n", b"UIDL"),
        (b"+OK 2 " + b"~" * 70 + b"\r\n", b"UIDL 2"),
        (b"+OK\r\nTOP\r\nSASL CRAM-MD5 KERBEROS_V4\r\nIMPLEMENTATION Shlemazle-Plotz-v302\r\nXOIP\r\n.\r\n", b"CAPA"),
        (b"+OK Capability list follows\r\nEXPIRE 60\r\nLOGIN-DELAY 900 USER\r\nutf8 USER\r\n.\r\n", b"CAPA"),
        (b"+ \r\n", b"AUTH PLAIN"),
        (b"+ " + b"QUJD" * 400 + b"\r\n", b"AUTH GSSAPI"),
        (b"+OK begin TLS\r\n", b"STLS"),
        (b"+OK UTF8 enabled: J\xc3\xb6rg\r\n", b"UTF8"),
    ],
)
def test_a_lawful_response_is_not_flagged(octets: bytes, command: bytes | None) -> None:
    assert broken(heard(octets, command)) == set()


def test_a_challenge_amid_auth_is_no_odd_status() -> None:
    assert broken(heard(b"+ dGV4dA==\r\n", b"QUJD", asked=Asked.RESPONSE)) == set()


def test_utf_8_is_lawful_once_it_was_asked_for() -> None:
    welcome = heard("+OK J\xf6rg\r\n".encode(), b"USER x")
    for command in (b"UTF8", b"LANG de"):
        assert "pop3.reply.ascii" not in broken(heard(b"+OK\r\n", command), welcome)
        assert "pop3.reply.ascii" in broken(heard(b"-ERR\r\n", command), welcome)


def test_a_response_nobody_waited_behind_says_nothing_of_what_follows() -> None:
    hasty = replace(heard(b"+OK\r\n+OK\r\n", b"NOOP"), extra=None)
    assert tally(hasty).looked["pop3.reply.one-per-command"] == 0


@pytest.mark.parametrize(
    ("text", "form", "on_ok"),
    [
        (b"-ERR [IN-USE] locked\r\n", False, False),
        (b"-ERR [SYS/TEMP] later\r\n", False, False),
        (b"-ERR [in use] locked\r\n", True, False),
        (b"-ERR [IN-USE locked\r\n", True, False),
        (b"-ERR [SYS//TEMP] later\r\n", True, False),
        (b"-ERR [] later\r\n", True, False),
        (b"+OK [XPROMOTION] welcome\r\n", False, True),
        (b"+OK welcome [home]\r\n", False, False),
    ],
)
def test_response_codes_are_levels_in_brackets_where_they_are_offered(text: bytes, form: bool, on_ok: bool) -> None:
    seen = broken(CAPA, heard(text, b"PASS secret"))
    assert ("pop3.resp-codes.form" in seen) == form
    assert ("pop3.resp-codes.on-ok" in seen) == on_ok
    assert "pop3.resp-codes.only-when" not in seen


def test_brackets_without_the_capability_are_mere_text_and_observed() -> None:
    seen = broken(NO_CODES, heard(b"-ERR [x y\r\n", b"PASS secret"))
    assert seen == {"pop3.resp-codes.only-when"}
    assert broken(heard(b"-ERR [x y\r\n", b"PASS secret")) == set()      # nobody asked for CAPA: nothing is known


def test_a_password_that_comes_back_is_flagged_and_not_shown() -> None:
    login = [heard(b"+OK\r\n", b"USER user1"), heard(b"-ERR secret1 is wrong\r\n", b"PASS secret1")]
    seen = tally(*login)
    assert "pop3.pass.no-echo" in seen.broken
    assert "secret1" not in "".join(seen.examples["pop3.pass.no-echo"])
    later = [heard(b"-ERR no\r\n", b"PASS secret1"), heard(b"+OK secret1\r\n", b"NOOP")]
    assert "pop3.pass.no-echo" in broken(login[0], *later)


def test_a_name_that_comes_back_is_lawful() -> None:
    named = [heard(b"+OK user1\r\n", b"USER user1"), heard(b"+OK user1's maildrop has 2 messages\r\n", b"PASS user1")]
    assert "pop3.pass.no-echo" not in broken(*named)


@pytest.mark.parametrize(
    ("text", "flagged"),
    [(b"Logged in.", False), (b"Welcome", False), (b64encode(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), True)],
)
def test_success_carries_no_data(text: bytes, flagged: bool) -> None:
    done = heard(b"+OK " + text + b"\r\n", b"QUJD", asked=Asked.RESPONSE)
    assert ("pop3.sasl.ok-no-data" in broken(done)) == flagged


DOVECOT = [
    heard(b"+OK Dovecot ready.\r\n"),
    heard(b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n", b"CAPA"),
    heard(b"-ERR [AUTH] Authentication failed.\r\n", b"PASS secret1"),
    heard(b"+OK Logged in.\r\n", b"PASS secret2"),
    heard(b"+OK 1 messages:\r\n1 512\r\n.\r\n", b"LIST"),
    heard(b"+OK 512 octets\r\nSubject: x\r\n\r\n.\r\n", b"RETR 1"),
    heard(b"-ERR There's no message 9.\r\n", b"DELE 9"),
    heard(b"+OK Logging out, messages deleted.\r\n", b"QUIT"),
]


def test_dovecot_is_not_accused() -> None:
    seen = tally(*DOVECOT)
    assert set(seen.broken) <= {"pop3.capa.unknown-x"}       # it lists CAPA among its capabilities: a SHOULD
    assert seen.looked["pop3.reply.crlf"] == len(DOVECOT)


COMMANDS = st.sampled_from([b"LIST", b"UIDL", b"CAPA", b"RETR 1", b"NOOP", b"AUTH X"])


@given(st.lists(st.binary(max_size=60), max_size=5), COMMANDS)
def test_no_octets_make_a_monitor_fall_over_and_what_is_shown_is_printable(lines: list[bytes], command: bytes) -> None:
    octets = b"+OK " + b"\r\n".join(lines) + b"\r\n.\r\n"
    for examples in tally(CAPA, heard(octets, command)).examples.values():
        for example in examples:
            assert example.isprintable()
            assert example.isascii()
