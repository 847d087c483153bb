"""Native lanes wait for more events without trio's turn, but never while anything else has to have one."""

import math
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from loadgen.transport.addresses import numeric_address
from loadgen.transport.deadlines import TICKS_PER_S
from loadgen.transport.epoll import LINGER_ALONE_S, LINGER_MAX_S, EpollReadiness, serve_epoll
from loadgen.transport.native import Lanes
from loadgen.transport.native_connection import socket_address
from tests.transport.lane_stage import FAR_S, Talk, talk, talking

EXCHANGES = 50
Wait = Callable[[EpollReadiness, float], Awaitable[None]]


def exchange(lanes: Lanes, peer: socket.socket, asked: list[float], *, linger_s: float = -1) -> int:
    """Answer one question; return how many events that were handled before the lanes gave way."""
    assert peer.recv(1) == b"?"

    def linger_until(lingered_s: float) -> float:
        if lingered_s:
            return -math.inf
        asked.append(time.monotonic())
        return asked[-1] + linger_s

    peer.send(b"!")
    handled = 0
    while not handled:
        handled, others = lanes.poll(64, linger_until)
        assert not others
    return handled


def test_while_a_lane_has_a_connection_more_is_waited_for() -> None:
    asked: list[float] = []
    with talking(EXCHANGES) as (lanes, _, peer):
        for number in range(1, EXCHANGES):
            exchange(lanes, peer, asked)
            assert len(asked) >= number


def test_the_first_event_is_waited_for_too() -> None:
    with talking(1) as (lanes, _, peer):
        assert peer.recv(1) == b"?"

        def answer_late(_: float) -> float:
            peer.send(b"!")
            return time.monotonic() + FAR_S

        assert not lanes.poll(1, lambda _: time.monotonic())[0]
        assert lanes.poll(1, answer_late)[0]       # and with it ends the only lane


def test_without_a_connection_nothing_is_waited_for() -> None:
    with talking(1) as (lanes, _, peer):
        assert lanes.connected == 1
        exchange(lanes, peer, [])
        assert lanes.connected == 0
        assert lanes.poll(64, lambda _: time.monotonic() + FAR_S) == (0, [])


@pytest.mark.parametrize("punctual", [False, True])
def test_idle_lanes_wait_for_an_instant_if_they_are_to(punctual: bool) -> None:
    asked: list[float] = []

    def linger_until(lingered_s: float) -> float:
        asked.append(lingered_s)
        return time.monotonic() + 0.001 if len(asked) == 1 else -math.inf

    with talking(1) as (lanes, _, peer):
        exchange(lanes, peer, [])
        assert lanes.poll(64, linger_until, idle=True, punctual=punctual) == (0, [])
    assert asked[0] == 0
    assert asked[1] >= 0.001


@pytest.mark.parametrize("wakes", [True, False])
def test_the_turn_is_given_back_at_once_if_a_task_is_to_go_on_with_what_has_ended(wakes: bool) -> None:
    for _ in range(EXCHANGES):
        asked: list[float] = []
        with talking(2) as (lanes, _, _), talk(lanes, 1) as (lane, peer):
            lane.when_ended(lambda: wakes)
            lanes.poll(64, lambda _: -math.inf)      # it has connected
            exchange(lanes, peer, asked)
        assert bool(asked) is not wakes


def test_the_instant_is_the_end_of_it() -> None:
    asked: list[float] = []
    with talking(EXCHANGES) as (lanes, _, peer):
        for _ in range(EXCHANGES - 1):
            assert exchange(lanes, peer, asked, linger_s=0.003) == 1


def test_when_the_instant_has_come_it_may_be_put_off() -> None:
    asked: list[float] = []
    with talking(1) as (lanes, _, peer):
        assert peer.recv(1) == b"?"

        def linger_until(lingered_s: float) -> float:
            asked.append(lingered_s)
            if len(asked) == 3:
                peer.send(b"!")
            return time.monotonic() + (0.001 if len(asked) < 3 else -1 if len(asked) > 3 else FAR_S)

        # Nothing was to be had before it had been asked for the third time.
        assert lanes.poll(1, linger_until)[0] == 1
        assert asked[0] == 0
        assert 0 < asked[1] < asked[2]


