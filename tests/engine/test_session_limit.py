"""One limit for all sessions: each is cut by its own time, and whoever ran it goes on."""

import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.session_limit import Seat, SessionLimit
from loadgen.engine.task_pool import TaskPool

LIMIT_S = 10.0


async def session(seat: Seat, length_s: float) -> tuple[float, bool]:
    """Run a session of a length; return when it ended, and whether it was cut."""
    with seat:
        await trio.sleep(length_s)
    return trio.current_time(), seat.was_cut


async def test_each_session_is_cut_when_its_own_time_is_over(autojump_clock: MockClock) -> None:
    limit = SessionLimit(LIMIT_S)
    seen: dict[float, tuple[float, bool]] = {}

    async def begin(at_s: float, length_s: float) -> None:
        await trio.sleep_until(at_s)
        with limit.seat() as seat:
            seen[at_s] = await session(seat, length_s)

    async with trio.open_nursery() as watching:
        watching.start_soon(limit.watch)
        async with trio.open_nursery() as nursery:
            for at_s, length_s in ((0, 20), (1, 3), (2, 10), (3, 30), (40, 11)):
                nursery.start_soon(begin, at_s, length_s)
        watching.cancel_scope.cancel()
    ended_s, _ = seen.pop(2)
    assert ended_s == 12                         # cut or not: it ends in the very instant of its limit
    assert {at: ended for at, (ended, cut) in seen.items() if cut} == {0: 10, 3: 13, 40: 50}
    assert seen[1] == (4, False)


async def test_a_seat_is_as_good_as_new_after_a_session_was_cut(autojump_clock: MockClock) -> None:
    limit = SessionLimit(LIMIT_S)
    async with trio.open_nursery() as watching:
        watching.start_soon(limit.watch)
        with limit.seat() as seat:
            ends = [await session(seat, length_s) for length_s in (5, 99, 5, 99, 99, 5)]
            await trio.sleep(100)                # between two sessions there is no limit
            ends.append(await session(seat, 5))
        watching.cancel_scope.cancel()
    assert [cut for _, cut in ends] == [False, True, False, True, True, False, False]
    assert [ended for ended, _ in ends] == [5, 15, 20, 30, 40, 45, 150]


async def test_a_session_that_ended_before_it_noticed_was_not_cut(autojump_clock: MockClock) -> None:
    limit = SessionLimit(LIMIT_S)
    with limit.seat() as seat:
        with seat:
            seat.cut()                           # it has no checkpoint left to notice at
        assert not seat.was_cut
        assert await session(seat, 1) == (1, False)


async def test_a_cancellation_from_outside_passes_through(autojump_clock: MockClock) -> None:
    limit = SessionLimit(LIMIT_S)
    with trio.move_on_after(3) as outside, limit.seat() as seat:
        await session(seat, 99)
    assert outside.cancelled_caught
    assert not seat.was_cut
    with trio.move_on_after(3) as outside, limit.seat() as seat:
        await session(seat, 1)
        await trio.sleep(99)
    assert outside.cancelled_caught


async def test_a_pool_has_no_more_tasks_than_jobs_were_under_way_at_once(autojump_clock: MockClock) -> None:
    limit = SessionLimit(LIMIT_S)
    tasks: set[trio.lowlevel.Task] = set()
    ends: list[tuple[float, bool]] = []

    async def job(seat: Seat) -> None:
        tasks.add(trio.lowlevel.current_task())
        ends.append(await session(seat, 1))

    async with trio.open_nursery() as nursery:
        pool = TaskPool(nursery, limit)
        for _ in range(5):
            for _ in range(3):
                pool.start(job)
            await trio.sleep(2)
        assert len(nursery.child_tasks) == 3
        pool.start(job)
        pool.close()                             # one is at work, two have nothing to do
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        pool.start(job)
    assert (len(ends), len(tasks)) == (17, 4)


async def test_a_pool_can_be_cancelled_while_its_tasks_wait_and_a_jobs_error_is_not_kept(
    autojump_clock: MockClock,
) -> None:
    limit = SessionLimit(LIMIT_S)

    async def job(seat: Seat) -> None:
        await session(seat, 1)

    async def broken(seat: Seat) -> None:
        raise ZeroDivisionError

    async with trio.open_nursery() as nursery:
        pool = TaskPool(nursery, limit)
        pool.start(job)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    with pytest.RaisesGroup(ZeroDivisionError):
        async with trio.open_nursery() as nursery:
            pool = TaskPool(nursery, limit)
            pool.start(job)
            await trio.sleep(2)
            pool.start(broken)
