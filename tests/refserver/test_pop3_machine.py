"""What the POP3 machine answers, command by command and state by state (RFC 1939, 2449, 2595, 3206, 5034)."""

import base64
import hashlib
from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Behaviour, Capability, Limits
from conformance.refserver.directory import Account, Directory
from conformance.refserver.pop3_state import PIECE_OCTETS, stuffed
from conformance.refserver.session import After
from tests.refserver.bench import Bench, MakeBench

ONE = b"A: b\r\n\r\none\r\n"
TWO = b"A: b\r\n\r\n.two\r\n..\r\n.\r\nlast\r\n"


def ok(response: bytes) -> list[bool]:
    assert response.endswith(b"\r\n")
    return [line[:1] == b"+" for line in response.split(b"\r\n")[:-1]]


def b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)


@pytest.fixture
def full(bench: Bench) -> Bench:
    """Return a bench whose first maildrop holds three messages."""
    for content in (ONE, TWO, ONE):
        bench.deliver(content, 1)
    return bench


REFUSED_BEFORE_LOGIN = [b"STAT", b"LIST", b"RETR 1", b"DELE 1", b"UIDL", b"TOP 1 0", b"RSET", b"NOOP"]
REFUSED_AFTER_LOGIN = [b"USER user1", b"PASS secret1", b"APOP user1 x", b"AUTH PLAIN", b"STLS"]


@pytest.mark.parametrize("command", REFUSED_BEFORE_LOGIN)
def test_in_authorization_there_is_no_maildrop(bench: Bench, command: bytes) -> None:
    assert ok(bench.pop3().receive(command + b"\r\n")) == [False]


@pytest.mark.parametrize("command", REFUSED_AFTER_LOGIN)
def test_in_transaction_nobody_logs_in(bench: Bench, command: bytes) -> None:
    assert ok(bench.pop3(1).receive(command + b"\r\n")) == [False]


SYNTAX = [
    b"", b"X", b"XYZZY", b"STATX", b"RETR1", b"NOOPS", b" NOOP", b"NOOP ", b"STAT x", b"NOOP x", b"RSET x", b"CAPA x",
    b"QUIT x", b"LIST x y", b"LIST 0", b"LIST 4", b"LIST -1", b"LIST abc", b"LIST 99999999999999999999", b"LIST 1.5",
    b"LIST 4294967297", b"LIST 0x1", b"LIST +1", b"LIST ", b"LIST  1", b"UIDL 0", b"UIDL 4", b"UIDL abc", b"RETR",
    b"RETR 0", b"RETR 4", b"RETR abc", b"RETR 1 2", b"DELE", b"DELE 0", b"DELE 4", b"TOP 1", b"TOP 1 -1", b"TOP 1 x",
    b"TOP 1 1x", b"TOP 4 1", b"TOP 0 1", b"TOP", b"NOOP\rNOOP", b"NOOP\nNOOP", b"NOOP\r", b"RETR 1\n", b"RETR 1\r",
    b"\xff\x00", b"*", b".",
    b"N" * 300,
]


@pytest.mark.parametrize("command", SYNTAX)
def test_what_is_no_command_or_names_no_message_has_one_err_and_no_more(full: Bench, command: bytes) -> None:
    session = full.pop3(1)
    assert ok(session.receive(command + b"\r\nNOOP\r\n")) == [False, True]


