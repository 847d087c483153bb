"""Long work in short steps: a generator that yields now and then, and returns what it came to.

Ten million rows take minutes; while they are entered and joined, Ctrl-C must still be heard and the display go on.
"""

from collections.abc import Generator
from typing import Final, TypeVar

import trio

T = TypeVar("T")
AT_ONCE: Final = 256           # sessions, lines or files between two steps: some milliseconds


async def slowly(work: Generator[None, None, T]) -> T:
    """Do the work with a checkpoint after each step, and return what it came to."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: T = end.value
            return value
        await trio.lowlevel.checkpoint()


def finished(work: Generator[None, None, T]) -> T:
    """Do all of the work at once, and return what it came to."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: T = end.value
            return value
