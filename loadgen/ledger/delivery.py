"""One delivery: a message and one recipient, what the server said of it and what was found. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
UNANSWERED: Final = "unanswered"

Class = Literal[
    "delivered_once", "duplicate", "duplicate_lawful", "lost", "corrupt", "pending", "ambiguous", "rejected"
]


class Attempt(NamedTuple):
    """One time that mail data was sent for a recipient, and the server's word on it. Instants: ns of the run."""

    arrival: int
    number: int                 # of the message, within the session
    recipient: str
    word: str                   # ACCEPTED, REJECTED or UNANSWERED
    code: int | None            # of the reply; None: there was none
    reverse_path: str
    digest: bytes               # of the body as sent
    intended_ns: int            # when the schedule wanted the session
    dot_ns: int | None          # when the end of the mail data was being sent; None: it never was
    reply_ns: int | None


class Copy(NamedTuple):
    """One copy of a message as the receiver shows it: seen twice the same, it is one copy (RFC 1939 §7).

    A session without UIDL can only count: its n-th copy of a message has the number n for a unique-id, whichever that
    is.
    """

    arrival: int
    number: int
    stray: str                  # the id, if it is none that a message of ours can have; else ""
    maildrop: str
    unique_id: bytes | int
    digest: bytes               # of the body as found
    seen_ns: int                # when it was first seen
    look_ns: int | None         # when the look began that saw it; None: it was seen as it came
    position: int | None        # among the others of the same look; None: they have no order
    previous_ns: int | None     # when the look before that at the same maildrop began; None: there was none


def seen_then(copy: Copy, at_ns: int, now_ns: int) -> Copy:
    """Return a copy as somebody says it came, at an instant of the run; `now_ns` is the instant now.

    What cannot be was told by another clock: of that only is known that it is there now, and it has no time.
    """
    if 0 <= at_ns <= now_ns:
        return copy._replace(seen_ns=at_ns, look_ns=None)
    return copy._replace(seen_ns=now_ns, look_ns=now_ns)


class Delivery(NamedTuple):
    """What became of one message for one recipient. Either list may be empty, never both."""

    kind: Class | Literal["misdelivered", "nobody's"]
    recipient: str              # or whoever has it
    attempts: Sequence[Attempt]
    copies: Sequence[Copy]

    @property
    def accepted(self) -> Attempt | None:
        """Return the first attempt that the server took; None if it took none."""
        return next((one for one in self.attempts if one.word == ACCEPTED), None)


def deliveries_of(
    attempts: Sequence[Attempt],
    copies: Sequence[Copy],
    *,
    looked_through: "Looked",
    pages_missing: bool = False,
    crashes_ns: Sequence[int] = (),
) -> Iterator[Delivery]:
    """Yield what became of one message: each recipient once, and whoever has it without being one.

    `pages_missing`: a part of the run is not known. So what is not found may have been taken away, and a message that
    nobody here has sent is "nobody's" to judge. `crashes_ns`: when each crash of the server was over.
    """
    if len(attempts) == 1 == len(copies) and attempts[0].recipient == copies[0].maildrop:     # nearly always
        yield from _for_one(attempts[0].recipient, attempts, copies, looked_through, pages_missing, crashes_ns)
        return
    for recipient in dict.fromkeys(one.recipient for one in attempts):
        sent = [one for one in attempts if one.recipient == recipient]
        found = [one for one in copies if one.maildrop == recipient]
        yield from _for_one(recipient, sent, found, looked_through, pages_missing, crashes_ns)
    addressed = {one.recipient for one in attempts}
    for maildrop in dict.fromkeys(one.maildrop for one in copies if one.maildrop not in addressed):
        kind: Literal["misdelivered", "nobody's"] = "nobody's" if pages_missing and not attempts else "misdelivered"
        yield Delivery(kind, maildrop, (), [one for one in copies if one.maildrop == maildrop])


class Looked:
    """Which maildrops were read to their end; without names: all of them."""

    def __init__(self, maildrops: frozenset[str] | None) -> None:
        self._maildrops = maildrops

    def __contains__(self, maildrop: str) -> bool:
        return self._maildrops is None or maildrop in self._maildrops


def _for_one(
    recipient: str,
    attempts: Sequence[Attempt],
    copies: Sequence[Copy],
    looked_through: Looked,
    pages_missing: bool,
    crashes_ns: Sequence[int],
) -> Iterator[Delivery]:
    looked = recipient in looked_through and not pages_missing
    kind = class_of(attempts, copies, looked_through=looked, crashes_ns=crashes_ns)
    if kind == "rejected" and copies:
        yield Delivery(kind, recipient, attempts, ())
        yield Delivery("misdelivered", recipient, (), copies)
    else:
        yield Delivery(kind, recipient, attempts, copies)


def class_of(
    attempts: Sequence[Attempt], copies: Sequence[Copy], *, looked_through: bool, crashes_ns: Sequence[int] = ()
) -> Class:
    """Return the one class of a delivery that was tried. `looked_through`: its maildrop was, to the end.

    A copy that was changed makes it corrupt, however many are whole. For each time it was sent and not refused one copy
    is lawful: a sender that never had an answer must send again, and the server may have had the first (RFC 1047).
    So is one more for each crash that was over after it was first sent: a server that is killed between delivering and
    noting it has to deliver it again.
    """
    accepted = sum(one.word == ACCEPTED for one in attempts)
    unanswered = sum(one.word == UNANSWERED for one in attempts)
    if not accepted and not unanswered:
        return "rejected"
    if not copies:
        if not accepted:
            return "ambiguous"
        return "lost" if looked_through else "pending"
    if any(copy.digest != attempts[0].digest for copy in copies):
        return "corrupt"
    found = _copies_in(copies)
    if found <= 1:
        return "delivered_once" if accepted else "ambiguous"
    lawful = accepted + unanswered + _crashes_since(attempts, crashes_ns)
    return "duplicate_lawful" if found <= lawful else "duplicate"


def _crashes_since(attempts: Sequence[Attempt], crashes_ns: Sequence[int]) -> int:
    sent_ns = min((one.dot_ns for one in attempts if one.dot_ns is not None), default=None)
    return 0 if sent_ns is None else sum(sent_ns < over_ns for over_ns in crashes_ns)


def _copies_in(copies: Sequence[Copy]) -> int:
    """Return how many copies there are at least: those with a name, or as many as one look without names saw."""
    named = {copy.unique_id for copy in copies if isinstance(copy.unique_id, bytes)}
    counted = max((copy.unique_id for copy in copies if isinstance(copy.unique_id, int)), default=0)
    return max(len(named), counted)
