"""What the DNS was found to say about the hosts of a chain. Pure: who asks is elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from conformance.trace.hop import Hop
from conformance.trace.host import Address, is_inside, is_private

ASKED_MAX = 64             # names, and addresses, of one chain


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """Answers by name and by address; what is missing was not asked, or nobody could tell."""

    addresses: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)      # (): it has none
    names: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)          # PTR
    troubles: tuple[str, ...] = ()                                                  # why something could not be learnt


NOT_ASKED = DnsFacts()


def names_to_ask(chain: Iterable[Hop]) -> list[str]:
    """Return the names whose addresses would tell something."""
    names = (name for hop in chain for name in (hop.by, *(hop.origin.names if hop.origin else ())))
    return list(dict.fromkeys(name for name in names if not is_inside(name)))[:ASKED_MAX]


def addresses_to_ask(chain: Iterable[Hop]) -> list[Address]:
    """Return the addresses whose names would tell something."""
    addresses = (hop.origin.address for hop in chain if hop.origin is not None)
    return list(dict.fromkeys(each for each in addresses if each is not None and not is_private(each)))[:ASKED_MAX]
