"""A case's end of a POP3 connection."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from conformance.answer import Ended
from conformance.pop3_connection import Pop3Connection, wants_lines
from tests.conformance.pop3_stage import Answer, Script, staged


@asynccontextmanager
async def connected(answer: Answer) -> AsyncIterator[Pop3Connection]:
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        connection = Pop3Connection(staged(nursery, answer), stack, "")
        assert (await connection.answer()).ok
        yield connection
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"LIST", True), (b"list", True), (b"LIST 1", False), (b"UIDL", True), (b"UIDL 1", False), (b"CAPA", True),
        (b"RETR 1", True), (b"TOP 1 0", True), (b"STAT", False), (b"LANG", True), (b"LANG en", False),
        (b"LISTS", False), (b"XRETR 1", False), (b"", False),
    ],
)  # fmt: skip
def test_whether_lines_follow_hangs_on_the_command(command: bytes, expected: bool) -> None:
    assert wants_lines(command) is expected


async def test_a_list_is_taken_to_its_end_and_the_next_answer_is_the_next(autojump_clock: MockClock) -> None:
    async with connected(Script({b"LIST": b"+OK\r\n1 5\r\n.\r\n", b"STAT": b"+OK 1 5\r\n"})) as peer:
        assert (await peer.ask(b"LIST")).lines == (b"1 5",)
        assert (await peer.ask(b"STAT")).text == b"1 5"
        assert peer.pending == b""


async def test_lines_behind_a_refusal_are_left_over(autojump_clock: MockClock) -> None:
    async with connected(Script({b"LIST": b"-ERR no\r\n.\r\n"})) as peer:
        assert (await peer.ask(b"LIST")).err
        assert (await peer.answer_or_silence()).ended is Ended.UNREADABLE
        assert peer.pending == b".\r\n"


async def test_a_list_that_never_ends_is_silence_and_what_came_is_told(autojump_clock: MockClock) -> None:
    async with connected(Script({b"LIST": b"+OK\r\n1 5\r\n"})) as peer:
        answer = await peer.ask(b"LIST")
        assert (answer.silent, answer.waited_s) == (True, 30.0)
        assert trio.current_time() == 30.0
        assert "1 5" in answer.detail


async def test_what_was_waited_for_in_vain_as_a_list_can_be_read_as_a_line(autojump_clock: MockClock) -> None:
    async with connected(Script({b"RETR 1": b"+OK no lines\r\n"})) as peer:
        assert (await peer.ask(b"RETR 1")).silent
        assert (await peer.answer()).text == b"no lines"


async def test_silence_is_proved_at_the_servers_pace(autojump_clock: MockClock) -> None:
    async with connected(Script({b"NOOP": b""})) as peer:
        await peer.send(b"NOOP\r\n")
        assert (await peer.answer_or_silence()).silent
        assert trio.current_time() == pytest.approx(0.3)


async def test_a_close_is_told_from_silence(autojump_clock: MockClock) -> None:
    async with connected(Script({b"NOOP": None})) as peer:
        answer = await peer.ask(b"NOOP")
        assert (answer.closed, answer.silent, answer.ended) == (True, False, Ended.CLOSED)


async def test_what_is_no_response_is_shown(autojump_clock: MockClock) -> None:
    async with connected(Script({b"NOOP": b"250 OK\r\n"})) as peer:
        answer = await peer.ask(b"NOOP")
        assert answer.ended is Ended.UNREADABLE
        assert "250 OK" in str(answer)


async def test_two_answers_in_one_segment_are_two(autojump_clock: MockClock) -> None:
    async with connected(Script({b"NOOP": b"+OK\r\n+OK again\r\n"})) as peer:
        assert (await peer.ask(b"NOOP")).text == b""
        assert (await peer.answer()).text == b"again"
