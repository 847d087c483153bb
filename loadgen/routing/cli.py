"""`mailproof route`: where a domain's mail goes, and what the domain publishes about it."""

import json
from enum import StrEnum
from random import Random
from typing import Annotated

import trio
import typer

from loadgen.endpoint import checked_domain, parse_nameserver
from loadgen.routing.facts import RouteFacts, look_up_facts
from loadgen.routing.lookup import Resolver
from loadgen.routing.route import mail_route
from loadgen.routing.table import plain_data, table
from reports.errors import UserError


class Format(StrEnum):
    """What `mailproof route` can print."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add this package's sub-commands."""
    app.command(
        "route", short_help="Show where a domain's mail goes.",
        help="Show where a domain's mail goes: MX, addresses, SPF, DANE, MTA-STS.",
    )(route_command)   # fmt: skip


def route_command(
    domain: Annotated[str, typer.Argument(help="The part of a mail address after the @.")],
    nameserver: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST[:PORT]", help="Ask this nameserver, given by address; default: the system's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the order among equal preferences; default: a new one.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="text or json")] = Format.TEXT,
) -> None:
    """Print where a domain's mail goes. Only nameservers are asked: no exchange is connected to."""
    try:
        name = checked_domain(domain)
        resolver = Resolver([parse_nameserver(text) for text in nameserver or ()])
    except ValueError as error:
        raise UserError(str(error)) from None
    facts = trio.run(_facts, name, resolver, Random(seed))   # noqa: S311  an order among equals is no secret
    typer.echo(json.dumps(plain_data(facts), indent=2) if form is Format.JSON else table(facts).removesuffix("\n"))
    facts.route.reachable()    # after the table: it shows why no exchange has an address


async def _facts(domain: str, resolver: Resolver, chance: Random) -> RouteFacts:
    return await look_up_facts(await mail_route(domain, resolver, chance), resolver)
