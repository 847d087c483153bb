"""Metrics of a capacity search: what the target can take is known to lie between what held and what did not."""

import math
from collections.abc import Iterator
from typing import Final

from reports.capacity_result import Level
from reports.document import Document
from reports.measure import Metric, Read, Unit

# name -> what was searched for, the unit, what it is
_LEVELS: Final[dict[str, tuple[Level, Unit, str]]] = {
    "capacity.per_s": ("rate", "per_s", "sessions a second that are sustained"),
    "capacity.users": ("users", "count", "virtual users that are sustained"),
    "capacity.sessions": ("sessions", "count", "sessions that can be held at once"),
}


def capacity_metrics() -> Iterator[Metric]:
    """Yield every metric of a search."""
    for name, (level, unit, what) in _LEVELS.items():
        absent = f"no search for {what.partition(' that ')[0]} came to an end"
        yield Metric(
            name, unit, _reader(level, least=False), absent, section="capacity", least=_reader(level, least=True),
            under_way=False, what=what,
        )   # fmt: skip


def _reader(level: Level, *, least: bool) -> Read:
    """Read a bound: what was confirmed in a long stage, or the lowest level that was not sustained."""
    def read(document: Document, _: float | None) -> float | None:
        found = document.capacity
        if found is None or found.of != level:
            return None
        held = found.good if found.confirmed and found.good is not None else 0.0
        if not held and found.bad is None:
            return None
        return held if least else math.inf if found.bad is None else found.bad

    return read
