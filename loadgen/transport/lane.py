"""Where the poller leads a conversation: it reads, hands over what it read, and sends what follows, in one go."""

import math
import select
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import trio
from outcome import Error, Outcome, Value

from loadgen.transport.channel import RECEIVE_OCTETS
from loadgen.transport.conversation import Conversation, Pieces
from loadgen.transport.failures import io_failure
from loadgen.transport.received import place

_OVER: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_READABLE: Final = select.EPOLLIN | select.EPOLLPRI | _OVER
_READ_ONCE: Final = select.EPOLLIN            # nothing but that something has come
_TWO_READS: Final = select.EPOLLPRI | _OVER      # one edge, and more than one read
_WRITABLE: Final = select.EPOLLOUT | _OVER


class Hub(Protocol):
    """What a lane needs of the poller."""

    def look(self, item: "Lane", deadline: float) -> None:
        """Have `notice_time` called at a deadline."""

    def ask_writable(self, fd: int) -> None:
        """Have the kernel say when a socket can be written."""


class Lane:
    """One socket whose conversation the poller leads, while the task that owns both waits for the end of it.

    Stands in the poller's table in the place of the socket's watch. What it cannot do at once and alone it leaves to
    the task: there is only one way to fail, the ordinary one.
    """

    __slots__ = (
        "_conversation", "_deadline", "_end", "_fd", "_go_on", "_hub", "_keep", "_now", "_peer", "_place",
        "_recv_into", "_send", "_send_pieces", "_steps", "_task", "_unsent", "look_at", "peer_ended",
    )   # fmt: skip

    def __init__(self, hub: Hub, sock: socket.socket, conversation: Conversation, peer: str) -> None:
        self._hub = hub
        self._fd = sock.fileno()
        self._place = place()
        self._recv_into = sock.recv_into
        self._send = sock.send
        self._send_pieces = sock.sendmsg
        self._conversation = conversation
        self._steps = conversation.steps()
        self._go_on = self._steps.send
        self._keep = conversation.heard.append
        self._peer = peer
        self._now: Callable[[], float] = trio.lowlevel.current_clock().current_time
        self._unsent: memoryview | None = None
        self._deadline = math.inf
        self._task: trio.lowlevel.Task | None = None
        self._end: Outcome[None] | None = None      # once it is over
        self.look_at = math.inf                     # the wheel's
        self.peer_ended = False                     # the kernel has told, and will not tell again

    def begin(self, *, at_hand: bool) -> None:
        """Begin the conversation. `at_hand`: something may have come already."""
        octets, self._deadline = next(self._steps)
        self._hub.look(self, self._deadline)
        if octets:
            self._say(octets)
        if at_hand:
            self.notice(select.EPOLLPRI)

    def ended(self) -> Awaitable[None]:
        """Wait for the end of it; to be awaited at once. Always a checkpoint."""
        if self._end is not None:
            return _checkpoint(self._end)
        self._task = trio.lowlevel.current_task()
        return trio.lowlevel.wait_task_rescheduled(self._abort)   # noqa: ASYNC105  by the caller, at once

    def notice(self, events: int) -> None:
        """Go on with the conversation after these events: read what has come, and say what follows from it."""
        if events != _READ_ONCE and not self._mind(events):
            return
        place = self._place
        while True:
            try:
                octets = place[: self._recv_into(place)].tobytes()
            except OSError as error:
                self._cannot_read(error)
                return
            heard = (octets, self._now())
            self._keep(heard)
            if not octets or self._unsent is not None:       # the end, or words before we were done
                self._finish()
                return
            try:
                said, self._deadline = self._go_on(heard)
            except Exception as error:
                self._finish(None if isinstance(error, StopIteration) else Error(error))
                return
            if self._deadline < self.look_at:
                self._hub.look(self, self._deadline)
            if said:
                self._say(said)
            # A read that filled its limit may have left octets behind, and no edge tells of those.
            if self._end is not None or not (events & _TWO_READS or len(octets) == RECEIVE_OCTETS):
                return

    def notice_time(self, now: float) -> None:
        """End the conversation if an answer is late."""
        if self._deadline <= now:
            self._finish()
        else:
            self._hub.look(self, self._deadline)

    def close(self) -> None:
        """End it, because the poller does."""
        self._finish(Error(trio.ClosedResourceError("this transport was already closed")))

    def _mind(self, events: int) -> bool:
        """Heed what else the events tell than that something has come; say whether there is to be read."""
        if events & _OVER:
            self.peer_ended = True
        if self._unsent is not None and events & _WRITABLE:
            unsent, self._unsent = self._unsent, None
            self._say(unsent)
        return bool(events & _READABLE) and self._end is None

    def _say(self, octets: bytes | memoryview | Pieces) -> None:
        """Send octets: now what fits, and the rest when it does."""
        try:
            sent = self._send_pieces(octets) if isinstance(octets, tuple) else self._send(octets)
        except BlockingIOError:
            sent = 0
        except OSError:           # it is gone, and may have said why
            self._finish()
            return
        self._conversation.octets_sent += sent
        if sent < (sum(map(len, octets)) if isinstance(octets, tuple) else len(octets)):
            self._unsent = memoryview(b"".join(octets) if isinstance(octets, tuple) else octets)[sent:]
            self._hub.ask_writable(self._fd)

    def _cannot_read(self, error: OSError) -> None:
        if not isinstance(error, BlockingIOError):
            self._conversation.failure = io_failure(error, self._peer)
            self._finish()

    def _finish(self, end: Outcome[None] | None = None) -> None:
        if self._end is None:
            self._end = end = end or Value(None)
            task, self._task = self._task, None
            if task is not None:
                trio.lowlevel.reschedule(task, end)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        self._end = Value(None)
        return trio.lowlevel.Abort.SUCCEEDED


async def _checkpoint(end: Outcome[None]) -> None:
    await trio.lowlevel.checkpoint()
    end.unwrap()
