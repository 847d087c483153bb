"""Which servers a run may load at all: this tool can hurt people, so it asks first."""

import ipaddress
from collections.abc import Iterable, Sequence

from loadgen.endpoint import Endpoint, MailDomain

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Names that public DNS never answers: RFC 6761 §6, RFC 6762 (local), RFC 8375 (home.arpa), ICANN's "internal".
_PRIVATE_SUFFIXES = (".test", ".invalid", ".example", ".local", ".home.arpa", ".internal")


def is_local(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint is on this machine: a unix socket, loopback, or a name under localhost."""
    if endpoint.host is None:
        return True
    address = _address(endpoint.host)
    if address is not None:
        return _is_loopback(address)
    name = _plain(endpoint.host)   # RFC 6761 §6.3: names under localhost are loopback
    return name == "localhost" or name.endswith(".localhost")


def refusal(
    endpoint: Endpoint, *, permitted_hosts: Iterable[str], authorized: bool, resolved: Sequence[str] = ()
) -> str | None:
    """Return why this endpoint may not be loaded, a sentence; None if it may.

    Pure: the caller resolves. Without `resolved`, a name is judged by its form: one that public DNS could answer
    counts as public. With it, every address the name has is judged, so that a private-looking name which leads
    to a public address is refused before the first connection.
    """
    if is_local(endpoint):
        outside = [text for text in resolved if (address := _address(text)) and not _is_loopback(address)]
        return f"{endpoint.host} is a loopback name but leads to {outside[0]}" if outside else None
    assert endpoint.host is not None, "a unix socket is local"
    if _plain(endpoint.host) not in {_plain(host) for host in permitted_hosts}:
        return (
            f"{endpoint.host} is beyond loopback and not permitted; "
            f'if you may load it, add permitted_hosts = ["{endpoint.host}"] under [target]'
        )
    if authorized:
        return None
    if any(_is_public(text) for text in (resolved or (endpoint.host,))):
        return f"{endpoint.host} is public; give --authorized to state that its owner agreed to this load"
    return None


def domain_refusal(domain: MailDomain, *, permitted_hosts: Sequence[str], authorized: bool) -> str | None:
    """Return why the mail of this domain may not be loaded, a sentence; None if its exchanges may be asked for.

    Before the nameservers are asked, a host named in `permitted_hosts` may be one of the domain's exchanges.
    """
    named = (*permitted_hosts, domain.name) if permitted_hosts else ()
    return refusal(domain.through(domain.name), permitted_hosts=named, authorized=authorized)


def exchange_refusal(
    domain: MailDomain,
    exchange: str,
    *,
    permitted_hosts: Sequence[str],
    authorized: bool,
    resolved: Sequence[str],
) -> str | None:
    """Return why this exchange of a domain may not be loaded, a sentence; None if it may: it or its domain is named."""
    is_named = domain.name in {_plain(host) for host in permitted_hosts}
    return refusal(
        domain.through(exchange),
        permitted_hosts=(*permitted_hosts, exchange) if is_named else permitted_hosts,
        authorized=authorized,
        resolved=resolved,
    )


def _is_public(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_global
    name = _plain(host)
    return "." in name and not name.endswith(_PRIVATE_SUFFIXES)


def _is_loopback(address: _Address) -> bool:
    return address.is_loopback


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped   # ::ffff:127.0.0.1 goes where 127.0.0.1 goes
    return address


def _plain(host: str) -> str:
    address = _address(host.strip("[]"))
    return str(address) if address is not None else host.lower().removesuffix(".")
