"""The delivery ledger: what was accepted, joined with what came out of the maildrops.

Kept per (message, recipient): accepted mail is found exactly once and unchanged, or it is a
duplicate, corrupt, lost, or pending where its maildrop could not be read. What was sent and never
answered is ambiguous: sender and receiver disagree about it and both are right (RFC 1047). Tried again and accepted,
it may lawfully be there twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.message.stamp import Stamp
from loadgen.session.trace import Settled, Trace
from reports.document import LedgerResult


@dataclass(frozen=True, slots=True)
class Copy:
    """One message as a maildrop showed it: seen twice the same, it is one copy (RFC 1939 §7).

    A session without UIDL can only count: its n-th copy of a message is copy n, whichever that is.
    """

    unique_id: bytes | int
    digest: bytes


class Ledger:
    """Join the send log and the maildrops of one run, in memory. A value that crosses processes, and merges."""

    def __init__(self, run_token: str) -> None:
        self._prefix = f"{run_token}."                                  # of every message id of this run
        self._pages_missing = False                                     # what a part of the run did is not known
        self._digests: dict[str, bytes] = {}                            # message id -> digest as sent
        self._accepted: dict[str, set[str]] = defaultdict(set)          # message id -> recipients
        # message id -> how often it was sent for each recipient without an answer
        self._ambiguous: dict[str, Counter[str]] = defaultdict(Counter)
        self._refused_for: set[str] = set()                             # maildrops that mail data was refused for
        # (message id, maildrop) -> what was found. A session that was cut before UPDATE leaves its messages
        # where they were, to be seen again.
        self._copies: dict[tuple[str, str], set[Copy]] = defaultdict(set)
        self._owed: set[tuple[str, str]] = set()                        # accepted, and not yet found
        self.copies_untold = False                                      # a server without UIDL was read

    def add(self, trace: Trace) -> None:
        """Enter what one session sent and what it retrieved."""
        for index, offered in enumerate(trace.begun):
            word = trace.settled.get(index) or Settled((), 0, offered.recipients)
            message_id = offered.stamp.message_id
            self._digests[message_id] = offered.stamp.digest
            if word.unanswered:
                self._ambiguous[message_id].update(word.unanswered)
            if word.recipients:
                self._accepted[message_id].update(word.recipients)
                owed = ((message_id, recipient) for recipient in word.recipients)
                self._owed.update(key for key in owed if key not in self._copies)
            if len(word.recipients) + len(word.unanswered) < len(offered.recipients):
                self._refused_for.update(set(offered.recipients).difference(word.recipients, word.unanswered))
        nameless: Counter[tuple[str, str]] = Counter()
        for retrieved in trace.retrieved:
            if retrieved.stamp is None or not self._owns(retrieved.stamp):
                continue
            key = (retrieved.stamp.message_id, retrieved.maildrop)
            if retrieved.unique_id is None:
                self.copies_untold = True
                nameless[key] += 1
            # Compared with the digest as sent only in result(): the sending session may still be open.
            self._copies[key].add(Copy(retrieved.unique_id or nameless[key], retrieved.stamp.digest))
            self._owed.discard(key)

    def _owns(self, stamp: Stamp) -> bool:
        return stamp.message_id.startswith(self._prefix)

    def merge(self, other: "Ledger") -> None:
        """Enter everything that another part of the same run has entered."""
        self._digests |= other._digests
        for message_id, recipients in other._accepted.items():
            self._accepted[message_id] |= recipients
        for message_id, unanswered in other._ambiguous.items():
            self._ambiguous[message_id].update(unanswered)
        self._refused_for |= other._refused_for
        for key, copies in other._copies.items():
            self._copies[key] |= copies
        # What one part sent another may have found.
        self._owed = {key for key in self._owed | other._owed if key not in self._copies}
        self.copies_untold |= other.copies_untold
        self._pages_missing |= other._pages_missing

    def miss_pages(self) -> None:
        """Note that what a part of the run sent and took away is not known, so that nobody is accused for it.

        It may have deleted what is not found, and sent what nobody here has: what would be lost is pending, and a
        message of this run that was never entered is no misdelivery.
        """
        self._pages_missing = True

    def maildrops_owing(self) -> set[str]:
        """Return the maildrops in which accepted mail has not been found so far."""
        return {maildrop for _, maildrop in self._owed}

    def maildrops_written(self) -> set[str]:
        """Return the maildrops that mail data was sent for, taken or not: what was refused must not be found there."""
        sent_for = (*self._accepted.values(), *self._ambiguous.values())
        return self._refused_for.union(*sent_for)

    def result(self, maildrops_read: Iterable[str]) -> LedgerResult:
        """Return the count of each class; mail owed by a maildrop outside `maildrops_read` is pending, not lost.

        Every accepted (message, recipient) is in exactly one class: delivered once, lawful duplicate, duplicate,
        corrupt, lost or pending. A copy that was changed makes it corrupt, however many are whole. Of what was never
        answered and then accepted, one copy for each time it was sent is lawful. Misdelivered are
        the maildrops with a message they were not to have: somebody else's, or one that was refused for them.
        """
        read = frozenset(maildrops_read)
        classes: Counter[str] = Counter()
        for message_id, recipients in self._accepted.items():
            for recipient in recipients:
                classes[self._class_of(message_id, recipient, read)] += 1
        misdelivered = 0
        for message_id, maildrop in self._copies:
            if self._pages_missing and message_id not in self._digests:
                continue
            if not any(maildrop in taken.get(message_id, ()) for taken in (self._accepted, self._ambiguous)):
                misdelivered += 1
        return LedgerResult(
            accepted=classes.total(),
            delivered_once=classes["delivered_once"],
            duplicate=classes["duplicate"],
            duplicate_lawful=classes["duplicate_lawful"],
            lost=classes["lost"],
            corrupt=classes["corrupt"],
            misdelivered=misdelivered,
            ambiguous=sum(
                len(unanswered.keys() - self._accepted.get(message_id, set()))
                for message_id, unanswered in self._ambiguous.items()
            ),
            pending=classes["pending"],
        )

    def _class_of(self, message_id: str, recipient: str, read: frozenset[str]) -> str:
        copies = self._copies.get((message_id, recipient))
        if not copies:
            return "lost" if recipient in read and not self._pages_missing else "pending"
        if any(copy.digest != self._digests[message_id] for copy in copies):
            return "corrupt"
        named = {copy.unique_id for copy in copies if isinstance(copy.unique_id, bytes)}
        counted = max((copy.unique_id for copy in copies if isinstance(copy.unique_id, int)), default=0)
        found = max(len(named), counted)
        if found <= 1:
            return "delivered_once"
        sent = 1 + self._ambiguous.get(message_id, Counter())[recipient]
        return "duplicate_lawful" if found <= sent else "duplicate"
