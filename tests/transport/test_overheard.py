"""A transport with a listener: what is noted is what was said, in order, whichever way the session went."""

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from loadgen.transport import overheard as overhearing
from loadgen.transport.conversation import Conversation, Steps
from loadgen.transport.errors import PeerClosed
from loadgen.transport.overheard import OCTETS_KEPT, Event, Happening, Overheard, Recording
from loadgen.transport.stream import Transport

FAR = 1e6   # a deadline no test reaches
SENT, RECEIVED, CLOSED = Happening.SENT, Happening.RECEIVED, Happening.CLOSED
Pair = tuple[Overheard, trio.StapledStream, Recording, list[Recording]]  # type: ignore[type-arg]


class Asks(Conversation):
    """Asks twice, and hopes for a 250 each time."""

    def steps(self) -> Steps:
        for question in (b"ONE\r\n", b"TWO\r\n"):
            heard, _ = yield question, FAR
            if heard != b"250 ok\r\n":
                return
        self.done = True


def overheard(*, wanted: bool = True) -> Pair:
    ended: list[Recording] = []
    recording = Recording("smtp", ended.append, wanted=wanted)
    ours, theirs = memory_stream_pair()
    return Overheard.with_listener(Transport.over(ours), recording), theirs, recording, ended


async def test_what_is_sent_and_received_is_noted_and_handed_over_at_the_end(autojump_clock: MockClock) -> None:
    transport, server, recording, ended = overheard()
    await server.send_all(b"220 hello\r\n")
    await transport.receive(FAR)
    await server.send_all(b"250 ok\r\n")
    assert await transport.ask(b"NOOP\r\n", FAR) == b"250 ok\r\n"
    await transport.send(memoryview(b"QUIT\r\n"), FAR)
    await server.send_stream.aclose()
    with pytest.raises(PeerClosed):
        await transport.receive(FAR)
    assert ended == []
    await transport.aclose()
    await transport.aclose()
    assert ended == [recording], "once"
    assert recording.events == [
        (RECEIVED, b"220 hello\r\n"), (SENT, b"NOOP\r\n"), (RECEIVED, b"250 ok\r\n"), (SENT, b"QUIT\r\n"),
        (CLOSED, b""),
    ]   # fmt: skip
    assert not recording.odd


async def test_a_conversation_that_goes_as_hoped_is_noted_step_by_step(autojump_clock: MockClock) -> None:
    transport, server, recording, _ = overheard()

    async def serve() -> None:
        for _ in range(2):
            await server.receive_some()
            await server.send_all(b"250 ok\r\n")

    conversation = Asks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        assert await transport.converse(conversation)
    assert conversation.octets_sent == 10
    assert transport.octets_received == 16
    assert recording.events == [
        (SENT, b"ONE\r\n"), (RECEIVED, b"250 ok\r\n"), (SENT, b"TWO\r\n"), (RECEIVED, b"250 ok\r\n"),
    ]   # fmt: skip
    assert not recording.odd


