"""When mail arrived: how long after its acceptance, what had not been seen yet second by second, and the end."""

from array import array
from collections import Counter
from itertools import accumulate
from typing import Final

from loadgen.clock import NS_PER_S
from loadgen.ledger.delivery import Delivery
from reports.histogram import Histogram
from reports.ledger_result import EndToEnd

FOLD_AT: Final = 65_536
INT64: Final = "q"


class _Times:
    """A distribution that is folded now and then, so that it takes no more memory than its histogram."""

    def __init__(self) -> None:
        self._gathered = array(INT64)
        self._histogram: Histogram | None = None       # made when it is needed

    def add(self, ns: int) -> None:
        self._gathered.append(ns)
        if len(self._gathered) >= FOLD_AT:
            self._fold()

    def histogram(self) -> Histogram:
        return self._fold()

    def _fold(self) -> Histogram:
        if self._histogram is None:
            self._histogram = Histogram()
        self._histogram.record_many(self._gathered)
        del self._gathered[:]
        return self._histogram


class Timing:
    """The times of the deliveries that the server accepted."""

    def __init__(self) -> None:
        self._latency, self._least, self._poll = _Times(), _Times(), _Times()
        self._timed = 0
        self._untimed = 0
        self._owed: Counter[int] = Counter()           # second -> accepted in it, less those seen in it
        self._last_accepted_ns = 0
        self._last_seen_ns = 0
        self._unseen = 0

    def add(self, delivery: Delivery) -> None:
        """Enter one delivery. What the server never said yes to has no beginning, and is left out."""
        taken = delivery.accepted
        if taken is None or taken.reply_ns is None:
            return
        reply_ns = taken.reply_ns
        self._owed[reply_ns // NS_PER_S] += 1
        self._last_accepted_ns = max(self._last_accepted_ns, reply_ns)
        if not delivery.copies:
            self._unseen += 1
            return
        first = min(delivery.copies, key=lambda copy: copy.seen_ns)
        seen_ns = max(first.seen_ns, reply_ns)         # the receiver may have it before the sender is told
        self._owed[seen_ns // NS_PER_S] -= 1
        self._last_seen_ns = max(self._last_seen_ns, seen_ns)
        if first.look_ns is None:
            least_ns = seen_ns
        elif first.previous_ns is None:
            self._untimed += 1
            return
        else:
            least_ns = max(first.previous_ns, reply_ns)
        self._timed += 1
        self._latency.add(seen_ns - reply_ns)
        self._least.add(least_ns - reply_ns)
        self._poll.add(seen_ns - least_ns)

    def end_to_end(self) -> EndToEnd | None:
        """Return the times; None if nothing was found."""
        if not self._timed:
            return EndToEnd(untimed=self._untimed) if self._untimed else None
        latency, least = self._latency.histogram(), self._least.histogram()
        return EndToEnd(
            count=self._timed,
            untimed=self._untimed,
            latency_ns=latency.quantiles(),
            least_ns=least.quantiles(),
            poll_ns=self._poll.histogram().quantiles(),
            latency_hdr=latency.encode(),
            least_hdr=least.encode(),
        )

    def backlog(self) -> tuple[int, ...]:
        """Return what was accepted and not seen yet at the end of each second, from the run's start."""
        last = max(self._owed, default=-1)
        return tuple(accumulate(self._owed[second] for second in range(last + 1)))

    def drain_s(self) -> float | None:
        """Return how long the last delivery was behind the last acceptance; None if some never came, or none was."""
        if self._unseen or not self._owed:
            return None
        return max(0, self._last_seen_ns - self._last_accepted_ns) / NS_PER_S
