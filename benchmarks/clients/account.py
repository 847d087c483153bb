"""How every client accounts for itself: wall clock and processor time of the load alone, as one line of JSON."""

import contextlib
import json
import time
from collections.abc import Iterator


class Account:
    """How many messages were done, for the line at the end."""

    messages = 0


@contextlib.contextmanager
def account() -> Iterator[Account]:
    """Time what is done inside, then print it with the count that was left in the account."""
    kept = Account()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    yield kept
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    print(json.dumps({"messages": kept.messages, "wall_s": wall_s, "cpu_s": cpu_s}))
