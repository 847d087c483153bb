"""The sink: what it takes, what it refuses, what it keeps of it."""

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from conformance.declared import SinkPlace
from conformance.sink import Sink, SinkSession, Transferred, open_sink
from reports.errors import UserError

ENVELOPE = b"EHLO a\r\nMAIL FROM:<from@a.test> SIZE=9\r\nRCPT TO:<to@sink.test>\r\nDATA\r\n"


def talk(*pieces: bytes) -> tuple[bytes, list[Transferred]]:
    """Say these pieces; return the replies and what was kept."""
    kept: list[Transferred] = []
    session = SinkSession(kept.append, lambda recipient: None)
    return b"".join(session.feed(piece) for piece in pieces), kept


def codes(replies: bytes) -> list[bytes]:
    return [line[:3] for line in replies.splitlines() if line[3:4] == b" "]


def test_mail_data_are_kept_as_they_were_sent() -> None:
    replies, kept = talk(ENVELOPE, b"..stuffed\r\nbare\n.\nlf\r\n.\r", b"\nQUIT\r\n")
    assert codes(replies) == [b"250", b"250", b"250", b"354", b"250", b"221"]
    assert kept == [Transferred(b"from@a.test", (b"to@sink.test",), b"..stuffed\r\nbare\n.\nlf", b"SIZE=9", (b"",))]


def test_how_the_octets_are_cut_does_not_matter() -> None:
    octets = ENVELOPE + b"one\r\n.\r\n" + ENVELOPE + b".\r\n"
    whole = talk(octets)
    assert talk(*[octets[at:at + 1] for at in range(len(octets))]) == whole
    assert [one.mail_data for one in whole[1]] == [b"one", b""]


def test_the_null_reverse_path_is_empty() -> None:
    _, kept = talk(b"HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<to@sink.test>\r\nDATA\r\nx\r\n.\r\n")
    assert kept[0].reverse_path == b""


def test_a_recipient_whose_name_says_so_is_refused() -> None:
    replies, kept = talk(b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<refused-x@sink.test>\r\nDATA\r\n")
    assert codes(replies) == [b"250", b"250", b"550", b"554"]
    assert kept == []


def test_lmtp_has_an_answer_for_each_recipient() -> None:
    replies, _ = talk(b"LHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@d>\r\nDATA\r\nx\r\n.\r\n")
    assert codes(replies)[-3:] == [b"354", b"250", b"250"]


def test_nonsense_is_answered() -> None:
    replies, _ = talk(b"WHAT\r\nRCPT TO:<a@b>\r\nMAIL\r\nNOOP\r\nRSET\r\n")
    assert codes(replies) == [b"500", b"503", b"501", b"250", b"250"]


async def test_what_comes_is_found_by_its_mark(autojump_clock: MockClock) -> None:
    sink = Sink("sink.test")
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sink.serve, theirs)
        await ours.send_all(ENVELOPE + b"marked c0ffee-1\r\n.\r\n")
        assert [one.mail_data for one in await sink.find("c0ffee-1", 1, 5.0)] == [b"marked c0ffee-1"]
        await ours.aclose()
    assert await sink.find("c0ffee", 1, 5.0) == ()
    assert trio.current_time() == pytest.approx(5.0)


async def test_a_place_that_is_taken_is_the_operators_error() -> None:
    async with trio.open_nursery() as nursery:
        taken = await trio.open_tcp_listeners(0, host="127.0.0.1")
        host, port = taken[0].socket.getsockname()
        with pytest.raises(UserError, match=f"no sink can listen on 127.0.0.1:{port}"):
            await open_sink(SinkPlace(smtp=f"{host}:{port}", domain="sink.test"), nursery)
        await taken[0].aclose()
