"""A rate written down at instants, from a CSV file: what a `curve` follows."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, Self

from loadgen.scenario.datafile import Ascending, LineProblems, read_rows
from loadgen.scenario.problems import Problem, UnreadableError
from loadgen.scenario.profile import Piece, straight
from loadgen.scenario.quantities import JsonSchema, Leaf, Rate

POINTS_MAX: Final = 100_000   # every minute of two months
_COLUMNS: Final = ("instant", "rate")


@dataclass(frozen=True, slots=True)
class Point:
    """The rate at one instant."""

    at_ns: int           # after the first point
    per_s: Fraction


@dataclass(frozen=True, slots=True)
class Points:
    """A curve as its file gives it."""

    file: str
    points: tuple[Point, ...]   # Invariant: two or more, in time's order, the last after the first

    @property
    def span_ns(self) -> int:
        """Return how long the curve is."""
        return self.points[-1].at_ns

    def pieces(self, *, scale: Fraction, stretch: Fraction) -> tuple[Piece, ...]:
        """Return the curve with each rate times `scale` and each instant times `stretch`, rounded down to the ns.

        Two points at one instant are a jump.
        """
        placed = [(int(point.at_ns * stretch), point.per_s * scale) for point in self.points]
        return straight(*((rate, after, end - at) for (at, rate), (end, after) in pairwise(placed)))


class CurveFile(Leaf[Points]):
    """A CSV file of rates: `instant,rate`, a point a row, the rate linear between them.

    Instants are seconds, times of day (`08:30`) or RFC 3339, all of one kind; they count from the first. Read once,
    when the scenario is, so that a run and all its workers have the same curve.
    """

    __slots__ = ()
    ALLOWED = 'the name of a CSV file of instant,rate such as "day.csv"'

    @property
    def points(self) -> Points:
        """Return what the file holds."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the curve of a file; raise UnreadableError with every line that is wrong."""
        if not isinstance(value, str) or not value:
            raise UnreadableError.value(value, cls.ALLOWED)
        return cls(Points(value, _read(value)))

    def plain(self) -> str:
        """Return the file's name."""
        return self.points.file

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a file's name."""
        return {
            "type": "string",
            "minLength": 1,
            "description": "CSV file of instant,rate: seconds, times of day or RFC 3339, and arrivals per second.",
            "examples": ["day.csv"],
        }


def _read(file: str) -> tuple[Point, ...]:
    problems = LineProblems(file)
    instants = Ascending(problems)
    points: list[Point] = []
    for line, cells in read_rows(file, _COLUMNS, required=2):
        at_ns = instants.read(line, cells["instant"])
        try:
            rate = Rate.parse(_number(cells["rate"]))
        except UnreadableError as error:
            problems.add(line, "; ".join(str(problem) for problem in error.problems))
            continue
        if at_ns is not None:
            points.append(Point(at_ns, rate.per_s))
        if len(points) > POINTS_MAX:
            problems.add(line, f"more than {POINTS_MAX} points are no curve to follow")
            break
    problems.raise_any()
    if len(points) < 2 or points[-1].at_ns == 0:
        what = f"{file} has no two points at different instants, and a curve goes from one to the next"
        raise UnreadableError([Problem("", what=what)])
    return tuple(points)


def _number(cell: str) -> object:
    """Return a cell as TOML would give it: a number if it looks like one, else text such as "90/min"."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
