"""`mailproof doctor`: where the examination meets a person."""

from pathlib import Path
from typing import Annotated

import trio
import typer

from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.load import catalogue
from conformance.conform import cases_for, sound_any, subjects_at
from conformance.conform_cli import declared_by, endpoint_at
from conformance.doctor import Diagnosis, examine
from conformance.over_lmtp import with_twins
from conformance.subject import Subject


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("doctor", short_help="Say what `conform` could ask a server, and why no more.")(doctor_command)


def doctor_command(
    targets: Annotated[list[str], typer.Argument(metavar="URL", help="smtp://host:port, lmtp://…, and pop3://…")],
    options: Annotated[Path | None, typer.Option(metavar="FILE", help="What is declared about the server.")] = None,
    accepted: Annotated[list[str] | None, typer.Option(help="An address the server accepts; repeatable.")] = None,
    rejected: Annotated[list[str] | None, typer.Option(help="An address it rejects in the session.")] = None,
    leave_mail: Annotated[bool, typer.Option("--leave-mail", help="Cases may deliver mail.")] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Also the cases that wait for minutes.")] = False,
) -> None:
    """Say what `conform` could ask a server, and what else it would need to ask more."""
    register_all()
    declared = declared_by(options, accepted or [], rejected or [], leave_mail=leave_mail)
    endpoints = tuple(endpoint_at(url) for url in targets)
    for subject in subjects_at(endpoints, declared):
        trio.run(_examine, subject, slow)


async def _examine(subject: Subject, slow: bool) -> None:
    await sound_any(subject)
    endpoint = subject.endpoint
    found = examine(cases_for(endpoint, with_twins(CASES.values())), catalogue(), subject, slow=slow)
    typer.echo(f"{endpoint}: {found.ready} of {found.rows} rows can be asked about")
    missing = [each for each in found.diagnoses if not each.met]
    for title, group in (
        ("can be given", [each for each in missing if not each.is_the_servers]),
        ("is the server's own choice", [each for each in missing if each.is_the_servers]),
        ("is there", [each for each in found.diagnoses if each.met]),
    ):
        if group:
            typer.echo(f"\n{title}:")
        for each in group:
            typer.echo(_line(each))
    typer.echo("")


def _line(each: Diagnosis) -> str:
    if each.met:
        return f"  {each.words} ({_rows(each.rows)})"
    return f"  {each.words} ({each.remedy}): would unlock {_rows(each.unlocked)}, of {each.rows} that need it"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
