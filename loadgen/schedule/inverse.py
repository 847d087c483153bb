"""From arrivals back to instants: where the integral of a rate reaches a given number, exactly."""

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

from loadgen.scenario.profile import Piece
from loadgen.scenario.quantities import NS_PER_S


def inverse(piece: Piece, q: int) -> Callable[[int], int]:
    """Return the function from p to the instant where the piece's integral reaches p/q, in ns rounded down.

    p/q is from 0 up to the piece's area, which excludes a piece whose rate is 0 throughout. With rates A/d and B/d
    per second over D ns, and s = B - A, that instant t solves s t² + 2 A D t = 2 D d 10⁹ p/q. Multiplied by q it has
    whole coefficients, so the integer square root is exact.
    """
    if piece.start == piece.end:
        return _of_constant(piece.start, q)
    d = piece.start.denominator * piece.end.denominator
    a, b = int(piece.start * d), int(piece.end * d)
    slope, span_ns = b - a, piece.duration_ns
    base = a * span_ns * q                                # the root is (sqrt(base² + slope·q·c·p) - base) / (slope q)
    square, per_p, divisor = base * base, slope * q * 2 * span_ns * d * NS_PER_S, abs(slope * q)

    def rising(p: int) -> int:
        return (isqrt(square + per_p * p) - base) // divisor

    def falling(p: int) -> int:   # base - sqrt(square), rounded down, is base - the root rounded up
        under_root = square + per_p * p
        return (base - (isqrt(under_root - 1) + 1 if under_root > 0 else 0)) // divisor

    return rising if slope > 0 else falling


def _of_constant(rate: Fraction, q: int) -> Callable[[int], int]:
    per_p, divisor = NS_PER_S * rate.denominator, q * rate.numerator

    def at(p: int) -> int:
        return p * per_p // divisor

    return at
