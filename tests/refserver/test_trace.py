"""The trace fields of final delivery (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3, RFC 8314 §4.3)."""

import email
import email.utils

import pytest

from conformance.refserver.smtp import SmtpSession
from conformance.refserver.trace import protocol_keyword
from tests.refserver.bench import Bench

MAIL = b"MAIL FROM:<Mixed.Case@client.example>\r\n"


def rcpt(user: bytes) -> bytes:
    return b"RCPT TO:<%b@example.test>\r\n" % user


def stored(bench: Bench, session: SmtpSession, envelope: bytes, content: bytes = b"A: b\r\n\r\n") -> bytes:
    session.receive(envelope + b"DATA\r\n" + content + b".\r\n")
    return bench.stored(1)[-1]


def test_return_path_and_received_stand_on_top_of_what_was_sent(bench: Bench) -> None:
    old = b"Received: from x by y; Mon, 01 Jan 2001 00:00:00 +0000\r\nRECEIVED: odd\r\nA: b\r\n\r\nbody\r\n"
    octets = stored(bench, bench.smtp(), MAIL + rcpt(b"User1"), old)
    assert octets == (
        b"Return-Path: <Mixed.Case@client.example>\r\n"
        b"Received: from client.example ([192.0.2.7])\r\n"
        b"\tby mail.example.test with ESMTP id t1\r\n"
        b"\tfor <User1@example.test>;\r\n"
        b"\tSun, 06 Nov 1994 08:49:37 +0000\r\n"
    ) + old
    date = email.message_from_bytes(octets)["Received"].rpartition(";")[2].strip()
    assert email.utils.parsedate_to_datetime(date).timestamp() == bench.service.wall_clock()


def test_with_several_recipients_none_is_named(bench: Bench) -> None:
    octets = stored(bench, bench.smtp(), MAIL + rcpt(b"user1") + rcpt(b"user2"))
    assert b"user1@" not in octets
    assert b"user2@" not in octets


def test_the_null_reverse_path_and_a_bare_postmaster_are_written_as_they_are(bench: Bench) -> None:
    octets = stored(bench, bench.smtp(), b"MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n")
    assert octets.startswith(b"Return-Path: <>\r\n")
    assert b"\r\n\tfor " not in octets


def test_a_false_name_stands_beside_the_true_address(bench: Bench) -> None:
    session = bench.smtp(hello=False)
    session.receive(b"HELO [203.0.113.9]\r\n")
    octets = stored(bench, session, MAIL + rcpt(b"user1"))
    assert b"Received: from [203.0.113.9] ([192.0.2.7])\r\n\tby mail.example.test with SMTP id " in octets


def test_the_name_said_inside_tls_counts(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(b"STARTTLS\r\n")
    session.tls_started("TLS_AES_128_GCM_SHA256")
    session.receive(b"EHLO second.example\r\n")
    octets = stored(bench, session, MAIL + rcpt(b"user1"))
    assert b"Received: from second.example (" in octets
    assert b"with ESMTPS id " in octets
    assert b"for <user1@example.test>\r\n\ttls TLS_AES_128_GCM_SHA256;\r\n" in octets


def test_a_suite_without_a_registered_name_is_left_out(bench: Bench) -> None:
    session = bench.smtp(cipher="ECDHE-RSA-AES256-GCM-SHA384")
    octets = stored(bench, session, MAIL + rcpt(b"user1"))
    assert b"ESMTPS" in octets
    assert b"ECDHE" not in octets


KEYWORDS = [
    # base   extended  utf8   tls    authenticated
    ("SMTP", False,    False, False, False, "SMTP"),
    ("SMTP", True,     False, False, False, "ESMTP"),
    ("SMTP", True,     False, True,  False, "ESMTPS"),
    ("SMTP", True,     False, False, True,  "ESMTPA"),
    ("SMTP", True,     False, True,  True,  "ESMTPSA"),
    ("SMTP", True,     True,  False, False, "UTF8SMTP"),
    ("SMTP", True,     True,  True,  True,  "UTF8SMTPSA"),
    ("LMTP", True,     False, False, False, "LMTP"),
    ("LMTP", True,     False, True,  True,  "LMTPSA"),
    ("LMTP", True,     True,  True,  False, "UTF8LMTPS"),
]


@pytest.mark.parametrize(("base", "extended", "utf8", "tls", "authenticated", "keyword"), KEYWORDS)
def test_the_protocol_keyword_is_the_registered_one(
    base: str, extended: bool, utf8: bool, tls: bool, authenticated: bool, keyword: str
) -> None:
    facts = {"extended": extended, "utf8": utf8, "tls": tls, "authenticated": authenticated}
    assert protocol_keyword(base, **facts) == keyword
