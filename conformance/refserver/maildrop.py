"""Maildrops: what was delivered, until a POP3 session removes it.

One of the two homes of mutable state in the reference server (the other is a session machine).
Everything here is synchronous, so each call is atomic for the sessions of one event loop.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class NotStored(Enum):
    """Why a message was not taken into a maildrop."""

    MAILDROP_FULL = auto()
    STORE_FULL = auto()
    STORE_FAILED = auto()


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as a scan listing knows it: what it is called and how many octets RETR will give."""

    unique_id: str       # 1 to 70 characters from 0x21 to 0x7E, never used again (RFC 1939 §7)
    octets: int


class Maildrop(Protocol):
    """One maildrop. `lock` and `unlock` bracket a POP3 session (RFC 1939 §4)."""

    def lock(self) -> bool:
        """Take the exclusive-access lock; False when a session already holds it."""

    def unlock(self) -> None:
        """Give the lock back."""

    def listing(self) -> tuple[Listed, ...]:
        """Return the messages in order of arrival."""

    def read(self, unique_id: str) -> bytes | None:
        """Return a message with CRLF line ends and no stuffing, or None when it cannot be read."""

    def remove(self, unique_ids: Iterable[str]) -> bool:
        """Remove these messages and no other; False when one of them could not be removed."""


class MaildropStore(Protocol):
    """All maildrops of one server."""

    def maildrop(self, name: str) -> Maildrop:
        """Return the maildrop of that name, an empty one when nothing was delivered yet."""

    def room(self, name: str, octets: int) -> NotStored | None:
        """Say what would keep `octets` more from being stored, or None."""

    def deliver(self, names: Iterable[str], message: bytes) -> NotStored | None:
        """Store a message in every one of the maildrops, or in none of them. It can be read at once."""


class MemoryMaildrop:
    """A maildrop in memory. Messages to several recipients share their octets."""

    __slots__ = ("_listed", "_locked", "_messages", "_store", "octets")

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        self._messages: dict[str, bytes] = {}
        self._listed: dict[str, Listed] = {}      # Invariant: the keys of _messages, in order of arrival
        self._locked = False
        self.octets = 0                           # Invariant: the sum over _messages

    def lock(self) -> bool:
        """See Maildrop."""
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self) -> None:
        """See Maildrop."""
        self._locked = False

    def listing(self) -> tuple[Listed, ...]:
        """See Maildrop."""
        return tuple(self._listed.values())

    def read(self, unique_id: str) -> bytes | None:
        """See Maildrop."""
        return self._messages.get(unique_id)

    def remove(self, unique_ids: Iterable[str]) -> bool:
        """See Maildrop."""
        complete = True
        for unique_id in unique_ids:
            message = self._messages.pop(unique_id, None)
            if message is None:
                complete = False
                continue
            del self._listed[unique_id]
            self.octets -= len(message)
            self._store.octets -= len(message)
        return complete

    def add(self, unique_id: str, message: bytes) -> None:
        """Append a message."""
        self._messages[unique_id] = message
        self._listed[unique_id] = Listed(unique_id, len(message))
        self.octets += len(message)
        self._store.octets += len(message)


class MemoryStore:
    """Maildrops in memory, bounded by one quota each and one for all."""

    def __init__(self, generation: str, *, maildrop_octets_max: int, octets_max: int) -> None:
        """Start empty. `generation` must differ between two runs, so that unique-ids are never used again."""
        self._generation = generation
        self._maildrop_octets_max = maildrop_octets_max
        self._octets_max = octets_max
        self._maildrops: dict[str, MemoryMaildrop] = {}
        self._delivered = 0
        self.octets = 0                           # Invariant: the sum over all maildrops

    def maildrop(self, name: str) -> MemoryMaildrop:
        """See MaildropStore."""
        found = self._maildrops.get(name)
        if found is None:
            found = self._maildrops[name] = MemoryMaildrop(self)
        return found

    def room(self, name: str, octets: int) -> NotStored | None:
        """See MaildropStore."""
        found = self._maildrops.get(name)
        if (found.octets if found else 0) + octets > self._maildrop_octets_max:
            return NotStored.MAILDROP_FULL
        return NotStored.STORE_FULL if self.octets + octets > self._octets_max else None

    def deliver(self, names: Iterable[str], message: bytes) -> NotStored | None:
        """See MaildropStore."""
        drops = [self.maildrop(name) for name in names]
        if self.octets + len(message) * len(drops) > self._octets_max:
            return NotStored.STORE_FULL
        for drop in drops:
            self._delivered += 1
            drop.add(f"{self._generation}-{self._delivered}", message)
        return None
