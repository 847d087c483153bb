"""What the monitors saw in replies that came before: a run's replies are nearly all alike, and looked at once."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from conformance.monitors.monitor import Answer, Looks, Monitors

E = TypeVar("E", bound=Answer)
S = TypeVar("S")
KEPT: Final = 128


class Memo(Generic[E, S]):
    """All monitors of a protocol, and what they saw in the newest hundred answers of which no two were alike."""

    monitors: Monitors[E, S]

    def __init__(self) -> None:
        self._seen: dict[Hashable, Looks] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def look_at(self, exchange: E, state: S) -> Looks:
        """Hold one exchange against every passive requirement, or remember how that came out."""
        key = self.all_that_matters(exchange, state)
        if key is None:
            return self.monitors.look_at(exchange, state)
        looks = self._seen.get(key)
        if looks is None:
            if len(self._seen) >= KEPT:
                self._seen.clear()
            looks = self._seen[key] = self.monitors.look_at(exchange, state)
        return looks

    def all_that_matters(self, exchange: E, state: S) -> Hashable | None:
        """Return what decides, together, what the monitors see; None: they are to look for themselves.

        So they do at whatever is rare or long. What is kept is a few hundred octets, whoever sent it.
        """
        raise NotImplementedError

    def __reduce__(self) -> tuple[type["Memo[E, S]"], tuple[()]]:
        """Cross processes empty."""
        return type(self), ()
