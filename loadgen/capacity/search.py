"""Which level to measure next: double, bisect, confirm. No clock, no process, no target.

A level is a rate, a number of users or of sessions. Somewhere a target stops sustaining it; a stage tells on which
side of that a level is. The answer is closed in on with stages of moderate length, and then has to hold in a long one:
near the limit a backlog grows too slowly for a short stage to tell. If it does not hold, that level is a bad one, and
all further stages are long. The first bad level gets a long stage too, if all it broke was a gate: percentiles and
shares of a short stage wander, and one unlucky stage must not hold the answer down.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from reports.capacity_result import CapacityStage, Finding, Purpose

LEAST: Final = 2.0**-10       # of the first level: what cannot take that has no capacity worth the name
ALIKE: Final = 3              # levels below which no load is looked for where a smaller one helped nobody
HELPED: Final = 1.5           # times the share of sessions that ended well: a real limit gives four times, at a quarter
AGAIN: Final = 2              # times as long, up to a long stage, where one had no steady state

Side = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How a search goes."""

    start: float                          # the first level
    stage_s: float
    confirm_s: float
    resolution: float = 0.05              # how close the last good and the first bad level come
    stages_max: int = 20
    top: float = math.inf                 # no level above it
    whole: bool = False                   # levels are whole numbers
    tries: int = 2                        # of a stage that cannot be believed; then the generator was the limit

    def level(self, wished: float) -> float:
        """Return a level as it can be measured and read: whole, or of four digits."""
        rounded = float(f"{wished:.4g}")
        return min(self.top, max(1.0, float(round(wished)))) if self.whole else min(self.top, rounded)

    def close(self, good: float, bad: float) -> bool:
        """Say whether no level worth measuring is left between two."""
        return bad - good <= self.resolution * good or (self.whole and bad - good <= 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One stage to be measured."""

    number: int
    purpose: Purpose
    level: float
    seconds: float


@dataclass
class Search:
    """The search so far. Ask `next_stage`, measure it, and say what came of it."""

    bounds: Bounds
    stages: list[CapacityStage] = field(default_factory=list)
    ended: Finding | None = None          # None: it goes on
    _sides: dict[float, Side] = field(default_factory=dict)       # what a level was found to be, last
    _long: bool = False                   # a long stage has said otherwise of a level than a short one
    _confirmed: float | None = None
    _doubtful: CapacityStage | None = None      # the last stage said nothing, and is to be made again
    _void: int = 0                        # stages in a row that could not be believed

    @property
    def good(self) -> float | None:
        """Return the highest sustained level below any that was not."""
        sustained = [level for level, side in self._sides.items() if side == "good"]
        bad = self.bad
        return max((level for level in sustained if bad is None or level < bad), default=None)

    @property
    def bad(self) -> float | None:
        """Return the lowest level that was not sustained."""
        return min((level for level, side in self._sides.items() if side == "bad"), default=None)

    @property
    def confirmed(self) -> bool:
        """Say whether the best level held in a long stage."""
        return self._confirmed is not None and self._confirmed == self.good

    def __iter__(self) -> Iterator[Asked]:
        """Yield stage after stage; each is told of before the next is asked for."""
        while (asked := self.next_stage()) is not None:
            yield asked

    def next_stage(self) -> Asked | None:
        """Return the next stage; None: the search has ended, and `ended` says how."""
        if self.ended is None and len(self.stages) >= self.bounds.stages_max:
            self.ended = self._closed_in() or ("unconfirmed" if self.good is not None else "below")
        if self.ended is not None:
            return None
        purpose, level, seconds = self._wanted()
        return Asked(len(self.stages) + 1, purpose, level, seconds)

    def tell(self, stage: CapacityStage) -> None:
        """Take what came of the stage that was asked for."""
        self.stages.append(stage)
        before, self._doubtful = self._doubtful, None
        self._void = self._void + 1 if stage.outcome == "void" else 0
        match stage.outcome:
            case "void" if self._void >= self.bounds.tries:
                self.ended = "generator"
            case "void":
                self._doubtful = stage
            case "inconclusive" if before is None or before.outcome == "void":
                self._doubtful = stage
            case "sustained":
                self._sustained(stage)
            case _:
                self._not_sustained(stage)
        if self.ended is None and self._doubtful is None:
            self.ended = self._answer()

    def interrupt(self) -> None:
        """End it before its time."""
        self.ended = "interrupted"

    def _sustained(self, stage: CapacityStage) -> None:
        self._long |= self._sides.get(stage.level) == "bad"
        self._sides[stage.level] = "good"
        if stage.seconds >= self.bounds.confirm_s:
            self._confirmed = max(stage.level, self._confirmed or 0.0)

    def _not_sustained(self, stage: CapacityStage) -> None:
        self._long |= self._sides.get(stage.level) == "good"
        self._sides[stage.level] = "bad"

    def _answer(self) -> Finding | None:
        """Say how the search has ended; None: it has not."""
        good, bad = self.good, self.bad
        if good is None:
            if self._fails_alike():
                return "not load"
            none_left = bad is not None and bad <= self.bounds.level(self.bounds.start * LEAST)
            return "below" if none_left else None
        return None if self._by_chance() else self._closed_in()

    def _closed_in(self) -> Finding | None:
        """Say what the levels come to, the first bad one taken at its word; None: nothing yet."""
        good, bad = self.good, self.bad
        if good is None or not self.confirmed:
            return None
        if bad is None:
            return "at least" if good >= self.bounds.top else None
        return "found" if self.bounds.close(good, bad) else None

    def _by_chance(self) -> bool:
        """Say whether the first bad level is known by a short stage only, in which nothing but gates broke."""
        last = next((each for each in reversed(self.stages) if each.level == self.bad), None)
        if last is None or last.outcome != "broke" or last.seconds >= self.bounds.confirm_s:
            return False
        return all(broke.what in ("gate", "errors") for broke in last.broke)

    def _fails_alike(self) -> bool:
        """Say whether the last levels, each half of the one before, broke by errors, and less did not help."""
        last = [each for each in self.stages if each.outcome == "broke"][-ALIKE:]
        if len(last) < ALIKE or not all(any(broke.what == "errors" for broke in each.broke) for each in last):
            return False
        well = [1 - (each.errors_share or 0.0) - (each.refused_share or 0.0) for each in last]
        return well[-1] <= HELPED * well[0]

    def _wanted(self) -> tuple[Purpose, float, float]:
        bounds, good, bad = self.bounds, self.good, self.bad
        if self._doubtful is not None:
            void = self._doubtful.outcome == "void"
            longer = self._doubtful.seconds if void else min(AGAIN * self._doubtful.seconds, bounds.confirm_s)
            return "again", self._doubtful.level, longer
        seconds = bounds.confirm_s if self._long else bounds.stage_s
        if good is None:
            if bad is None:
                return "double", bounds.level(bounds.start), seconds
            return "halve", bounds.level(bad / 2), seconds
        if bad is None:
            if good < bounds.top:
                return "double", bounds.level(good * 2), seconds
        elif not bounds.close(good, bad):
            return "bisect", bounds.level((good + bad) / 2), seconds
        return "confirm", good if bad is None or not self.confirmed else bad, bounds.confirm_s
