"""A monitor: one passive requirement, when there is something to look at, and what breaks it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

E = TypeVar("E")
S = TypeVar("S")
EXAMPLES_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class Monitor(Generic[E, S]):
    """One requirement over one exchange. Pure: no octet is changed, nothing is remembered."""

    requirement: str
    applies: Callable[[E, S], bool]
    broken: Callable[[E, S], str | None]     # a printable sentence of what was seen; None: all is well

    def look(self, exchange: E, state: S) -> Iterator["Look"]:
        """Look once, if there is something to look at."""
        if self.applies(exchange, state):
            yield Look(self.requirement, self.broken(exchange, state))


@dataclass(frozen=True, slots=True)
class Look:
    """A monitor looked, and what it saw amiss: for a MAY, what it saw at all."""

    requirement: str
    got: str | None = None


@dataclass(slots=True)
class Tally:
    """How often each monitor looked, and what it saw. A monitor that never looked has passed nothing."""

    looked: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)     # the first few different ones of each

    def add(self, look: Look) -> None:
        """Count one look."""
        self.looked[look.requirement] += 1
        if look.got is None:
            return
        self.broken[look.requirement] += 1
        self._keep(look.requirement, look.got)

    def merge(self, other: "Tally") -> None:
        """Add what another tally counted: of another session, another worker."""
        self.looked.update(other.looked)
        self.broken.update(other.broken)
        for requirement, examples in other.examples.items():
            for example in examples:
                self._keep(requirement, example)

    def _keep(self, requirement: str, got: str) -> None:
        kept = self.examples.setdefault(requirement, [])
        if len(kept) < EXAMPLES_KEPT and got not in kept:
            kept.append(got)
