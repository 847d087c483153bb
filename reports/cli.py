"""`mailproof report`: make any report again from a result document. The other commands have files of their own."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reports.ci_cli import ci_command
from reports.compare_cli import TwoSets, compare_command
from reports.compare_files import run_at
from reports.document import Document, encode
from reports.gate_cli import gate_command
from reports.junit import junit
from reports.markdown import markdown
from reports.text import plain, summary
from reports.trend_cli import trend_command
from reports.write import write_text


class Format(StrEnum):
    """The forms a result can be given."""

    HTML = "html"
    TEXT = "text"
    JUNIT = "junit"
    MARKDOWN = "markdown"       # for the summary of a CI job, and a pull request
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this package to the one command line."""
    app.command("report", short_help="Make a report again from a result: HTML, JUnit, text …")(report)
    app.command("gate", short_help="Judge results again, by their own gates and more.")(gate_command)
    app.command("compare", cls=TwoSets, short_help="Compare two sets of load runs.")(compare_command)
    app.command("trend", short_help="Show what load runs of a scenario measured over time.")(trend_command)
    app.command("ci", short_help="Judge a server in a CI job: conformance and a load.")(ci_command)


def report(
    result: Annotated[
        Path, typer.Argument(help="A result.json, or its directory.", metavar="RESULT", show_default=False)
    ],
    form: Annotated[Format, typer.Option("--format", "-f", help="What to make of it.")] = Format.TEXT,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file; '-' is standard output.", metavar="FILE")
    ] = None,
) -> None:
    """Make a report from a result document: HTML, text, JUnit XML, Markdown, or the document itself, checked."""
    document = run_at(result).document
    if out is not None and str(out) != "-":
        write_text(out, _made(document, form))
    elif form is Format.TEXT:
        console = Console()
        if console.is_terminal:
            console.print(summary(document))
        else:
            sys.stdout.write(plain(document))
    else:
        sys.stdout.buffer.write(_made(document, form))


def _made(document: Document, form: Format) -> bytes:
    match form:
        case Format.TEXT:
            return plain(document).encode("utf-8")
        case Format.JSON:
            return encode(document)
        case Format.JUNIT:
            return junit(document)
        case Format.MARKDOWN:
            return markdown(document).encode("utf-8")
        case Format.HTML:
            from reports.html import html  # noqa: PLC0415 - matplotlib takes half a second no other form should pay

            return html(document).encode("utf-8")
