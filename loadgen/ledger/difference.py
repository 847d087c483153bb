"""Which octets of a body were changed, in one sentence. Pure."""

from typing import Final

from loadgen.wire.printable import printable

SHOWN_OCTETS: Final = 16


def difference(sent: bytes, found: bytes) -> str:
    """Return what became of a body; offsets count from its first octet, which is 0."""
    if len(sent) == len(found):
        places = [place for place, (ours, theirs) in enumerate(zip(sent, found, strict=True)) if ours != theirs]
        first, last = places[0], places[-1]
        if first == last:
            return f"octet {first:,} of its body is 0x{found[first]:02x} where 0x{sent[first]:02x} was sent"
        return (
            f"{len(places):,} octets of its body differ, from {first:,} (0x{found[first]:02x} where "
            f"0x{sent[first]:02x} was sent) to {last:,} (0x{found[last]:02x} where 0x{sent[last]:02x} was sent)"
        )
    before = _in_common(sent, found)
    behind = _in_common(sent[before:][::-1], found[before:][::-1])
    gone, come = sent[before : len(sent) - behind], found[before : len(found) - behind]
    if not come and not behind:
        return f"its body ends after {before:,} octets of {len(sent):,}"
    if not come:
        return f"{_octets(gone)} of its body from {before:,} on {'is' if len(gone) == 1 else 'are'} missing"
    if not gone:
        return f"{_octets(come)} stand{'s' if len(come) == 1 else ''} in its body at {before:,} that nobody sent"
    return f"in its body {_octets(gone)} from {before:,} on have become {_octets(come)}"


def _in_common(one: bytes, other: bytes) -> int:
    """Return how many octets both begin with."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


def _octets(some: bytes) -> str:
    count = f"{len(some):,} octet{'' if len(some) == 1 else 's'}"
    return f'{count} ("{printable(some[:SHOWN_OCTETS])}"{" …" if len(some) > SHOWN_OCTETS else ""})'