LOGINS = [
    ([b"USER user1", b"PASS secret1"],                          b"+OK"),
    ([b"user user1@example.test", b"pass secret1"],             b"+OK"),
    ([b"USER USER1@EXAMPLE.TEST", b"PASS secret1"],             b"+OK"),
    ([b"USER user1", b"PASS secret2"],                          b"-ERR [AUTH]"),
    ([b"USER user1", b"PASS secret1 "],                         b"-ERR [AUTH]"),
    ([b"USER user1", b"PASS "],                                 b"-ERR"),
    ([b"USER user1", b"PASS"],                                  b"-ERR"),
    ([b"USER nobody", b"PASS secret1"],                         b"-ERR [AUTH]"),
    ([b"USER " + b"x" * 40, b"PASS x"],                         b"-ERR [AUTH]"),
    ([b"USER"],                                                 b"-ERR"),
    ([b"USER user1\nUSER"],                                     b"-ERR"),
    ([b"USER user1\r"],                                         b"-ERR"),
    ([b"PASS secret1"],                                         b"-ERR"),
    ([b"USER user1", b"CAPA", b"PASS secret1"],                 b"-ERR"),
    ([b"USER user1", b"XYZZY", b"PASS secret1"],                b"-ERR"),
    ([b"USER user1", b"PASS wrong", b"PASS secret1"],           b"-ERR"),
    ([b"AUTH PLAIN " + b64(b"\0user1\0secret1")],               b"+OK"),
    ([b"auth plain", b64(b"\0user1\0secret1")],                 b"+OK"),
    ([b"AUTH PLAIN " + b64(b"\0user1\0no")],                    b"-ERR [AUTH]"),
    ([b"AUTH PLAIN ="],                                         b"-ERR [AUTH]"),
    ([b"AUTH PLAIN", b"*"],                                     b"-ERR"),
    ([b"AUTH PLAIN", b"QUIT"],                                  b"-ERR"),
    ([b"AUTH PLAIN", b"=AAA"],                                  b"-ERR"),
    ([b"AUTH PLAIN", b"AAA=BBBB"],                              b"-ERR"),
    ([b"AUTH PLAIN", b"!!!!"],                                  b"-ERR"),
    ([b"AUTH PLAIN", b"A" * 5000],                              b"-ERR"),
    ([b"AUTH CRAM-MD5 " + b64(b"x")],                           b"-ERR"),
    ([b"AUTH X-NONE"],                                          b"-ERR"),
    ([b"AUTH"],                                                 b"-ERR"),
    ([b"APOP user1 0123"],                                      b"-ERR [AUTH]"),
    ([b"APOP user1"],                                           b"-ERR"),
]


@pytest.mark.parametrize(("lines", "last"), LOGINS)
def test_a_login_ends_as_its_last_line_deserves_and_another_can_follow(
    bench: Bench, lines: list[bytes], last: bytes
) -> None:
    session = bench.pop3()
    responses = [session.receive(line + b"\r\n") for line in lines]
    assert responses[-1].startswith(last)
    if last != b"+OK":
        assert ok(session.receive(b"USER user1\r\nPASS secret1\r\nNOOP\r\n")) == [True, True, True]


def test_a_password_keeps_its_inner_spaces(make_bench: MakeBench) -> None:
    directory = Directory(["example.test"], [Account("u@example.test", "open  sesame now")])
    session = make_bench(directory=directory).pop3()
    assert ok(session.receive(b"USER u\r\nPASS open  sesame now\r\n")) == [True, True]


def test_apop_takes_the_digest_of_this_greetings_timestamp_only(bench: Bench) -> None:
    first, second = bench.pop3(), bench.pop3()
    stamps = [session.greeting().split(b" ")[-1].strip() for session in (first, second)]
    assert stamps[0] != stamps[1]
    assert all(stamp.startswith(b"<") and stamp.endswith(b"@mail.example.test>") for stamp in stamps)
    digests = [hashlib.md5(stamp + b"secret1").hexdigest().encode() for stamp in stamps]
    assert ok(second.receive(b"APOP user1 " + digests[0] + b"\r\nAPOP user1 " + digests[1] + b"\r\n")) == [False, True]


def test_without_a_timestamp_there_is_no_apop(make_bench: MakeBench) -> None:
    session = make_bench(Behaviour(apop=False)).pop3()
    assert session.greeting() == b"+OK mail.example.test POP3 ready\r\n"
    assert ok(session.receive(b"APOP user1 " + hashlib.md5(b"secret1").hexdigest().encode() + b"\r\n")) == [False]


