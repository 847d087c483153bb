"""The limit of a session's length: the same for all, so one timer and few cancel scopes serve them all."""

from collections import OrderedDict
from types import TracebackType

import trio

from loadgen.clock import clock_of_this_run


class SessionLimit:
    """Cuts sessions that outlive the limit, those that a task runs; sessions in series are cut by their lane.

    They reach it in the order in which they began, so only the oldest is waited for. A scope and a deadline for each
    session cost 5 µs, as much as planning and composing it; those that a task keeps for all of its sessions cost 1 µs.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._now = clock_of_this_run()
        self._due_s: OrderedDict[Seat, float] = OrderedDict()     # of the sessions under way, the oldest first

    def seat(self) -> "Taken":
        """Give the current task a seat to run its sessions in."""
        return Taken(Seat(self))

    async def watch(self) -> None:
        """Cut what is due, for ever. Run it beside the sessions."""
        while True:
            # Whatever begins while we sleep is due after that.
            due_s = next(iter(self._due_s.values()), self._now() + self.limit_s)
            await trio.sleep_until(due_s)
            now_s = trio.current_time()
            while self._due_s and next(iter(self._due_s.values())) <= now_s:
                seat, _ = self._due_s.popitem(last=False)
                seat.cut()

    def began(self, seat: "Seat") -> None:
        """Count a session's time from now."""
        self._due_s[seat] = self._now() + self.limit_s

    def ended(self, seat: "Seat") -> None:
        """Count it no longer; one that was cut is not counted any more."""
        self._due_s.pop(seat, None)


class Seat:
    """Where one task runs its sessions, one after another, each in a `with` of its own.

    Invariant: between two sessions the scope, if there is one, has not been cancelled.
    """

    __slots__ = ("_limit", "_scope", "was_cut")

    def __init__(self, limit: SessionLimit) -> None:
        self._limit = limit
        self._scope: trio.CancelScope | None = None      # open from one session to the next, until one is cut
        self.was_cut = False                             # the last session outlived the limit

    def __enter__(self) -> None:
        if self._scope is None:
            self._scope = trio.CancelScope()
            self._scope.__enter__()
        self.was_cut = False
        self._limit.began(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._limit.ended(self)
        scope = self._scope
        assert scope is not None, "entered"
        if error is None and not scope.cancel_called:
            return False
        self._scope = None
        absorbed = scope.__exit__(kind, error, traceback)
        self.was_cut = scope.cancelled_caught
        return bool(absorbed)

    def cut(self) -> None:
        """Cancel the session under way."""
        assert self._scope is not None, "a session is under way"
        self._scope.cancel()

    def leave(self) -> None:
        """Close the scope: the task runs no more sessions here."""
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.__exit__(None, None, None)


class Taken:
    """A seat taken by a task, and left at the end. As a generator it would cost a virtual user 3 µs."""

    __slots__ = ("_seat",)

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def __enter__(self) -> Seat:
        return self._seat

    def __exit__(self, *_: object) -> None:
        self._seat.leave()
