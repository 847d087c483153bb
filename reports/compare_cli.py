"""`mailproof compare BASE... -- NEW...`: two sets of load runs beside each other."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from typer.core import TyperCommand

from reports.annotate_cli import Annotations, AnnotationsOption, annotate
from reports.compare_files import compared, runs_at, write_comparison
from reports.compare_markdown import comparison_markdown
from reports.compare_runs import Run
from reports.errors import UserError
from reports.junit import junit
from reports.text import plain, summary
from reports.write import REPORT, check_writable, write_text

_BETWEEN: Final = "\N{SYMBOL FOR RECORD SEPARATOR}"      # stands for `--`, which an option parser swallows


class TwoSets(TyperCommand):
    """A command whose arguments are two lists with `--` between them; options may stand anywhere."""

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        """Parse with the `--` kept as an argument of its own."""
        parted = [_BETWEEN if arg == "--" else arg for arg in args]
        left: list[str] = super().parse_args(ctx, parted)   # type: ignore[arg-type]  # typer's context has moved
        return left


def compare_command(  # noqa: PLR0913, PLR0917  each is an option
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="BASE... -- NEW...",
            help="Results of `mailproof run`: result.json files, their directories, or directories of such.",
            show_default=False,
        ),
    ],
    worse_than: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[METRIC=]AMOUNT",
            help="Fail where new is worse by more: 5% of base, for the usual metrics; smtp.body.response:p99=20ms, "
            "errors.share=0.5pp, for one.",
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the gates together, and of each interval.")] = 0.95,
    strict: Annotated[
        bool, typer.Option("--strict", help="A gate that is neither shown to fail nor to hold is inconclusive (3).")
    ] = False,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="METRIC", help="Show this one too: smtp.body.service:p99.9.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write result.json, report.html and comparison.md here.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as Markdown.")] = None,
    junit_xml: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the gates as JUnit.")] = None,
    annotations: AnnotationsOption = Annotations.AUTO,
) -> None:
    """Compare two sets of load runs, run by run: what differs by more than runs differ anyway."""
    if not (math.isfinite(confidence) and 0.5 <= confidence < 1):
        raise UserError(f"--confidence is from 0.5 to below 1, as in 0.95; got {confidence:g}")
    base, new = two_sets(results)
    if out is not None:
        check_writable(out)
    document = compared(base, new, worse_than or [], metric or [], confidence, strict=strict)
    if out is not None:
        write_comparison(out, document)
    if markdown is not None:
        write_text(markdown, comparison_markdown(document))
    if junit_xml is not None:
        write_text(junit_xml, junit(document))
    report = str(out / REPORT) if out is not None else None
    console = Console()
    if console.is_terminal:
        console.print(summary(document, report=report))
    else:
        typer.echo(plain(document, report=report), nl=False)
    annotate(document, wanted=annotations)
    raise typer.Exit(document.exit_code)


def two_sets(arguments: Sequence[str]) -> tuple[list[Run], list[Run]]:
    """Return the runs before and after the `--`. UserError."""
    if arguments.count(_BETWEEN) != 1:
        raise UserError("two sets of results are needed, with -- between them: mailproof compare BASE... -- NEW...")
    middle = arguments.index(_BETWEEN)
    base, new = ([run for each in side for run in runs_at(Path(each))] for side in (
        arguments[:middle], arguments[middle + 1 :]
    ))   # fmt: skip
    return base, new
