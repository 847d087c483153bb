"""Time a piece of work by processor time, which other work on the machine disturbs least."""

import time
from collections.abc import Callable

ROUNDS = 5


def best_ns_each(work: Callable[[], object], count: int) -> float:
    """Return the processor time (ns) for each of the `count` things one call does; the best of a few calls."""
    found = []
    for _ in range(ROUNDS):
        began_ns = time.process_time_ns()
        work()
        found.append((time.process_time_ns() - began_ns) / count)
    return min(found)
