"""What a Received field calls a host: a name, an address, and what can be told from them without asking anybody."""

import ipaddress
import re
from typing import Final

from loadgen.wire.printable import printable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Names that nobody has but within a network of his own (RFC 6762 §3, appendix G; RFC 8375), and "I do not know".
_INSIDE: Final = frozenset({
    "local", "localhost", "localdomain", "lan", "internal", "intranet", "private", "corp", "home", "arpa", "invalid",
})  # fmt: skip
UNKNOWN: Final = frozenset({"", "unknown", "localhost", "localhost.localdomain"})
# Organisations whose machines write one name of theirs, and show another.
_ONE: Final = {
    "gmail.com": "google.com", "googlemail.com": "google.com",
    "exchangelabs.com": "outlook.com", "office365.com": "outlook.com", "hotmail.com": "outlook.com",
    "onmicrosoft.com": "outlook.com", "microsoft.com": "outlook.com",
    "amazonses.com": "amazonaws.com", "amazon.com": "amazonaws.com",
    "me.com": "apple.com", "mac.com": "apple.com", "icloud.com": "apple.com",
    "yahoodns.net": "yahoo.com",
    "gmx.com": "gmx.net", "kundenserver.de": "ionos.com",
}  # fmt: skip
_SECOND_LEVEL: Final = frozenset({"co", "com", "ac", "edu", "gov", "gob", "net", "org", "ne", "or", "go", "ltd", "plc"})
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PRIVATE: Final = tuple(ipaddress.ip_network(each) for each in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24",
    "fc00::/7", "fe80::/10", "fec0::/10",
))  # fmt: skip
# Not in use between hosts: nothing can have come from there (RFC 1112 §4, RFC 919 §7, RFC 4291 §2.7).
_NOBODYS: Final = tuple(ipaddress.ip_network(each) for each in ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8"))


def address_of(text: bytes) -> Address | None:
    """Return the address written here, in brackets or not, with "IPv6:", a zone or a port; None: it is none."""
    if len(text) > 80:
        return None
    plain = text.decode("latin-1").strip().rstrip(",;.")
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    plain = re.sub(r"(?i)^ipv6:", "", plain).partition("%")[0]
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def name_of(text: bytes) -> str:
    """Return a host's name as it is compared: printable, in lower case, without the final dot."""
    return printable(text).lower().rstrip(".")


def is_name(name: str) -> bool:
    """Say whether this is a host's name that may stand in the DNS: of several parts, the last one no number."""
    return bool(_NAME.fullmatch(name)) and "." in name and not name.rpartition(".")[2].isdigit()


def is_inside(name: str) -> bool:
    """Say whether a name means nothing outside the network in which it is used."""
    return not is_name(name) or name.rpartition(".")[2] in _INSIDE


def is_private(address: Address) -> bool:
    """Say whether an address means nothing outside its network. Addresses for documentation count as public."""
    return address.is_loopback or address.is_unspecified or any(address in network for network in _PRIVATE)


def is_nobodys(address: Address) -> bool:
    """Say whether no host can have this address."""
    return any(address in network for network in _NOBODYS)


def organisation(name: str) -> str:
    """Return the part of a name that is registered, roughly: too much is taken for one organisation, never too little.

    No list of public suffixes is asked: it would be out of date where it counts.
    """
    parts = name.split(".")
    own = 3 if len(parts) > 2 and len(parts[-1]) == 2 and parts[-2] in _SECOND_LEVEL else 2
    registered = ".".join(parts[-own:])
    return _ONE.get(registered, registered)


def same_organisation(one: str, other: str) -> bool:
    """Say whether two names belong together."""
    return one == other or (is_name(one) and is_name(other) and organisation(one) == organisation(other))
