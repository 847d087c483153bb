"""The SMTP machine: order, pairing, and what it does when the server misbehaves."""

from collections.abc import Sequence

import pytest

from loadgen.wire.commands import (
    Auth,
    AuthCancel,
    AuthResponse,
    Bdat,
    Data,
    Ehlo,
    Helo,
    Mail,
    MailData,
    Noop,
    Quit,
    RawLine,
    Rcpt,
    Rset,
    SmtpCommand,
    StartTls,
)
from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.reply import ReplyClass
from loadgen.wire.smtp import Phase, SmtpClient, phase_of
from loadgen.wire.smtp_table import FINAL, NEXT, RULES
from tests.wire.smtp_dialogue import BODY, EHLO_OK, ONE_OF_EACH, answers, exchange, greeted, permitted, with_recipients

BETWEEN = {"Ehlo", "Helo", "Noop", "Vrfy", "Expn", "Help", "Rset", "Quit"}


def test_every_command_has_a_rule_and_every_reply_a_row() -> None:
    assert set(RULES) == set(SmtpCommand.__args__) == {type(command) for command in ONE_OF_EACH}
    rows = {rule.phase for rule in RULES.values()} | {Phase.GREETING, Phase.LAST_CHUNK}
    assert set(NEXT) == rows
    assert set(NEXT) >= FINAL


def test_every_state_a_row_leads_to_lets_the_session_go_on_or_end() -> None:
    for row in NEXT.values():
        for state in set(row.values()) - {None, Phase.CLOSED, Phase.TLS}:
            assert any(state in rule.permitted_in for kind, rule in RULES.items() if kind is not RawLine)


def test_no_preliminary_or_unknown_class_has_a_cell() -> None:
    classes = {reply_class for row in NEXT.values() for reply_class in row}
    assert classes == set(ReplyClass) - {ReplyClass.PRELIMINARY, ReplyClass.UNDEFINED}


def test_what_is_permitted_follows_the_session() -> None:
    client = SmtpClient()
    assert (client.phase, client.owed, permitted(client)) == (Phase.GREETING, 1, set())
    [answer] = answers(client, b"220 mx\r\n")
    assert (answer.command, answer.reply) == (None, client.greeting)
    assert (client.phase, client.owed, permitted(client)) == (Phase.EHLO, 0, BETWEEN)
    exchange(client, Ehlo("c"), EHLO_OK)
    assert (client.phase, permitted(client)) == (Phase.MAIL, BETWEEN | {"Mail", "StartTls", "Auth", "Etrn"})
    exchange(client, Mail("a"), b"250 OK\r\n")
    assert (client.phase, permitted(client)) == (Phase.RCPT, BETWEEN | {"Rcpt"})
    exchange(client, Rcpt("b"), b"250 OK\r\n")
    assert (client.phase, permitted(client)) == (Phase.RCPT, BETWEEN | {"Rcpt", "Data", "Bdat"})
    exchange(client, Data(), b"354 go on\r\n")
    assert (client.phase, permitted(client)) == (Phase.BODY, {"MailData"})
    assert client.accepted_recipients == 1
    exchange(client, BODY, b"250 OK\r\n")
    assert client.accepted_recipients == 0
    assert (client.phase, permitted(client)) == (Phase.MAIL, BETWEEN | {"Mail", "StartTls", "Auth", "Etrn"})
    exchange(client, Quit(), b"221 Bye\r\n")
    assert (client.phase, client.owed, permitted(client)) == (Phase.CLOSED, 0, set())
    assert not client.permits(RawLine(b"x"))


def test_a_command_out_of_order_is_refused_and_changes_nothing() -> None:
    client = greeted()
    with pytest.raises(LocalProtocolError, match="Rcpt is not permitted in phase mail"):
        client.send(Rcpt("a"))
    with pytest.raises(LocalProtocolError):
        client.send(Mail("a\r\nRSET"))
    assert (client.owed, client.phase) == (0, Phase.MAIL)
    exchange(client, Mail("a"), b"250 OK\r\n")


def test_a_refused_greeting_leaves_only_quit() -> None:
    for greeting in (b"554 No service\r\n", b"450 later\r\n"):
        client = SmtpClient()
        [answer] = answers(client, greeting)
        assert answer.reply == client.greeting
        assert (client.phase, permitted(client)) == (Phase.QUIT, {"Quit"})


def test_a_refused_ehlo_may_be_followed_by_helo_which_offers_nothing() -> None:
    client = SmtpClient()
    answers(client, b"220 mx\r\n")
    exchange(client, Ehlo("c"), b"502 what?\r\n")
    assert (client.phase, client.permits(Mail("a"))) == (Phase.EHLO, False)
    exchange(client, Helo("c"), b"250-mx\r\n250 PIPELINING\r\n")
    assert (client.phase, client.extensions.pipelining) == (Phase.MAIL, False)


