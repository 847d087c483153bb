"""A recorded POP3 conversation as exchanges."""

from conformance.monitors.exchange import Asked
from conformance.monitors.follow import Side
from conformance.monitors.follow_pop3 import Pop3Conversation
from conformance.monitors.pop3_exchange import Pop3Exchange
from conformance.monitors.watch_pop3 import watch_pop3


def heard(*turns: tuple[str, bytes]) -> list[Pop3Exchange]:
    sides = {"C": Side.CLIENT, "S": Side.SERVER, "tls": Side.TLS, "closed": Side.CLOSED}
    conversation = Pop3Conversation()
    for who, octets in turns:
        conversation.hear(sides[who], octets)
    return conversation.exchanges


def accused(*turns: tuple[str, bytes]) -> set[str]:
    return set(watch_pop3(heard(*turns)).examples)


GREETED = ("S", b"+OK ready\r\n")
STAT = (("C", b"STAT\r\n"), ("S", b"+OK 0 0\r\n"))


def test_each_response_is_that_of_its_command() -> None:
    found = heard(GREETED, ("C", b"LIST\r\nLIST 1\r\n"), ("S", b"+OK\r\n1 5\r\n.\r\n+O"), ("S", b"K 1 5\r\n"))
    assert [(one.asked, one.verb, len(one.body_lines)) for one in found] == [
        (Asked.GREETING, "", 0), (Asked.COMMAND, "LIST", 1), (Asked.COMMAND, "LIST", 0),
    ]  # fmt: skip


def test_a_response_to_a_challenge_is_no_command() -> None:
    found = heard(GREETED, ("C", b"AUTH PLAIN\r\n"), ("S", b"+ \r\n"), ("C", b"QUIT\r\n"), ("S", b"-ERR\r\n"), *STAT)
    assert [one.asked for one in found[1:]] == [Asked.COMMAND, Asked.RESPONSE, Asked.COMMAND]


def test_what_was_said_before_tls_is_forgotten() -> None:
    found = heard(GREETED, ("C", b"STLS\r\nNOOP\r\n"), ("S", b"+OK\r\n"), ("tls", b""), *STAT)
    assert [(one.verb, one.tls) for one in found[1:]] == [("STLS", False), ("STAT", True)]


def test_a_second_response_shows_where_the_client_waited_for_it() -> None:
    assert accused(GREETED, ("C", b"NOOP\r\n"), ("S", b"+OK\r\n+OK\r\n"), *STAT) == {"pop3.reply.one-per-command"}


def test_lines_behind_a_refused_list_show() -> None:
    assert accused(GREETED, ("C", b"LIST\r\n"), ("S", b"-ERR no\r\n.\r\n"), *STAT) == {"pop3.reply.err-not-multi"}


def test_a_list_that_does_not_end_as_it_should_shows() -> None:
    turns = (GREETED, ("C", b"LIST\r\n"), ("S", b"+OK\r\n1 5\n.\n"), ("closed", b""))
    assert accused(*turns) == {"pop3.reply.multi-end"}


def test_a_list_that_is_cut_short_accuses_nobody() -> None:
    assert accused(GREETED, ("C", b"RETR 1\r\n"), ("S", b"+OK\r\nSubject: x\r\n"), ("closed", b"")) == set()


def test_a_farewell_that_nobody_asked_for_accuses_nobody() -> None:
    assert accused(GREETED, *STAT, ("S", b"-ERR Disconnected for inactivity.\r\n"), ("closed", b"")) == set()


def test_a_farewell_that_the_client_has_not_heard_yet_accuses_nobody() -> None:
    bye = b"-ERR what?\r\n-ERR Too many errors.\r\n"
    assert accused(GREETED, ("C", b"XYZZY\r\n"), ("S", bye), ("C", b"QUIT\r\n"), ("closed", b"")) == set()


def test_a_second_refusal_shows_once_the_next_command_is_answered() -> None:
    twice = ("S", b"-ERR no\r\n-ERR no\r\n")
    asked = (GREETED, ("C", b"DELE 9\r\n"), twice, *STAT, ("C", b"NOOP\r\n"), ("S", b"+OK\r\n"))
    assert accused(*asked) == {"pop3.reply.one-per-command"}


def test_what_follows_a_line_that_is_no_command_is_left_out() -> None:
    assert accused(GREETED, ("C", b"NOOP\nNOOP\r\n"), ("S", b"whatever\r\n"), *STAT) == set()


def test_what_follows_an_unknown_command_that_was_obeyed_is_left_out() -> None:
    assert accused(GREETED, ("C", b"RETR1 \r\n"), ("S", b"+OK\r\nSubject: x\r\n.\r\n"), *STAT) == set()
