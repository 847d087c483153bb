"""Many events at once, as columns: arrays of 64-bit numbers (ns), and which of them belong together."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadgen.clock import NS_PER_S

Instants = NDArray[np.int64]
Which = NDArray[np.bool_]
FEW: Final = 30                   # arrivals, or sessions, that are recorded sooner one by one
NO_INSTANTS: Final[Instants] = np.array([], dtype=np.int64)


def by_name(names: Sequence[str]) -> Iterator[tuple[str, Which]]:
    """Give every name once, in the order in which they first come, and where it stands."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    column = np.fromiter(map(numbers.__getitem__, names), dtype=np.intp, count=len(names))
    for name, number in numbers.items():
        yield name, column == number


def by_second(instants_ns: Instants) -> Iterator[tuple[int, Which]]:
    """Give every second in which something happened, counted from instant 0, and where it stands."""
    seconds = instants_ns // NS_PER_S
    for second in sorted(set(seconds.tolist())):
        yield second, seconds == second