def test_a_second_ehlo_clears_the_transaction_and_a_refused_one_does_not() -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Ehlo("c"), b"504 no\r\n")
    assert (client.phase, client.accepted_recipients, client.extensions.chunking) == (Phase.RCPT, 1, True)
    exchange(client, Ehlo("c"), b"250 mx\r\n")
    assert (client.phase, client.accepted_recipients, client.extensions.chunking) == (Phase.MAIL, 0, False)


def test_data_is_not_permitted_once_every_recipient_was_refused() -> None:
    client = with_recipients(b"550 no\r\n", b"450 later\r\n")
    assert not client.permits(Data())
    assert not client.permits(Mail("b"))
    exchange(client, Rset(), b"250 OK\r\n")
    assert client.permits(Mail("b"))


def test_a_refused_data_needs_rset_before_the_next_transaction() -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Data(), b"451 disk\r\n")
    assert (client.phase, permitted(client)) == (Phase.RSET, BETWEEN)
    exchange(client, Rset(), b"250 OK\r\n")
    assert client.phase is Phase.MAIL


@pytest.mark.parametrize("reply", [b"250 OK\r\n", b"452 full\r\n", b"554 spam\r\n"])
def test_after_the_final_dot_the_transaction_is_over_whatever_was_said(reply: bytes) -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Data(), b"354 go on\r\n")
    exchange(client, BODY, reply)
    assert (client.phase, client.accepted_recipients) == (Phase.MAIL, 0)


def test_rset_before_ehlo_does_not_stand_in_for_it() -> None:
    client = SmtpClient()
    answers(client, b"220 mx\r\n")
    exchange(client, Rset(), b"250 OK\r\n")
    assert client.phase is Phase.EHLO


@pytest.mark.parametrize(
    ("commands", "octets"),
    [([Mail("a")], b"354 go\r\n"), ([Mail("a")], b"120 wait\r\n"), ([Mail("a")], b"what\r\n"), ([Noop()], b"350 x\r\n"),
     ([Quit()], b"354 x\r\n"), ([StartTls()], b"334 x\r\n"), ([Rset()], b"650 x\r\n")],
)  # fmt: skip
def test_a_reply_without_a_cell_is_the_servers_error_and_the_end(
    commands: Sequence[SmtpCommand], octets: bytes
) -> None:
    client = greeted()
    for command in commands:
        client.send(command)
    client.receive(octets)
    with pytest.raises(RemoteProtocolError) as caught:
        client.next_answer()
    assert caught.value.octets == octets
    assert (client.phase, permitted(client)) == (Phase.CLOSED, set())


def test_data_answered_250_is_the_servers_error() -> None:
    client = with_recipients(b"250 OK\r\n")
    client.send(Data())
    client.receive(b"250 OK\r\n")
    with pytest.raises(RemoteProtocolError, match="250 does not answer data"):
        client.next_answer()


def test_what_cannot_be_framed_closes_the_machine() -> None:
    client = greeted()
    client.send(Noop())
    client.receive(b"2" * 70000)
    with pytest.raises(RemoteProtocolError):
        client.next_answer()
    assert client.phase is Phase.CLOSED


@pytest.mark.parametrize("asked", [True, False])
def test_421_may_come_at_any_time_and_closes(asked: bool) -> None:
    client = with_recipients(b"250 OK\r\n")
    command = Data()
    if asked:
        client.send(command)
    [answer] = answers(client, b"421 4.3.2 going down\r\n")
    assert answer.command is (command if asked else None)
    assert answer.reply.code == 421
    assert (client.phase, client.owed, client.accepted_recipients) == (Phase.CLOSED, 0, 0)


def test_421_for_a_greeting_is_the_greeting() -> None:
    client = SmtpClient()
    [answer] = answers(client, b"421 busy\r\n")
    assert client.greeting == answer.reply
    assert client.phase is Phase.CLOSED


def test_a_421_that_came_before_a_command_is_taken_as_its_answer() -> None:
    client = greeted()
    client.receive(b"421 idle too long\r\n")
    command = Mail("a")
    client.send(command)
    assert [(answer.command, answer.reply.code) for answer in answers(client, b"")] == [(command, 421)]


def test_a_reply_nothing_is_owed_is_the_servers_error() -> None:
    client = greeted()
    client.receive(b"250 OK\r\n")
    with pytest.raises(RemoteProtocolError, match="nothing is owed"):
        client.next_answer()


def test_a_reply_that_came_before_its_command_is_not_taken_for_its_answer() -> None:
    client = greeted()
    client.receive(b"250 OK\r\n")
    with pytest.raises(RemoteProtocolError, match="before it was spoken to"):
        client.send(Mail("a"))
    assert client.phase is Phase.CLOSED


def test_end_of_file_amid_a_reply_is_the_servers_error_and_between_replies_it_is_not() -> None:
    client = greeted()
    client.send(Noop())
    client.receive(b"250-half\r\n")
    with pytest.raises(RemoteProtocolError, match="amid a reply") as caught:
        client.receive_eof()
    assert caught.value.octets == b"250-half\r\n"
    client = greeted()
    client.send(Noop())
    client.receive_eof()
    assert client.phase is Phase.CLOSED


