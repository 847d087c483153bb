"""What a soak leaves behind, and its judgement. No process, no clock."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from benchmarks.trend import Slope, slope_of_blocks

WARM_UP_SHARE: Final = 0.25      # of the time: pools, caches and the population's phases settle in it
QUANTITIES: Final = ("rss_kib", "descriptors", "threads")
HEADER: Final = ("second", "process", *QUANTITIES)


class Series(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One quantity of one process, and how it went after the warm-up."""

    process: str
    quantity: str
    greatest: float
    slope: Slope


class SoakRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A soak."""

    taken: str
    revision: str
    load_average: float
    minutes: float
    sessions: int                        # at once
    load: tuple[tuple[str, str], ...]    # what the runs themselves say
    series: tuple[Series, ...]
    failures: tuple[str, ...] = ()

    @property
    def flat(self) -> bool | None:
        """Say whether nothing grows; None if that is undecided, or something failed."""
        verdicts = {each.slope.verdict for each in self.series}
        if "grows" in verdicts:
            return False
        return True if verdicts == {"flat"} and not self.failures else None


class Sample(NamedTuple):
    """One process in one second. Invariant: its fields are HEADER's columns."""

    second: float
    process: str
    rss_kib: int
    descriptors: int
    threads: int


def read_samples(path: Path) -> list[Sample]:
    """Return the samples of a soak's CSV. OSError, ValueError."""
    with path.open(encoding="ascii", newline="") as stream:
        reader = csv.reader(stream)
        if tuple(next(reader, ())) != HEADER:
            raise ValueError(f"{path.name} does not begin with {','.join(HEADER)}")
        return [Sample(float(row[0]), row[1], int(row[2]), int(row[3]), int(row[4])) for row in reader]


def judge(samples: Sequence[Sample], duration_s: float) -> tuple[Series, ...]:
    """Return the series of every process and quantity, the warm-up left out. ValueError: too few samples."""
    found = []
    for process in dict.fromkeys(sample.process for sample in samples):
        kept = [each for each in samples if each.process == process and each.second >= WARM_UP_SHARE * duration_s]
        times_s = [each.second for each in kept]
        for quantity in QUANTITIES:
            values = [float(getattr(each, quantity)) for each in kept]
            if not all(values):
                raise ValueError(f"{process} was not there all the time: there is nothing to judge")
            found.append(
                Series(process=process, quantity=quantity, greatest=max(values), slope=slope_of_blocks(times_s, values))
            )
    return tuple(found)
