"""The link between a run's parent and its workers: who is of use, and how long those that are not are waited for.

In virtual time over memory streams, but for the two ends that need an address.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing
from trio.testing import MockClock, memory_stream_pair

from loadgen.engine import link, parent, worker
from loadgen.engine.link import Ready, Report, line_of
from loadgen.engine.parent import BOOKS_LIMIT_S, READY_LIMIT_S, SILENCE_LIMIT_S, ParentEnd
from loadgen.engine.processes import ProcessDied, ProcessForEach
from loadgen.engine.progress import Progress, progress_of
from loadgen.engine.recorder import Recorder
from loadgen.engine.routes import Reach
from loadgen.engine.window import Window
from loadgen.engine.worker import Work
from tests.engine.test_shard import STEADY, shard_of

REPORT = line_of(Report(progress_of(Recorder(Window(0, 1)), 1.0)))


@dataclass
class Muster:
    """A parent with a number of workers that are played by a test."""

    nursery: trio.Nursery
    workers: int = 2
    given_up: list[tuple[int, str, float]] = field(default_factory=list)      # (worker, why, when)
    reports: int = 0

    def __post_init__(self) -> None:
        self.parent = ParentEnd(self.workers, told=self._count, give_up=self._give_up)

    def _count(self, number: int, progress: Progress) -> None:
        self.reports += 1

    def _give_up(self, number: int, why: str) -> None:
        self.given_up.append((number, why, trio.current_time()))

    def connect(self) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self.parent.hear, theirs)
        return ours

    async def join(self, number: int) -> trio.abc.Stream:
        stream = self.connect()
        await stream.send_all(line_of(Ready(self.parent.address(number).token, number)))
        return stream

    async def all_join(self) -> list[trio.abc.Stream]:
        streams = [await self.join(number) for number in range(self.workers)]
        await self.parent.start()
        return streams


@asynccontextmanager
async def muster() -> AsyncIterator[Muster]:
    async with trio.open_nursery() as nursery:
        yield Muster(nursery)
        nursery.cancel_scope.cancel()


async def is_hung_up_on(stream: trio.abc.Stream) -> bool:
    """Say whether the other end closes; what it says before that is passed over."""
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass
    return True


async def test_a_worker_that_falls_silent_is_given_up_after_the_limit(autojump_clock: MockClock) -> None:
    async with muster() as at:
        silent, sound = await at.all_join()
        for second in range(1, 60):
            await sound.send_all(REPORT)
            if second <= 5:
                await silent.send_all(REPORT)
            await trio.sleep(1)
        assert at.given_up == [(0, f"it said nothing for {SILENCE_LIMIT_S:g} s", 4 + SILENCE_LIMIT_S)]
        assert at.reports == 59 + 5
        assert await is_hung_up_on(silent), "should it wake again, it stops"


async def test_a_worker_that_reports_late_but_within_the_limit_is_kept(autojump_clock: MockClock) -> None:
    async with muster() as at:
        streams = await at.all_join()
        for _ in range(5):
            await trio.sleep(SILENCE_LIMIT_S - 0.5)
            for stream in streams:
                await stream.send_all(REPORT)
        assert not at.given_up


async def test_a_worker_that_waits_for_the_others_need_not_speak(autojump_clock: MockClock) -> None:
    async with muster() as at:
        await at.join(0)
        at.nursery.start_soon(at.parent.start)
        await trio.sleep(READY_LIMIT_S - 1)
        await at.join(1)
        await trio.sleep(SILENCE_LIMIT_S - 0.5)
        assert not at.given_up


async def test_a_worker_that_is_never_ready_is_given_up_and_the_others_start(autojump_clock: MockClock) -> None:
    async with muster() as at:
        ready = await at.join(1)
        await at.parent.start()
        assert at.given_up == [(0, f"it was not ready after {READY_LIMIT_S:g} s", READY_LIMIT_S)]
        assert b'"start"' in await ready.receive_some()
        assert await is_hung_up_on(await at.join(0)), "too late: the run goes on without it"


@pytest.mark.parametrize("said", [b"\x00\xff\n", b"{}\n", b"\n", b'{"type":"stop"}\n', b"[" * 100_000 + b"\n",
                                  b"x" * 5_000_000])
async def test_a_worker_that_talks_nonsense_is_given_up_at_once(said: bytes, autojump_clock: MockClock) -> None:
    async with muster() as at:
        odd, sound = await at.all_join()
        await odd.send_all(REPORT + said)
        await trio.testing.wait_all_tasks_blocked()
        assert at.given_up == [(0, "it said what no worker says", 0.0)]
        assert await is_hung_up_on(odd)
        await sound.send_all(REPORT)
        await trio.testing.wait_all_tasks_blocked()
        assert at.reports == 2


async def test_a_worker_that_has_said_its_last_word_has_some_time_for_its_books(autojump_clock: MockClock) -> None:
    async with muster() as at:
        gone, sound = await at.all_join()
        await gone.aclose()
        for _ in range(round(BOOKS_LIMIT_S) - 1):
            await sound.send_all(REPORT)
            await trio.sleep(1)
        assert not at.given_up
        await trio.sleep(2)
        [(number, why, when)] = at.given_up
        assert (number, when) == (0, BOOKS_LIMIT_S)
        assert f"{BOOKS_LIMIT_S:g} s" in why


async def test_a_worker_joins_once(autojump_clock: MockClock) -> None:
    async with muster() as at:
        first, _ = await at.all_join()
        assert await is_hung_up_on(await at.join(0))
        await first.send_all(REPORT)
        await trio.testing.wait_all_tasks_blocked()
        assert at.reports == 1
        assert not at.given_up


async def test_a_stop_reaches_those_that_join_later_too(autojump_clock: MockClock) -> None:
    async with muster() as at:
        first = await at.join(0)
        await trio.testing.wait_all_tasks_blocked()
        await at.parent.stop()
        second = await at.join(1)
        assert b'"stop"' in await first.receive_some()
        assert b'"stop"' in await second.receive_some()


STRANGERS: list[Callable[[ParentEnd], bytes]] = [
    lambda end: b"hello\n",
    lambda end: b"[" * 100_000 + b"\n",
    lambda end: line_of(Ready("guessed", 0)),
    lambda end: line_of(Ready("gu\N{LATIN SMALL LETTER E WITH ACUTE}ssed", 0)),
    lambda end: line_of(Ready(end.address(0).token, 7)),
    lambda end: REPORT,
    lambda end: b"x" * 5_000_000,
    lambda end: b"",
]


@pytest.mark.parametrize("says", STRANGERS)
async def test_a_stranger_is_no_worker(says: Callable[[ParentEnd], bytes], autojump_clock: MockClock) -> None:
    async with muster() as at:
        stream = at.connect()
        await stream.send_all(says(at.parent))
        assert await is_hung_up_on(stream)
        with trio.move_on_after(READY_LIMIT_S / 2) as waited:
            await at.parent.start()
        assert waited.cancelled_caught, "both workers are still waited for"
        assert not at.given_up


async def test_a_worker_whose_parent_is_gone_stops_at_once() -> None:
    listeners = await trio.open_tcp_listeners(0, host=parent.HOST)
    port = listeners[0].socket.getsockname()[1]
    given = Work(shard_of(STEADY), Reach({}, None), link.LinkAddress(parent.HOST, port, "token", 0))
    async with trio.open_nursery() as nursery:

        async def hang_up() -> None:
            stream = await listeners[0].accept()
            await stream.receive_some()
            await stream.aclose()

        nursery.start_soon(hang_up)
        with pytest.raises(link.ParentGone):
            await worker.run_linked(given)
    await listeners[0].aclose()


@pytest.mark.timeout(60)     # an interpreter has to start
@pytest.mark.parametrize("listens", [True, False], ids=["it-hung-up", "it-listens-no-more"])
def test_a_worker_process_whose_parent_is_gone_ends_without_a_word(
    listens: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((parent.HOST, 0)) as listener, ProcessForEach() as processes:
        port = listener.getsockname()[1]
        if not listens:
            listener.close()
        address = link.LinkAddress(parent.HOST, port, "token", 0)
        future = processes.submit(worker.work, Work(shard_of(STEADY), Reach({}, None), address))
        if listens:
            listener.accept()[0].close()
        with pytest.raises(ProcessDied, match="exit status 0"):
            future.result()
    assert capfd.readouterr() == ("", "")
