"""From a scenario's target to the routes its sessions take."""

import math
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from loadgen.endpoint import Endpoint, MailDomain, Protocol, parse_endpoint
from loadgen.engine.embedded import EmbeddedServer, Ready, embedded_server
from loadgen.engine.exchange import find_exchange
from loadgen.engine.limits import connections_at_once, ephemeral_ports, sources_of
from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import Limits, Scenario, Target
from loadgen.scenario.safety import refusal
from loadgen.session.route import Route
from loadgen.transport.addresses import Address, resolve
from loadgen.transport.errors import TransportError
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.tls import TlsPolicy, make_client_context
from reports.errors import PreconditionFailed, UserError

RESOLVE_LIMIT_S = 10.0
ORDER: tuple[Protocol, ...] = ("smtp", "lmtp", "pop3")


@dataclass(frozen=True, slots=True)
class Reach:
    """How the server under test is reached, as a value: what another process makes the same routes from."""

    addresses: Mapping[Protocol, tuple[Endpoint, tuple[Address, ...]]]     # for each protocol spoken
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """The server under test, ready to be talked to."""

    reach: Reach
    routes: Mapping[Protocol, Route]      # to every protocol the scenario speaks
    embedded: EmbeddedServer | None       # None: the server is somebody else's


@asynccontextmanager
async def open_target(
    scenario: Scenario, book: AccountBook, *, authorized: bool = False
) -> AsyncIterator[OpenTarget]:
    """Give the routes a scenario needs; the embedded server, if it is wanted, runs for as long as they are open.

    Raises PreconditionFailed if the embedded server does not start or a name does not resolve, and
    UserError if the CA file cannot be read or a name leads to an address that may not be loaded:
    `authorized` says that public ones may.
    """
    spoken = protocols_spoken(scenario)
    target = scenario.target
    if not target.embedded:
        reach = Reach(await _found(scenario, spoken, target.endpoints, authorized), target.ca_file)
        yield OpenTarget(reach, routes_of(scenario, reach), None)
        return
    async with embedded_server(scenario, book) as server:
        endpoints = {**target.endpoints, **_embedded_endpoints(scenario, server.ready)}
        found = await _found(scenario, spoken, endpoints, authorized)
        reach = Reach(found, target.ca_file or server.ready.ca_file)
        yield OpenTarget(reach, routes_of(scenario, reach), server)


def protocols_spoken(scenario: Scenario) -> list[Protocol]:
    """Return the protocols a scenario speaks: its sessions', and POP3 to verify deliveries."""
    spoken = {protocol_of(session) for session in scenario.sessions if session.weight}
    if scenario.ledger.reads_pop3:
        spoken.add("pop3")
    return [protocol for protocol in ORDER if protocol in spoken]


async def _found(
    scenario: Scenario,
    spoken: Iterable[Protocol],
    endpoints: Mapping[Protocol, Endpoint | MailDomain],
    authorized: bool,
) -> dict[Protocol, tuple[Endpoint, tuple[Address, ...]]]:
    target = scenario.target
    found = {}
    for protocol in spoken:
        server = _server(protocol, endpoints)
        if isinstance(server, MailDomain):
            found[protocol] = await find_exchange(server, target, scenario.about.seed, authorized=authorized)
        else:
            found[protocol] = (server, await _addresses(server, target, authorized))
    return found


def routes_of(scenario: Scenario, reach: Reach) -> dict[Protocol, Route]:
    """Return the routes to a server that was found; UserError if the CA file cannot be read."""
    target = scenario.target
    policy = TlsPolicy(target.tls, reach.ca_file, target.verify, target.server_name)
    any_tls = target.tls != "none" or any(endpoint.implicit_tls for endpoint, _ in reach.addresses.values())
    context = make_client_context(policy) if any_tls else None
    limits = phase_limits(scenario.limits)
    at_once, ports = connections_at_once(scenario), ephemeral_ports()
    routes: dict[Protocol, Route] = {}
    for protocol, (endpoint, addresses) in reach.addresses.items():
        routes[protocol] = Route(
            endpoint=endpoint,
            limits=limits,
            tls=context if target.tls == "starttls" or endpoint.implicit_tls else None,
            server_name=target.server_name,
            sources=sources_of(target.sources, addresses, at_once, ports),
            addresses=addresses,
            mail_domain=_domain_of(target, protocol),
            segment_octets=target.segment_octets,
        )
    return routes


def _domain_of(target: Target, protocol: Protocol) -> str | None:
    server = target.endpoints.get(protocol)
    return server.name if isinstance(server, MailDomain) else None


async def _addresses(endpoint: Endpoint, target: Target, authorized: bool) -> tuple[Address, ...]:
    """Resolve an endpoint once for the whole run, and hold what it leads to against what may be loaded."""
    try:
        addresses = await resolve(endpoint, trio.current_time() + RESOLVE_LIMIT_S)
    except TransportError as error:
        raise PreconditionFailed(f"{endpoint}: {error}") from None
    # The check of the scenario saw the name; a name that looks private may still lead to a public address.
    reason = refusal(
        endpoint,
        permitted_hosts=target.permitted_hosts,
        authorized=authorized,
        resolved=[str(address.sockaddr[0]) for address in addresses if endpoint.host is not None],
    )
    if reason is not None:
        raise UserError(f"{endpoint}: {reason}")
    return addresses


def _server(
    protocol: Protocol, endpoints: Mapping[Protocol, Endpoint | MailDomain]
) -> Endpoint | MailDomain:
    if protocol not in endpoints:
        raise UserError(f"the scenario needs a target.{protocol}")
    return endpoints[protocol]


def _embedded_endpoints(scenario: Scenario, ready: Ready) -> dict[Protocol, Endpoint]:
    """Return where the embedded server listens, for each protocol it is wanted for and speaks."""
    implicit = scenario.target.tls == "implicit"
    urls: dict[Protocol, str | None] = {
        "smtp": ready.smtps if implicit else ready.smtp,
        "lmtp": ready.lmtp,
        "pop3": ready.pop3s if implicit else ready.pop3,
    }
    return {
        protocol: parse_endpoint(url)
        for protocol in scenario.target.embedded
        if (url := urls[protocol]) is not None
    }


def phase_limits(limits: Limits, *, unless_named_s: float = math.inf) -> PhaseLimits:
    """Return the limit of every phase: the scenario's, else the RFC's, or `unless_named_s` if that is sooner."""
    rfc = PhaseLimits()
    named = {name: getattr(limits, name) for name in PhaseLimits.__dataclass_fields__}
    return PhaseLimits(**{
        name: min(getattr(rfc, name), unless_named_s) if duration is None else duration.s
        for name, duration in named.items()
    })
