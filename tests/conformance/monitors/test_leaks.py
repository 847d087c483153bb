"""What no reply should tell, and what only looks like it."""

import pytest

from tests.conformance.monitors.listening import broken, heard

LEAKS = "core.leak-octets"


@pytest.mark.parametrize(
    "octets",
    [
        b"451 a\x00b\r\n",
        b"451 Traceback (most recent call last)\r\n",
        b'451 File "server.py", line 12\r\n',
        b"451 at org.example.Mail.receive(Mail.java:120)\r\n",
        b"451 goroutine 7 [running]\r\n",
        b"451 smtpd.c:112: assertion failed\r\n",
        b"451 cannot open /var/spool/mail/user1\r\n",
        b"550 C:\\Mail\\queue is full\r\n",
    ],
)
def test_the_insides_of_the_program_are_flagged(octets: bytes) -> None:
    assert LEAKS in broken([heard(octets, b"RCPT TO:<a@b>")])


@pytest.mark.parametrize(
    ("octets", "command"),
    [
        (b"550 5.7.1 see https://example.test/var/help?ip=192.0.2.1\r\n", b"RCPT TO:<a@b>"),
        (b"550 see example.test/etc/relay.html\r\n", b"RCPT TO:<a@b>"),
        (b"550 5.1.1 </etc/passwd@b>: no such user\r\n", b"RCPT TO:</etc/passwd@b>"),
        (b"250 and/or either/or\r\n", b"NOOP"),
        (b"250 12:30:45 at 100/200\r\n", b"NOOP"),
        (b"220 mail.example.test at your service\r\n", None),
        (b"550 [C:1] no\r\n", b"NOOP"),
    ],
)
def test_what_only_looks_like_it_is_not(octets: bytes, command: bytes | None) -> None:
    assert LEAKS not in broken([heard(octets, command)])


def test_what_the_client_said_itself_may_come_back_later() -> None:
    mail = heard(b"250 ok\r\n", b"MAIL FROM:</var/x@b>")
    rcpt = heard(b"550 mail from </var/x@b> is refused\r\n", b"RCPT TO:<a@b>")
    assert LEAKS not in broken([mail, rcpt])
    assert LEAKS in broken([rcpt])


def test_utf_8_unasked_is_flagged_of_a_server_that_knows_smtputf8() -> None:
    ehlo = heard(b"250-mail.example.test\r\n250 SMTPUTF8\r\n", b"EHLO x")
    refusal = heard("550 <j\xf6rg@b> unknown\r\n".encode(), b"RCPT TO:<a@b>")
    asked = heard(b"250 ok\r\n", b"MAIL FROM:<a@b> SIZE=10 smtputf8")
    assert "smtp.utf8.replies-ascii" in broken([ehlo, refusal])
    assert "smtp.utf8.replies-ascii" not in broken([ehlo, asked, refusal])
    assert "smtp.utf8.replies-ascii" not in broken([refusal])
