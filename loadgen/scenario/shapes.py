"""The five shapes of a distribution over whole numbers. What the numbers count is the caller's business."""

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always `value`."""

    value: int

    def sample(self, _rng: random.Random) -> int:
        """Return the value; draws nothing."""
        return self.value

    def mean(self) -> float:
        """Return the value."""
        return float(self.value)

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest sample."""
        return self.value, self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any whole number from `low` to `high`, both included."""

    low: int
    high: int

    def sample(self, rng: random.Random) -> int:
        """Draw one number."""
        return rng.randint(self.low, self.high)

    def mean(self) -> float:
        """Return the midpoint."""
        return (self.low + self.high) / 2

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest sample."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class LogNormal:
    """exp(N(ln median, sigma)). What would be past `top` is `top`: the tail keeps its weight."""

    median: int
    sigma: float
    top: int

    def sample(self, rng: random.Random) -> int:
        """Draw one number."""
        exponent = min(700.0, self.sigma * rng.gauss(0.0, 1.0))   # e**710 is past a float, and past any top
        return min(self.top, round(self.median * math.exp(exponent)))

    def mean(self) -> float:
        """Return E[min(X, top)], the limited expected value."""
        if self.sigma == 0:
            return float(self.median)
        mu, ln_top, sigma = math.log(self.median), math.log(self.top), self.sigma
        below = self.median * math.exp(sigma * sigma / 2) * _phi((ln_top - mu - sigma * sigma) / sigma)
        return below + self.top * (1 - _phi((ln_top - mu) / sigma))

    @property
    def bounds(self) -> tuple[int, int]:
        """Return a number no sample is below, and the highest sample."""
        return 0, self.top


@dataclass(frozen=True, slots=True)
class Exponential:
    """Exponential with `scale` as its mean before the bound. What would be past `top` is `top`."""

    scale: int
    top: int

    def sample(self, rng: random.Random) -> int:
        """Draw one number."""
        return min(self.top, round(rng.expovariate(1.0 / self.scale)))

    def mean(self) -> float:
        """Return E[min(X, top)]."""
        return self.scale * -math.expm1(-self.top / self.scale)

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest sample."""
        return 0, self.top


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `values`, weighted."""

    values: tuple[int, ...]
    cumulative: tuple[float, ...]   # Invariant: as long as values, rising; the running sum of the weights

    def sample(self, rng: random.Random) -> int:
        """Draw one of the values."""
        return self.values[bisect_right(self.cumulative, rng.random() * self.cumulative[-1])]

    def mean(self) -> float:
        """Return the weighted mean."""
        return sum(v * w for v, w in zip(self.values, self.weights, strict=True)) / self.cumulative[-1]

    @property
    def weights(self) -> tuple[float, ...]:
        """Return the weights as they were written, up to rounding."""
        return tuple(after - before for before, after in pairwise((0.0, *self.cumulative)))

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest sample."""
        return min(self.values), max(self.values)


Shape = Fixed | Uniform | LogNormal | Exponential | Choice


def _phi(z: float) -> float:
    """Return the standard normal distribution function."""
    return (1 + math.erf(z / math.sqrt(2))) / 2