def test_unknown_login_and_wrong_password_read_the_same(bench: Bench) -> None:
    session = bench.pop3()
    assert session.receive(b"USER nobody\r\nPASS x\r\n") == session.receive(b"USER user1\r\nPASS x\r\n")


def test_ten_failed_logins_end_the_session(bench: Bench) -> None:
    session = bench.pop3()
    assert ok(session.receive(b"AUTH PLAIN =\r\n" * 12)) == [False] * 10
    assert session.after is After.CLOSE


def test_the_lock_is_exclusive_and_said_only_to_who_knows_the_password(bench: Bench) -> None:
    holder, other = bench.pop3(1), bench.pop3()
    assert other.receive(b"USER user1\r\nPASS secret1\r\n").startswith(b"+OK\r\n-ERR [IN-USE] ")
    assert b"[IN-USE]" not in other.receive(b"USER user1\r\nPASS x\r\n")
    assert ok(other.receive(b"USER user2\r\nPASS secret2\r\n")) == [True, True]
    holder.closed()
    assert ok(bench.pop3().receive(b"USER user1\r\nPASS secret1\r\n")) == [True, True]


def test_capa_lists_what_works_in_each_state(bench: Bench) -> None:
    before = [b"USER", b"SASL PLAIN CRAM-MD5 SCRAM-SHA-256", b"STLS", b"TOP", b"UIDL", b"RESP-CODES", b"AUTH-RESP-CODE",
              b"PIPELINING", b"EXPIRE NEVER"]
    assert bench.pop3().receive(b"CAPA\r\n").split(b"\r\n") == [b"+OK", *before, b".", b""]
    before.remove(b"STLS")
    assert bench.pop3(1).receive(b"capa\r\n").split(b"\r\n") == [b"+OK", *before, b".", b""]
    assert bench.pop3(cipher="TLS_X").receive(b"CAPA\r\n").split(b"\r\n") == [b"+OK", *before, b".", b""]


def test_passwords_may_need_tls(make_bench: MakeBench) -> None:
    bench = make_bench(Behaviour(clear_text_passwords=False))
    clear, inside = bench.pop3(), bench.pop3(cipher="TLS_X")
    assert b"USER" not in clear.receive(b"CAPA\r\n")
    assert ok(clear.receive(b"USER user1\r\nPASS secret1\r\nAUTH PLAIN\r\n")) == [False, False, False]
    assert ok(inside.receive(b"USER user1\r\nPASS secret1\r\n")) == [True, True]


def test_a_capability_taken_away_is_not_listed(make_bench: MakeBench) -> None:
    bench = make_bench(Behaviour(capabilities=frozenset(Capability) - {Capability.EXPIRE}))
    assert b"EXPIRE" not in bench.pop3().receive(b"CAPA\r\n")


def test_stls_forgets_what_was_said_and_pipelined(bench: Bench) -> None:
    session = bench.pop3()
    session.receive(b"USER user1\r\n")
    assert session.receive(b"STLS\r\nCAPA\r\nUSER use") == b"+OK\r\n"
    assert session.after is After.START_TLS
    session.tls_started("TLS_X")
    assert ok(session.receive(b"r1\r\nPASS secret1\r\nSTLS\r\nSTAT\r\n")) == [False] * 4
    assert ok(session.receive(b"USER user1\r\nPASS secret1\r\n")) == [True, True]


def test_without_a_certificate_there_is_no_stls(make_bench: MakeBench) -> None:
    session = make_bench(tls_available=False).pop3()
    assert b"STLS" not in session.receive(b"CAPA\r\n")
    assert ok(session.receive(b"STLS\r\n")) == [False]


# TRANSACTION


def test_an_empty_maildrop_has_empty_listings(bench: Bench) -> None:
    assert bench.pop3(1).receive(b"STAT\r\nLIST\r\nUIDL\r\nRSET\r\n") == b"+OK 0 0\r\n+OK\r\n.\r\n+OK\r\n.\r\n+OK\r\n"


