"""A monitor: one passive requirement, when there is something to look at, and what breaks it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

EXAMPLES_KEPT: Final = 5


class Answer(Protocol):
    """What monitors look at: a reply that answers something."""

    @property
    def verb(self) -> str:
        """Return the verb of the command it answers, in upper case; empty if it answers none."""


E = TypeVar("E", bound=Answer)
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Monitor(Generic[E, S]):
    """One requirement over one exchange. Pure: no octet is changed, nothing is remembered."""

    requirement: str
    applies: Callable[[E, S], bool]
    broken: Callable[[E, S], str | None]     # a printable sentence of what was seen; None: all is well
    # The verbs of the commands whose answers it looks at; none: whatever was asked. Invariant: it applies to no other.
    to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """A monitor looked, and what it saw amiss: for a MAY, what it saw at all."""

    requirement: str
    got: str | None = None


@dataclass(frozen=True, slots=True)
class Looks:
    """What all monitors saw in one exchange."""

    looked: tuple[str, ...]          # the requirements, each once
    broken: tuple[Look, ...]         # the looks that saw something


class Monitors(Generic[E, S]):
    """All monitors of a protocol. Of an answer only those are asked that look at answers to such a command."""

    def __init__(self, monitors: Sequence[Monitor[E, S]]) -> None:
        verbs = frozenset[str]().union(*(monitor.to for monitor in monitors))
        self._by_verb = {
            verb: tuple(monitor for monitor in monitors if not monitor.to or verb in monitor.to) for verb in verbs
        }
        self._others = tuple(monitor for monitor in monitors if not monitor.to)

    def look_at(self, exchange: E, state: S) -> Looks:
        """Hold one exchange against every requirement there is something to look at for."""
        looked, broken = [], []
        for monitor in self._by_verb.get(exchange.verb, self._others):
            if monitor.applies(exchange, state):
                looked.append(monitor.requirement)
                if (got := monitor.broken(exchange, state)) is not None:
                    broken.append(Look(monitor.requirement, got))
        return Looks(tuple(looked), tuple(broken))


class Tally:
    """How often each monitor looked, and what it saw. A monitor that never looked has passed nothing."""

    __slots__ = ("_alike", "_looked", "broken", "examples")

    def __init__(self) -> None:
        self.broken: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}                 # the first few different ones of each
        self._looked: Counter[str] = Counter()
        self._alike: dict[tuple[str, ...], int] = {}             # how often the same ones looked, not counted in yet

    @property
    def looked(self) -> Counter[str]:
        """Return how often each looked."""
        for requirements, times in self._alike.items():
            for requirement in requirements:
                self._looked[requirement] += times
        self._alike.clear()
        return self._looked

    def add(self, look: Look) -> None:
        """Count one look."""
        self._looked[look.requirement] += 1
        self._add_broken(look)

    def add_all(self, looks: Looks) -> None:
        """Count what all monitors saw in one exchange."""
        self._alike[looks.looked] = self._alike.get(looks.looked, 0) + 1
        for look in looks.broken:
            self._add_broken(look)

    def merge(self, other: "Tally") -> None:
        """Add what another tally counted: of another session, another worker."""
        self.looked.update(other.looked)
        self.broken.update(other.broken)
        for requirement, examples in other.examples.items():
            for example in examples:
                self._keep(requirement, example)

    def _add_broken(self, look: Look) -> None:
        if look.got is not None:
            self.broken[look.requirement] += 1
            self._keep(look.requirement, look.got)

    def _keep(self, requirement: str, got: str) -> None:
        kept = self.examples.setdefault(requirement, [])
        if len(kept) < EXAMPLES_KEPT and got not in kept:
            kept.append(got)
