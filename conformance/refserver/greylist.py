"""Greylisting: who is new has to come again (RFC 6647). Lawful, so a variant: 4yz asks a sender to retry."""

from collections import OrderedDict
from typing import Final

FIRST_SEEN_MAX: Final = 1_000_000      # so many are remembered; then the oldest is new again

# Client address (None: a unix socket), reverse-path, forward-path.
Triplet = tuple[str | None, bytes, bytes]


class Greylist:
    """When each triplet was first seen. One of a server's few memories that outlast a session."""

    __slots__ = ("_first_seen", "_remembered")

    def __init__(self, remembered: int = FIRST_SEEN_MAX) -> None:
        self._remembered = remembered
        self._first_seen: OrderedDict[Triplet, float] = OrderedDict()

    def must_wait(self, triplet: Triplet, *, delay_s: float, now_s: float) -> bool:
        """Say whether a triplet was first seen less than `delay_s` ago; what is new is remembered as seen now."""
        first_s = self._first_seen.get(triplet)
        if first_s is None:
            if len(self._first_seen) >= self._remembered:
                self._first_seen.popitem(last=False)
            self._first_seen[triplet] = first_s = now_s
        return now_s - first_s < delay_s