def test_sizes_are_the_octets_that_retr_gives_without_stuffing(full: Bench) -> None:
    session = full.pop3(1)
    sizes = [len(octets) for octets in full.stored()]
    assert session.receive(b"STAT\r\n") == b"+OK 3 %d\r\n" % sum(sizes)
    assert session.receive(b"LIST\r\n") == b"+OK\r\n1 %d\r\n2 %d\r\n3 %d\r\n.\r\n" % tuple(sizes)
    assert session.receive(b"LIST 2\r\n") == b"+OK 2 %d\r\n" % sizes[1]
    response = session.receive(b"RETR 2\r\n")
    assert response == b"+OK %d octets\r\n" % sizes[1] + full.stored()[1].replace(b"\r\n.", b"\r\n..") + b".\r\n"
    assert session.receive(b"RETR 2\r\n") == response


def test_unique_ids_differ_and_last(full: Bench) -> None:
    session = full.pop3(1)
    listing = session.receive(b"UIDL\r\n")
    ids = [line.split(b" ")[1] for line in listing.split(b"\r\n")[1:-2]]
    assert len(set(ids)) == 3
    assert session.receive(b"UIDL 3\r\n") == b"+OK 3 " + ids[2] + b"\r\n"
    session.receive(b"DELE 1\r\nQUIT\r\n")
    session.closed()
    full.deliver(ONE, 1)
    after = full.pop3(1).receive(b"UIDL\r\n")
    assert after.startswith(b"+OK\r\n1 " + ids[1] + b"\r\n2 " + ids[2] + b"\r\n3 ")
    assert ids[0] not in after


def test_a_deleted_message_is_gone_from_sight_and_numbers_stay(full: Bench) -> None:
    session = full.pop3(1)
    second = session.receive(b"RETR 2\r\n")
    assert ok(session.receive(b"DELE 1\r\nDELE 1\r\nRETR 1\r\nLIST 1\r\nUIDL 1\r\nTOP 1 0\r\n")) == [True] + [False] * 5
    assert session.receive(b"RETR 2\r\n") == second
    assert session.receive(b"LIST\r\n").startswith(b"+OK\r\n2 ")
    assert session.receive(b"STAT\r\n").startswith(b"+OK 2 ")
    assert ok(session.receive(b"RSET\r\nLIST 1\r\n")) == [True, True]


def test_what_arrives_during_a_session_is_seen_by_the_next(full: Bench) -> None:
    session = full.pop3(1)
    before = session.receive(b"STAT\r\nLIST\r\nUIDL\r\n")
    full.deliver(ONE, 1)
    assert session.receive(b"STAT\r\nLIST\r\nUIDL\r\n") == before
    session.receive(b"DELE 3\r\nQUIT\r\n")
    assert full.pop3(1).receive(b"STAT\r\n").startswith(b"+OK 3 ")


def test_only_quit_removes_and_only_what_is_marked(full: Bench) -> None:
    for last in (b"", b"QUI", b"QUIT", b"QUIT x\r\n", b"QUIT\n"):
        session = full.pop3(1)
        session.receive(b"DELE 1\r\nDELE 2\r\nDELE 3\r\n" + last)
        session.closed()
    kept = full.stored()
    assert len(kept) == 3
    session = full.pop3(1)
    assert ok(session.receive(b"DELE 2\r\nQUIT\r\n")) == [True, True]
    assert session.after is After.CLOSE
    assert full.stored() == [kept[0], kept[2]]
    assert full.pop3(1).receive(b"NOOP\r\n") == b"+OK\r\n"


def test_quit_says_so_when_something_could_not_be_removed(full: Bench) -> None:
    session = full.pop3(1)
    drop = full.service.maildrops.maildrop("user1@example.test")
    session.receive(b"DELE 1\r\nDELE 2\r\n")
    drop.remove([drop.listing()[0].unique_id])
    assert session.receive(b"QUIT\r\n").startswith(b"-ERR [SYS/TEMP]")
    assert len(full.stored()) == 1


