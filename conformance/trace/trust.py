"""Which lines can be believed: those that the reader's own servers wrote, from the top to the first that is not."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.trace.hop import Hop
from conformance.trace.host import UNKNOWN, Address, is_name, is_private, name_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Trust:
    """The reader's own servers. A name that begins with a dot is all names below it."""

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        """Say whether any server is named."""
        return bool(self.names or self.suffixes or self.networks)

    def knows_name(self, name: str) -> bool:
        """Say whether a name is that of a server of the reader's."""
        return name in self.names or (bool(self.suffixes) and name.endswith(self.suffixes))

    def knows_address(self, address: Address | None) -> bool:
        """Say whether an address is that of a server of the reader's."""
        return address is not None and any(address in network for network in self.networks)

    def wrote(self, hop: Hop) -> bool:
        """Say whether a line is written in the name of such a server."""
        return self.knows_name(hop.by) or any(map(self.knows_address, hop.by_addresses))


def trust_in(given: Iterable[str]) -> Trust:
    """Return the servers that were named: host names, ".example.test", addresses, networks. ValueError, a sentence."""
    names, suffixes, networks = set[str](), list[str](), list[Network]()
    for each in given:
        try:
            networks.append(ipaddress.ip_network(each.strip("[]"), strict=False))
            continue
        except ValueError:
            pass
        name = name_of(each.encode("utf-8", "replace"))
        if is_name(name.removeprefix(".")) and name.startswith("."):
            suffixes.append(name)
        elif name and is_name(f"{name}.test") and "/" not in name:
            names.add(name)
        else:
            raise ValueError(f'"{name}" is neither a host name, nor an address, nor a network')
    return Trust(frozenset(names), tuple(suffixes), tuple(networks))


def believed(chain: tuple[Hop, ...], trust: Trust) -> int:
    """Return how many lines, from the top, the reader's own servers wrote."""
    number = 0
    for hop in chain:
        if number and not _came_from_own(chain[number - 1], trust):
            break
        on_the_machine = number and chain[number - 1].is_local and hop.by in UNKNOWN
        if not (trust.wrote(hop) or on_the_machine or (hop.is_local and not hop.by)):
            break
        number += 1
    return number if any(map(trust.wrote, chain[:number])) else 0


def _came_from_own(hop: Hop, trust: Trust) -> bool:
    """Say whether a line that can be believed has the message from a server of the reader's.

    The name that a client gave itself proves nothing, but where only own machines can connect: with a private
    address, or by LMTP, which listens to no stranger (RFC 2033 §5).
    """
    origin = hop.origin
    if origin is None or hop.is_local or trust.knows_address(origin.address):
        return True
    if trust.knows_name(origin.seen) and not origin.forged:
        return True
    inside = hop.protocol.startswith("LMTP") if origin.address is None else is_private(origin.address)
    return inside and trust.knows_name(origin.claimed)
