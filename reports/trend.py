"""Many load runs over time: what each metric did from run to run, and where its level may have changed."""

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.change_point import SEGMENT_MIN, change_points
from reports.compare_metrics import Measure, gated_measures
from reports.compare_runs import Run, side_of, why_left_out

ALPHA: Final = 0.01       # of any change at all being called in a scenario's series where there is none


@dataclass(frozen=True, slots=True)
class Change:
    """A place where the level of a metric may have changed."""

    position: int           # of the first run after it, among the counted runs
    run: Run
    before: float           # median of the runs since the change before
    after: float            # median of the runs until the next


@dataclass(frozen=True, slots=True)
class Series:
    """One metric over the counted runs; None: that run has no data."""

    measure: Measure
    values: tuple[float | None, ...]
    changes: tuple[Change, ...]

    @property
    def known(self) -> list[float]:
        """Return the values there are."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True, slots=True)
class Trend:
    """The runs of one scenario in the order of their start."""

    scenario: str
    runs: tuple[Run, ...]                       # those that are counted
    left_out: tuple[tuple[Run, str], ...]       # and the others, with the reason
    series: tuple[Series, ...]
    notes: tuple[str, ...]


def trends(runs: Sequence[Run], extra: Sequence[Measure] = ()) -> list[Trend]:
    """Return a trend for each scenario, by name. `extra` are metrics beside the usual."""
    by_scenario: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.document.started, run.result)):
        by_scenario.setdefault(side_of([run]).scenario or "unnamed", []).append(run)
    return [_trend(name, of_it, extra) for name, of_it in sorted(by_scenario.items())]


def _trend(scenario: str, runs: Sequence[Run], extra: Sequence[Measure]) -> Trend:
    left_out = tuple((run, why) for run in runs if (why := why_left_out(run.document)) is not None)
    counted = tuple(run for run in runs if why_left_out(run.document) is None)
    documents = [run.document for run in counted]
    measures = {measure.subject: measure for measure in (*gated_measures(documents), *extra)}.values()
    series = tuple(_series(measure, counted, ALPHA / len(measures)) for measure in measures)
    return Trend(scenario, counted, left_out, series, tuple(_notes(counted)))


def _series(measure: Measure, runs: Sequence[Run], alpha: float) -> Series:
    values = [measure.read(run.document) for run in runs]
    positions = [position for position, value in enumerate(values) if value is not None]
    known = [value for value in values if value is not None]
    cuts = change_points(known, alpha)
    edges = [0, *cuts, len(known)]
    levels = [statistics.median(known[start:end]) for start, end in itertools.pairwise(edges) if end > start]
    changes = tuple(
        Change(positions[cut], runs[positions[cut]], before, after)
        for cut, before, after in zip(cuts, levels, levels[1:], strict=False)
    )
    return Series(measure, tuple(values), changes)


def _notes(runs: Sequence[Run]) -> Iterator[str]:
    if not runs:
        return
    side = side_of(runs)
    apart = {"machines": side.machines, "targets": side.targets, "versions of mailproof": side.versions}
    for what, said in apart.items():
        if len(said) > 1:
            yield f"the runs are of several {what} ({', '.join(said)}): a change may be theirs"
    if len(runs) < 2 * SEGMENT_MIN:
        yield f"{len(runs)} runs: with fewer than {2 * SEGMENT_MIN} no change of level is looked for"
