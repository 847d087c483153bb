"""The one clock of a run: trio's, so that a MockClock drives measured code too."""

import trio

NS_PER_S = 1_000_000_000


def clock_ns() -> int:
    """Return the run's clock in nanoseconds. Only differences mean anything."""
    return int(trio.current_time() * NS_PER_S)
