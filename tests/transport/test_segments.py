"""Writing in segments: no more than so many octets at once, and nothing else changed."""

import trio
from trio.testing import MockClock, memory_stream_pair

from loadgen.transport.errors import TransportTimeout
from loadgen.transport.stream import Transport


class Noting(trio.abc.Stream):
    """A stream that notes what is written to it at once, and takes a second for each."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.written: list[bytes] = []

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.sleep(1)
        self.written.append(bytes(data))
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self._stream.aclose()


def segmented(octets: int) -> tuple[Transport, Noting, trio.abc.Stream]:
    ours, theirs = memory_stream_pair()
    noting = Noting(ours)
    transport = Transport.over(noting)
    transport.send_in_segments(octets)
    return transport, noting, theirs


async def test_what_is_longer_goes_in_segments_and_what_is_not_in_one_piece(autojump_clock: MockClock) -> None:
    transport, noting, _ = segmented(10)
    await transport.send(b"0123456789" * 2 + b"end", 60)
    await transport.send(b"QUIT\r\n", 60)
    assert noting.written == [b"0123456789", b"0123456789", b"end", b"QUIT\r\n"]
    assert transport.octets_sent == 29


async def test_a_question_longer_than_a_segment_is_answered_all_the_same(autojump_clock: MockClock) -> None:
    transport, noting, theirs = segmented(4)
    await theirs.send_all(b"250 ok\r\n")
    assert await transport.ask(b"NOOP x\r\n", 60) == b"250 ok\r\n"
    assert noting.written == [b"NOOP", b" x\r\n"]


async def test_the_deadline_is_of_all_segments_together(autojump_clock: MockClock) -> None:
    transport, noting, _ = segmented(1)
    try:
        await transport.send(b"12345", 2.5)
    except TransportTimeout:
        assert (trio.current_time(), noting.written) == (2.5, [b"1", b"2"])
    else:
        raise AssertionError("five segments take five seconds")