async def test_only_what_nothing_else_needs_is_lingered(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    await wait_all_tasks_blocked()
    now = trio.current_time()
    assert readiness.linger_until(0) == now + LINGER_ALONE_S
    nursery.start_soon(trio.sleep, LINGER_ALONE_S / 3)
    assert readiness.linger_until(0) < now            # that task is yet to run
    await wait_all_tasks_blocked()
    assert readiness.linger_until(0) == now + LINGER_ALONE_S / 3
    await trio.sleep(LINGER_ALONE_S / 3)
    now = trio.current_time()
    assert readiness.linger_until(0) == now + LINGER_ALONE_S


async def test_less_is_lingered_while_a_task_waits_for_a_descriptor_or_a_thread(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with trio.open_nursery() as waiting:
            waiting.start_soon(trio.lowlevel.wait_readable, ours)
            await wait_all_tasks_blocked()
            assert readiness.linger_until(0) == LINGER_MAX_S
            waiting.cancel_scope.cancel()
    assert readiness.linger_until(0) == LINGER_ALONE_S
    async with trio.to_thread.current_default_thread_limiter():
        assert readiness.linger_until(0) == LINGER_MAX_S


async def test_a_deadline_that_comes_to_be_meanwhile_ends_it_earlier(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    await wait_all_tasks_blocked()
    assert readiness.linger_until(0) == LINGER_ALONE_S
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watch = readiness.watch(ours)
        readiness.look(watch, LINGER_ALONE_S / 2)
        assert LINGER_ALONE_S / 2 <= readiness.linger_until(0.01) < LINGER_ALONE_S / 2 + 1 / TICKS_PER_S
        watch.close()


async def test_a_chore_is_done_while_it_is_lingered_and_a_task_that_is_woken_ends_it(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    done: list[float] = []

    def chore() -> float:
        done.append(trio.current_time())
        return done[-1] + 0.01

    async def wait() -> None:
        await readiness.instants.reached(0.015)

    nursery.start_soon(readiness.at_instants, 0.01, chore)
    nursery.start_soon(wait)
    await wait_all_tasks_blocked()
    readiness.instants.by_hand = True                 # as it is while it is lingered
    assert readiness.linger_until(0) == 0.01
    autojump_clock.jump(0.01)
    assert readiness.linger_until(0.01) == 0.015
    assert done == [0.01]
    autojump_clock.jump(0.005)
    assert readiness.linger_until(0.015) < 0.015
    await wait_all_tasks_blocked()
    assert readiness.linger_until(0) == 0.02
    assert done == [0.01]


@pytest.mark.parametrize("punctual", [False, True])
async def test_for_a_chore_it_is_lingered_without_a_connection(punctual: bool, nursery: trio.Nursery) -> None:
    readiness: EpollReadiness = await nursery.start(partial(serve_epoll, punctual=punctual))
    done, lingered = trio.Event(), list[bool]()

    def chore() -> float:
        lingered.append(readiness.instants.by_hand)
        if len(lingered) == EXCHANGES:
            done.set()
        return trio.current_time() + 0.001

    nursery.start_soon(readiness.at_instants, 0, chore)
    await done.wait()
    assert any(lingered)          # between two of them tasks have their turns, and the timer is trio's


async def test_a_task_that_a_lane_wakes_has_its_turn_before_more_is_waited_for(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.transport.epoll.LINGER_ALONE_S", FAR_S)
    monkeypatch.setattr("loadgen.transport.epoll.LINGER_MAX_S", FAR_S)
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    assert readiness.lanes is not None
    with talk(readiness.lanes, 1):                    # never answered: there is something to wait for
        for _ in range(EXCHANGES):                    # trio turns the order of its tasks around at random
            with talk(readiness.lanes, 1) as (lane, peer):
                peer.send(b"!")
                await lane.ended()
                await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("wait", [
    lambda _, instant_s: trio.sleep_until(instant_s),
    lambda readiness, instant_s: readiness.instants.reached(instant_s),
])  # fmt: skip
async def test_talk_without_end_keeps_no_timer_waiting(
    wait: Wait, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.transport.epoll.LINGER_MAX_S", FAR_S)
    monkeypatch.setattr("loadgen.transport.epoll.LINGER_ALONE_S", FAR_S)
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    assert readiness.lanes is not None

    def answer(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, suppress(ConnectionError):
            while peer.recv(1):
                peer.send(b"!")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        nursery.start_soon(trio.to_thread.run_sync, answer, listener)
        to = numeric_address(*listener.getsockname())
        assert to is not None
        lane = readiness.lanes.lane(Talk(10**9))
        lane.begin(to.family, socket_address(to), None, "connect", FAR_S)
        await wait(readiness, trio.current_time() + 0.1)
        lane.close()
