"""One epoll for all the sockets of a trio run, edge-triggered: each is registered once, not once for every wait."""

import math
import select
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

import trio
from outcome import Error, Outcome
from trio.testing import wait_all_tasks_blocked

from loadgen.transport.conversation import Conversation
from loadgen.transport.deadlines import DeadlineWheel
from loadgen.transport.instants import Chore, Instants
from loadgen.transport.lane import Lane
from loadgen.transport.native_lane import native_lanes

LINGER_MAX_S: Final = 0.025  # for native lanes' events, where trio's own epoll may have something to tell meanwhile
LINGER_ALONE_S: Final = 0.1  # where nothing is known to wait for that
KNOWN_WAITS: Final = 2       # for it: trio's own, for a thread's word, and ours, for a socket
LANES_PAUSE_S: Final = 1 / 16     # between two sweeps of theirs
EVENTS_MAX: Final = 64    # handled before other tasks, and timers, have their turn: two milliseconds at most

_OVER: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_READABLE: Final = select.EPOLLIN | select.EPOLLPRI | _OVER
_TWO_READS: Final = select.EPOLLPRI | _OVER
_FOR_READING: Final = select.EPOLLIN | select.EPOLLPRI | select.EPOLLRDHUP | select.EPOLLET
_WRITABLE_OR_OVER: Final = select.EPOLLOUT | _OVER
_FOR_BOTH: Final = _FOR_READING | select.EPOLLOUT

SentT = TypeVar("SentT")
# Handles so many events at most: how many it handled, and those that are left to the caller (descriptor, events).
Poll = Callable[[int], tuple[int, list[tuple[int, int]]]]


class _Woken(Outcome[bool]):
    """What a wait ends with. `outcome.Value` can be unwrapped only once, and would have to be made for each wait."""

    __slots__ = ("_ready",)

    def __init__(self, *, ready: bool) -> None:
        self._ready = ready

    def unwrap(self) -> bool:
        """Return whether the socket is ready."""
        return self._ready

    def send(self, gen: Generator[SentT, bool, object]) -> SentT:
        """Go on with a generator."""
        return gen.send(self._ready)

    async def asend(self, agen: AsyncGenerator[SentT, bool]) -> SentT:
        """Go on with an async generator."""
        return await agen.asend(self._ready)


_READY: Final = _Woken(ready=True)
_LATE: Final = _Woken(ready=False)     # the deadline came first


