"""Real servers under the passive requirements: none may be accused of what it does not do."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from conformance.monitors.exchange import Asked
from conformance.monitors.follow import Event, Side, exchanges_of
from conformance.monitors.monitor import Tally
from conformance.monitors.pop3_exchange import Pop3Exchange
from conformance.monitors.watch import watch_smtp
from conformance.monitors.watch_pop3 import watch_pop3
from loadgen.wire.reply import ReplyReader
from loadgen.wire.response import ResponseReader
from tests.interop.mail_system import Accounts, MailSystem

LIMIT_S = 30.0
MESSAGE = b"Subject: watched\r\n\r\n..a line that begins with a dot\r\n.\r\n"


@contextmanager
def dialled(url: str | None) -> Iterator[socket.socket]:
    assert url is not None
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT_S) as connection:
        yield connection


def converse(url: str | None, script: list[tuple[bytes, int]]) -> list[Event]:
    """Say each piece and hear that many replies; the last of them ends the session."""
    events: list[Event] = []
    reader = ReplyReader()
    with dialled(url) as connection:
        for said, replies in [(b"", 1), *script]:
            if said:
                connection.sendall(said)
                events.append((Side.CLIENT, said))
            for _ in range(replies):
                while reader.next_reply() is None:
                    octets = connection.recv(65536)
                    assert octets, "the server closed early"
                    events.append((Side.SERVER, octets))
                    reader.feed(octets)
        assert connection.recv(1) == b""
    return [*events, (Side.CLOSED, b"")]


def commands(*lines: bytes) -> list[tuple[bytes, int]]:
    return [(line + b"\r\n", 1) for line in lines]


def smtp_sessions(accounts: Accounts, *, auth: bool) -> Iterator[list[tuple[bytes, int]]]:
    """Yield sessions with every verb, in and out of order, pipelined and not; few errors in each: Exim hangs up."""
    name, password = accounts.address(1).encode(), accounts.password(1).encode()
    rcpt = b"RCPT TO:<" + name + b">"
    yield [
        *commands(b"NOOP", b"HELO mailproof.invalid", b"MAIL FROM:<load@example.test>", rcpt, b"DATA"),
        (MESSAGE, 1),
        *commands(b"EHLO mailproof.invalid", b"HELP", b"VRFY " + name, b"RSET", b"MAIL FROM:<load@example.test>"),
        (b"\r\n".join([rcpt, b"RCPT TO:<nobody@elsewhere.invalid>", b"DATA", b""]), 3),
        (MESSAGE + b"RSET\r\nQUIT\r\n", 3),
    ]
    yield commands(b"EHLO mailproof.invalid", b"XYZZY", b"MAIL FROM:<>", b"MAIL FROM:<>", b"QUIT")
    yield commands(b"EHLO mailproof.invalid", b"EXPN list", b"RSET x", b"MAIL FROM:<a@b.example> X=Y", b"QUIT")
    yield commands(b"EHLO mailproof.invalid", rcpt, b"DATA", b"QUIT")
    if auth:
        hello = commands(b"EHLO mailproof.invalid", b"AUTH XYZZY")
        yield [*hello, *commands(b"AUTH LOGIN", b64encode(name), b64encode(b"wrong password"), b"QUIT")]
        plain = b"AUTH PLAIN " + b64encode(b"\0" + name + b"\0" + password)
        yield [*hello, *commands(plain, b"AUTH LOGIN", b"MAIL FROM:<load@example.test>", b"QUIT")]


@pytest.mark.parametrize(("server", "auth"), [("postfix", True), ("exim", True), ("aiosmtpd", False)])
def test_a_server_breaks_nothing_that_binds(
    request: pytest.FixtureRequest, accounts: Accounts, server: str, auth: bool
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    total = Tally()
    for script in smtp_sessions(accounts, auth=auth):
        exchanges = exchanges_of(converse(system.smtp, script))
        assert Asked.UNKNOWN not in {exchange.asked for exchange in exchanges}
        total.merge(watch_smtp(exchanges))
    assert total.looked["smtp.reply.crlf"] > 30
    assert unexpected(total, "smtp.reply.command-table") == {}       # a SHOULD


def test_dovecots_lmtp_breaks_nothing(dovecot: MailSystem, accounts: Accounts) -> None:
    rcpts = [b"RCPT TO:<" + accounts.address(n).encode() + b">" for n in (1, 2)]
    group = b"\r\n".join([b"MAIL FROM:<>", rcpts[0], b"RCPT TO:<nobody@example.test>", rcpts[1], b"DATA", b""])
    script = [
        *commands(b"NOOP", b"LHLO mailproof.invalid", b"VRFY x", b"XYZZY", b"DATA", b"MAIL FROM:<>", b"RSET"),
        (group, 5),
        (MESSAGE, 2),
        (b"QUIT\r\n", 1),
    ]
    exchanges = exchanges_of(converse(dovecot.lmtp, script), lmtp=True)
    assert [exchange.asked for exchange in exchanges].count(Asked.MAIL_DATA) == 2
    assert unexpected(watch_smtp(exchanges, lmtp=True), "smtp.reply.command-table") == {}


def test_dovecots_pop3_breaks_nothing(dovecot: MailSystem, accounts: Accounts) -> None:
    user, secret = accounts.address(3).encode(), accounts.password(3).encode()
    script = [
        b"CAPA", b"XYZZY", b"RETR 1", b"USER " + user, b"PASS wrong password", b"USER " + user, b"PASS " + secret,
        b"CAPA", b"STAT", b"LIST", b"LIST 99", b"UIDL", b"RETR 99", b"NOOP", b"RSET", b"QUIT",
    ]
    heard: list[Pop3Exchange] = []
    with dialled(dovecot.pop3) as connection:
        for command in [b"", *script]:
            exchange = Pop3Exchange(None, Asked.COMMAND if command else Asked.GREETING, command)
            if command:
                connection.sendall(command + b"\r\n")
            reader = ResponseReader()
            while (response := reader.next_response(multi_line=exchange.wants_lines)) is None:
                octets = connection.recv(65536)
                assert octets, "the server closed early"
                reader.feed(octets)
            heard.append(replace(exchange, response=response, extra=reader.pending))
    tally = watch_pop3(heard)
    assert tally.looked["pop3.reply.status"] == len(script) + 1
    assert unexpected(tally, "pop3.capa.unknown-x", "pop3.resp-codes.on-ok") == {}       # a SHOULD, and a MAY


def unexpected(tally: Tally, *advice: str) -> dict[str, list[str]]:
    return {requirement: seen for requirement, seen in tally.examples.items() if requirement not in advice}
