"""LMTP is SMTP with LHLO and one reply per accepted recipient (RFC 2033)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Limits
from conformance.refserver.maildrop import NotStored
from tests.refserver.bench import Bench, MakeBench

MAIL = b"MAIL FROM:<a@client.example>\r\n"


def rcpt(user: bytes) -> bytes:
    return b"RCPT TO:<%b@example.test>\r\n" % user


def codes(octets: bytes) -> list[int]:
    return [int(line[:3]) for line in octets.split(b"\r\n")[:-1] if line[3:4] == b" "]


def test_lhlo_is_the_hello_and_smtps_are_unknown(bench: Bench) -> None:
    session = bench.lmtp()
    answers = session.receive(b"EHLO c.example\r\nHELO c.example\r\nLHLO\r\nLHLO [127.0.0.1]\r\n")
    assert codes(answers) == [500, 500, 501, 250]
    assert {b"250-PIPELINING", b"250-ENHANCEDSTATUSCODES", b"250-8BITMIME"} <= set(answers.splitlines())


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_after_the_dot_every_accepted_recipient_has_its_reply(bench: Bench, count: int) -> None:
    session = bench.lmtp()
    recipients = b"".join(rcpt(b"user%d" % (1 + n % 5)) for n in range(count))
    assert codes(session.receive(MAIL + recipients + b"DATA\r\n"))[-1] == 354
    assert codes(session.receive(b"A: b\r\n\r\n.\r\nRSET\r\n")) == [250] * count + [250]
    assert all(len(bench.stored(user)) == 1 for user in range(1, 1 + min(count, 5)))


def test_a_refused_recipient_has_no_reply_after_the_dot(bench: Bench) -> None:
    session = bench.lmtp()
    assert codes(session.receive(MAIL + rcpt(b"user1") + rcpt(b"nobody") + rcpt(b"USER1") + b"DATA\r\n")) == [
        250, 250, 550, 250, 354,
    ]
    assert codes(session.receive(b".\r\n")) == [250, 250]
    assert len(bench.stored(1)) == 1


def test_without_a_recipient_data_is_503(bench: Bench) -> None:
    assert codes(bench.lmtp().receive(MAIL + b"DATA\r\n" + rcpt(b"nobody") + b"DATA\r\n")) == [250, 503, 550, 503]


def test_the_last_chunk_is_answered_per_recipient_and_others_once(bench: Bench) -> None:
    session = bench.lmtp()
    session.receive(MAIL + rcpt(b"user1") + rcpt(b"user2"))
    assert codes(session.receive(b"BDAT 3\r\nA: BDAT 3 LAST\r\nb\r\n")) == [250, 250, 250]


def test_too_big_a_message_is_552_for_each(make_bench: MakeBench) -> None:
    session = make_bench(limits=replace(Limits(), message_octets=65_536)).lmtp()
    session.receive(MAIL + rcpt(b"user1") + rcpt(b"user2") + rcpt(b"user3") + b"DATA\r\n")
    assert codes(session.receive(b"x" * 70_000 + b"\r\n.\r\nNOOP\r\n")) == [552, 552, 552, 250]


def test_a_full_maildrop_is_refused_alone_and_in_its_place(make_bench: MakeBench) -> None:
    bench = make_bench(limits=replace(Limits(), maildrop_octets=2_000))
    bench.deliver(b"x" * 1_500 + b"\r\n", 2)
    session = bench.lmtp()
    session.receive(MAIL + rcpt(b"user1") + rcpt(b"user2") + rcpt(b"user3") + b"DATA\r\n")
    assert codes(session.receive(b"x" * 500 + b"\r\n.\r\n")) == [250, 552, 250]
    assert [len(bench.stored(user)) for user in (1, 2, 3)] == [1, 1, 1]


def test_a_store_that_fails_is_451_and_nothing_is_kept(make_bench: MakeBench) -> None:
    bench = make_bench(maildrops=_Broken())
    session = bench.lmtp()
    session.receive(MAIL + rcpt(b"user1") + b"DATA\r\n")
    assert codes(session.receive(b".\r\n")) == [451]


class _Broken:
    """A store whose disk is gone."""

    def room(self, name: str, octets: bytes) -> NotStored | None:
        return None

    def deliver(self, names: Sequence[str], message: bytes) -> NotStored | None:
        return NotStored.STORE_FAILED


def test_a_last_chunk_for_nobody_has_no_reply(bench: Bench) -> None:
    session = bench.lmtp()
    session.receive(MAIL + b"RCPT TO:<nobody@example.test>\r\n")
    assert codes(session.receive(b"BDAT 3\r\nabcNOOP\r\n")) == [503, 250]
    assert codes(session.receive(b"BDAT 3 LAST\r\nabcNOOP\r\n")) == [250]
    assert codes(session.receive(b"BDAT 3 LAST\r\nabc")) == [503]
