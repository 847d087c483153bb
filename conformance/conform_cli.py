"""`mailproof conform`: where the suite meets a person."""

import shlex
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import msgspec
import trio
import typer
from rich.console import Console

from conformance.baseline import read_baseline
from conformance.case import CASES
from conformance.cases import register_all
from conformance.catalogue.listing import listing
from conformance.catalogue.load import catalogue
from conformance.catalogue.profile import profile
from conformance.catalogue.requirement_set import requirement_set
from conformance.conform import Order, conform
from conformance.declared import NOTHING_DECLARED, Declared, read_declared
from conformance.finding import Finding
from conformance.listed import listed
from conformance.over_lmtp import with_twins
from conformance.runner import SURVIVES, Manner
from conformance.selection import Selection
from conformance.under_load_cli import check_load, load_order, until_interrupted
from loadgen.endpoint import Endpoint, parse_endpoint
from reports.annotate_cli import Annotations, AnnotationsOption, annotate
from reports.document import Document, encode
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.junit import junit
from reports.text import plain, summary
from reports.write import check_writable, write_run, write_text

OUT: Final = Path("out")
SUBMISSION: Final = "submission"


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("conform")(conform_command)


def conform_command(  # noqa: PLR0913, PLR0917  each is an option
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="URL", help="smtp://host:port, lmtp://…, and pop3://…")
    ] = None,
    options: Annotated[Path | None, typer.Option(metavar="FILE", help="What is declared about the server.")] = None,
    accepted: Annotated[list[str] | None, typer.Option(help="An address the server accepts; repeatable.")] = None,
    rejected: Annotated[list[str] | None, typer.Option(help="An address it rejects in the session.")] = None,
    leave_mail: Annotated[bool, typer.Option("--leave-mail", help="Cases may deliver mail.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Cases by id or section; repeatable.")] = None,
    skip: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Not these; repeatable.")] = None,
    profile_name: Annotated[
        str | None, typer.Option("--profile", help="A kind of server: smtp-mx, submission, lmtp, hardened …")
    ] = None,
    set_name: Annotated[str | None, typer.Option("--set", help="A frozen set of requirements: 2026.2.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List every requirement and how it is looked into.")] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Also the cases that wait for minutes.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Divergences and SHOULDs not followed fail.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Put every case so many times; flags a flaky server.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, max=200, help="Cases side by side.")] = 16,
    serial: Annotated[bool, typer.Option("--serial", help="One case after another.")] = False,
    time_scale: Annotated[
        float | None, typer.Option(min=0.0001, max=1.0, help="The server's timers are this fraction of the RFC's.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known failures, with reasons and days of expiry.")
    ] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="JUnit XML as well.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="The result here as well.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the results go; default out/<run id>.")] = None,
    under_load: Annotated[
        str | None, typer.Option(metavar="SCENARIO", help="Judge while this load goes on against the same server.")
    ] = None,
    load_settings: Annotated[
        list[str] | None, typer.Option("--load-set", metavar="KEY=VALUE", help="Override a key of it: load.rate=500.")
    ] = None,
    load_workers: Annotated[str, typer.Option(metavar="N|auto", help="Processes to generate it with.")] = "1",
    authorized: Annotated[bool, typer.Option("--authorized", help="I may load public addresses it permits.")] = False,
    annotations: AnnotationsOption = Annotations.AUTO,
) -> None:
    """Judge a mail server against the RFCs."""
    register_all()
    chosen = requirements_of(profile_name, set_name)
    if show:
        typer.echo(listed(listing([*CASES, SURVIVES], only=chosen)), nl=False)
        return
    if not targets:
        raise UserError("no target: give at least one URL, smtp://host:port; --list needs none")
    declared = declared_by(options, accepted or (), rejected or (), leave_mail=leave_mail, time_scale=time_scale)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-conform"
    directory = out if out is not None else OUT / run_id
    order = Order(
        endpoints=tuple(endpoint_at(url) for url in targets),
        declared=_of_profile(declared, profile_name),
        selection=_selection(only or (), skip or (), chosen, set_name),
        manner=Manner(parallel=1 if serial else parallel, repeat=repeat, strict=strict),
        slow=slow,
        requirement_set=set_name,
        profile=profile_name,
        baseline=None if baseline is None else read_baseline(baseline, ids_reported()),
        load=load_order(under_load, directory, load_settings or (), load_workers, authorized=authorized),
        run_id=run_id,
        again=_again(targets),
    )
    if out is not None or order.load is not None:
        check_writable(directory)
    document = _judged(order)
    _tell(document, write_run(directory, document), junit_file, json_file)
    annotate(document, wanted=annotations)
    raise typer.Exit(document.exit_code)


