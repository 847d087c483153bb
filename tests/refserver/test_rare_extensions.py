"""ETRN, DELIVERBY, MT-PRIORITY, REQUIRETLS and LIMITS, offered only by a server that is asked to."""

from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Behaviour, Extension, Limits
from conformance.refserver.variants import behaving
from tests.refserver.bench import MakeBench

ALL = Behaviour(extensions=frozenset(Extension))
MAIL = b"MAIL FROM:<a@client.example>"


def test_they_are_offered_by_a_variant_only(make_bench: MakeBench) -> None:
    assert b"ETRN" not in make_bench(Behaviour()).smtp(hello=False).receive(b"EHLO c.example\r\n")
    offered = make_bench(behaving(Behaviour(), ["more-extensions"])).smtp(hello=False).receive(b"EHLO c.example\r\n")
    for line in (b"ETRN", b"DELIVERBY 60", b"MT-PRIORITY", b"LIMITS MAILMAX=100000 RCPTMAX=1000"):
        assert line + b"\r\n" in offered
    assert b"REQUIRETLS" not in offered


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"ETRN example.test", 251), (b"ETRN @example.test", 251), (b"ETRN elsewhere.invalid", 459),
        (b"ETRN", 501), (b"ETRN a b", 501), (b"ETRN a..b", 501),
        (MAIL + b" BY=60;R", 250), (MAIL + b" BY=59;R", 501), (MAIL + b" BY=-1;NT", 250), (MAIL + b" BY=60", 501),
        (MAIL + b" MT-PRIORITY=-9", 250), (MAIL + b" MT-PRIORITY=10", 501), (MAIL + b" MT-PRIORITY=0", 250),
        (MAIL + b" REQUIRETLS", 555),
    ],
)  # fmt: skip
def test_their_words_are_taken_or_refused(make_bench: MakeBench, line: bytes, code: int) -> None:
    assert make_bench(ALL).smtp().receive(line + b"\r\n").startswith(b"%d " % code)


def test_tls_is_required_without_a_value_in_tls(make_bench: MakeBench) -> None:
    session = make_bench(ALL).smtp(cipher="TLS_X")
    assert session.receive(MAIL + b" REQUIRETLS=1\r\n").startswith(b"501")
    assert session.receive(MAIL + b" REQUIRETLS\r\n").startswith(b"250")


def test_a_session_has_as_many_transactions_as_it_was_told(make_bench: MakeBench) -> None:
    session = make_bench(ALL, replace(Limits(), mails=2)).smtp()
    one = MAIL + b"\r\nRSET\r\n"
    answers = session.receive(one * 3)
    assert [line[:3] for line in answers.split(b"\r\n")[:-1]] == [b"250"] * 4 + [b"421"]


def test_who_says_nothing_but_noop_is_left(make_bench: MakeBench) -> None:
    session = make_bench(Behaviour(), replace(Limits(), noops=2)).smtp()
    assert session.receive(b"NOOP\r\n" * 3).split(b"\r\n")[2].startswith(b"421")
