"""The maildrops that were declared, and who has which: POP3's lock is exclusive, so no two cases may share one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from conformance.declared import Place


@dataclass(slots=True)
class Maildrop:
    """One maildrop, and what is known to lie in it."""

    place: Place
    lying: "Lying | None" = None         # None: nobody knows any more


@dataclass(frozen=True, slots=True)
class Lying:
    """What lay in a maildrop when somebody looked: how many messages, and the numbers of ours by their tokens."""

    count: int
    numbers: dict[str, int]


@dataclass(slots=True)
class Maildrops:
    """All of them. Who asked first is served first, however many he wants: else who wants two would never get them.

    Cases that wait for minutes leave one to the others, which would else wait for them.
    """

    every: Sequence[Maildrop]
    _free: list[Maildrop] = field(init=False)
    _changed: trio.Condition = field(default_factory=trio.Condition)
    _hurried: list[object] = field(default_factory=list)     # who wants some and does not take minutes, by turns

    def __post_init__(self) -> None:
        self._free = list(self.every)

    @asynccontextmanager
    async def taken(self, count: int, *, slow: bool = False) -> AsyncIterator[tuple[Maildrop, ...]]:
        """Keep so many maildrops for oneself while the block runs; there must be as many at all.

        `slow`: for minutes. Then it waits until nobody else wants the last one.
        """
        assert count <= len(self.every)
        mine = await self._take(count, slow=slow)
        try:
            yield mine
        finally:
            with trio.CancelScope(shield=True):
                async with self._changed:
                    self._free += mine
                    self._changed.notify_all()

    async def _take(self, count: int, *, slow: bool) -> tuple[Maildrop, ...]:
        turn = object()
        async with self._changed:
            if not slow:
                self._hurried.append(turn)
            try:
                while not self._may_take(count, None if slow else turn):
                    await self._changed.wait()
                mine = tuple(self._free[:count] if not slow else self._free[-count:])
                self._free = [one for one in self._free if one not in mine]
            finally:
                if not slow:
                    self._hurried.remove(turn)
                    self._changed.notify_all()
        return mine

    def _may_take(self, count: int, turn: object | None) -> bool:
        if turn is None:
            return len(self._free) >= count + bool(self._hurried)
        return self._hurried[0] is turn and len(self._free) >= count
