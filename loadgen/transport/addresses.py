"""From a host and a port, or a path, to the addresses a socket can connect to."""

import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.errors import TransportTimeout
from loadgen.transport.failures import name_failure

_ADDRESSES_MAX: Final = 8   # of one name; each may cost its share of the deadline

# (path), (host, port) or (host, port, flow, scope), as the socket module takes them
SocketAddress = str | tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Address:
    """One address a socket can connect to, and how a person reads it."""

    family: socket.AddressFamily
    sockaddr: SocketAddress
    text: str


async def resolve(endpoint: Endpoint, deadline: float) -> tuple[Address, ...]:
    """Return the endpoint's addresses in the resolver's order, never none.

    Raises NameNotFound, TransportTimeout. A path or a numeric host needs no resolver and ends without a
    checkpoint. A resolver's answer is not kept: a run that connects often to a name resolves it once and
    passes the addresses on.
    """
    if endpoint.path is not None:
        return (Address(socket.AF_UNIX, endpoint.path, endpoint.path),)
    host, port = endpoint.host or "", endpoint.port or 0
    if (numeric := numeric_address(host, port)) is not None:
        return (numeric,)
    with trio.CancelScope(deadline=deadline) as scope:
        try:
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as exc:   # a label no DNS name can have: empty, or over 63 octets
            raise name_failure(socket.gaierror(socket.EAI_NONAME, ""), host) from exc
        except OSError as exc:
            raise name_failure(exc, host) from exc
    if scope.cancelled_caught:
        raise TransportTimeout(f"The resolver did not say before the deadline which address {host} has")
    addresses = tuple(
        Address(family, sockaddr, address_text(sockaddr))
        for family, _, _, _, sockaddr in found[:_ADDRESSES_MAX]
        if not isinstance(sockaddr[0], int)   # how getaddrinfo shows IPv6 in a Python built without it
    )
    if not addresses:
        raise name_failure(socket.gaierror(socket.EAI_NONAME, ""), host)
    return addresses


@lru_cache(maxsize=1024)
def numeric_address(host: str, port: int) -> Address | None:
    """Return the address that a numeric host spells, or None if it is a name (or has an IPv6 zone)."""
    for family, sockaddr in ((socket.AF_INET, (host, port)), (socket.AF_INET6, (host, port, 0, 0))):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return Address(family, sockaddr, address_text(sockaddr))
    return None


def address_text(sockaddr: object) -> str:
    """Return an address as a person writes it: `127.0.0.1:25`, `[::1]:25`, a unix socket's path."""
    match sockaddr:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case str(path):
            return path
        case _:
            return ""
