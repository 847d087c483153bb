"""From a mail domain to the one exchange which a run loads."""

from collections.abc import Sequence
from random import Random
from typing import Final

import trio

from loadgen.endpoint import Endpoint, MailDomain, parse_nameserver
from loadgen.routing.lookup import Resolver
from loadgen.routing.route import mail_route
from loadgen.scenario.model import Target
from loadgen.scenario.safety import exchange_refusal
from loadgen.transport.addresses import Address, numeric_address
from loadgen.transport.connect import connect
from loadgen.transport.errors import TransportError
from reports.errors import PreconditionFailed, UserError

TRY_LIMIT_S: Final = 10.0   # for one address of an exchange


async def find_exchange(
    domain: MailDomain, target: Target, seed: int, *, authorized: bool
) -> tuple[Endpoint, tuple[Address, ...]]:
    """Return the first exchange of a domain that takes a connection, and its addresses from that one on.

    One connection is opened and closed for it: whatever a whole run goes to should not be decided session by session.
    Raises UserError if the domain takes no mail or its next exchange may not be loaded, PreconditionFailed if the
    nameservers cannot say or no exchange is there.
    """
    resolver = Resolver([parse_nameserver(text) for text in target.nameservers])
    route = await mail_route(domain.name, resolver, Random(f"mx/{seed}"))   # noqa: S311  repeatable, not secret
    tried = []
    for exchange in route.reachable():
        # An exchange that may not be loaded ends the search: to pass on to the next would load a server for being
        # second, which nobody asked for.
        reason = exchange_refusal(
            domain,
            exchange.name,
            permitted_hosts=target.permitted_hosts,
            authorized=authorized,
            resolved=exchange.addresses,
        )
        if reason is not None:
            raise UserError(f"{domain}: {reason}")
        endpoint = domain.through(exchange.name)
        numeric = (numeric_address(address, domain.port) for address in exchange.addresses)
        addresses = [address for address in numeric if address is not None]
        for i, address in enumerate(addresses):
            trouble = await _trouble(endpoint, address, target.sources)
            if trouble is None:
                return endpoint, tuple(addresses[i:])
            tried.append(f"{exchange.name}: {trouble}")
    raise PreconditionFailed(f"{domain}: no exchange could be reached; {'; '.join(tried)}")


async def _trouble(endpoint: Endpoint, address: Address, sources: Sequence[str]) -> TransportError | None:
    """Connect and close; return what went wrong."""
    deadline = trio.current_time() + TRY_LIMIT_S
    try:
        transport = await connect(
            endpoint, deadline=deadline, source=sources[0] if sources else None, addresses=[address]
        )
    except TransportError as error:
        return error
    await transport.aclose()
    return None
