"""The garbage collector: kept from what need not be looked at, and watched."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

_NEVER: Final = 2**31 - 1       # rounds over young objects before one over the old


class CollectorWatch:
    """Time the collector's pauses. Enter it for as long as they are of interest."""

    def __init__(self) -> None:
        self.collections = 0
        self.pause_ns_max = 0
        self.pause_ns_sum = 0
        self._started_ns = 0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._on_collection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        gc.callbacks.remove(self._on_collection)

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        now_ns = time.perf_counter_ns()
        if phase == "start":
            self._started_ns = now_ns
        elif self._started_ns:                  # entered amid a collection: its beginning was not seen
            pause_ns = now_ns - self._started_ns
            self.collections += 1
            self.pause_ns_max = max(self.pause_ns_max, pause_ns)
            self.pause_ns_sum += pause_ns


@contextmanager
def heap_at_rest() -> Iterator[None]:
    """Have the garbage collector look only at what is new, for a while. Takes a moment at first.

    What there is already, modules above all, is taken out of its rounds: measured 140 ms a time with the reports
    imported, and a third of the engine's processor time. Of what a run allocates, what has survived two rounds is not
    looked at again: with 10,000 sessions open in this process a look at all of them took 1.1 s, in which nothing else
    was done. Nothing is lost by it: no session leaves a circle of references behind, however it ends, so counting them
    frees all (the tests hold it to that).
    """
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(thresholds[0], thresholds[1], _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
