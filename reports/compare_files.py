"""Comparisons from files to files: which results a path stands for, and what is left beside each other."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from reports.compare_markdown import comparison_markdown
from reports.compare_metrics import measure_spelt
from reports.compare_runs import Run
from reports.document import Document, encode, read
from reports.errors import UserError
from reports.write import REPORT, RESULT, write_text

MARKDOWN: Final = "comparison.md"


def compared(
    base: Sequence[Run], new: Sequence[Run], worse_than: Sequence[str], metrics: Sequence[str], confidence: float,
    *, strict: bool
) -> Document:   # fmt: skip
    """Return the comparison as it was asked for in words. UserError."""
    from reports.compare import Asked, Made, compare  # noqa: PLC0415 - scipy takes a second no other command should pay
    from reports.compare_gate import worse_than as gates_spelt  # noqa: PLC0415

    asked = Asked(gates_spelt(worse_than), confidence, strict, tuple(measure_spelt(each) for each in metrics))
    now = datetime.now(UTC)
    made = Made(version("mailproof"), f"{now:%Y%m%dT%H%M%SZ}-compare", f"{now:%Y-%m-%dT%H:%M:%SZ}")
    return compare(base, new, asked, made)


def runs_at(path: Path) -> list[Run]:
    """Return the result at a path: a file, a run's directory, or a directory of runs. DocumentError, UserError."""
    try:
        if not path.is_dir():
            return [Run(str(path), read(path))]
        paths = [path / RESULT] if (path / RESULT).is_file() else sorted(path.glob(f"*/{RESULT}"))
    except OSError as exc:          # what may not be looked into, for one
        raise UserError(f"cannot read {path}: {exc.strerror}") from None
    if not paths:
        raise UserError(f"there is no {RESULT} in {path}, nor in a directory within it")
    return [Run(str(each), read(each)) for each in paths]


def run_at(path: Path) -> Run:
    """Return the one result at a path, as `runs_at` finds it. DocumentError, UserError."""
    run, *others = runs_at(path)
    if others:
        raise UserError(f"there are {1 + len(others)} results in {path}: name one of them, as in {run.result}")
    return run


def write_comparison(directory: Path, document: Document) -> Path:
    """Write all forms of a comparison, and return the path of the page. UserError."""
    from reports.html import html  # noqa: PLC0415 - matplotlib takes half a second

    write_text(directory / RESULT, encode(document))
    write_text(directory / MARKDOWN, comparison_markdown(document))
    write_text(directory / REPORT, html(document))
    return directory / REPORT
