"""`mailproof trace`: which of a message's Received lines can be believed, and where they contradict each other."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import trio
import typer

from conformance.trace.audit import Audit, Outcome, audit
from conformance.trace.dns_facts import NOT_ASKED
from conformance.trace.header import header_of
from conformance.trace.hop import chain_of
from conformance.trace.messages import messages_in
from conformance.trace.trust import Trust, trust_in
from conformance.trace.words import in_words, plain_data
from conformance.trace_lookup import look_up
from loadgen.endpoint import parse_nameserver
from loadgen.routing.lookup import Resolver
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.safe import inert

STANDARD_INPUT: Final = "-"
OCTETS_MAX: Final = 1 << 28          # of one file: an mbox is read whole


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("trace", short_help="Say which Received lines of a message can be believed.")(trace_command)


def trace_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE|-", help="Messages, or mailboxes (mbox); - is standard input.")
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST|ADDRESS", help="A server of yours: name, .domain, address or network; repeatable."),
    ] = None,
    resolve: Annotated[bool, typer.Option("--resolve", help="Ask the DNS for names and addresses.")] = False,
    nameserver: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST[:PORT]", help="Ask this nameserver, given by address; default: the system's."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Breaks and doubts fail as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which Received lines of a message can be believed, and where they contradict themselves.

    Exit status: 0 they hold together, 1 they contradict themselves, 3 they do not hold together, or there are none.
    """
    try:
        servers = trust_in(trust or ())
        resolver = Resolver([parse_nameserver(text) for text in nameserver or ()]) if resolve or nameserver else None
    except ValueError as error:
        raise UserError(inert(str(error))) from None
    named = list(_named_messages(files))
    now_s = int(time.time())
    audits = [(name, *_audit(message, servers, resolver, now_s)) for name, message in named]
    if as_json:
        data = [{"message": name, **plain_data(each), "troubles": troubles} for name, each, troubles in audits]
        typer.echo(json.dumps(data, indent=2))
    else:
        for name, each, troubles in audits:
            _print(name, each, troubles)
    raise typer.Exit(max((_exit_code(each, strict=strict) for _, each, _ in audits), key=_GRAVEST.index))


_GRAVEST: Final = (ExitCode.HELD, ExitCode.INCONCLUSIVE, ExitCode.FAILED)


def _exit_code(found: Audit, *, strict: bool) -> ExitCode:
    if found.outcome is Outcome.CONTRADICTS or (strict and found.remarks):
        return ExitCode.FAILED
    return ExitCode.HELD if found.outcome is Outcome.HOLDS else ExitCode.INCONCLUSIVE


def _audit(message: bytes, servers: Trust, resolver: Resolver | None, now_s: int) -> tuple[Audit, tuple[str, ...]]:
    chain = chain_of(message)
    facts = NOT_ASKED if resolver is None else trio.run(look_up, chain, resolver)
    return audit(chain, now_s=now_s, trust=servers, dns=facts), facts.troubles


def _print(name: str, found: Audit, troubles: tuple[str, ...]) -> None:
    number = "1 Received line" if len(found.chain) == 1 else f"{len(found.chain)} Received lines, newest first"
    typer.echo(f"{inert(name)}: {number}; the trace {found.outcome}")
    for line in in_words(found):
        typer.echo(inert(line))
    for trouble in troubles:
        typer.echo(f"not learnt: {inert(trouble)}")
    typer.echo("")


def _named_messages(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        octets = _read(file)
        name = "standard input" if file == STANDARD_INPUT else file
        messages = list(messages_in(octets))
        if not any(map(header_of, messages)):
            raise UserError(f"{inert(name)} holds no mail message: there is no header field in it")
        for number, message in enumerate(messages, start=1):
            yield (f"{name}, message {number}" if len(messages) > 1 else name), message


def _read(file: str) -> bytes:
    try:
        if file == STANDARD_INPUT:
            octets = sys.stdin.buffer.read(OCTETS_MAX + 1)
        else:
            with Path(file).open("rb") as stream:
                octets = stream.read(OCTETS_MAX + 1)
    except OSError as error:
        raise UserError(f"cannot read {inert(file)}: {error.strerror}") from None
    if len(octets) > OCTETS_MAX:
        raise UserError(f"{inert(file)} is larger than {OCTETS_MAX >> 20} MiB; split it first")
    return octets