async def test_a_conversation_that_nobody_wants_is_led_and_not_noted(autojump_clock: MockClock) -> None:
    transport, server, recording, ended = overheard(wanted=False)

    async def serve() -> None:
        for _ in range(2):
            await server.receive_some()
            await server.send_all(b"250 ok\r\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        assert await transport.converse(Asks())
    await transport.aclose()
    assert (transport.octets_sent, transport.octets_received) == (10, 16)
    assert ended == [recording]
    assert (recording.events, recording.odd) == ([], False)


async def test_of_a_long_conversation_no_more_is_held_than_is_kept(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(overhearing, "OCTETS_KEPT", 40)
    monkeypatch.setattr(overhearing, "STEPS_UNCOUNTED", 4)
    transport, server, recording, _ = overheard()
    held = []

    class AsksOften(Conversation):
        def steps(self) -> Steps:
            for _ in range(50):
                heard, _ = yield b"ONE\r\n", FAR
                held.append(len(recording.events))
                assert heard == b"250 ok\r\n"
            self.done = True

    async def serve() -> None:
        for _ in range(50):
            await server.receive_some()
            await server.send_all(b"250 ok\r\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        assert await transport.converse(AsksOften())
    assert max(held) == 14, "of the seven steps before it is counted again"
    assert recording.events == [(SENT, b"ONE\r\n"), (RECEIVED, b"250 ok\r\n")] * 3
    assert (transport.octets_sent, transport.octets_received) == (250, 400)


async def test_of_mail_data_in_pieces_the_end_is_noted(autojump_clock: MockClock) -> None:
    class SendsPieces(Conversation):
        def steps(self) -> Steps:
            yield (memoryview(b"A line.\r\n" * 9000), b"\r", b"\n", b".\r\n"), FAR
            self.done = True

    transport, server, recording, _ = overheard()

    async def serve() -> None:
        received = b""
        while not received.endswith(b"\r\n.\r\n"):
            received += await server.receive_some()
        await server.send_all(b"250 ok\r\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        assert await transport.converse(SendsPieces())
    assert recording.events == [(SENT, b"\r\n.\r\n"), (RECEIVED, b"250 ok\r\n")]


@pytest.mark.parametrize("wanted", [True, False])
async def test_what_is_gone_over_again_is_noted_once_and_is_odd(autojump_clock: MockClock, *, wanted: bool) -> None:
    transport, server, recording, _ = overheard(wanted=wanted)

    async def serve() -> None:
        await server.receive_some()
        await server.send_all(b"451 later\r\n")
        await server.receive_some()
        await server.send_all(b"221 bye\r\n")

    conversation = Asks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        assert not await transport.converse(conversation)
        transport.rehearse(conversation)
        assert await transport.ask(b"ONE\r\n", FAR) == b"451 later\r\n", "heard again"
        assert await transport.ask(b"QUIT\r\n", FAR) == b"221 bye\r\n"
    assert recording.events == [
        (SENT, b"ONE\r\n"), (RECEIVED, b"451 later\r\n"), (SENT, b"QUIT\r\n"), (RECEIVED, b"221 bye\r\n"),
    ]   # fmt: skip
    assert recording.odd


async def test_a_close_in_a_conversation_is_noted_and_a_reset_is_not(autojump_clock: MockClock) -> None:
    transport, server, recording, _ = overheard()
    await server.send_stream.aclose()
    assert not await transport.converse(Asks())
    assert recording.events[-1] == (CLOSED, b"")


def heard_of(*events: Event) -> Recording:
    recording = Recording("smtp", lambda _: None)
    for happening, octets in events:
        if happening is SENT:
            recording.sent(octets)
        elif happening is RECEIVED:
            recording.received(octets)
        else:
            recording.note(happening)
    return recording


GO_ON = (RECEIVED, b"354 go on\r\n")


def test_of_long_mail_data_only_the_end_is_kept() -> None:
    body = b"A line.\r\n" * 100
    assert heard_of(GO_ON, (SENT, body + b".\r\n")).events[1] == (SENT, b"\r\n.\r\n")
    assert heard_of(GO_ON, (SENT, body), (SENT, body + b".\r\n")).events[1:] == [
        (SENT, body[-5:]), (SENT, b"\r\n.\r\n"),
    ]   # fmt: skip


@pytest.mark.parametrize(
    "events",
    [
        (GO_ON, (SENT, b"A line.\r\n.\r\n" + b"MAIL FROM:<a@b.example>\r\n" * 50)),     # more follows their end
        ((RECEIVED, b"250 ok\r\n"), (SENT, b"BDAT 900 LAST\r\n" + b"x" * 900)),        # a chunk is counted
        ((SENT, b"x" * 900),),
    ],
)
def test_what_a_server_would_read_otherwise_is_kept_whole(events: tuple[Event, ...]) -> None:
    assert tuple(heard_of(*events).events) == events


def test_beyond_its_limit_nothing_more_is_kept_not_even_the_end() -> None:
    recording = heard_of((RECEIVED, b"x" * OCTETS_KEPT), (RECEIVED, b"y"), (SENT, b""), (CLOSED, b""))
    assert [happening for happening, _ in recording.events] == [RECEIVED]
