"""Whether one line was written by the host from which the line above says that it had the message."""

from enum import StrEnum

from conformance.trace.dns_facts import DnsFacts
from conformance.trace.hop import Hop
from conformance.trace.host import Address, is_inside, is_private, same_organisation
from conformance.trace.origin import Origin


class Link(StrEnum):
    """What connects two lines."""

    LOCAL = "the message stayed on the machine"
    NAME = "the names agree"
    ADDRESS = "the addresses agree"
    ORGANISATION = "both hosts are of one organisation"
    CLAIM = "only the name connects them that the client gave itself"
    UNTOLD = "the lines do not say enough"
    ADDRESS_ONLY = "whether that is the same host, the lines do not say"
    NO_WRITER = "it does not say which host wrote it (RFC 5321 §4.4)"
    BREAK = "nothing connects them"


def link_between(upper: Hop, lower: Hop, dns: DnsFacts) -> Link:
    """Say what connects a line with the next one below it."""
    origin = upper.origin
    if origin is None:
        return Link.UNTOLD
    if upper.is_local:
        return Link.LOCAL
    if not lower.by:
        return Link.NO_WRITER
    addresses = {*lower.by_addresses, *dns.addresses.get(lower.by, ())}
    if not addresses.isdisjoint({origin.address, origin.claimed_address} - {None}):
        return Link.ADDRESS
    return _by_name(origin, lower.by, dns)


def _by_name(origin: Origin, writer: str, dns: DnsFacts) -> Link:
    seen = tuple(name for name in (origin.seen, *_pointers(origin.address, dns)) if not is_inside(name))
    if writer in seen:
        return Link.NAME
    if any(same_organisation(writer, name) for name in seen):
        return Link.ORGANISATION
    if same_organisation(writer, origin.claimed):
        if seen:
            return Link.CLAIM
        return Link.NAME if writer == origin.claimed else Link.ORGANISATION
    return _unconnected(origin, writer, told=bool(seen) or not is_inside(origin.claimed))


def _unconnected(origin: Origin, writer: str, *, told: bool) -> Link:
    if is_inside(writer) or (origin.address is not None and is_private(origin.address)):
        return Link.UNTOLD
    if told:
        return Link.BREAK
    return Link.ADDRESS_ONLY if origin.address is not None else Link.UNTOLD


def _pointers(address: Address | None, dns: DnsFacts) -> tuple[str, ...]:
    return dns.names.get(address, ()) if address is not None else ()


def runs(chain: tuple[Hop, ...]) -> list[tuple[Hop, Hop]]:
    """Return each line that says from whom with the next one below that says who wrote it: what must connect.

    Lines between them, without either, are of programs on the machine below (qmail's "invoked by").
    """
    pairs = []
    for at, upper in enumerate(chain):
        lower = next((hop for hop in chain[at + 1:] if hop.by or not hop.is_local), None)
        if lower is not None and upper.origin is not None and (upper.by or not upper.is_local):
            pairs.append((upper, lower))
    return pairs
