"""The POP3 machine and its responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.wire.commands import AuthCancel, AuthResponse
from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.pop3 import (
    Pop3Answer,
    Pop3Client,
    Pop3Phase,
    Pop3State,
    pop3_phase_of,
)
from loadgen.wire.pop3_commands import (
    Apop,
    Capa,
    Dele,
    List,
    Pass,
    Pop3Auth,
    Pop3Command,
    Pop3Noop,
    Pop3Quit,
    Pop3RawLine,
    Pop3Rset,
    Retr,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
)
from loadgen.wire.pop3_table import RULES, STATES, Step
from loadgen.wire.response import Response
from loadgen.wire.transparency import stuff
from tests.wire.cuts import cuts_of

ONE_OF_EACH: list[Pop3Command] = [
    User("u"), Pass("p"), Apop("u", "d"), Pop3Auth("PLAIN"), AuthResponse(b""), AuthCancel(), Stat(), List(), Uidl(),
    Retr(1), Top(1, 0), Dele(1), Pop3Noop(), Pop3Rset(), Capa(), Stls(), Pop3Quit(), Pop3RawLine(b""),
]  # fmt: skip
CAPA_OK = b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN LOGIN\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n"
START = {"User", "Apop", "Pop3Auth", "Stls", "Capa", "Pop3Quit"}
OPEN = {"Stat", "List", "Uidl", "Retr", "Top", "Dele", "Pop3Noop", "Pop3Rset", "Capa", "Pop3Quit"}


def answers(client: Pop3Client, octets: bytes) -> list[Pop3Answer]:
    client.receive(octets)
    taken: list[Pop3Answer] = []
    while (answer := client.next_answer()) is not None:
        taken.append(answer)
    return taken


def exchange(client: Pop3Client, command: Pop3Command, octets: bytes) -> Response:
    client.send(command)
    [answer] = answers(client, octets)
    assert answer.command is command
    return answer.response


def greeted() -> Pop3Client:
    client = Pop3Client()
    answers(client, b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n")
    return client


def logged_in() -> Pop3Client:
    client = greeted()
    exchange(client, Capa(), CAPA_OK)
    exchange(client, User("u"), b"+OK\r\n")
    exchange(client, Pass("p"), b"+OK\r\n")
    return client


def permitted(client: Pop3Client) -> set[str]:
    return {type(command).__name__ for command in ONE_OF_EACH if client.permits(command)} - {"Pop3RawLine"}


def test_a_body_above_its_limit_is_refused() -> None:
    client = Pop3Client(limit_octets=100)
    answers(client, b"+OK\r\n")
    exchange(client, User("u"), b"+OK\r\n")
    exchange(client, Pass("p"), b"+OK\r\n")
    client.send(Retr(1))
    client.receive(b"+OK\r\n" + b"x" * 101)
    with pytest.raises(RemoteProtocolError, match="100 octets"):
        client.next_answer()
    assert client.state is Pop3State.CLOSED


def test_every_command_has_a_rule_and_every_step_a_state() -> None:
    assert set(RULES) == set(Pop3Command.__args__) == {type(command) for command in ONE_OF_EACH}
    assert set(STATES) == set(Step)


def test_what_is_permitted_follows_the_session() -> None:
    client = Pop3Client()
    assert (client.state, client.owed, permitted(client)) == (Pop3State.GREETING, 1, set())
    [greeting] = answers(client, b"+OK hello\r\n")
    assert (greeting.command, greeting.response, client.timestamp) == (None, client.greeting, None)
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, START)
    exchange(client, User("u"), b"+OK\r\n")
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, {"User", "Pass", "Capa", "Pop3Quit"})
    exchange(client, Pass("wrong"), b"-ERR no\r\n")
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, START)
    exchange(client, User("u"), b"+OK\r\n")
    exchange(client, Pass("p"), b"+OK\r\n")
    assert (client.state, permitted(client)) == (Pop3State.TRANSACTION, OPEN)
    client.send(Pop3Quit())
    assert (client.state, permitted(client)) == (Pop3State.UPDATE, set())
    answers(client, b"-ERR some deleted messages not removed\r\n")
    assert (client.state, client.owed, permitted(client)) == (Pop3State.CLOSED, 0, set())


def test_quit_before_login_updates_nothing() -> None:
    client = greeted()
    client.send(Pop3Quit())
    assert client.state is Pop3State.AUTHORIZATION
    answers(client, b"+OK\r\n")
    assert permitted(client) == set()


def test_a_refused_greeting_closes() -> None:
    client = Pop3Client()
    [answer] = answers(client, b"-ERR [SYS/TEMP] busy\r\n")
    assert answer.response == client.greeting
    assert client.state is Pop3State.CLOSED


@pytest.mark.parametrize(
    ("greeting", "timestamp"),
    [(b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n", b"<1896.697170952@dbc.mtview.ca.us>"),
     (b"+OK <a@b> <c@d>\r\n", b"<a@b>"), (b"+OK <ready>\r\n", None), (b"+OK <a b@c>\r\n", None), (b"+OK\r\n", None)],
)  # fmt: skip
def test_the_timestamp_is_found_in_the_greeting(greeting: bytes, timestamp: bytes | None) -> None:
    client = Pop3Client()
    answers(client, greeting)
    assert client.timestamp == timestamp


@pytest.mark.parametrize(
    ("command", "multi_line"),
    [(Stat(), False), (List(), True), (List(1), False), (Uidl(), True), (Uidl(1), False), (Retr(1), True),
     (Top(1, 0), True), (Dele(1), False), (Pop3Noop(), False), (Pop3Rset(), False), (Capa(), True),
     (Pop3RawLine(b"XTND\r\n"), False), (Pop3RawLine(b"XTND\r\n", multi_line=True), True)],
)  # fmt: skip
def test_the_command_decides_whether_lines_follow(command: Pop3Command, multi_line: bool) -> None:
    client = logged_in()
    client.send(command)
    client.receive(b"+OK\r\n")
    assert (client.next_answer() is None) == multi_line
    if multi_line:
        [answer] = answers(client, b"x\r\n.\r\n")
        assert answer.response.body == b"x\r\n"
    refused = exchange(client, command, b"-ERR no\r\n")
    assert (refused.ok, refused.body) == (False, None)


def test_a_command_out_of_order_is_refused_and_changes_nothing() -> None:
    client = greeted()
    for command in (Pass("p"), Retr(1), AuthResponse(b"")):
        with pytest.raises(LocalProtocolError, match="not permitted"):
            client.send(command)
    with pytest.raises(LocalProtocolError, match="never sent"):
        client.send(User("u\r\nQUIT"))
    assert client.owed == 0


def test_auth_goes_on_while_challenged() -> None:
    client = greeted()
    challenge = exchange(client, Pop3Auth("LOGIN"), b"+ VXNlcm5hbWU6\r\n")
    assert (challenge.continues, challenge.ok, challenge.text) == (True, False, b"VXNlcm5hbWU6")
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, {"AuthResponse", "AuthCancel"})
    exchange(client, AuthResponse(b"user"), b"+ \r\n")
    exchange(client, AuthResponse(b"secret"), b"+OK\r\n")
    assert client.state is Pop3State.TRANSACTION


def test_a_cancelled_auth_can_be_tried_again() -> None:
    client = greeted()
    exchange(client, Pop3Auth("LOGIN"), b"+\r\n")
    exchange(client, AuthCancel(), b"-ERR cancelled\r\n")
    assert permitted(client) == START


def test_a_challenge_outside_auth_is_the_servers_error() -> None:
    client = logged_in()
    client.send(Stat())
    client.receive(b"+ what\r\n")
    with pytest.raises(RemoteProtocolError, match="outside AUTH"):
        client.next_answer()
    assert client.state is Pop3State.CLOSED


def test_responses_to_a_group_are_paired_in_order() -> None:
    client = logged_in()
    group: list[Pop3Command] = [Stat(), List(), Retr(1), Dele(1), Retr(9), Pop3Quit()]
    for command in group:
        client.send(command)
    assert (client.owed, client.phase, client.state) == (6, Pop3Phase.STAT, Pop3State.TRANSACTION)
    octets = b"+OK 1 9\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n..x\r\n.\r\n+OK\r\n-ERR none\r\n+OK bye\r\n"
    taken = answers(client, octets)
    assert [answer.command for answer in taken] == group
    assert [answer.response.body for answer in taken] == [None, b"1 9\r\n", b".x\r\n", None, None, None]
    assert sum(answer.response.octets_received for answer in taken) == len(octets)
    assert (client.owed, client.state, client.phase) == (0, Pop3State.CLOSED, Pop3Phase.QUIT)


def test_a_group_is_permitted_only_where_pipelining_is_offered() -> None:
    client = greeted()
    client.send(User("u"))
    assert permitted(client) == set()
    answers(client, b"-ERR no\r\n")
    exchange(client, Capa(), CAPA_OK)
    client.send(User("u"))
    assert client.permits(Pass("p"))
    client.send(Pass("p"))
    assert client.permits(Stat())
    answers(client, b"-ERR never heard of you\r\n")
    assert not client.permits(Stat())
    answers(client, b"-ERR no\r\n")
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, START)


def test_nothing_is_pipelined_behind_quit() -> None:
    client = logged_in()
    client.send(Pop3Quit())
    assert permitted(client) == set()


def test_tls_forgets_what_was_learnt_in_the_clear_and_catches_an_injection() -> None:
    client = greeted()
    exchange(client, Capa(), CAPA_OK)
    with pytest.raises(LocalProtocolError):
        client.tls_started()
    exchange(client, Stls(), b"+OK\r\n")
    assert (client.state, permitted(client)) == (Pop3State.AUTHORIZATION, set())
    client.tls_started()
    assert (client.capabilities, permitted(client)) == ({}, START)
    client.send(Stls())
    client.receive(b"+OK\r\n+OK injected\r\n")
    client.next_answer()
    with pytest.raises(RemoteProtocolError) as caught:
        client.tls_started()
    assert caught.value.octets == b"+OK injected\r\n"


def test_an_err_nobody_asked_for_is_the_server_hanging_up() -> None:
    client = logged_in()
    [answer] = answers(client, b"-ERR idle too long\r\n")
    assert (answer.command, client.state) == (None, Pop3State.CLOSED)


def test_an_ok_nobody_asked_for_is_the_servers_error() -> None:
    client = logged_in()
    client.receive(b"+OK\r\n")
    with pytest.raises(RemoteProtocolError, match="nothing is owed"):
        client.next_answer()


def test_what_came_before_its_command_is_not_taken_for_its_answer() -> None:
    client = logged_in()
    client.receive(b"+OK\r\n")
    with pytest.raises(RemoteProtocolError, match="before it was spoken to"):
        client.send(Stat())


def test_end_of_file_amid_a_response_is_the_servers_error_and_between_responses_it_is_not() -> None:
    for cut in (b"+O", b"+OK\r\n", b"+OK\r\nhalf a mess"):
        client = logged_in()
        client.send(Retr(1))
        answers(client, cut)
        with pytest.raises(RemoteProtocolError, match="amid a response"):
            client.receive_eof()
    client = logged_in()
    client.receive_eof()
    assert client.state is Pop3State.CLOSED


def test_each_command_names_the_phase_of_its_response() -> None:
    names = {type(command).__name__: str(pop3_phase_of(command)) for command in ONE_OF_EACH}
    assert names["Stls"] == "tls"
    assert {names[name] for name in ("User", "Pass", "Apop", "Pop3Auth", "AuthResponse", "AuthCancel")} == {"auth"}
    rest = ("Stat", "List", "Uidl", "Retr", "Top", "Dele", "Capa")
    assert [names[name] for name in rest] == [name.lower() for name in rest]


texts = st.binary(max_size=20).map(lambda octets: octets.translate(None, b"\r\n"))
bodies = st.lists(st.sampled_from([b"a", b".", b"\r\n", b"\n", b"\r", b"\r\n.", b"\x00"]), max_size=12).map(b"".join)


@st.composite
def responses(draw: st.DrawFn) -> tuple[Pop3Command, bytes, bytes | None]:
    """Return a command, the octets it is answered with, and the body that is in them."""
    status = draw(st.sampled_from([b"+OK ", b"-ERR ", b"+ok ", b"+OK\t"])) + draw(texts) + b"\r\n"
    commands: list[Pop3Command] = [Stat(), List(1), Retr(1), List(), Top(1, 2)]
    command = draw(st.sampled_from(commands))
    if isinstance(command, Stat) or command == List(1) or status.startswith(b"-ERR"):
        return command, status, None
    body = draw(bodies) + b"\r\n"
    return command, status + stuff(body), body


@given(st.lists(responses(), min_size=1, max_size=6), st.data())
def test_the_cutting_of_the_bytes_does_not_matter(
    sent: list[tuple[Pop3Command, bytes, bytes | None]], data: st.DataObject
) -> None:
    whole, cut = logged_in(), logged_in()
    for command, _, _ in sent:
        whole.send(command)
        cut.send(command)
    octets = b"".join([octets for _, octets, _ in sent])
    taken = answers(whole, octets)
    assert [answer for piece in data.draw(cuts_of(octets)) for answer in answers(cut, piece)] == taken
    assert [(answer.command, answer.response.body) for answer in taken] == [(c, body) for c, _, body in sent]
    assert [answer.response.octets_received for answer in taken] == [len(octets) for _, octets, _ in sent]
