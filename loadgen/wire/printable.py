"""Hostile octets made safe for a terminal, a log, a report."""

from typing import Final

_NAMED: Final = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x5C: "\\\\"}

# Invariant: every entry is printable ASCII. UTF-8 is escaped too: bidirectional marks and look-alikes
# deceive.
_SHOWN: Final = tuple(
    _NAMED.get(octet) or (chr(octet) if 0x20 <= octet <= 0x7E else f"\\x{octet:02x}") for octet in range(256)
)


def printable(octets: bytes, limit: int = 200) -> str:
    """Return the octets as printable ASCII, escaped; past `limit` octets only how many more there were."""
    shown = "".join([_SHOWN[octet] for octet in octets[:limit]])
    left_out = len(octets) - limit
    return f"{shown} [{left_out} more octets]" if left_out > 0 else shown
