"""The garbage collector: kept from what need not be looked at, and watched."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


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
    """Take what there is already, modules above all, out of the garbage collector's rounds for a while.

    What a run allocates makes the collector look at everything that lives: measured 140 ms a time with the reports
    imported, and a third of the engine's processor time. Without the modules it is 5 ms. Takes a moment at first.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
