"""The room: whoever only waits lets another talk; a server that is full gets fewer cases."""

import pytest
import trio
from trio.testing import MockClock

from conformance.room import INSIDE_PER_TALKING, Room, resting


async def crowd(room: Room, cases: int, talk_s: float, rest_s: float) -> tuple[int, int]:
    """Let so many cases talk, rest and talk; return how many talked and how many were inside at once at most."""
    talking = inside = most_talking = most_inside = 0

    async def talk() -> None:
        nonlocal talking, most_talking
        talking += 1
        most_talking = max(most_talking, talking)
        await trio.sleep(talk_s)
        talking -= 1

    async def one() -> None:
        nonlocal inside, most_inside
        async with room.entered():
            inside += 1
            most_inside = max(most_inside, inside)
            await talk()
            async with resting():
                await trio.sleep(rest_s)
            await talk()
            inside -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(cases):
            nursery.start_soon(one)
    return most_talking, most_inside


async def test_a_case_that_rests_makes_room_for_another(autojump_clock: MockClock) -> None:
    assert await crowd(Room(4), 48, talk_s=0, rest_s=1) == (4, 4 * INSIDE_PER_TALKING)
    assert trio.current_time() == 48 / (4 * INSIDE_PER_TALKING)


async def test_never_more_talk_than_may(autojump_clock: MockClock) -> None:
    assert await crowd(Room(4), 48, talk_s=1, rest_s=0.5) == (4, 4 * INSIDE_PER_TALKING)


async def test_one_after_another_is_one_after_another(autojump_clock: MockClock) -> None:
    assert await crowd(Room(1), 5, talk_s=1, rest_s=1) == (1, 1)
    assert trio.current_time() == 15


async def test_a_room_made_smaller_lets_less_in_and_never_none(autojump_clock: MockClock) -> None:
    room = Room(4)

    async def stay() -> None:
        async with room.entered():
            await trio.sleep(2)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(stay)
        await trio.sleep(1)
        room.make_smaller()
    assert await crowd(room, 9, talk_s=1, rest_s=0) == (2, 2)
    for _ in range(9):
        room.make_smaller()
    assert await crowd(room, 3, talk_s=1, rest_s=0) == (1, 1)


async def test_two_tasks_of_one_case_may_rest_at_once(autojump_clock: MockClock) -> None:
    room = Room(1)

    async def rest(seconds: float) -> None:
        async with resting():
            await trio.sleep(seconds)

    async with room.entered():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rest, 1)
            nursery.start_soon(rest, 2)
        assert trio.current_time() == 2
    with trio.fail_after(1):
        async with room.entered():
            pass


async def test_a_case_that_is_cut_while_it_rests_leaves_no_gap(autojump_clock: MockClock) -> None:
    room = Room(1)
    with trio.move_on_after(1):
        async with room.entered(), resting():
            await trio.sleep_forever()
    assert await crowd(room, 2, talk_s=1, rest_s=0) == (1, 1)


async def test_outside_a_room_resting_is_nothing() -> None:
    async with resting():
        pass
    with pytest.raises(ZeroDivisionError):
        async with resting():
            raise ZeroDivisionError
