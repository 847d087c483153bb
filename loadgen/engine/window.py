"""The parts of a run: warm-up, steady phase, drain."""

from dataclasses import dataclass

import numpy as np

from loadgen.engine.columns import Instants, Which


@dataclass(frozen=True, slots=True)
class Window:
    """When the steady phase begins and ends, ns from the run's start. Only it is gated by time."""

    steady_from_ns: int
    steady_until_ns: int

    def holds(self, instant_ns: int) -> bool:
        """Say whether an instant lies in the steady phase."""
        return self.steady_from_ns <= instant_ns < self.steady_until_ns

    def holds_each(self, instants_ns: Instants) -> Which:
        """Say the same of many."""
        return (self.steady_from_ns <= instants_ns) & (instants_ns < self.steady_until_ns)

    def overlap_ns(self, from_ns: int, until_ns: int) -> int:
        """Return how much of a stretch of time lies in the steady phase."""
        return max(0, min(until_ns, self.steady_until_ns) - max(from_ns, self.steady_from_ns))

    def overlaps_ns(self, from_ns: Instants, until_ns: Instants) -> int:
        """Return how much of many stretches of time lies in it, all together."""
        overlaps = np.minimum(until_ns, self.steady_until_ns) - np.maximum(from_ns, self.steady_from_ns)
        return int(np.maximum(overlaps, 0).sum())

    def ended_at(self, instant_ns: int) -> "Window":
        """Return this window as it was if the arrivals ended at an instant."""
        return Window(self.steady_from_ns, max(self.steady_from_ns, instant_ns))

    @property
    def steady_ns(self) -> int:
        """Return the length of the steady phase."""
        return max(0, self.steady_until_ns - self.steady_from_ns)
