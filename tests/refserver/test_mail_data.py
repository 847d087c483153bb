"""Where mail data end, what is taken off them, and what is put on top (RFC 5321 §4.1.1.4, §4.4, §4.5.2)."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.refserver.behaviour import Limits
from conformance.refserver.mail_data import DataReader
from conformance.refserver.smtp import SmtpSession
from tests.refserver.bench import Bench, MakeBench

MAIL = b"MAIL FROM:<a@client.example>\r\n"
RCPT = b"RCPT TO:<user1@example.test>\r\n"


def codes(octets: bytes) -> list[int]:
    return [int(line[:3]) for line in octets.split(b"\r\n")[:-1] if line[3:4] == b" "]


def in_data(bench: Bench) -> SmtpSession:
    session = bench.smtp()
    session.receive(MAIL + RCPT + b"DATA\r\n")
    return session


TRANSPARENCY = [
    # sent after 354                 stored
    (b".\r\n",                       b""),
    (b"\r\n.\r\n",                   b"\r\n"),
    (b"A: b\r\n\r\nx\r\n.\r\n",      b"A: b\r\n\r\nx\r\n"),
    (b"..a\r\n.\r\n",                b".a\r\n"),
    (b".a\r\n.\r\n",                 b"a\r\n"),
    (b"..\r\n.\r\n",                 b".\r\n"),
    (b"...\r\n..\r\n..\r\n.\r\n",    b"..\r\n.\r\n.\r\n"),
    (b"a.\r\n.\r\n",                 b"a.\r\n"),
    (b". \r\n.\t\r\n.\r\n",          b" \r\n\t\r\n"),
    (b"a\r\n\r\n\r\n\r\n.\r\n",      b"a\r\n\r\n\r\n\r\n"),
    (b"\x01\x0b\x0c\x7f\x00\r\n.\r\n", b"\x01\x0b\x0c\x7f\x00\r\n"),
    (b"\x80\xff\xae.\r\n.\r\n",      b"\x80\xff\xae.\r\n"),
    (b"From x\r\n.\r\n",             b"From x\r\n"),
    (b"a" * 998 + b"\r\n..b\r\n.\r\n", b"a" * 998 + b"\r\n.b\r\n"),
]


@pytest.mark.parametrize(("sent", "kept"), TRANSPARENCY)
def test_the_leading_dot_of_a_line_is_taken_off_and_nothing_else(bench: Bench, sent: bytes, kept: bytes) -> None:
    assert codes(in_data(bench).receive(sent)) == [250]
    assert bench.contents() == [kept]


# Only CRLF.CRLF ends mail data. What pretends to be an end is text, and refused for its bare CR or LF when the true
# end comes; what has none stays text.
PRETENDED_ENDS = [
    b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r.\r", b"\r.\n", b"\r.\r\n", b"\n\r.\r\n", b"\r\n.\n", b"\r\n.\r",
    b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\x00\n.\r\x00\n",
]
HARMLESS_ENDS = [
    b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n. \r\n", b"\r\n.\t\r\n", b"\r\n .\r\n", b"\r\n\xae\r\n",
    b"\r\n\xc2\x85.\xc2\x85", b"\r\n\xef\xbc\x8e\r\n", b"\r\n\x0b.\x0c\r\n", b"\r\n..\r\n", b"x" * 4096 + b".\r\n",
]


@pytest.mark.parametrize("by_octet", [False, True])
@pytest.mark.parametrize("end", PRETENDED_ENDS + HARMLESS_ENDS)
def test_nothing_but_crlf_dot_crlf_ends_mail_data(bench: Bench, end: bytes, by_octet: bool) -> None:
    session = in_data(bench)
    smuggled = b"A: b\r\n\r\ntext" + end + b"MAIL FROM:<evil@x.example>\r\n" + RCPT + b"DATA\r\nB: c\r\n"
    for piece in ([smuggled[n:n + 1] for n in range(len(smuggled))] if by_octet else [smuggled]):
        assert session.receive(piece) == b""
    assert codes(session.receive(b"\r\n.\r\n")) == [554 if end in PRETENDED_ENDS else 250]
    assert len(bench.stored()) == (0 if end in PRETENDED_ENDS else 1)
    assert codes(session.receive(b"DATA\r\n")) == [503]


def test_the_end_is_found_at_every_cut(bench: Bench) -> None:
    whole = b"A: b\r\n\r\n..x\r\n.\r\nNOOP\r\n"
    for cut in range(1, len(whole)):
        session = in_data(bench)
        assert codes(session.receive(whole[:cut]) + session.receive(whole[cut:])) == [250, 250]
    assert set(bench.contents()) == {b"A: b\r\n\r\n.x\r\n"}


def test_a_message_of_the_limit_is_taken_and_one_octet_more_is_not(make_bench: MakeBench) -> None:
    """Counted with CRLF as two octets and before stuffing (RFC 1870 §5)."""
    bench = make_bench(limits=replace(Limits(), message_octets=65_536))
    for octets, code in ((65_535, 250), (65_536, 250), (65_537, 552)):
        first = b"x" * (octets - 3 * 21_000 - 2) + b"\r\n"
        content = first + b".\r\n" * 21_000
        assert len(content) == octets
        assert codes(in_data(bench).receive(first + b"..\r\n" * 21_000 + b".\r\n")) == [code]


def test_mail_data_past_the_limit_are_not_kept_and_the_session_stays_in_step(make_bench: MakeBench) -> None:
    bench = make_bench(limits=replace(Limits(), message_octets=65_536))
    session = in_data(bench)
    for _ in range(50):
        assert session.receive(b"MAIL FROM:<x@y.example>\r\n" * 1000) == b""
    assert codes(session.receive(b".\r\n" + MAIL)) == [552, 250]
    assert bench.stored() == []


def test_an_unfinished_message_is_never_stored(bench: Bench) -> None:
    for part in (b"", b"A: b", b"A: b\r", b"A: b\r\n", b"A: b\r\n.", b"A: b\r\n.\r"):
        session = in_data(bench)
        session.receive(part)
        session.closed()
    assert bench.stored() == []


def test_a_loop_is_refused_by_its_received_fields(bench: Bench) -> None:
    assert codes(in_data(bench).receive(b"Received: x\r\n" * 100 + b"\r\n.\r\n")) == [250]
    assert codes(in_data(bench).receive(b"RECEIVED: x\r\n" * 101 + b"\r\n.\r\n")) == [554]
    assert codes(in_data(bench).receive(b"A: b\r\n\r\n" + b"Received: x\r\n" * 500 + b".\r\n")) == [250]


def test_a_return_path_that_came_along_is_replaced(bench: Bench) -> None:
    in_data(bench).receive(b"A: b\r\nreturn-PATH: <forged@x.example>\r\n folded\r\nC: d\r\n\r\nReturn-Path: x\r\n.\r\n")
    assert bench.contents() == [b"A: b\r\nC: d\r\n\r\nReturn-Path: x\r\n"]
    assert bench.stored()[0].count(b"Return-Path: <") == 1


def test_without_a_header_section_nothing_of_the_body_is_taken_for_one(bench: Bench) -> None:
    body = b"\r\nReturn-Path: <x@y.example>\r\n" + b"Received: x\r\n" * 200 + b"\r\nend\r\n"
    assert codes(in_data(bench).receive(body + b".\r\n")) == [250]
    assert bench.contents() == [body]


@given(st.binary(max_size=200))
def test_no_octets_are_lost_or_made_by_the_reader(body: bytes) -> None:
    reader = DataReader(1000)
    lines = (body + b"\r\n").split(b"\r\n")[:-1]
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    assert reader.feed(stuffed + b".\r\nREST")
    assert (reader.content(), reader.rest) == (body + b"\r\n", b"REST")


@pytest.mark.parametrize("line", [b"a" * 62, b"." + b"a" * 61])
def test_a_large_message_is_in_memory_twice_at_most(bench: Bench, line: bytes) -> None:
    """As it came and as it is stored. What it needs besides, a heap keeps: servers with large mail rose for minutes."""
    session = in_data(bench)
    sent = (line + b"\r\n") * 16_384
    tracemalloc.start()
    try:
        for start in range(0, len(sent), 16_384):
            session.receive(sent[start:start + 16_384])
        assert codes(session.receive(b".\r\n")) == [250]
        _, most_octets = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_octets < 2.3 * len(sent)
