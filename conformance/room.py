"""How many cases are with the server at once: so many talk, and some more only wait for it to say nothing.

A silence that is waited out costs a server nothing, so the case that waits makes room for another. The room gets
smaller when the server turns a session away because of the others.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

import trio

INSIDE_PER_TALKING: Final = 3        # many servers take 50 connections of one client


class Room:
    """The cases that run side by side. Invariant: of those inside, at most `talking` do not rest."""

    def __init__(self, talking: int) -> None:
        self._talking = trio.CapacityLimiter(talking)
        self._inside = trio.CapacityLimiter(talking if talking == 1 else INSIDE_PER_TALKING * talking)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Wait until there is room for one more case, and keep it while the block runs."""
        async with self._inside:
            place = _Place(self._talking)
            await place.take()
            mine = _PLACE.set(place)
            try:
                yield
            finally:
                _PLACE.reset(mine)
                place.leave()

    def make_smaller(self) -> None:
        """Let one case less in from now on; at least one."""
        self._inside.total_tokens = max(1, min(self._inside.total_tokens, int(self._inside.borrowed_tokens)) - 1)


class _Place:
    """One case's right to talk. Several of its tasks may rest at once."""

    def __init__(self, talking: trio.CapacityLimiter) -> None:
        self._talking = talking
        self._has = False
        self._waits = False
        self._resting = 0

    async def take(self) -> None:
        if self._has or self._waits:
            return
        self._waits = True
        try:
            await self._talking.acquire_on_behalf_of(self)
            self._has = True
        finally:
            self._waits = False

    def leave(self) -> None:
        if self._has:
            self._talking.release_on_behalf_of(self)
            self._has = False

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        self._resting += 1
        self.leave()
        try:
            yield
        finally:
            self._resting -= 1
            if not self._resting:
                await self.take()


_PLACE: Final[ContextVar[_Place | None]] = ContextVar("place", default=None)     # of the case this task runs


@asynccontextmanager
async def resting() -> AsyncIterator[None]:
    """Let another case talk while this one only waits. Does nothing for a case that is not in a room."""
    place = _PLACE.get()
    if place is None:
        yield
        return
    async with place.resting():
        yield