def _tell(document: Document, report: Path, junit_file: Path | None, json_file: Path | None) -> None:
    """Write what else was asked for, and print the summary."""
    if junit_file is not None:
        write_text(junit_file, junit(document))
    if json_file is not None:
        write_text(json_file, encode(document))
    console = Console()
    if console.is_terminal:
        console.print(summary(document, report=str(report)))
    else:
        typer.echo(plain(document, report=str(report)), nl=False)


def _judged(order: Order) -> Document:
    check_load(order)
    document = trio.run(_run, order)
    if document is None:
        sys.stderr.write("mailproof: stopped at once; there is no report\n")
        raise typer.Exit(ExitCode.INTERRUPTED)
    return document


async def _run(order: Order) -> Document | None:
    shown = sys.stderr if sys.stderr.isatty() else None

    def observe(finding: Finding, count: int, total: int) -> None:
        if shown is not None:
            shown.write(f"\r{count} of {total} cases \x1b[K")
            shown.flush()

    judge = partial(conform, order, list(CASES.values()), catalogue(), version=version("mailproof"), observe=observe)
    try:
        return await (judge() if order.load is None else until_interrupted(judge))
    finally:
        if shown is not None:
            shown.write("\r\x1b[K")


def requirements_of(profile_name: str | None, set_name: str | None) -> frozenset[str] | None:
    """Return the ids that both a profile and a set name; None: every one."""
    chosen = None if profile_name is None else profile(profile_name).ids()
    if set_name is None:
        return chosen
    of_set = requirement_set(set_name).requirements
    return of_set if chosen is None else chosen & of_set


def _selection(
    only: Sequence[str], skip: Sequence[str], chosen: frozenset[str] | None, set_name: str | None
) -> Selection:
    cases = None if set_name is None else requirement_set(set_name).ids
    return Selection(tuple(only), tuple(skip), chosen, cases)


def ids_reported() -> set[str]:
    """Return every id under which a run may report something."""
    cases = [case.id for case in with_twins(CASES.values())]
    passive = [row.id for row in catalogue().values() if row.passive]
    return {*cases, *passive, *(f"{id_}#lmtp" for id_ in passive), *(f"{SURVIVES}#{id_}" for id_ in cases)}


def endpoint_at(url: str) -> Endpoint:
    """Return what a URL names. UserError says what one looks like."""
    try:
        return parse_endpoint(url)
    except ValueError as error:
        raise UserError(str(error)) from None


def declared_by(
    options: Path | None, accepted: Sequence[str], rejected: Sequence[str], *, leave_mail: bool,
    time_scale: float | None = None,
) -> Declared:  # fmt: skip
    """Return what the file declares, with the flags on top. UserError."""
    declared = NOTHING_DECLARED if options is None else read_declared(options)
    addresses = msgspec.structs.replace(
        declared.addresses,
        accepted=tuple(accepted) or declared.addresses.accepted,
        rejected=tuple(rejected) or declared.addresses.rejected,
    )
    allow = msgspec.structs.replace(declared.allow, leave_mail=leave_mail or declared.allow.leave_mail)
    timers = declared.timers if time_scale is None else msgspec.structs.replace(declared.timers, scale=time_scale)
    flagged = msgspec.structs.replace(declared, addresses=addresses, allow=allow, timers=timers)
    try:       # the flags are held to the same rules as the file
        return msgspec.convert(msgspec.to_builtins(flagged), Declared)
    except msgspec.ValidationError as error:
        raise UserError(f"--accepted, --rejected: {error}") from None


def _of_profile(declared: Declared, profile_name: str | None) -> Declared:
    """Return what is declared, and what a profile says by its name."""
    if profile_name != SUBMISSION:
        return declared
    return msgspec.structs.replace(declared, claims=msgspec.structs.replace(declared.claims, submission=True))


def _again(targets: Collection[str]) -> str:
    """Return this command line without its targets, what selects cases, and what says where results go."""
    kept, words = ["mailproof"], iter(sys.argv[1:])
    for word in words:
        name, given, _ = word.partition("=")
        if name in {"--only", "--skip", "--out", "--junit", "--json", "--repeat", "--baseline", "--annotations"}:
            if not given:
                next(words, None)
        elif word not in targets:
            kept.append(word)
    return shlex.join(kept)


