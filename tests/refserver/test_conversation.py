"""A connection's task over memory streams and in virtual time: idleness, shutdown, loss, backpressure."""

from contextlib import suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair

from conformance.refserver.behaviour import Limits
from conformance.refserver.listener.conversation import Conversation
from tests.refserver.bench import Bench, make_bench

LOGIN = b"USER user1\r\nPASS secret1\r\n"


async def read_until_close(stream: trio.abc.Stream) -> bytes:
    octets = b""
    while piece := await stream.receive_some():
        octets += piece
    return octets


async def test_pop3_logs_out_after_exactly_ten_minutes_silently_and_without_update(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.deliver(b"A: b\r\n\r\n", 1)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(), None).run)
        await ours.send_all(LOGIN + b"DELE 1\r\n")
        await trio.sleep(100)
        await ours.send_all(b"NOOP\r\n")
        said = await read_until_close(ours)
    assert trio.current_time() == 700.0
    assert said.count(b"\r\n") == 5
    assert said.endswith(b"+OK\r\n")
    assert len(bench.stored()) == 1
    bench.pop3(1)     # and the lock is free


@pytest.mark.parametrize("command", [b"NOOP\r\n", b"XYZZY\r\n"])
async def test_any_command_sets_the_autologout_timer_back(
    bench: Bench, command: bytes, autojump_clock: MockClock
) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(1), None).run)
        for _ in range(5):
            await trio.sleep(599.5)
            await ours.send_all(command)
        await read_until_close(ours)
    assert trio.current_time() == 5 * 599.5 + 600


async def test_dripping_octets_is_not_speaking(bench: Bench, autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.smtp(), None).run)
        with suppress(trio.BrokenResourceError):
            for _ in range(100):
                await trio.sleep(20)
                await ours.send_all(b"x")
        said = await read_until_close(ours)
    assert 300 <= trio.current_time() <= 320
    assert said.splitlines()[-1].startswith(b"421 4.4.2")


async def test_smtp_says_421_after_five_idle_minutes_and_forgets_the_transaction(
    bench: Bench, autojump_clock: MockClock
) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.smtp(), None).run)
        await ours.send_all(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\nA: b\r\n.")
        said = await read_until_close(ours)
    assert trio.current_time() == 300.0
    assert said.splitlines()[-1].startswith(b"421 4.4.2")
    assert bench.stored() == []


async def test_mail_data_that_keep_coming_keep_the_session(bench: Bench, autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.smtp(), None).run)
        await ours.send_all(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n")
        for _ in range(5):
            await trio.sleep(200)
            await ours.send_all(b"line\r\n")
        await ours.send_all(b".\r\nQUIT\r\n")
        said = await read_until_close(ours)
    assert said.splitlines()[-1].startswith(b"221 ")
    assert bench.contents() == [b"line\r\n" * 5]


@pytest.mark.parametrize("last", [b"", b"QUIT"])
async def test_a_dropped_connection_deletes_nothing_and_frees_the_lock(
    bench: Bench, last: bytes, autojump_clock: MockClock
) -> None:
    bench.deliver(b"A: b\r\n\r\n", 1)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(), None).run)
        await ours.send_all(LOGIN + b"DELE 1\r\n" + last)
        await ours.send_eof()
    assert len(bench.stored()) == 1
    bench.pop3(1)


async def test_a_half_closed_client_still_gets_its_answers(bench: Bench, autojump_clock: MockClock) -> None:
    bench.deliver(b"A: b\r\n\r\n", 1)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(), None).run)
        await ours.send_all(LOGIN + b"DELE 1\r\nQUIT\r\n")
        await ours.send_eof()
        said = await read_until_close(ours)
    assert said.count(b"+OK") == 5
    assert bench.stored() == []


async def test_a_stopped_conversation_says_421_in_smtp_and_nothing_in_pop3(
    bench: Bench, autojump_clock: MockClock
) -> None:
    for session, last in ((bench.smtp(), b"421 4.3.2"), (bench.pop3(), b"+OK mail")):
        ours, theirs = memory_stream_pair()
        conversation = Conversation(theirs, session, None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(conversation.run)
            await trio.testing.wait_all_tasks_blocked()
            conversation.stop()
            assert (await read_until_close(ours)).splitlines()[-1].startswith(last)


async def test_a_client_that_never_reads_is_cut_off(autojump_clock: MockClock) -> None:
    bench = make_bench(limits=replace(Limits(), pop3_idle_s=60.0))
    bench.deliver(b"A: b\r\n\r\n" + b"x" * 1_000_000 + b"\r\n", 1)
    ours, theirs = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(1), None).run)
        assert (await ours.receive_some()).startswith(b"+OK")
        await ours.send_all(b"RETR 1\r\n")
    assert trio.current_time() == 60.0
    bench.pop3(1)


async def test_a_slow_reader_is_not_an_idle_one(autojump_clock: MockClock) -> None:
    bench = make_bench(limits=replace(Limits(), pop3_idle_s=60.0))
    content = b"A: b\r\n\r\n" + b"x" * 1_000_000 + b"\r\n"
    bench.deliver(content, 1)
    ours, theirs = lockstep_stream_pair()
    said = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.pop3(1), None).run)
        said += await ours.receive_some()
        await ours.send_all(b"RETR 1\r\n")
        while not said.endswith(b"\r\n.\r\n"):
            await trio.sleep(50)
            said += await ours.receive_some(65_536)
        await ours.send_all(b"QUIT\r\n")
        assert await ours.receive_some() == b"+OK\r\n"
    assert content in said
    assert trio.current_time() > 600


async def test_cancelling_the_task_closes_the_stream_and_frees_the_lock(
    bench: Bench, autojump_clock: MockClock
) -> None:
    ours, theirs = memory_stream_pair()
    with trio.move_on_after(5):
        await Conversation(theirs, bench.pop3(1), None).run()
    assert trio.current_time() == 5.0
    assert (await read_until_close(ours)).startswith(b"+OK")
    bench.pop3(1)


async def test_a_tls_handshake_that_never_comes_is_cut_off(bench: Bench, autojump_clock: MockClock) -> None:
    async def stalled(stream: trio.abc.Stream) -> tuple[trio.abc.Stream, str]:
        await trio.sleep_forever()

    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Conversation(theirs, bench.smtp(), stalled).run)
        await ours.send_all(b"STARTTLS\r\n")
        said = await read_until_close(ours)
    assert trio.current_time() == 300.0
    assert said.splitlines()[-1].startswith(b"220 2.0.0")
