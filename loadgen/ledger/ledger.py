"""The delivery ledger: what was accepted, joined with what came out of the maildrops.

Kept per (message, recipient): accepted mail is found exactly once and unchanged, or it is a duplicate, corrupt, lost,
or pending where its maildrop could not be read. What was sent and never answered is ambiguous, until the receiver's
view settles it: sender and receiver disagree about it and both are right (RFC 1047). Its key is our own id, in a field
of our own: never Message-ID.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

from loadgen.clock import NS_PER_S
from loadgen.ledger.delivery import ACCEPTED, REJECTED, UNANSWERED, Attempt, Copy, Delivery, Looked
from loadgen.ledger.difference import difference
from loadgen.ledger.join import joined, reordered_in
from loadgen.ledger.journal import Journal
from loadgen.ledger.page import Page, page_of
from loadgen.ledger.record import Record
from loadgen.ledger.steps import AT_ONCE, finished
from loadgen.ledger.store import Store
from loadgen.ledger.timing import Timing
from loadgen.session.trace import Offered, Trace, Word
from reports.errors import UserError
from reports.ledger_result import CLASSES, Irregularity, LedgerResult

DIGITS_MAX: Final = 15             # of a number in an id of ours: whatever is longer is none
SHOWN_MAX: Final = 5               # irregularities of each class that stand in the result

BodyAsSent = Callable[[int, int], bytes | None]     # (arrival, number of the message) -> its body; None: not known


def _not_known(_arrival: int, _number: int) -> bytes | None:
    return None


class Ledger:
    """The books of one run, in a file or in memory."""

    def __init__(self, run_token: str, path: Path | None = None, origin_ns: int = 0) -> None:
        """Begin the books; `origin_ns` is the run's start on this process's clock. UserError if there can be none."""
        self._prefix = f"{run_token}."                 # of every message id of this run
        self._store = Store(path)
        self._origin_ns = origin_ns
        self._pages_missing = False                    # what a part of the run did is not known
        self.copies_untold = False                     # a server without UIDL was read
        self._store.about("run_token", run_token)

    def add(self, trace: Trace, *, looked: str | None = None, look_ns: int = 0) -> None:
        """Enter what one session of this process sent and found; `looked` is the maildrop it read to the end."""
        page = page_of(trace, looked=looked, look_ns=look_ns)
        if page is not None:
            self._enter(page, self._origin_ns)

    def read(self, journal: Journal) -> Generator[None, None, None]:
        """Enter all pages of a process, in steps. UserError if they cannot be read."""
        if journal.failure is not None:
            self.miss_pages()
        try:
            for number, page in enumerate(journal.pages(), start=1):
                self._enter(page, journal.origin_ns)
                if number % AT_ONCE == 0:
                    yield
        except OSError as error:
            if journal.failure is None:
                raise UserError(f"what was written for the ledger cannot be read: {error}") from None

    def found(self, message_id: str, copy: Copy, evidence: bytes | None = None) -> None:
        """Enter a copy that did not come by way of a session; its own key is replaced by that of its id."""
        if not message_id.startswith(self._prefix):
            return
        arrival, number, stray = self._key(message_id)
        self._store.add_copy(copy._replace(arrival=arrival, number=number, stray=stray))
        if evidence is not None and not stray:
            self._store.add_evidence(arrival, number, copy.maildrop, evidence)

    def looked(self, maildrop: str, at_ns: int) -> None:
        """Enter that a maildrop was looked through, by a look that began then; from the run's start."""
        self._store.add_look(maildrop, at_ns)

    def miss_pages(self) -> None:
        """Note that what a part of the run sent and took away is not known, so that nobody is accused for it.

        It may have deleted what is not found, and sent what nobody here has: what would be lost is pending, and a
        message of this run that was never entered is no misdelivery.
        """
        self._pages_missing = True

    def maildrops_owing(self) -> set[str]:
        """Return the maildrops in which accepted mail has not been found so far."""
        return set(self._store.owing())

    def maildrops_written(self) -> set[str]:
        """Return the maildrops that mail data was sent for, taken or not: what was refused must not be found there."""
        return set(self._store.recipients())

    def result(
        self,
        maildrops_read: Iterable[str] | None,
        *,
        body_as_sent: BodyAsSent = _not_known,
        record: Path | None = None,
        crashes_ns: Sequence[int] = (),
    ) -> LedgerResult:
        """Return what became of everything, at once; else as `judged`."""
        return finished(
            self.judged(maildrops_read, body_as_sent=body_as_sent, record=record, crashes_ns=crashes_ns)
        )

    def judged(
        self,
        maildrops_read: Iterable[str] | None,
        *,
        body_as_sent: BodyAsSent = _not_known,
        record: Path | None = None,
        crashes_ns: Sequence[int] = (),
    ) -> Generator[None, None, LedgerResult]:
        """Return what became of everything, in steps; mail owed by a maildrop outside `maildrops_read` is pending.

        None: all of them were. What was not delivered once is written to the file `record`, a line each. UserError if
        that cannot be. `crashes_ns` is when each crash of the server was over, from the run's start.
        """
        looked_through = Looked(None if maildrops_read is None else frozenset(maildrops_read))
        counts: Counter[str] = Counter()
        timing = Timing()
        shown: list[Irregularity] = []
        self._store.forget_irregulars()
        with Record(record, self._prefix) as lines:
            sessions = joined(
                self._store.attempts(), self._store.copies(), looked_through=looked_through,
                pages_missing=self._pages_missing, crashes_ns=crashes_ns,
            )   # fmt: skip
            for number, session in enumerate(sessions, start=1):
                for delivery in session:
                    counts[delivery.kind] += 1
                    if delivery.attempts:
                        counts["accepted"] += delivery.accepted is not None
                        timing.add(delivery)
                    if delivery.kind == "delivered_once":
                        continue
                    counts["ambiguous_arrived"] += delivery.kind == "ambiguous" and bool(delivery.copies)
                    irregular = self._irregularity(delivery, body_as_sent)
                    lines.write(delivery, "" if irregular is None else irregular.sentence)
                    if irregular is not None and counts[delivery.kind] <= SHOWN_MAX:
                        shown.append(irregular)
                if len(session) > 1:
                    counts["reordered"] += reordered_in(session)
                if number % AT_ONCE == 0:
                    yield
        return LedgerResult(
            sent=sum(counts[name] for name in CLASSES),
            accepted=counts["accepted"],
            delivered_once=counts["delivered_once"],
            duplicate=counts["duplicate"],
            duplicate_lawful=counts["duplicate_lawful"],
            lost=counts["lost"],
            corrupt=counts["corrupt"],
            misdelivered=counts["misdelivered"],
            ambiguous=counts["ambiguous"],
            ambiguous_arrived=counts["ambiguous_arrived"],
            pending=counts["pending"],
            rejected=counts["rejected"],
            reordered=counts["reordered"],
            end_to_end=timing.end_to_end(),
            backlog=timing.backlog(),
            drain_s=timing.drain_s(),
            irregularities=tuple(shown),
        )

    def attempts(self) -> Iterator[Attempt]:
        """Yield every attempt that was entered, message by message."""
        return self._store.attempts()

    def close(self) -> None:
        """Leave the books as they are."""
        self._store.close()

    def _enter(self, page: Page, origin_ns: int) -> None:
        for index, offered in enumerate(page.begun):
            words = [word for word in page.words if word[0] == index]
            self._enter_message(offered, words, page.dots.get(index), page.intended_ns, origin_ns)
        if page.looked is not None:
            self._store.add_look(page.looked, page.look_ns - origin_ns)
        nameless: Counter[tuple[str, str]] = Counter()
        for retrieved in page.retrieved:
            if retrieved.stamp is None or not retrieved.stamp.message_id.startswith(self._prefix):
                continue
            unique_id: bytes | int | None = retrieved.unique_id
            if unique_id is None:
                self.copies_untold = True
                key = (retrieved.stamp.message_id, retrieved.maildrop)
                nameless[key] += 1
                unique_id = nameless[key]
            copy = Copy(
                0, 0, "", retrieved.maildrop, unique_id, retrieved.stamp.digest, retrieved.at_ns - origin_ns,
                page.look_ns - origin_ns, retrieved.number, None,
            )   # fmt: skip
            self.found(retrieved.stamp.message_id, copy, retrieved.evidence)

    def _enter_message(
        self, offered: Offered, words: list[Word], dot_ns: int | None, intended_ns: int, origin_ns: int
    ) -> None:
        arrival, number, stray = self._key(offered.stamp.message_id)
        assert not stray, "we made the id"
        dot_ns = None if dot_ns is None else dot_ns - origin_ns
        answered: set[str] = set()
        for _, recipients, taken, code, at_ns in words:
            answered.update(recipients)
            for recipient in recipients:
                self._store.add_attempt(
                    Attempt(
                        arrival, number, recipient, ACCEPTED if taken else REJECTED, code, offered.reverse_path,
                        offered.stamp.digest, intended_ns, dot_ns, at_ns - origin_ns,
                    )
                )   # fmt: skip
        for recipient in offered.recipients:
            if recipient not in answered:
                self._store.add_attempt(
                    Attempt(
                        arrival, number, recipient, UNANSWERED, None, offered.reverse_path, offered.stamp.digest,
                        intended_ns, dot_ns, None,
                    )
                )   # fmt: skip

    def _key(self, message_id: str) -> tuple[int, int, str]:
        """Return the session and the number of a message by its id; if it is no id of ours, the id itself."""
        rest = message_id[len(self._prefix) :]
        arrival, _, number = rest.partition(".")
        if _is_number(arrival) and _is_number(number):
            return int(arrival), int(number), ""
        return -1 - crc32(rest.encode("utf-8", "replace")), 0, rest      # not all in one session: they may be many

    def _irregularity(self, delivery: Delivery, body_as_sent: BodyAsSent) -> Irregularity | None:
        """Return what is wrong with a delivery, and keep it; None if nothing is."""
        match delivery.kind:
            case "lost":
                sentence = _of_a_lost_one(delivery)
            case "duplicate":
                sent = sum(one.word != REJECTED for one in delivery.attempts)
                sentence = f"found {len(delivery.copies)} times, and sent {sent} time{'' if sent == 1 else 's'}"
            case "corrupt":
                sentence = self._of_a_changed_one(delivery, body_as_sent)
            case "misdelivered":
                sentence = f"found in the maildrop of {delivery.recipient}, whom it was not for"
            case _:
                return None
        some = (delivery.attempts or delivery.copies)[0]
        self._store.add_irregular(some.arrival, some.number, delivery.recipient, delivery.kind, sentence)
        return Irregularity(
            kind=delivery.kind, message_id=self._id_of(some), recipient=delivery.recipient, sentence=sentence
        )

    def _of_a_changed_one(self, delivery: Delivery, body_as_sent: BodyAsSent) -> str:
        some = delivery.attempts[0]
        found = self._store.evidence(some.arrival, some.number, delivery.recipient)
        sent = None if found is None else body_as_sent(some.arrival, some.number)
        if found is None or sent is None or found == sent:
            return "its body has another digest than the one that was sent; its octets were not kept"
        return difference(sent, found)

    def _id_of(self, some: Attempt | Copy) -> str:
        if isinstance(some, Copy) and some.stray:
            return f"{self._prefix}{some.stray}"
        return f"{self._prefix}{some.arrival}.{some.number}"


def _is_number(text: str) -> bool:
    """Say whether this is a number as an id of ours has it, and one that a table can hold."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX and (text == "0" or text[0] != "0")


def _of_a_lost_one(delivery: Delivery) -> str:
    taken = delivery.accepted
    assert taken is not None, "what was never accepted is not lost"
    code = f" with {taken.code}" if taken.code else ""
    after = "" if taken.reply_ns is None else f" {taken.reply_ns / NS_PER_S:.3f} s after the start of the run"
    return f"accepted{code}{after}, and in no maildrop that was read"