def test_tls_forgets_what_was_learnt_in_the_clear() -> None:
    client = greeted()
    exchange(client, StartTls(), b"220 go ahead\r\n")
    assert (client.phase, permitted(client)) == (Phase.TLS, set())
    client.tls_started()
    assert (client.phase, client.extensions.pipelining) == (Phase.EHLO, False)
    exchange(client, Ehlo("c"), EHLO_OK)
    assert client.extensions.pipelining


def test_tls_forgets_who_was_authenticated_in_the_clear() -> None:
    client = greeted()
    exchange(client, Auth("PLAIN", b"\0user\0secret"), b"235 welcome\r\n")
    exchange(client, StartTls(), b"220 go ahead\r\n")
    client.tls_started()
    exchange(client, Ehlo("c"), EHLO_OK)
    assert client.permits(Auth("PLAIN"))


@pytest.mark.parametrize("injected", [b"250 injected\r\n", b"2", b"421 injected\r\n"])
def test_octets_in_the_clear_behind_the_220_are_an_injection(injected: bytes) -> None:
    client = greeted()
    client.send(StartTls())
    client.receive(b"220 go ahead\r\n" + injected)
    answer = client.next_answer()
    assert answer is not None
    assert answer.reply.code == 220
    with pytest.raises(RemoteProtocolError) as caught:
        client.tls_started()
    assert caught.value.octets == injected


def test_tls_cannot_start_unasked_and_a_refusal_leaves_the_session_as_it_was() -> None:
    client = greeted()
    with pytest.raises(LocalProtocolError):
        client.tls_started()
    exchange(client, StartTls(), b"454 not now\r\n")
    assert client.phase is Phase.MAIL
    assert client.extensions.pipelining


def test_auth_goes_on_while_334_says_so() -> None:
    client = greeted()
    exchange(client, Auth("LOGIN"), b"334 VXNlcm5hbWU6\r\n")
    assert (client.phase, permitted(client)) == (Phase.AUTH, {"AuthResponse", "AuthCancel"})
    exchange(client, AuthResponse(b"user"), b"334 UGFzc3dvcmQ6\r\n")
    assert (client.authenticated, client.phase) == (False, Phase.AUTH)
    exchange(client, AuthResponse(b"secret"), b"235 welcome\r\n")
    assert (client.authenticated, client.phase) == (True, Phase.MAIL)
    assert not client.permits(Auth("LOGIN"))  # once a session: RFC 4954 §4


@pytest.mark.parametrize("reply", [b"535 no\r\n", b"454 later\r\n", b"501 cancelled\r\n"])
def test_a_failed_or_cancelled_auth_can_be_tried_again(reply: bytes) -> None:
    client = greeted()
    exchange(client, Auth("LOGIN"), b"334 VXNlcm5hbWU6\r\n")
    exchange(client, AuthCancel(), reply)
    assert not client.authenticated
    assert client.permits(Auth("PLAIN"))


def test_chunks_end_with_the_last_one() -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Bdat(b"abc", last=False), b"250 3 octets\r\n")
    assert (client.phase, client.permits(Data()), client.permits(Rcpt("x"))) == (Phase.CHUNK, False, False)
    exchange(client, Bdat(b"", last=True), b"250 sent\r\n")
    assert client.phase is Phase.MAIL


@pytest.mark.parametrize("last", [True, False])
def test_a_refused_chunk_needs_rset(last: bool) -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Bdat(b"abc", last=last), b"552 too much\r\n")
    assert (client.phase, permitted(client)) == (Phase.RSET, BETWEEN)


def test_a_raw_line_moves_nothing_and_is_owed_as_many_replies_as_it_says() -> None:
    client = with_recipients(b"250 OK\r\n")
    raw = RawLine(b"NOOP\r\nXYZZY\r\n", replies=2)
    assert client.send(raw) == b"NOOP\r\nXYZZY\r\n"
    assert [a.command for a in answers(client, b"250 OK\r\n500 what\r\n")] == [raw, raw]
    assert (client.phase, client.accepted_recipients) == (Phase.RCPT, 1)


def test_mail_data_can_be_streamed_before_its_end() -> None:
    client = with_recipients(b"250 OK\r\n")
    exchange(client, Data(), b"354 go on\r\n")
    client.send(RawLine(b"first\r\n", replies=0))
    assert (client.owed, client.phase) == (0, Phase.BODY)
    exchange(client, MailData(b"last\r\n.\r\n"), b"250 OK\r\n")


def test_each_command_names_the_phase_of_its_reply() -> None:
    assert phase_of(BODY) is Phase.BODY
    assert phase_of(Helo("c")) is phase_of(Ehlo("c")) is Phase.EHLO
    assert phase_of(AuthResponse(b"")) is phase_of(Auth("PLAIN")) is Phase.AUTH
    assert [phase_of(Bdat(b"", last=last)) for last in (False, True)] == [Phase.CHUNK, Phase.LAST_CHUNK]
