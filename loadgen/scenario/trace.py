"""Arrivals as they once were: the instants, sizes and recipient counts a `replay` follows."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Self

from loadgen.scenario.datafile import Ascending, LineProblems, read_lines, read_rows
from loadgen.scenario.postfix_log import STAMP, read_log
from loadgen.scenario.problems import Problem, UnreadableError, show
from loadgen.scenario.quantities import JsonSchema, Leaf, Size

ENTRIES_MAX: Final = 10_000_000
RECIPIENTS_MAX: Final = 1_000_000
UNTOLD: Final = 0
_COLUMNS: Final = ("instant", "size", "recipients")


@dataclass(frozen=True, slots=True)
class Told:
    """What a trace tells of one arrival's message; None where it tells nothing."""

    size_octets: int | None
    recipients: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The arrivals of one file."""

    file: str
    instants_ns: Sequence[int] = field(hash=False, repr=False)   # Invariant: ascending, the first is 0
    sizes: Sequence[int] = field(hash=False, repr=False)         # as many; octets, or UNTOLD
    recipients: Sequence[int] = field(hash=False, repr=False)    # as many; or UNTOLD

    @property
    def tells_messages(self) -> bool:
        """Say whether some arrival comes with a size or a number of recipients."""
        return self.recipients_max > UNTOLD or max(self.sizes) > UNTOLD

    @property
    def recipients_max(self) -> int:
        """Return the most recipients of any message; 0 if none are told."""
        return max(self.recipients)

    def told(self, i: int) -> Told | None:
        """Return what is told of arrival `i`'s message; None if nothing is."""
        size, recipients = self.sizes[i], self.recipients[i]
        return Told(size or None, recipients or None) if size or recipients else None

    def count_before(self, at_ns: int, speed: Fraction) -> int:
        """Return how many arrivals come before an instant of the replay."""
        return bisect_left(self.instants_ns, -(-at_ns * speed.numerator // speed.denominator))


class TraceFile(Leaf[Trace]):
    """A CSV file of arrivals, or the log of a Postfix.

    CSV: `instant,size,recipients`, an arrival a row; the last two may be left out. Instants are seconds, times of
    day or RFC 3339, all of one kind, ascending; they count from the first. A log is read as `postfix_log` says.
    """

    __slots__ = ()
    ALLOWED = 'the name of a CSV file of instant,size,recipients or of a Postfix log such as "mail.log"'

    @property
    def trace(self) -> Trace:
        """Return what the file holds."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the trace in a file; raise UnreadableError with every line that is wrong."""
        if not isinstance(value, str) or not value:
            raise UnreadableError.value(value, cls.ALLOWED)
        first = next((line for line in read_lines(value, errors="replace") if _tells(line)), "")
        columns = read_log(value, entries_max=ENTRIES_MAX) if STAMP.match(first) else _read_rows(value)
        if not columns[0]:
            raise UnreadableError([Problem("", what=f"{value} holds no arrival")])
        return cls(Trace(value, *columns))

    def plain(self) -> str:
        """Return the file's name."""
        return self.trace.file

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a file's name."""
        return {
            "type": "string",
            "minLength": 1,
            "description": "CSV file of instant,size,recipients (the last two may be left out), or a Postfix log.",
            "examples": ["trace.csv", "mail.log"],
        }


def _tells(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _read_rows(file: str) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    problems = LineProblems(file)
    instants = Ascending(problems)
    instants_ns, sizes, recipients = array("q"), array("q"), array("q")
    for line, cells in read_rows(file, _COLUMNS, required=1):
        at_ns = instants.read(line, cells["instant"])
        size = _size(cells.get("size"), line, problems)
        count = _recipients(cells.get("recipients"), line, problems)
        if at_ns is not None:
            instants_ns.append(at_ns)
            sizes.append(size)
            recipients.append(count)
        if len(instants_ns) > ENTRIES_MAX:
            problems.add(line, f"more than {ENTRIES_MAX} arrivals are more than one replay can hold")
            break
    problems.raise_any()
    return instants_ns, sizes, recipients


def _size(cell: str | None, line: int, problems: LineProblems) -> int:
    if cell is None:
        return UNTOLD
    try:
        octets = Size.parse(cell).octets
    except UnreadableError as error:
        problems.add(line, "; ".join(str(problem) for problem in error.problems))
        return UNTOLD
    return max(1, octets)   # an empty message is the smallest there is, and 0 stands for none told


def _recipients(cell: str | None, line: int, problems: LineProblems) -> int:
    if cell is None:
        return UNTOLD
    if not re.fullmatch("[0-9]{1,7}", cell) or not 1 <= int(cell) <= RECIPIENTS_MAX:
        problems.add(line, f"got {show(cell)}, expected a number of recipients, 1 or more")
        return UNTOLD
    return int(cell)
