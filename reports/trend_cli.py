"""`mailproof trend DIR`: many load runs over time."""

import io
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reports.compare_metrics import measure_spelt
from reports.compare_runs import Run
from reports.document import read
from reports.errors import DocumentError, UserError
from reports.write import RESULT, write_text


def trend_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Every result.json in it, and below.")],
    metric: Annotated[
        list[str] | None, typer.Option(metavar="METRIC", help="Show this one too: smtp.body.response:p99.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots.")] = None,
) -> None:
    """Show what load runs of a scenario measured over time, and where a level may have changed."""
    from reports.trend import trends  # noqa: PLC0415 - scipy takes a second no other command should pay
    from reports.trend_text import summary_of_trends  # noqa: PLC0415

    found = trends(load_runs_below(directory), [measure_spelt(each) for each in metric or []])
    if html is not None:
        from reports.trend_html import trend_html  # noqa: PLC0415 - as does matplotlib

        write_text(html, trend_html(found, f"Load runs in {directory.name or directory}", version("mailproof")))
    console = Console()
    if console.is_terminal:
        console.print(summary_of_trends(found))
    else:
        lines = io.StringIO()
        Console(file=lines, width=100, color_system=None, legacy_windows=False).print(summary_of_trends(found))
        typer.echo("".join(f"{line.rstrip()}\n" for line in lines.getvalue().splitlines()), nl=False)


def load_runs_below(directory: Path) -> list[Run]:
    """Return the load runs in a directory and below it; what cannot be read, or is none, is told. UserError."""
    try:
        if not directory.is_dir():
            what = "no directory: trend reads every result.json in one" if directory.exists() else "not there"
            raise UserError(f"{directory} is {what}")
    except OSError as exc:
        raise UserError(f"cannot read {directory}: {exc.strerror}") from None
    runs, others = list[Run](), 0
    for path in sorted(directory.rglob(RESULT)):
        try:
            document = read(path)
        except DocumentError as error:
            sys.stderr.write(f"left out: {error}\n")
            continue
        if document.load is None:
            others += 1
        else:
            runs.append(Run(str(path), document))
    if not runs:
        raise UserError(f"there is no result of a load run in {directory} or below it")
    if others:
        what = "result that is" if others == 1 else "results that are"
        sys.stderr.write(f"left out: {others} {what} of no load run\n")
    return runs
