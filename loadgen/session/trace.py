"""What one session did, kept as it happens.

A session that is cut short (its budget ran out, the run ended) cannot return what it had
measured until then, and forgetting it would flatter the server: the slowest sessions are the
ones cut short. So the session appends to a Trace that its engine made and still holds.
"""

from typing import Any, Final, NamedTuple

import msgspec

from loadgen.message.stamp import Stamp, body_of, read_stamp
from loadgen.wire.deviation import Deviation

EVIDENCE_MAX: Final = 16                  # changed bodies that one session keeps
EVIDENCE_OCTETS_MAX: Final = 1 << 18      # of each


class Offered(msgspec.Struct, frozen=True, array_like=True):
    """One message whose mail data was about to be sent, and to whom."""

    stamp: Stamp
    recipients: tuple[str, ...]     # those the server had accepted by RCPT
    reverse_path: str = ""


class Retrieved(msgspec.Struct, frozen=True, array_like=True):
    """One message that came out of a maildrop."""

    maildrop: str                   # the account's address
    unique_id: bytes | None         # None: the server has no UIDL, so copies cannot be told apart
    stamp: Stamp | None             # None: not one of ours
    octets: int
    at_ns: int                      # when its last octet had come
    number: int = 0                 # its message-number in that session
    evidence: bytes | None = None   # its body, if it is not the one its own header tells of


# One word of the server's on mail data: (index in `begun`, for whom, taken, reply code, when it had come). A tuple: one
# for every message.
Word = tuple[int, tuple[str, ...], bool, int, int]


class Settled(msgspec.Struct, frozen=True):
    """What the server has said on one message so far. For whom it was offered and is named here in neither: no."""

    recipients: tuple[str, ...]            # accepted for these; none: refused
    at_ns: int                             # when the last reply had come
    unanswered: tuple[str, ...] = ()       # no word on these yet: LMTP answers for one after another


class Mark(NamedTuple):
    """How far a trace had come, all having been as hoped: so much of each list, and messages offered."""

    timings: int = 0
    replies: int = 0
    begun: int = 0
    words: int = 0
    fates: int = 0
    retrieved: int = 0
    offered: int = 0


class Trace(msgspec.Struct):
    """The record of one session. Made for every arrival: a struct of msgspec's costs a quarter of a dataclass.

    Invariant: only the session's own task appends; the engine reads when the session has ended.
    """

    timings: list[tuple[str, int, int]] = []                 # (phase, started_ns, finished_ns)
    replies: list[tuple[str, str, str | None]] = []          # (phase, code or indicator, detail)
    deviations: list[tuple[str, Deviation, bytes]] = []      # (phase, what, octets)
    phase: str = ""                                          # the one under way, or the last
    messages_offered: int = 0
    messages_refused: int = 0
    # A message stands in `begun` from before its first octet, and in `settled` under its index in
    # `begun` from the first word on it. What is begun and not answered is ambiguous (RFC 1047).
    begun: list[Offered] = []
    settled: dict[int, Settled] = {}
    words: list[Word] = []
    dots: dict[int, int] = {}                                # index in `begun` -> when the final dot was being sent
    retrieved: list[Retrieved] = []
    # Where a sender tries again: (message, recipient) -> when it was taken (ns on clock_ns), or None: refused for good
    # (5yz). Whoever is not here was put off, or never asked for (RFC 5321 §4.5.4.1).
    fates: dict[tuple[int, str], int | None] | None = None
    octets_sent: int = 0
    octets_received: int = 0

    def dot_sent(self, at_ns: int) -> None:
        """Note that the end of the mail data begun last is being sent; nothing, if there is a word on it already."""
        if self.begun and len(self.begun) - 1 not in self.settled:
            self.dots[len(self.begun) - 1] = at_ns

    def settle(self, recipients: tuple[str, ...], *, accepted: bool, at_ns: int, code: int = 0) -> None:
        """Note the server's word on the message begun last, for these of its recipients."""
        index = len(self.begun) - 1
        before = self.settled.get(index) or Settled((), at_ns, self.begun[index].recipients)
        left = tuple([recipient for recipient in before.unanswered if recipient not in recipients])
        self.settled[index] = Settled(before.recipients + recipients if accepted else before.recipients, at_ns, left)
        self.words.append((index, recipients, accepted, code, at_ns))

    def found(
        self, maildrop: str, number: int, unique_id: bytes | None, content: bytes, at_ns: int, *, verified: bool
    ) -> None:
        """Note a message that came out of a maildrop; `verified` says that somebody compares it with what was sent."""
        stamp, evidence = read_stamp(content) if verified else None, None
        if stamp is not None and not stamp.whole and self._keeps_evidence(len(content)):
            evidence = bytes(body_of(content))
        self.retrieved.append(Retrieved(maildrop, unique_id, stamp, len(content), at_ns, number, evidence))

    def _keeps_evidence(self, octets: int) -> bool:
        kept = sum(one.evidence is not None for one in self.retrieved)
        return octets <= EVIDENCE_OCTETS_MAX and kept < EVIDENCE_MAX

    def mark(self) -> Mark:
        """Return how far it has come. All was as hoped: there is a word on each message, and no deviation."""
        return Mark(
            len(self.timings), len(self.replies), len(self.begun), len(self.words), len(self.fates or ()),
            len(self.retrieved), self.messages_offered,
        )   # fmt: skip

    def forget_since(self, mark: Mark) -> None:
        """Forget what came since then."""
        del self.timings[mark.timings :], self.replies[mark.replies :], self.begun[mark.begun :]
        del self.words[mark.words :], self.retrieved[mark.retrieved :]
        self.deviations.clear()
        _keep_first(mark.begun, self.settled)
        _keep_first(mark.begun, self.dots)
        _keep_first(mark.fates, self.fates or {})
        self.messages_offered, self.messages_refused = mark.offered, 0

    @property
    def messages_accepted(self) -> int:
        """Count the messages accepted for at least one recipient."""
        return sum(1 for word in self.settled.values() if word.recipients)


def _keep_first(count: int, noted: dict[Any, Any]) -> None:
    for key in list(noted)[count:]:
        del noted[key]
