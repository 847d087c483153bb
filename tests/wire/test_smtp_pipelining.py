"""Pipelining (RFC 2920): each reply belongs to its command, whatever was refused in between."""

import pytest

from loadgen.wire.commands import (
    Bdat,
    Data,
    Ehlo,
    Mail,
    MailData,
    Noop,
    Quit,
    RawLine,
    Rcpt,
    Rset,
    SmtpCommand,
    Vrfy,
)
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.smtp import Phase
from tests.wire.smtp_dialogue import BODY, answers, exchange, greeted, permitted, with_recipients


def test_a_group_is_permitted_only_where_pipelining_is_offered() -> None:
    client = greeted(b"250 mx\r\n")
    client.send(Mail("a"))
    assert permitted(client) == set()
    assert client.permits(RawLine(b"RCPT TO:<b>\r\n"))


@pytest.mark.parametrize("last", [Data(), Noop(), Quit(), Vrfy("x"), Ehlo("x")])
def test_nothing_is_pipelined_behind_what_must_end_its_group(last: SmtpCommand) -> None:
    client = greeted()
    for command in (Mail("a"), Rcpt("b"), last):
        client.send(command)
    assert permitted(client) == set()


def test_a_group_judges_each_command_as_if_those_before_it_had_succeeded() -> None:
    client = greeted()
    client.send(Mail("a"))
    assert permitted(client) >= {"Rcpt"}
    assert not client.permits(Data())
    assert not client.permits(Mail("b"))
    client.send(Rcpt("b"))
    assert client.permits(Data())
    client.send(Rset())
    assert client.permits(Mail("c"))
    assert not client.permits(Data())


def test_recipients_of_an_aborted_transaction_do_not_count_for_the_next() -> None:
    client = with_recipients(b"250 OK\r\n")
    for command in (Rset(), Mail("b")):
        client.send(command)
    assert client.permits(Rcpt("c"))
    assert not client.permits(Data())


def test_mixed_recipients_are_paired_each_with_its_own_reply() -> None:
    client = greeted()
    group: list[SmtpCommand] = [Mail("a"), Rcpt("yes1"), Rcpt("no"), Rcpt("later"), Rcpt("yes2"), Data()]
    for command in group:
        client.send(command)
    assert (client.owed, client.phase) == (6, Phase.MAIL)
    paired = answers(client, b"250 a\r\n250 b\r\n550 c\r\n450 d\r\n250 e\r\n354 f\r\n")
    assert [answer.command for answer in paired] == group
    assert [answer.reply.text for answer in paired] == [b"a", b"b", b"c", b"d", b"e", b"f"]
    assert (client.owed, client.phase, client.accepted_recipients) == (0, Phase.BODY, 2)


def test_a_refusal_heard_amid_a_group_is_reckoned_with_at_once() -> None:
    client = greeted()
    for command in (Mail("a"), Rcpt("b")):
        client.send(command)
    assert client.permits(Data())
    answers(client, b"550 no such sender\r\n")
    assert (client.owed, client.permits(Data()), client.permits(Mail("c"))) == (1, False, True)
    answers(client, b"503 no\r\n")
    exchange(client, Mail("c"), b"250 OK\r\n")


def test_a_recipient_accepted_without_a_transaction_is_the_servers_error() -> None:
    client = greeted()
    for command in (Mail("a"), Rcpt("b")):
        client.send(command)
    client.receive(b"550 no\r\n250 OK\r\n")
    assert client.next_answer() is not None
    with pytest.raises(RemoteProtocolError, match="without a transaction"):
        client.next_answer()


def test_354_without_any_recipient_can_still_be_answered_with_a_lone_dot() -> None:
    client = greeted()
    for command in (Mail("a"), Rcpt("b"), Data()):
        client.send(command)
    answers(client, b"250 OK\r\n550 no\r\n354 go on\r\n")
    assert (client.phase, client.accepted_recipients) == (Phase.BODY, 0)
    exchange(client, MailData(b".\r\n"), b"554 no valid recipients\r\n")
    exchange(client, Mail("a"), b"250 OK\r\n")


def test_the_mail_data_may_begin_the_next_group() -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Data(), b"354 go on\r\n")
    group: list[SmtpCommand] = [BODY, Mail("b"), Rcpt("c"), Data()]
    for command in group:
        client.send(command)
    assert [a.command for a in answers(client, b"250 sent\r\n250 OK\r\n250 OK\r\n354 go on\r\n")] == group
    assert (client.phase, client.accepted_recipients) == (Phase.BODY, 1)


def test_chunks_pipelined_behind_a_failed_one_leave_rset_due() -> None:
    client = with_recipients(b"250 OK\r\n")
    group = [Bdat(b"abc", last=False), Bdat(b"def", last=True)]
    for command in group:
        client.send(command)
    assert [a.command for a in answers(client, b"452 full\r\n503 failed already\r\n")] == group
    assert client.phase is Phase.RSET


def test_421_ends_a_pipelined_group_with_nothing_more_owed() -> None:
    client = greeted()
    group: list[SmtpCommand] = [Mail("a"), Rcpt("b"), Rcpt("c"), Data()]
    for command in group:
        client.send(command)
    assert [answer.command for answer in answers(client, b"250 OK\r\n421 bye\r\n")] == group[:2]
    assert (client.phase, client.owed) == (Phase.CLOSED, 0)
