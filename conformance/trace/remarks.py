"""What each line says that cannot be, or is worth a look."""

from collections.abc import Iterator

from conformance.trace.dns_facts import DnsFacts
from conformance.trace.hop import Hop
from conformance.trace.host import Address, is_inside, is_nobodys, is_private, same_organisation
from conformance.trace.link import Link, link_between, runs
from conformance.trace.origin import Origin
from conformance.trace.remark import Remark, Weight


def remarks_on_lines(chain: tuple[Hop, ...], dns: DnsFacts) -> Iterator[Remark]:
    """Look at each line by itself."""
    written: dict[bytes, int] = {}
    for hop in chain:
        if hop.line == 1 and not hop.by and not hop.is_local:
            yield Remark(hop.line, Weight.DOUBT, "no-by", str(Link.NO_WRITER))
        same = written.setdefault(b" ".join(hop.field.octets.split()), hop.line)
        if same != hop.line:
            yield Remark(hop.line, Weight.DOUBT, "twice", f"it is line {same} once more, to the letter")
        if hop.origin is not None:
            yield from _on_origin(hop, hop.origin, dns)


def _on_origin(hop: Hop, origin: Origin, dns: DnsFacts) -> Iterator[Remark]:
    if origin.unreadable:
        sentence = f"{origin.unreadable} is no address: nobody can have come from there"
        yield Remark(hop.line, Weight.CONTRADICTION, "address", sentence)
    address = origin.address
    if address is not None and is_nobodys(address):
        sentence = f"no host has the address {address}: nobody can have come from there"
        yield Remark(hop.line, Weight.CONTRADICTION, "address", sentence)
    if origin.forged:
        sentence = f"the server noted that the name {origin.seen} may be forged: it does not lead back to the address"
        yield Remark(hop.line, Weight.DOUBT, "pair", sentence)
    yield from _on_claim(hop, origin)
    yield from _on_private(hop, origin)
    if address is not None:
        yield from _on_dns(hop, origin, address, dns)


def _on_claim(hop: Hop, origin: Origin) -> Iterator[Remark]:
    literal = origin.claimed_address
    if literal is not None and origin.address is not None and literal != origin.address and not is_private(literal):
        if literal.version == origin.address.version:
            sentence = f"it called itself [{literal}], and came from [{origin.address}]"
            yield Remark(hop.line, Weight.DOUBT, "helo", sentence)
        return
    strangers = not (is_inside(origin.claimed) or is_inside(origin.seen)) and not _logged_in(hop)
    if strangers and not same_organisation(origin.claimed, origin.seen):
        sentence = f"it called itself {origin.claimed}, and its address is that of {origin.seen}"
        yield Remark(hop.line, Weight.DOUBT, "helo", sentence)


def _logged_in(hop: Hop) -> bool:
    """Say whether it came from a user: what his program calls itself means nothing (RFC 3848)."""
    return hop.protocol.endswith("A") and hop.protocol.startswith(("ESMTP", "SMTP", "UTF8SMTP"))


def _on_private(hop: Hop, origin: Origin) -> Iterator[Remark]:
    """From one organisation to another no mail comes by an address that means nothing between them."""
    address = origin.address
    if address is None or not is_private(address) or hop.is_local or address.is_unspecified:
        return
    names = [name for name in origin.names if not is_inside(name)]
    if names and not is_inside(hop.by) and not any(same_organisation(name, hop.by) for name in names):
        sentence = f"{names[0]} and {hop.by} are not of one network, and [{address}] is an address within one"
        yield Remark(hop.line, Weight.DOUBT, "private", sentence)


def _on_dns(hop: Hop, origin: Origin, address: Address, dns: DnsFacts) -> Iterator[Remark]:
    """Hold names against addresses, as the DNS has them today."""
    leads_to = dns.names.get(address, ())
    for name in origin.names:
        found = dns.addresses.get(name)
        if found is None or address in found or (name == origin.claimed and _logged_in(hop)):
            continue
        if name == origin.claimed != origin.seen and any(same_organisation(name, each) for each in leads_to):
            continue
        has = ", ".join(map(str, found[:4])) if found else "no address"
        sentence = f"{name} and [{address}] do not match: today the name has {has}"
        yield Remark(hop.line, Weight.DOUBT, "pair", sentence)


def remarks_on_links(chain: tuple[Hop, ...], dns: DnsFacts) -> Iterator[Remark]:
    """Hold each line against the one below it: who handed the message over must be who wrote that one."""
    for upper, lower in runs(chain):
        link = link_between(upper, lower, dns)
        whom = f"line {upper.line} has the message from {upper.origin}, line {lower.line} was written by {lower.by}"
        if link is Link.BREAK and _turned_round(upper, lower):
            sentence = (
                f"line {lower.line}, below it, has the message from {upper.by}, which wrote this one: "
                "the two stand the wrong way round"
            )
            yield Remark(upper.line, Weight.CONTRADICTION, "order", sentence)
        elif link is Link.NO_WRITER:
            yield Remark(lower.line, Weight.BREAK, "no-by", str(link))
        elif link in {Link.BREAK, Link.CLAIM, Link.ADDRESS_ONLY}:
            # Below a line of a program on the machine there is no other hop that a forger would want believed.
            # Inside an organisation hosts are often known by their addresses alone.
            inside = link is Link.ADDRESS_ONLY and same_organisation(upper.by, lower.by)
            weight = Weight.DOUBT if inside or (lower.is_local and link is not Link.BREAK) else Weight.BREAK
            yield Remark(lower.line, weight, "adjacency", f"{whom}: {link}")


def _turned_round(upper: Hop, lower: Hop) -> bool:
    """Say whether the lower line comes behind the upper one, by its names and by its time."""
    origin = lower.origin
    if origin is None or is_inside(upper.by) or upper.by not in origin.names:
        return False
    later, earlier = upper.moment, lower.moment
    return later is None or earlier is None or later.epoch_s <= earlier.epoch_s
