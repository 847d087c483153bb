"""LMTP: one reply per accepted recipient after the mail data (RFC 2033 §4.2, §4.3)."""

import pytest

from loadgen.wire.commands import Bdat, Data, Ehlo, Helo, Lhlo, Mail, MailData, Quit, Rcpt, SmtpCommand
from loadgen.wire.errors import LocalProtocolError
from loadgen.wire.smtp import DIALECTS, LMTP, SMTP, Answer, Phase, SmtpClient
from tests.wire.smtp_dialogue import BODY, answers


def group(client: SmtpClient, commands: list[SmtpCommand], octets: bytes) -> list[Answer]:
    for command in commands:
        client.send(command)
    return answers(client, octets)


def greeted() -> SmtpClient:
    client = SmtpClient(LMTP)
    answers(client, b"220 mx LMTP\r\n")
    group(client, [Lhlo("c")], b"250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
    return client


def up_to_body(*rcpt_replies: bytes) -> SmtpClient:
    client = greeted()
    recipients: list[SmtpCommand] = [Rcpt(f"user{n}") for n in range(len(rcpt_replies))]
    group(client, [Mail("a"), *recipients, Data()], b"250 OK\r\n" + b"".join(rcpt_replies) + b"354 go on\r\n")
    assert client.phase is Phase.BODY
    return client


def test_the_dialects_differ_in_greeting_and_replies_only() -> None:
    assert (SMTP.hello, LMTP.hello) == ("EHLO", "LHLO")
    assert (SMTP.hello_command("c"), LMTP.hello_command("c")) == (Ehlo("c"), Lhlo("c"))
    assert DIALECTS == {"smtp": SMTP, "lmtp": LMTP}


def test_each_dialect_greets_in_its_own_way_only() -> None:
    lmtp, smtp = SmtpClient(LMTP), SmtpClient(SMTP)
    for client in (lmtp, smtp):
        answers(client, b"220 mx\r\n")
    assert [lmtp.permits(hello) for hello in (Lhlo("c"), Ehlo("c"), Helo("c"))] == [True, False, False]
    assert [smtp.permits(hello) for hello in (Lhlo("c"), Ehlo("c"), Helo("c"))] == [False, True, True]


def test_each_accepted_recipient_has_its_own_reply_in_order() -> None:
    client = up_to_body(b"250 OK\r\n", b"550 no\r\n", b"250 OK\r\n", b"250 OK\r\n")
    client.send(BODY)
    assert client.owed == 3
    first = answers(client, b"250 sent\r\n")
    assert (client.owed, client.phase) == (2, Phase.BODY)
    rest = answers(client, b"452-over\r\n452 quota\r\n250 sent\r\n")
    assert [(a.command, a.recipient, a.reply.code) for a in first + rest] == [
        (BODY, "user0", 250),
        (BODY, "user2", 452),
        (BODY, "user3", 250),
    ]
    assert (client.owed, client.phase, client.accepted_recipients) == (0, Phase.MAIL, 0)


def test_a_recipient_accepted_twice_is_owed_two_replies() -> None:
    client = greeted()
    octets = b"250 OK\r\n250 OK\r\n250 OK\r\n354 go on\r\n"
    group(client, [Mail("a"), Rcpt("same"), Rcpt("same"), Data()], octets)
    client.send(BODY)
    assert [answer.recipient for answer in answers(client, b"250 1\r\n250 2\r\n")] == ["same", "same"]
    assert client.phase is Phase.MAIL


def test_what_is_pipelined_behind_the_mail_data_waits_for_all_its_replies() -> None:
    client = up_to_body(b"250 OK\r\n", b"250 OK\r\n")
    commands: list[SmtpCommand] = [BODY, Mail("b"), Rcpt("other"), Quit()]
    for command in commands:
        client.send(command)
    assert client.owed == 5
    taken = answers(client, b"250 1\r\n550 2\r\n250 OK\r\n250 OK\r\n221 bye\r\n")
    assert [a.command for a in taken] == [BODY, *commands]
    assert [a.recipient for a in taken] == ["user0", "user1", None, None, None]
    assert client.phase is Phase.CLOSED


def test_354_without_any_recipient_is_owed_no_reply_to_the_dot() -> None:
    client = up_to_body(b"550 no\r\n")
    assert client.send(MailData(b".\r\n")) == b".\r\n"
    assert (client.owed, client.phase) == (0, Phase.MAIL)
    [answer] = group(client, [Mail("b")], b"250 OK\r\n")
    assert answer.command == Mail("b")


def test_the_last_chunk_is_answered_per_recipient_and_the_others_once() -> None:
    client = greeted()
    group(client, [Mail("a"), Rcpt("x"), Rcpt("y")], b"250 OK\r\n250 OK\r\n250 OK\r\n")
    commands: list[SmtpCommand] = [Bdat(b"abc", last=False), Bdat(b"", last=True)]
    for command in commands:
        client.send(command)
    assert client.owed == 3
    taken = answers(client, b"250 3\r\n250 sent\r\n550 no\r\n")
    assert [(a.command, a.recipient) for a in taken] == [(commands[0], None), (commands[1], "x"), (commands[1], "y")]
    assert client.phase is Phase.MAIL  # one recipient has it: the transaction succeeded


def test_a_last_chunk_refused_for_all_needs_rset() -> None:
    client = greeted()
    group(client, [Mail("a"), Rcpt("x"), Rcpt("y")], b"250 OK\r\n250 OK\r\n250 OK\r\n")
    group(client, [Bdat(b"abc", last=True)], b"452 full\r\n550 no\r\n")
    assert client.phase is Phase.RSET


def test_chunks_are_not_pipelined_behind_recipients_that_may_all_be_refused() -> None:
    client = greeted()
    for command in (Mail("a"), Rcpt("x")):
        client.send(command)
    assert not client.permits(Bdat(b"", last=True))
    with pytest.raises(LocalProtocolError):
        client.send(Bdat(b"", last=True))
    answers(client, b"250 OK\r\n250 OK\r\n")
    assert client.permits(Bdat(b"", last=True))


def test_421_amid_the_replies_says_whose_turn_it_was() -> None:
    client = up_to_body(b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n")
    client.send(BODY)
    taken = answers(client, b"250 sent\r\n421 going down\r\n")
    assert [(a.recipient, a.reply.code) for a in taken] == [("user0", 250), ("user1", 421)]
    assert (client.phase, client.owed) == (Phase.CLOSED, 0)
