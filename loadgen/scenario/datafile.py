"""The data files a scenario names: curves and traces. Read whole when the scenario is, and never again."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from loadgen.scenario.instants import Notation, parse_instant
from loadgen.scenario.problems import Problem, UnreadableError, near_miss, show
from loadgen.scenario.shipped import shipped_data

PROBLEMS_MAX: Final = 10   # of one file; a file of another kind would have one a line


class LineProblems:
    """What is wrong with the lines of one file; raises once it is plain that the file is no such file at all."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []

    def add(self, line: int, what: str) -> None:
        """Note what is wrong with a line, counted from 1."""
        self._problems.append(Problem("", what=f"line {line} of {self._file}: {what}"))
        if len(self._problems) == PROBLEMS_MAX:
            self.raise_any()

    def raise_any(self) -> None:
        """Raise UnreadableError if a line was wrong."""
        if self._problems:
            raise UnreadableError(self._problems)


class Ascending:
    """Reads the instants of one file: of one notation, none before the last; each as ns after the first."""

    def __init__(self, problems: LineProblems) -> None:
        self._problems = problems
        self._notation: Notation | None = None
        self._first_ns = self._last_ns = 0
        self._last_line = 0

    def read(self, line: int, text: str) -> int | None:
        """Return the instant on a line, or None after saying what is wrong with it."""
        try:
            notation, at_ns = parse_instant(text)
        except ValueError:
            self._problems.add(line, f"got {show(text)}, expected seconds, a time of day or an RFC 3339 instant")
            return None
        if self._notation is None:
            self._notation, self._first_ns, self._last_ns = notation, at_ns, at_ns
        elif notation != self._notation:
            what = f"got {show(text)}, expected {self._notation} as before: a file has instants of one kind"
            self._problems.add(line, what)
            return None
        elif at_ns < self._last_ns:
            self._problems.add(line, f"{text} comes before the instant on line {self._last_line}: they must ascend")
            return None
        self._last_ns, self._last_line = at_ns, line
        return at_ns - self._first_ns


def located(file: str, directory: Path, *, shipped: bool) -> str:
    """Return where a data file is: an absolute path, or the bare name of one that comes with the package.

    As with scenarios themselves, a name that no file beside the scenario has may be a shipped file's; a `shipped`
    scenario looks among its own kind first.
    """
    path = directory / Path(file).expanduser()
    if shipped_data(file) is not None and (shipped or not path.exists()):
        return file
    return str(path)


def read_lines(file: str, *, errors: str = "strict") -> Iterator[str]:
    """Yield the lines of a located file, as UTF-8 text. Raises UnreadableError if it cannot be read."""
    try:
        with (shipped_data(file) or Path(file)).open(encoding="utf-8-sig", errors=errors) as lines:
            yield from lines
    except FileNotFoundError:
        raise UnreadableError([Problem("", what=f"no such file: {file}")]) from None
    except UnicodeDecodeError as error:
        what = f"{file} is not UTF-8 text (octet {error.start})"
        raise UnreadableError([Problem("", what=what)]) from None
    except OSError as error:
        raise UnreadableError([Problem("", what=f"cannot read {file}: {error.strerror}")]) from None


def read_rows(file: str, columns: Sequence[str], *, required: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of a CSV file by its columns, with its line number; blank lines and `# comments` are skipped.

    A first row that begins with a column's name is a heading, and says which columns there are and in what order;
    without it they are as in `columns`, of which the first `required` must be there. An empty cell is left out.
    Raises UnreadableError.
    """
    problems = LineProblems(file)
    present: Sequence[str] | None = None
    comments = 0       # lines the reader never sees, and so does not count
    lines = read_lines(file)

    def told() -> Iterator[str]:
        nonlocal comments
        for text in lines:
            if text.startswith("#"):
                comments += 1
            else:
                yield text

    reader = csv.reader(told())
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            line = reader.line_num + comments
            if not any(cells):
                continue
            if present is None:
                present = columns
                if cells[0] in columns:
                    present = _heading(cells, columns, required, line, problems)
                    continue
            named = {name: cell for name, cell in zip(present, cells, strict=False) if cell}
            if len(cells) > len(present) or not all(name in named for name in columns[:required]):
                problems.add(line, f"expected {','.join(present)}")
            else:
                yield line, named
    except csv.Error as error:
        raise UnreadableError([Problem("", what=f"line {reader.line_num + comments} of {file}: {error}")]) from None
    problems.raise_any()


def _heading(
    cells: list[str], columns: Sequence[str], required: int, line: int, problems: LineProblems
) -> Sequence[str]:
    for cell in cells:
        if cell not in columns:
            hint = near_miss(cell, columns) or f"expected {','.join(columns)}"
            problems.add(line, f'unknown column "{cell}"; {hint}')
    if len(set(cells)) < len(cells):
        problems.add(line, "a column is named twice")
    for missing in set(columns[:required]) - set(cells):
        problems.add(line, f"the column {missing} is missing")
    problems.raise_any()
    return cells
