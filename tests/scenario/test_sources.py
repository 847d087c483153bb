"""Where a run connects from: one address, a range, or a network."""

import pytest

from loadgen.scenario.model import Target
from loadgen.scenario.sources import SOURCES_MAX, expanded


@pytest.mark.parametrize(
    ("notation", "first", "last", "count"),
    [
        ("127.0.0.2", "127.0.0.2", "127.0.0.2", 1),
        ("127.1.0.1-127.1.0.16", "127.1.0.1", "127.1.0.16", 16),
        ("127.1.0.250-127.1.1.5", "127.1.0.250", "127.1.1.5", 12),
        ("127.1.0.0/28", "127.1.0.1", "127.1.0.14", 14),        # neither the network's address nor the broadcast
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.7", 1),
        ("127.0.0.9/8", "127.0.0.1", "127.0.4.0", SOURCES_MAX),
        ("2001:db8::1-2001:db8::4", "2001:db8::1", "2001:db8::4", 4),
        ("2001:db8::/32", "2001:db8::1", "2001:db8::400", SOURCES_MAX),
    ],
)
def test_a_notation_stands_for_its_addresses(notation: str, first: str, last: str, count: int) -> None:
    addresses = expanded(notation)
    assert (addresses[0], addresses[-1], len(set(addresses))) == (first, last, count)


@pytest.mark.parametrize(
    "notation",
    ["", "eth0", "127.0.0.2-127.0.0.1", "127.0.0.1-::1", "127.0.0.1-", "127.0.0.1/33", "127.0.0.1-127.0.0.2-3"],
)
def test_anything_else_is_refused(notation: str) -> None:
    with pytest.raises(ValueError):
        expanded(notation)


def test_a_target_has_the_addresses_of_all_its_notations_in_their_order() -> None:
    target = Target(source_addresses=("127.0.0.9", "127.1.0.1-127.1.0.2"))
    assert target.sources == ("127.0.0.9", "127.1.0.1", "127.1.0.2")
