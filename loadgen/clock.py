"""The one clock of a run: trio's, so that a MockClock drives measured code too."""

from collections.abc import Callable

import trio

NS_PER_S = 1_000_000_000


def clock_ns() -> int:
    """Return the run's clock in nanoseconds. Only differences mean anything."""
    return int(trio.current_time() * NS_PER_S)


def clock_of_this_run() -> Callable[[], float]:
    """Return what tells the run's clock in seconds: for who asks it often, and would have to find it each time."""
    return trio.lowlevel.current_clock().current_time
