"""From a scenario's target to the routes its sessions take."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from loadgen.endpoint import Endpoint, Protocol, parse_endpoint
from loadgen.engine.embedded import Ready, embedded_server
from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.model import Limits, Scenario
from loadgen.session.route import Route
from loadgen.transport.addresses import resolve
from loadgen.transport.errors import TransportError
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.tls import TlsPolicy, make_client_context
from reports.errors import PreconditionFailed, UserError

RESOLVE_LIMIT_S = 10.0


@asynccontextmanager
async def open_routes(scenario: Scenario, book: AccountBook) -> AsyncIterator[dict[Protocol, Route]]:
    """Give the routes to every protocol of the target; the embedded server runs for as long as they are open.

    Raises PreconditionFailed if the embedded server does not start or a name does not resolve, and
    UserError if the CA file cannot be read.
    """
    if not scenario.target.embedded:
        yield await _routes(scenario, scenario.target.endpoints, scenario.target.ca_file)
        return
    async with embedded_server(scenario.accounts, book) as ready:
        endpoints = {**scenario.target.endpoints, **_embedded_endpoints(scenario, ready)}
        yield await _routes(scenario, endpoints, scenario.target.ca_file or ready.ca_file)


async def _routes(
    scenario: Scenario, endpoints: Mapping[Protocol, Endpoint], ca_file: str | None
) -> dict[Protocol, Route]:
    target = scenario.target
    policy = TlsPolicy(target.tls, ca_file, target.verify, target.server_name)
    any_tls = target.tls != "none" or any(endpoint.implicit_tls for endpoint in endpoints.values())
    context = make_client_context(policy) if any_tls else None
    routes = {}
    for protocol, endpoint in endpoints.items():
        try:
            addresses = await resolve(endpoint, trio.current_time() + RESOLVE_LIMIT_S)
        except TransportError as error:
            raise PreconditionFailed(f"{endpoint}: {error}") from None
        routes[protocol] = Route(
            endpoint=endpoint,
            limits=phase_limits(scenario.limits),
            tls=context if target.tls == "starttls" or endpoint.implicit_tls else None,
            server_name=target.server_name,
            sources=target.source_addresses,
            addresses=addresses,
        )
    return routes


def _embedded_endpoints(scenario: Scenario, ready: Ready) -> dict[Protocol, Endpoint]:
    """Return where the embedded server listens for each protocol the scenario wants of it."""
    implicit = scenario.target.tls == "implicit"
    urls: dict[Protocol, str | None] = {
        "smtp": ready.smtps if implicit else ready.smtp,
        "lmtp": ready.lmtp,
        "pop3": ready.pop3s if implicit else ready.pop3,
    }
    endpoints = {}
    for protocol in scenario.target.embedded:
        url = urls[protocol]
        if url is None:
            raise UserError(f"the embedded server does not speak {protocol} with tls = \"{scenario.target.tls}\"")
        endpoints[protocol] = parse_endpoint(url)
    return endpoints


def phase_limits(limits: Limits) -> PhaseLimits:
    """Return the limit of every phase: the scenario's, else the RFC's."""
    named = {name: getattr(limits, name) for name in PhaseLimits.__dataclass_fields__}
    return PhaseLimits(**{name: duration.s for name, duration in named.items() if duration is not None})
