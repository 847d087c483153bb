"""The delivery ledger: what was accepted, joined with what came out of the maildrops.

Kept per (message, recipient): accepted mail is found exactly once and unchanged, or it is a
duplicate, corrupt, lost, or pending where its maildrop could not be read. What was sent and never
answered is ambiguous: sender and receiver disagree about it and both are right (RFC 1047).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from loadgen.message.stamp import Stamp
from loadgen.session.trace import Trace
from reports.document import LedgerResult


class Ledger:
    """Join the send log and the maildrops of one run, in memory."""

    def __init__(self, owns: Callable[[Stamp], bool]) -> None:
        self._owns = owns
        self._digests: dict[str, bytes] = {}                            # message id -> digest as sent
        self._accepted: dict[str, set[str]] = defaultdict(set)          # message id -> recipients
        self._ambiguous: dict[str, set[str]] = defaultdict(set)
        # (message id, maildrop) -> each copy's unique-id. A session that was cut before UPDATE leaves
        # its messages where they were: the same unique-id seen twice is one copy (RFC 1939 §7).
        self._copies: dict[tuple[str, str], dict[bytes, bytes]] = defaultdict(dict)     # -> digest as found
        self._owed: set[tuple[str, str]] = set()                        # accepted, and not yet found
        self.copies_untold = False                                      # a server without UIDL was read

    def add(self, trace: Trace) -> None:
        """Enter what one session sent and what it retrieved."""
        for index, offered in enumerate(trace.begun):
            word = trace.settled.get(index)
            message_id = offered.stamp.message_id
            self._digests[message_id] = offered.stamp.digest
            if word is None:
                self._ambiguous[message_id].update(offered.recipients)
            elif word.recipients:
                self._accepted[message_id].update(word.recipients)
                self._owed.update(
                    (message_id, recipient)
                    for recipient in word.recipients
                    if (message_id, recipient) not in self._copies
                )
        for retrieved in trace.retrieved:
            if retrieved.stamp is None or not self._owns(retrieved.stamp):
                continue
            if retrieved.unique_id is None:
                self.copies_untold = True
            key = (retrieved.stamp.message_id, retrieved.maildrop)
            # Compared with the digest as sent only in result(): the sending session may still be open.
            self._copies[key][retrieved.unique_id or b""] = retrieved.stamp.digest
            self._owed.discard(key)

    def maildrops_owing(self) -> set[str]:
        """Return the maildrops in which accepted mail has not been found so far."""
        return {maildrop for _, maildrop in self._owed}

    def maildrops_written(self) -> set[str]:
        """Return the maildrops that mail was accepted for."""
        return {recipient for recipients in self._accepted.values() for recipient in recipients}

    def result(self, maildrops_read: Iterable[str]) -> LedgerResult:
        """Return the count of each class; mail owed by a maildrop outside `maildrops_read` is pending, not lost."""
        read = frozenset(maildrops_read)
        once = duplicate = corrupt = misdelivered = lost = pending = 0
        for key in ((message_id, r) for message_id, recipients in self._accepted.items() for r in recipients):
            copies = self._copies.get(key, {})
            if not copies:
                lost, pending = (lost + 1, pending) if key[1] in read else (lost, pending + 1)
            elif set(copies.values()) != {self._digests[key[0]]}:
                corrupt += 1
            elif len(copies) > 1:
                duplicate += 1
            else:
                once += 1
        for message_id, maildrop in self._copies:
            if not any(maildrop in taken.get(message_id, ()) for taken in (self._accepted, self._ambiguous)):
                misdelivered += 1      # to somebody else, or to somebody it had been refused for
        return LedgerResult(
            accepted=sum(map(len, self._accepted.values())),
            delivered_once=once, duplicate=duplicate, lost=lost, corrupt=corrupt, misdelivered=misdelivered,
            ambiguous=sum(map(len, self._ambiguous.values())), pending=pending,
        )
