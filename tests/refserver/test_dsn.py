"""Reports of delivery, for senders who asked and live here (RFC 3461, RFC 3464, RFC 6533)."""

import email
import email.policy
from email.message import Message

import pytest

from conformance.refserver.directory import Account, Directory
from conformance.refserver.smtp import SmtpSession
from tests.refserver.bench import Bench, make_bench


def send(bench: Bench, mail: bytes, *recipients: bytes, session: SmtpSession | None = None) -> bytes:
    session = session or bench.smtp()
    session.receive(b"MAIL FROM:" + mail + b"\r\n" + b"".join(b"RCPT TO:" + one + b"\r\n" for one in recipients))
    session.receive(b"DATA\r\n")
    return session.receive(b"Subject: original\r\n\r\nbody\r\n.\r\n")


def parts(message: Message) -> list[Message]:
    """Return what a message is made of, which for these is always a list of parts."""
    held = message.get_payload()
    assert isinstance(held, list)
    return [part for part in held if isinstance(part, Message)]


def fields(part: Message) -> list[dict[str, str]]:
    return [dict(group.items()) for group in parts(part)]


def test_a_success_asked_for_is_reported_to_the_envelope_sender(bench: Bench) -> None:
    send(
        bench, b"<user5@example.test> ENVID=Ab+2BC RET=FULL",
        b"<user1@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alias+2B1@example.test",
        b"<user2@example.test> NOTIFY=FAILURE",
        b"<User3@example.test> NOTIFY=SUCCESS",
    )
    (octets,) = bench.stored(5)
    assert octets.startswith(b"Return-Path: <>\r\n")
    report = email.message_from_bytes(octets)
    assert report["To"] == "<user5@example.test>"
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    text, status, headers = parts(report)
    assert text.get_content_type() == "text/plain"
    about, first, second = fields(status)
    assert (about["Reporting-MTA"], about["Original-Envelope-Id"]) == ("dns; mail.example.test", "Ab+C")
    assert first == {
        "Original-Recipient": "rfc822;alias+1@example.test", "Final-Recipient": "rfc822; user1@example.test",
        "Action": "delivered", "Status": "2.1.5",
    }
    assert second == {"Final-Recipient": "rfc822; User3@example.test", "Action": "delivered", "Status": "2.1.5"}
    assert headers.get_content_type() == "text/rfc822-headers"
    assert headers.get_payload() == "Subject: original\r\n"
    assert b"body" not in octets


NOT_ASKED = [
    (b"<user5@example.test>", b"<user1@example.test>"),
    (b"<user5@example.test>", b"<user1@example.test> NOTIFY=NEVER"),
    (b"<user5@example.test>", b"<user1@example.test> NOTIFY=FAILURE,DELAY"),
    (b"<>", b"<user1@example.test> NOTIFY=SUCCESS"),
    (b"<user5@elsewhere.example>", b"<user1@example.test> NOTIFY=SUCCESS"),
]


@pytest.mark.parametrize(("mail", "rcpt"), NOT_ASKED)
def test_nobody_is_told_who_did_not_ask_or_does_not_live_here(bench: Bench, mail: bytes, rcpt: bytes) -> None:
    assert send(bench, mail, rcpt).startswith(b"250 ")
    assert [len(bench.stored(user)) for user in range(1, 6)] == [1, 0, 0, 0, 0]


def test_lmtp_reports_only_who_was_delivered_to(bench: Bench) -> None:
    mail = (b"<user5@example.test>", b"<user1@example.test> NOTIFY=SUCCESS", b"<nobody@example.test> NOTIFY=SUCCESS")
    send(bench, *mail, session=bench.lmtp())
    status = parts(email.message_from_bytes(bench.stored(5)[0]))[1]
    assert [group.get("Final-Recipient") for group in fields(status)[1:]] == ["rfc822; user1@example.test"]


def test_a_message_that_is_refused_is_not_reported(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(b"MAIL FROM:<user5@example.test>\r\nRCPT TO:<user1@example.test> NOTIFY=SUCCESS\r\nDATA\r\n")
    assert session.receive(b"bare\nLF\r\n.\r\n").startswith(b"554")
    assert bench.stored(5) == []


def test_an_address_in_utf8_makes_the_report_a_global_one() -> None:
    accounts = [Account("user5@example.test", "x"), Account("jürgen@example.test", "x")]
    bench = make_bench(directory=Directory(["example.test"], accounts))
    send(bench, b"<user5@example.test> SMTPUTF8", "<jürgen@example.test> NOTIFY=SUCCESS".encode())
    octets = bench.stored(5)[0]
    assert b"Content-Type: message/global-delivery-status\r\n" in octets
    assert "Final-Recipient: utf-8; jürgen@example.test\r\n".encode() in octets
    assert b"Content-Type: message/global-headers\r\n" in octets