TOP = [
    (0, b"A: b\r\n\r\n"),
    (1, b"A: b\r\n\r\n..two\r\n"),
    (2, b"A: b\r\n\r\n..two\r\n...\r\n"),
    (4, b"A: b\r\n\r\n..two\r\n...\r\n..\r\nlast\r\n"),
    (99_999, b"A: b\r\n\r\n..two\r\n...\r\n..\r\nlast\r\n"),
    (10**30, b"A: b\r\n\r\n..two\r\n...\r\n..\r\nlast\r\n"),
]


@pytest.mark.parametrize(("lines", "expected"), TOP)
def test_top_gives_the_header_and_so_many_lines(full: Bench, lines: int, expected: bytes) -> None:
    response = full.pop3(1).receive(b"TOP 2 %d\r\n" % lines)
    assert response.partition(b" +0000\r\n")[2] == expected + b".\r\n"


def test_top_of_a_message_without_a_body_is_all_of_it(bench: Bench) -> None:
    bench.deliver(b"A: b\r\n", 1)
    session = bench.pop3(1)
    assert session.receive(b"TOP 1 0\r\n").partition(b"\r\n")[2] == session.receive(b"RETR 1\r\n").partition(b"\r\n")[2]


def test_the_very_first_line_is_stuffed_too() -> None:
    assert b"".join(stuffed(b".\r\n..a\r\nb\r\n")) == b"..\r\n...a\r\nb\r\n"


@pytest.mark.parametrize("offset", range(-4, 5))
def test_stuffing_is_right_where_a_message_is_cut_into_pieces(bench: Bench, offset: int) -> None:
    octets = b"a" * (PIECE_OCTETS + offset) + b"\r\n.b\r\n..\r\n" + b"\r\n." * 50_000 + b"\r\n"
    assert b"".join(stuffed(octets)) == octets.replace(b"\r\n.", b"\r\n..")


def test_much_to_send_is_sent_in_parts_and_the_rest_asked_for(full: Bench) -> None:
    big = b"A: b\r\n\r\n" + b"x" * 700_000 + b"\r\n"
    full.deliver(big, 2)
    session = full.pop3(2)
    answer = session.receive(b"RETR 1\r\n" * 3 + b"NOOP\r\nQUIT\r\n")
    parts = 1
    while session.more:
        assert session.after is After.GO_ON
        assert len(answer) < 400_000 * parts
        answer += session.receive(b"")
        parts += 1
    assert parts > 4
    assert answer.count(big) == 3
    assert answer.endswith(b"\r\n.\r\n+OK\r\n+OK\r\n")
    assert session.after is After.CLOSE


def test_pipelined_commands_are_answered_in_order(full: Bench) -> None:
    answers = full.pop3().receive(b"USER user1\r\nPASS secret1\r\nSTAT\r\nWHAT\r\nDELE 1\r\nQUIT\r\nNOOP\r\n")
    assert ok(answers) == [True, True, True, False, True, True]
    assert len(full.stored()) == 2


def test_autologout_and_shutdown_say_nothing(bench: Bench) -> None:
    assert bench.pop3(1).timed_out() == b""
    assert bench.pop3(2).shutting_down() == b""


def test_many_errors_in_a_row_end_the_session(make_bench: MakeBench) -> None:
    session = make_bench(limits=replace(Limits(), errors=3)).pop3()
    assert (ok(session.receive(b"A\r\nB\r\nUSER x\r\n")), session.after) == ([False, False, True], After.GO_ON)
    assert (ok(session.receive(b"A\r\nB\r\nC\r\nD\r\n")), session.after) == ([False] * 3, After.CLOSE)


def test_a_line_of_255_octets_is_read_and_a_longer_one_is_skipped_whole(bench: Bench) -> None:
    session = bench.pop3()
    assert ok(session.receive(b"USER " + b"x" * 248 + b"\r\n")) == [True]
    assert ok(session.receive(b"USER " + b"x" * 249 + b"\r\nUSER x\r\n")) == [False, True]
    session = bench.pop3()
    assert session.receive(b"x" * 100_000 + b"\r\nQUIT\r\n").count(b"\r\n") == 2
