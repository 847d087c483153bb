"""One timer for all who wait: each is woken at its own instant."""

import math
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from loadgen.transport.instants import AtInstants, Instants, by_sleeping


@pytest.fixture
async def instants(nursery: trio.Nursery) -> Instants:
    served = Instants()
    nursery.start_soon(served.serve)
    return served


async def wait(instants: Instants, instant_s: float, woken: list[float]) -> None:
    """Wait until an instant, and note when that was over."""
    await instants.reached(instant_s)
    woken.append(trio.current_time())


async def test_each_is_woken_at_its_own_instant_whoever_came_first(
    instants: Instants, autojump_clock: MockClock
) -> None:
    woken: list[tuple[float, float]] = []

    async def wait(begin_s: float, instant_s: float) -> None:
        await trio.sleep_until(begin_s)
        await instants.reached(instant_s)
        woken.append((instant_s, trio.current_time()))

    async with trio.open_nursery() as nursery:
        for begin_s, instant_s in ((0, 20), (0, 10), (0, 10), (5, 7), (15, 15.5), (25, 30)):
            nursery.start_soon(wait, begin_s, instant_s)
    assert woken == [(s, s) for s in (7, 10, 10, 15.5, 20, 30)]


async def test_an_instant_that_is_past_is_no_wait_but_a_checkpoint(
    instants: Instants, autojump_clock: MockClock
) -> None:
    await trio.sleep(5)
    with trio.CancelScope() as scope:
        scope.cancel()
        await instants.reached(5)
    assert scope.cancelled_caught
    await instants.reached(4)
    assert trio.current_time() == 5


async def test_who_was_cancelled_may_wait_again_and_is_not_woken_for_the_wait_before(
    instants: Instants, autojump_clock: MockClock
) -> None:
    with trio.move_on_at(5):
        await instants.reached(10)
    assert trio.current_time() == 5
    await instants.reached(20)
    assert trio.current_time() == 20


async def test_at_the_end_all_are_woken_and_nobody_waits_any_more(
    instants: Instants, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    woken: list[float] = []
    for instant_s in (10, 1_000_000):
        nursery.start_soon(wait, instants, instant_s, woken)
    await trio.sleep(3)
    instants.end()
    await wait_all_tasks_blocked()
    assert woken == [3, 3]
    await instants.reached(10)
    assert trio.current_time() == 3


@pytest.fixture(params=["served", "by sleeping"])
async def at_instants(request: pytest.FixtureRequest, instants: Instants) -> AtInstants:
    return instants.at_instants if request.param == "served" else by_sleeping


async def test_a_chore_is_done_at_the_instants_that_it_says_until_it_is_cancelled(
    at_instants: AtInstants, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    done: list[tuple[str, float]] = []

    def every(period_s: float, name: str) -> Callable[[], float]:
        def chore() -> float:
            done.append((name, trio.current_time()))
            return done[-1][1] + period_s

        return chore

    async with trio.open_nursery() as chores:
        chores.start_soon(at_instants, 1, every(2, "odd"))
        chores.start_soon(at_instants, 4, every(4, "fourth"))
        await trio.sleep_until(8.5)
        chores.cancel_scope.cancel()
    assert done == [("odd", 1), ("odd", 3), ("fourth", 4), ("odd", 5), ("odd", 7), ("fourth", 8)]
    await trio.sleep_until(20)
    assert len(done) == 6


async def test_a_chore_that_is_late_is_done_once_for_each_instant_that_it_says(
    at_instants: AtInstants, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    due = iter([2.0, 3.0, 10.0, 1000.0])
    done: list[float] = []

    def chore() -> float:
        done.append(trio.current_time())
        return next(due)

    nursery.start_soon(at_instants, 1, chore)
    await wait_all_tasks_blocked()
    autojump_clock.jump(5)
    await trio.sleep_until(20)
    assert done == [5, 5, 5, 10]


async def test_who_has_a_turn_when_an_instant_comes_wakes_those_due_and_moves_the_timer(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    instants, steps, woken = Instants(), StepsOf(Instants.serve), list[float]()
    nursery.start_soon(instants.serve)

    async def wait(instant_s: float) -> None:
        await instants.reached(instant_s)
        woken.append(instant_s)

    for instant_s in (5, 5, 7):
        nursery.start_soon(wait, instant_s)
    await wait_all_tasks_blocked()
    trio.lowlevel.add_instrument(steps)
    assert not instants.wake()
    autojump_clock.jump(5)
    assert instants.wake()
    assert not instants.wake()
    await wait_all_tasks_blocked()
    assert woken == [5, 5]
    assert steps.count == 0
    await trio.sleep_until(10)
    assert woken == [5, 5, 7]
    assert steps.count == 1
    trio.lowlevel.remove_instrument(steps)


async def test_while_somebody_wakes_by_hand_there_is_no_timer_and_then_there_is_again(
    instants: Instants, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    woken: list[float] = []
    nursery.start_soon(wait, instants, 5, woken)
    await wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == 5
    instants.by_hand = True
    nursery.start_soon(wait, instants, 6, woken)
    await wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf
    assert instants.next_s == 5
    autojump_clock.jump(5)
    assert instants.wake()
    assert instants.next_s == 6
    await wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf
    instants.by_hand = False
    await trio.sleep(10)
    assert woken == [5, 6]


class StepsOf(trio.abc.Instrument):
    """Counts the steps of tasks that run a function."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task.name == self._name
