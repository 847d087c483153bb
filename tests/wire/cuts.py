"""How TCP may cut a stream: the one strategy every reader is tried with."""

from itertools import pairwise

from hypothesis import strategies as st


@st.composite
def cuts_of(draw: st.DrawFn, octets: bytes) -> list[bytes]:
    """Cut the octets anywhere, any number of times; empty pieces included."""
    places = draw(st.lists(st.integers(0, len(octets)), max_size=12))
    return [octets[a:b] for a, b in pairwise([0, *sorted(places), len(octets)])]


def ways_to_feed(octets: bytes) -> list[list[bytes]]:
    """Return the three ways every hand-written vector is fed: whole, octet by octet, in two halves."""
    half = len(octets) // 2
    return [[octets], [octets[i : i + 1] for i in range(len(octets))], [octets[:half], octets[half:]]]
