"""Native lanes wait for more events without trio's turn, but never while anything else has to have one."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from loadgen.session.trace import Trace
from loadgen.transport.addresses import numeric_address
from loadgen.transport.conversation import Conversation, Counted, Round, Stage
from loadgen.transport.epoll import LINGER_MAX_S, EpollReadiness, serve_epoll
from loadgen.transport.native import Lanes, NativeLane
from loadgen.transport.native_connection import socket_address

EXCHANGES = 50
FAR_S = 60.0


class Anything:
    """Whatever is answered is as hoped."""

    def get(self, octets: bytes, /) -> Counted | None:
        return None

    def goes_on(self, octets: bytes) -> bool:
        return False

    def judge(self, octets: bytes) -> Counted | None:
        return "phase", "250", None


class Talk(Conversation):
    """So many questions, each a round."""

    def __init__(self, questions: int) -> None:
        super().__init__(Trace())
        self._questions = questions

    def rounds(self) -> Iterator[Round]:
        for _ in range(self._questions):
            yield ((Stage("phase", FAR_S, Anything()), b"?"),)
        self.done = True


@contextmanager
def talking(questions: int) -> Iterator[tuple[Lanes, NativeLane, socket.socket]]:
    """Yield the native lanes of an epoll, one of them that has asked its first question, and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener, select.epoll() as epoll:
        to = numeric_address(*listener.getsockname())
        assert to is not None
        lanes = Lanes(epoll.fileno(), 0.0)
        lane = lanes.lane(Talk(questions))
        lane.begin(to.family, socket_address(to), None, "connect", FAR_S)
        peer, _ = listener.accept()
        with peer:
            yield lanes, lane, peer
            lane.close()


def exchange(lanes: Lanes, peer: socket.socket, asked: list[float], *, linger_s: float = -1) -> int:
    """Answer one question; return how many events that were handled before the lanes gave way."""
    assert peer.recv(1) == b"?"

    def linger_until() -> float:
        asked.append(time.monotonic())
        return asked[-1] + linger_s

    handled, _ = lanes.poll(64, linger_until)      # nothing has happened: the next poll follows soon
    assert not handled
    peer.send(b"!")
    while not handled:
        handled, others = lanes.poll(64, linger_until)
        assert not others
    return handled


def test_where_events_follow_each_other_soon_more_are_waited_for() -> None:
    asked: list[float] = []
    with talking(EXCHANGES) as (lanes, _, peer):
        for _ in range(EXCHANGES - 1):
            exchange(lanes, peer, asked)
    assert asked         # not each time: this process may have had to wait


def test_a_task_that_is_woken_gives_the_turn_back_at_once() -> None:
    for _ in range(EXCHANGES):
        asked: list[float] = []
        with talking(1) as (lanes, _, peer):
            exchange(lanes, peer, asked, linger_s=FAR_S)
        assert not asked


def test_the_instant_is_the_end_of_it() -> None:
    asked: list[float] = []
    with talking(EXCHANGES) as (lanes, _, peer):
        for _ in range(EXCHANGES - 1):
            assert exchange(lanes, peer, asked, linger_s=0.003) == 1


async def test_only_what_nothing_else_needs_is_lingered(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    await wait_all_tasks_blocked()
    now = trio.current_time()
    assert readiness.linger_until() == now + LINGER_MAX_S
    nursery.start_soon(trio.sleep, LINGER_MAX_S / 3)
    assert readiness.linger_until() < now            # that task is yet to run
    await wait_all_tasks_blocked()
    assert readiness.linger_until() == now + LINGER_MAX_S / 3
    await trio.sleep(LINGER_MAX_S / 3)
    now = trio.current_time()
    assert readiness.linger_until() < now            # it may be that task's turn: they woke together
    assert readiness.linger_until() == now + LINGER_MAX_S


async def test_talk_without_end_keeps_no_timer_waiting(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.transport.epoll.LINGER_MAX_S", FAR_S)
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
        await trio.sleep(0.1)
        lane.close()
