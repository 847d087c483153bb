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
    """Keep the garbage collector from its rounds for a while. Takes a moment at first.

    It would look at everything that the open sessions hold: 1.1 s for 10,000 of them, in which nothing else is done.
    Rounds over young objects are no shorter: where each exchange frees as much as it makes, they come so seldom that
    all that was made anew in every session is young (0.1 s for 5,000). Nothing is lost by it: no session leaves a
    circle of references behind, however it ends, so counting them frees all (the tests hold it to that). For what
    does, there is `circles_freed`.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def circles_freed() -> Iterator[None]:
    """Free the circles of references that are made inside, while the heap is at rest.

    What was there before is set aside, which costs nothing, and so not looked at: a whole round is as short as one
    over young objects. Only a whole one also gives back the tuples that the interpreter keeps to use again, up to two
    thousand of each length, which else would go on coming together for many minutes of a run.
    """
    if gc.isenabled():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
