"""The addresses a run connects from, as `target.source_addresses` writes them: one, a range, or a network."""

import ipaddress
from collections.abc import Iterator
from itertools import islice
from typing import Final

# Of one range or network: with its 28,000 ephemeral ports each, more connections than one machine can have.
SOURCES_MAX: Final = 1024
ALLOWED: Final = 'an address of this machine, a range or a network: "127.0.0.2", "127.1.0.1-127.1.0.16", "127.1.0.0/28"'

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def expanded(notation: str) -> tuple[str, ...]:
    """Return the addresses that one entry stands for, the first SOURCES_MAX of them. ValueError if it is none.

    Of an IPv4 network the first and the last address are left out: they stand for the network, and for all hosts in it.
    """
    return tuple([str(address) for address in islice(_addresses(notation), SOURCES_MAX)])


def _addresses(notation: str) -> Iterator[Address]:
    if "/" in notation:
        return iter(ipaddress.ip_network(notation, strict=False).hosts())
    first, dash, last = notation.partition("-")
    if not dash:
        return iter((ipaddress.ip_address(notation),))
    return _from_to(ipaddress.ip_address(first), ipaddress.ip_address(last))


def _from_to(first: Address, last: Address) -> Iterator[Address]:
    if first.version != last.version or int(first) > int(last):
        raise ValueError("a range goes from one address to a higher one")
    return (first + i for i in range(int(last) - int(first) + 1))
