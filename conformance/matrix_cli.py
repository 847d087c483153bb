"""`mailproof matrix`: conformance results beside each other."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from conformance.catalogue.load import sections
from reports.compare_files import run_at
from reports.errors import UserError
from reports.matrix import matrix
from reports.matrix_html import matrix_html
from reports.matrix_markdown import markdown
from reports.write import RESULT, check_writable, write_text

OUT: Final = Path("out/matrix")
HTML, MARKDOWN = "matrix.html", "matrix.md"


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("matrix", short_help="Lay conformance results beside each other, in a table.")(matrix_command)


def matrix_command(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT", help="Results of `mailproof conform`, or their directories.")
    ],
    names: Annotated[
        list[str] | None,
        typer.Option("--name", help="What a server is called, in the order of the results; default: its directory."),
    ] = None,
    differing: Annotated[bool, typer.Option("--differing", help="Only the rows in which somebody differs.")] = False,
    title: Annotated[str, typer.Option(help="The heading.")] = "Mail servers against the RFCs",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the two tables go.")] = OUT,
) -> None:
    """Lay conformance results beside each other: one HTML and one Markdown table, servers across."""
    runs = [run_at(path) for path in results]
    called = names_of([Path(run.result) for run in runs], names or [])
    documents = [(name, run.document) for name, run in zip(called, runs, strict=True)]
    titled = [(f"{section.number} {section.title}", [row.id for row in section.requirement]) for section in sections()]
    table = matrix(documents, titled, differing=differing)
    check_writable(out)
    write_text(out / HTML, matrix_html(table, title, version("mailproof")))
    write_text(out / MARKDOWN, markdown(table, title))
    for sentence in table.unlike:
        typer.echo(f"note  {sentence}")
    shown = sum(len(group.rows) for group in table.groups)
    typer.echo(f"{len(documents)} servers, {shown} requirements\ntable  {out / HTML}\n       {out / MARKDOWN}")


def names_of(results: list[Path], given: list[str]) -> list[str]:
    """Return what the servers are called: as given, else after their directories. UserError."""
    if given and len(given) != len(results):
        raise UserError(f"{len(given)} times --name for {len(results)} results: give one for each, or none")
    names = given or [path.absolute().parent.name if path.name == RESULT else path.stem for path in results]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f'two servers would be called "{twice[0]}": give each a --name')
    return names
