"""Many deadlines under few timers: each is looked at late by a tick at most, and never early."""

import heapq
import math
from typing import Final, Generic, Protocol, TypeVar

TICKS_PER_S: Final = 64     # a tick is 15.6 ms; a power of two, so that a deadline in whole seconds is met exactly
HORIZON_S: Final = 30       # nothing stands in the wheel for longer than that
_FAR_TICKS: Final = 2 * TICKS_PER_S


class Item(Protocol):
    """What can be under a deadline."""

    look_at: float     # the instant at which the wheel will hand it out, seconds; `inf`: it will not


ItemT = TypeVar("ItemT", bound=Item)


class DeadlineWheel(Generic[ItemT]):
    """Hand items out at absolute instants (seconds), rounded up to a tick.

    A socket waits seven times in a session, each time until another deadline minutes away, and nearly none of
    them is ever reached. So an item stands in the wheel once, under the earliest instant asked for, and its owner
    only adds it again when a deadline lies before `item.look_at`. Whoever is handed an item looks whether its
    time has really come, and adds it again if not. Far instants share a slot for each whole second, a second
    or two before the deadline, and none is farther than HORIZON_S: so the wheel has 160 slots at most, and a
    session of ordinary length, whose limits are all longer, is added only once.
    """

    def __init__(self) -> None:
        self._slots: dict[int, set[ItemT]] = {}     # by tick
        self._ticks: list[int] = []                 # a heap. Invariant: the keys of _slots, each once
        self.next_s = math.inf                      # the next instant at which something may be due
        # Where what lies beyond the horizon stands, and until when that is so: the same slot for a whole second.
        self._far: set[ItemT] = set()
        self._far_look_at = -math.inf
        self._far_until = -math.inf

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def add(self, item: ItemT, deadline: float, now: float) -> bool:
        """Hand `item` out at `deadline`, or before it if that is far away; an earlier instant it had is kept.

        Say whether `next_s` is another one now.
        """
        if deadline >= item.look_at:
            return False
        self.discard(item)
        far = deadline > now + HORIZON_S
        if far and now < self._far_until:
            self._far.add(item)
            item.look_at = self._far_look_at
            return False
        present = int(now * TICKS_PER_S)
        tick = math.ceil(max(0.0, min(deadline, now + HORIZON_S)) * TICKS_PER_S)
        if tick > present + _FAR_TICKS:
            tick = (tick // TICKS_PER_S - 1) * TICKS_PER_S
        slot = self._slots.get(tick)
        if slot is None:
            slot = self._slots[tick] = set()
            heapq.heappush(self._ticks, tick)
        slot.add(item)
        item.look_at = tick / TICKS_PER_S
        if far:
            self._far, self._far_look_at = slot, item.look_at
            self._far_until = item.look_at + 2 - HORIZON_S - 1 / TICKS_PER_S
        earlier = item.look_at < self.next_s
        self.next_s = min(self.next_s, item.look_at)
        return earlier

    def discard(self, item: ItemT) -> None:
        """Forget an item; one that is not in the wheel is none of its business."""
        if item.look_at != math.inf:
            self._slots[int(item.look_at * TICKS_PER_S)].discard(item)
            item.look_at = math.inf

    def due(self, now: float) -> list[ItemT]:
        """Take out the items whose instant has come, earliest first."""
        found: list[ItemT] = []
        while self._ticks and self._ticks[0] <= now * TICKS_PER_S:
            found += self._slots.pop(heapq.heappop(self._ticks))
        for item in found:
            item.look_at = math.inf
        self.next_s = self._ticks[0] / TICKS_PER_S if self._ticks else math.inf
        return found
