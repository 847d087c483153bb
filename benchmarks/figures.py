"""What a comparison leaves behind: the figures of every turn, and the arithmetic on them. No process, no clock."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

OURS: Final = "mailproof"

# The metrics of which less is better; of all others more is.
COSTS: Final = ("CPU", "ns", "µs", "ms", "KiB", "MiB")

Metrics = Mapping[str, float]


class Side(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of those compared: how it was run, or why it was not."""

    name: str
    command: str = ""
    not_run: str | None = None


class Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One comparison as it was measured. Kept as JSON, so that several invocations make one table."""

    name: str
    taken: str                                            # date and time, UTC
    revision: str
    load_average: float                                   # of the minute before it began
    quick: bool
    sides: tuple[Side, ...]
    rounds: tuple[dict[str, dict[str, float]], ...]       # side -> metric -> value; a side that failed is left out
    failures: tuple[str, ...] = ()                        # what was left out of a round, and why

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics in the order in which they were first reported."""
        return tuple(dict.fromkeys(metric for turn in self.rounds for side in turn.values() for metric in side))

    def values(self, side: str, metric: str) -> list[float]:
        """Return one side's values of a metric, round by round; rounds without one are left out."""
        return [turn[side][metric] for turn in self.rounds if metric in turn.get(side, {})]

    def spread(self, side: str, metric: str) -> "Spread | None":
        """Return the spread of one side's values; None when there is none."""
        return Spread.of(self.values(side, metric))

    def lead(self, peer: str, metric: str, *, ours: str = OURS) -> "Spread | None":
        """Return how far ahead of a peer we are, as the spread of the ratios round by round; above 1 is ahead.

        More a second is ahead, and so is less of a cost. Only rounds in which both were measured count.
        """
        ratios = []
        for turn in self.rounds:
            mine, theirs = turn.get(ours, {}).get(metric), turn.get(peer, {}).get(metric)
            if mine is not None and theirs is not None and mine > 0 and theirs > 0:
                ratios.append(theirs / mine if is_cost(metric) else mine / theirs)
        return Spread.of(ratios)


class Spread(Struct, frozen=True):
    """The least, the median and the greatest of a few values, and how many there were."""

    least: float
    median: float
    greatest: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """Return the spread; None of no values, for no data is not a zero."""
        found = sorted(values)
        return cls(found[0], statistics.median(found), found[-1], len(found)) if found else None


def is_cost(metric: str) -> bool:
    """Say whether less of this metric is better."""
    return any(word in metric.replace("/", " ").split() for word in COSTS)


def order_of(round_index: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return who goes when in one round: A B, then B A, so that neither always runs on the warmer machine."""
    return names if round_index % 2 == 0 else names[::-1]
