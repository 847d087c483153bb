"""A transport over streams in memory: deadlines in virtual time, failures by their names."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair

from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.transport.stream import Transport

Pair = Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]


async def test_octets_pass_both_ways_and_are_counted() -> None:
    ours, theirs = memory_stream_pair()
    async with Transport.over(ours, peer="mx.example.test") as transport:
        await theirs.send_all(b"220 hello\r\n")
        assert await transport.receive(1e6) == b"220 hello\r\n"
        await transport.send(b"QUIT\r\n", 1e6)
        assert await theirs.receive_some() == b"QUIT\r\n"
        assert (transport.octets_received, transport.octets_sent) == (11, 6)
        assert (transport.peer, transport.local, transport.tls) == ("mx.example.test", "", None)


async def test_a_silent_server_times_out_at_the_deadline(autojump_clock: MockClock) -> None:
    ours, _theirs = memory_stream_pair()
    transport = Transport.over(ours)
    with pytest.raises(TransportTimeout, match=r"^peer sent nothing before the deadline$"):
        await transport.receive(300)
    assert trio.current_time() == 300


async def test_a_server_that_reads_nothing_times_out_at_the_deadline(autojump_clock: MockClock) -> None:
    ours, _theirs = lockstep_stream_pair()
    transport = Transport.over(ours)
    with pytest.raises(TransportTimeout, match=r"^peer did not take what was sent before the deadline$"):
        await transport.send(b"DATA\r\n", 120)
    assert trio.current_time() == 120


async def test_an_outer_deadline_passes_through_untouched(autojump_clock: MockClock) -> None:
    ours, _theirs = memory_stream_pair()
    transport = Transport.over(ours)
    with trio.move_on_at(10) as budget:
        await transport.receive(300)
    assert budget.cancelled_caught


async def test_the_end_of_the_stream_is_an_orderly_close() -> None:
    ours, theirs = memory_stream_pair()
    transport = Transport.over(ours)
    await theirs.send_eof()
    with pytest.raises(PeerClosed, match=r"^peer closed the connection$") as caught:
        await transport.receive(1e6)
    assert not caught.value.reset


async def test_a_broken_stream_is_a_reset() -> None:
    ours, theirs = memory_stream_pair()
    transport = Transport.over(ours)
    await theirs.aclose()
    with pytest.raises(PeerClosed, match=r"^peer reset the connection$") as caught:
        await transport.send(b"NOOP\r\n", 1e6)
    assert caught.value.reset


async def test_half_close_ends_only_our_direction() -> None:
    ours, theirs = memory_stream_pair()
    transport = Transport.over(ours)
    await transport.send_eof()
    assert await theirs.receive_some() == b""
    await theirs.send_all(b"221 bye\r\n")
    assert await transport.receive(1e6) == b"221 bye\r\n"


@pytest.mark.parametrize("pair", [memory_stream_pair, lockstep_stream_pair])
async def test_abort_ends_the_stream_without_waiting(pair: Pair) -> None:
    ours, theirs = pair()
    transport = Transport.over(ours)
    transport.abort()
    transport.abort()
    assert await theirs.receive_some(1) == b""
    with pytest.raises(trio.ClosedResourceError):
        await transport.receive(1e6)


async def test_aclose_closes_even_when_cancelled() -> None:
    ours, theirs = memory_stream_pair()
    with trio.CancelScope() as scope:
        scope.cancel()
        await Transport.over(ours).aclose()
    assert await theirs.receive_some() == b""


class OneWay(trio.abc.Stream):
    """A stream that neither half-closes nor closes without waiting, and never ends its farewell."""

    def __init__(self) -> None:
        self.closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        raise NotImplementedError

    async def wait_send_all_might_not_block(self) -> None:
        raise NotImplementedError

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.closed = True
        await trio.sleep_forever()


async def test_a_stream_that_cannot_do_what_is_asked_is_our_bug() -> None:
    transport = Transport.over(OneWay())
    with pytest.raises(TypeError, match="OneWay has no half-close"):
        await transport.send_eof()
    with pytest.raises(TypeError, match="OneWay cannot be closed without waiting"):
        transport.abort()


async def test_a_farewell_that_never_ends_is_waited_for_a_second_only(autojump_clock: MockClock) -> None:
    stream = OneWay()
    await Transport.over(stream).aclose()
    assert stream.closed
    assert trio.current_time() == 1