class EpollWatch:
    """One registered socket.

    Writability is asked for only when a write did not fit, and asking makes the kernel look afresh; so there is no
    edge of it to remember. Of readability there is: data, a 421 nobody asked for, or the peer's end may come
    while the task does something else.
    """

    __slots__ = (
        "_at_hand", "_fd", "_hub", "_over", "_read_deadline", "_reader", "_write_deadline", "_writer", "look_at",
    )

    def __init__(self, hub: "EpollReadiness", fd: int) -> None:
        self._hub = hub
        self._fd = fd                # -1: closed
        self._reader: trio.lowlevel.Task | None = None
        self._writer: trio.lowlevel.Task | None = None
        self._read_deadline = math.inf
        self._write_deadline = math.inf
        self.look_at = math.inf      # the wheel's
        # Invariant: True once the peer has ended or broken the connection. Then a read never blocks any more, and
        # the kernel tells of that end only once: octets and FIN that came together are one edge and two reads.
        self._over = False
        self._at_hand = False        # it is over, or something came that nobody was waiting for

    def readable(self, deadline: float) -> Awaitable[bool]:
        """Wait until the socket can be read; False if `deadline` came first."""
        if self._at_hand:
            return self._take_what_is_at_hand()
        if self._fd < 0:
            raise _closed()
        if self._reader is not None:
            raise trio.BusyResourceError("another task is waiting to read this socket")
        self._reader = trio.lowlevel.current_task()
        self._read_deadline = deadline
        if deadline < self.look_at:
            self._hub.look(self, deadline)
        return trio.lowlevel.wait_task_rescheduled(self._abort_read)   # noqa: ASYNC105  by the caller, at once

    async def _take_what_is_at_hand(self) -> bool:
        await trio.lowlevel.checkpoint()
        if self._fd < 0:
            raise _closed()
        self._at_hand = self._over     # only now: a cancelled checkpoint must not lose it
        return True

    async def writable(self, deadline: float) -> bool:
        """Wait until the socket can be written; False if `deadline` came first."""
        if self._fd < 0:
            raise _closed()
        if self._writer is not None:
            raise trio.BusyResourceError("another task is waiting to write this socket")
        self._hub.ask_writable(self._fd)
        self._writer = trio.lowlevel.current_task()
        self._write_deadline = deadline
        if deadline < self.look_at:
            self._hub.look(self, deadline)
        ready: bool = await trio.lowlevel.wait_task_rescheduled(self._abort_write)
        return ready

    async def converse(self, sock: socket.socket, conversation: Conversation, peer: str) -> None:
        """Lead a conversation to its end. Always a checkpoint."""
        lane = Lane(self._hub, sock, conversation, peer)
        self._hub.put(self._fd, lane)
        try:
            lane.begin(at_hand=self._at_hand)
            await lane.ended()
        finally:
            self._hub.take_back(self._fd, self, lane)
            self._over |= lane.peer_ended
            self._at_hand = True          # whoever goes on must look: what came last may have been left unread

    def close(self) -> None:
        """End the watch; whoever waits gets `trio.ClosedResourceError`. Closing again does nothing."""
        if self._fd < 0:
            return
        self._hub.forget(self, self._fd)
        self._fd = -1
        task, self._reader = self._reader, None
        if task is not None:
            trio.lowlevel.reschedule(task, Error(_closed()))
        task, self._writer = self._writer, None
        if task is not None:
            trio.lowlevel.reschedule(task, Error(_closed()))

    def notice(self, events: int) -> None:
        """Wake whom these events concern, or remember them."""
        if events & _READABLE:
            task = self._reader
            if task is None or events & _TWO_READS:
                # A read stops at the mark of urgent data (TCP's URG) though more lies behind it: read twice.
                self._at_hand = True
                if events & _OVER:
                    self._over = True
            if task is not None:
                self._reader = None
                trio.lowlevel.reschedule(task, _READY)
        task = self._writer
        if task is not None and events & _WRITABLE_OR_OVER:
            self._writer = None
            trio.lowlevel.reschedule(task, _READY)

    def notice_time(self, now: float) -> None:
        """Wake who has waited until the deadline; otherwise be looked at again."""
        later = math.inf
        if self._reader is not None:
            if self._read_deadline <= now:
                task, self._reader = self._reader, None
                trio.lowlevel.reschedule(task, _LATE)
            else:
                later = self._read_deadline
        if self._writer is not None:
            if self._write_deadline <= now:
                task, self._writer = self._writer, None
                trio.lowlevel.reschedule(task, _LATE)
            else:
                later = min(later, self._write_deadline)
        if later < self.look_at:
            self._hub.look(self, later)

    def _abort_read(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _abort_write(self, _: object) -> trio.lowlevel.Abort:
        self._writer = None
        return trio.lowlevel.Abort.SUCCEEDED


class _LanesSweep:
    """In the wheel for all native lanes together: they look at their deadlines themselves."""

    __slots__ = ("_hub", "look_at")

    def __init__(self, hub: "EpollReadiness") -> None:
        self._hub = hub
        self.look_at = math.inf      # the wheel's

    def notice_time(self, now: float) -> None:
        """End those whose time is over."""
        lanes = self._hub.lanes
        assert lanes is not None, "it was one of them that asked"
        self._hub.look(self, max(lanes.sweep(now), now + LANES_PAUSE_S))


class EpollReadiness:
    """The watches of one trio run; made and served by `serve_epoll`.

    A deadline is met up to a tick (15.6 ms, on a native lane LANES_PAUSE_S more) late and never early: thousands of
    waits share one timer instead of having a cancel scope each.
    """

    def __init__(self, *, punctual: bool = False) -> None:
        """`punctual`: chores are done as exactly as the system can, while it is lingered; else within a millisecond."""
        self._punctual = punctual
        self._epoll = select.epoll()
        self._idle = trio.lowlevel.ParkingLot()       # where is waited for a connection of a lane's, or a chore
        self._lingers_until = -math.inf    # the instant for which it was asked
        self._watches: dict[int, EpollWatch | Lane] = {}     # by descriptor, for as long as it is registered
        self._wheel: DeadlineWheel[EpollWatch | Lane | _LanesSweep] = DeadlineWheel()
        self._alarm = trio.CancelScope()
        self._now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self.instants = Instants()
        self._chores = 0                   # that are done at instants
        self.lanes = native_lanes(self._epoll.fileno(), partial(self.look, _LanesSweep(self)))

    def __len__(self) -> int:
        return len(self._watches)

    def watch(self, sock: socket.socket) -> EpollWatch:
        """Register a socket and return its watch."""
        fd = sock.fileno()
        assert fd not in self._watches, "the watch of a socket ends before the socket is closed"
        self._epoll.register(fd, _FOR_READING)
        watch = self._watches[fd] = EpollWatch(self, fd)
        return watch

    def ask_writable(self, fd: int) -> None:
        """Have the kernel say when a socket can be written, at once if it already can."""
        self._epoll.modify(fd, _FOR_BOTH)

    def forget(self, watch: EpollWatch, fd: int) -> None:
        """Take a socket out. It is not left to close(2): a duplicate of the descriptor (a fork's) would keep it in."""
        del self._watches[fd]
        self._wheel.discard(watch)
        if not self._epoll.closed:
            self._epoll.unregister(fd)

    def put(self, fd: int, lane: Lane) -> None:
        """Put a lane in the place of a watch."""
        self._watches[fd] = lane

    def take_back(self, fd: int, watch: EpollWatch, lane: Lane) -> None:
        """Put the watch in the place of its lane again."""
        self._wheel.discard(lane)
        if fd in self._watches:
            self._watches[fd] = watch

    def look(self, item: EpollWatch | Lane | _LanesSweep, deadline: float) -> None:
        """Look at a watch, or a lane, at its deadline."""
        if self._wheel.add(item, deadline, self._now()):
            self._alarm.deadline = self._wheel.next_s
            self._lingers_until = min(self._lingers_until, self._wheel.next_s)

    async def poll(self) -> None:
        """Wake tasks as their sockets become ready, for ever."""
        poll = self._poll if self.lanes is None else partial(self.lanes.poll, linger_until=lambda _: -math.inf)
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            self._handle(poll)
            if self.lanes is not None and self.lanes.connected:
                self._idle.unpark_all()

    async def linger(self) -> None:
        """Wait for lanes' events without a turn of trio's for them, for ever: whenever no task has to have a turn.

        After a mere checkpoint tasks that were woken may have their turns yet: trio turns their order around at random.
        """
        while self.lanes is not None:
            await self._idle.park()
            while self.lanes.connected or self._chores:
                await wait_all_tasks_blocked()
                self.instants.by_hand = True
                self._handle(partial(
                    self.lanes.poll, linger_until=self.linger_until, idle=self._chores > 0, punctual=self._punctual
                ))  # fmt: skip
                self.instants.by_hand = False

    async def at_instants(self, instant_s: float, chore: Chore) -> None:
        """Have a chore done at instants, by whoever has a turn when one comes. Runs until cancelled."""
        self._chores += 1
        self._idle.unpark_all()
        try:
            await self.instants.at_instants(instant_s, chore)
        finally:
            self._chores -= 1

    def _handle(self, poll: Poll) -> None:
        """Wake tasks, EVENTS_MAX events at most, the longest ready first.

        What a native lane handles alone counts for a quarter. While there is nothing but that to do it waits for more.
        """
        left: float = EVENTS_MAX
        happened: list[tuple[int, int]] | None = None
        # What came while these were handled is handled too: to ask once more costs a tenth of trio's turn.
        # Between poll and the last event there is no checkpoint: no descriptor can be closed and used again.
        while left > 0 and (happened or happened is None):
            count, happened = poll(math.ceil(left))
            left -= (count + 3 * len(happened)) / 4
            for ready, events in happened:
                watch = self._watches.get(ready)
                if watch is not None:
                    watch.notice(events)
        self.instants.wake()           # here, where it costs no timer of trio's

    def linger_until(self, lingered_s: float) -> float:
        """Return the instant until which nothing but sockets needs a turn of trio's: no timer, and no task.

        To be asked again when it has come, with how long was lingered: it may be a chore's, done now. No task but those
        that lanes and chores wake can have come to be meanwhile, so trio is asked only the first time.
        """
        if self.instants.wake():
            return -math.inf
        if not lingered_s:
            others = trio.lowlevel.current_statistics()
            longest_s = LINGER_MAX_S if _others_wait(others) else LINGER_ALONE_S
            longest_s = -math.inf if others.tasks_runnable else min(longest_s, others.seconds_to_next_deadline)
            self._lingers_until = self._now() + longest_s
        return min(self._lingers_until, self.instants.next_s)

    def _poll(self, most: int) -> tuple[int, list[tuple[int, int]]]:
        happened = self._epoll.poll(0, most)
        return len(happened), happened

    async def sweep(self) -> None:
        """Wake tasks as their deadlines pass, for ever."""
        while True:
            with trio.CancelScope(deadline=self._wheel.next_s) as self._alarm:
                await trio.sleep_forever()
            for number, watch in enumerate(self._wheel.due(trio.current_time()), 1):
                watch.notice_time(trio.current_time())
                if number % EVENTS_MAX == 0:
                    await trio.lowlevel.checkpoint()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Close the epoll at the end, and wake who still waits: nobody would tell them any more."""
        try:
            yield
        finally:
            if self.lanes is not None:
                self.lanes.close(_closed())
            self._epoll.close()
            for watch in list(self._watches.values()):
                watch.close()
            self._wheel = DeadlineWheel()      # it may hold the lanes' sweep, which holds us


async def serve_epoll(
    *, lingers: bool = True, punctual: bool = False,
    task_status: trio.TaskStatus[EpollReadiness] = trio.TASK_STATUS_IGNORED,
) -> None:  # fmt: skip
    """Serve one `EpollReadiness`, handed out through `nursery.start`, until cancelled.

    One that `lingers` waits for more events while no other task has to have a turn. What trio's epoll has to tell, a
    process's end or a thread's word, may so be late by LINGER_MAX_S, and what nobody was known to wait for, or a timer
    set since its last turn, by LINGER_ALONE_S. While it lingers a `punctual` one does chores as exactly as the system
    can, others within a millisecond.
    """
    readiness = EpollReadiness(punctual=punctual)
    with readiness.opened():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(readiness.poll)
            if lingers:
                nursery.start_soon(readiness.linger)
            nursery.start_soon(readiness.sweep)
            nursery.start_soon(readiness.instants.serve)
            task_status.started(readiness)


def _others_wait(statistics: trio.lowlevel.RunStatistics) -> bool:
    """Say whether a task waits for trio's epoll: for a descriptor of its own, or for a thread."""
    waits = statistics.io_statistics
    if trio.to_thread.current_default_thread_limiter().borrowed_tokens or waits.backend != "epoll":
        return True
    return waits.tasks_waiting_read + waits.tasks_waiting_write > KNOWN_WAITS


def _closed() -> trio.ClosedResourceError:
    return trio.ClosedResourceError("this transport was already closed")
