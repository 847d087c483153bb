"""A rate that changes over time, as straight pieces one after the other: what every rate-based shape comes down to."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from loadgen.scenario.quantities import NS_PER_S


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch over which the rate changes linearly, or not at all."""

    start: Fraction      # arrivals per second where it begins
    end: Fraction        # and where it ends
    duration_ns: int     # Invariant: more than 0

    @property
    def area(self) -> Fraction:
        """Return the integral of the rate: the arrivals the piece is worth."""
        return self.area_until(self.duration_ns)

    def area_until(self, at_ns: int) -> Fraction:
        """Return the integral of the rate from the piece's start to an instant within it."""
        slope = (self.end - self.start) / self.duration_ns
        return (self.start + slope * at_ns / 2) * at_ns / NS_PER_S


def straight(*stretches: tuple[Fraction, Fraction, int]) -> tuple[Piece, ...]:
    """Return the pieces of (start, end, duration in ns), those that last no time left out."""
    return tuple(Piece(*each) for each in stretches if each[2])


def area_of(pieces: Iterable[Piece]) -> Fraction:
    """Return the arrivals that pieces are worth together."""
    return sum((piece.area for piece in pieces), Fraction(0))
