"""What one session did, kept as it happens.

A session that is cut short (its budget ran out, the run ended) cannot return what it had
measured until then, and forgetting it would flatter the server: the slowest sessions are the
ones cut short. So the session appends to a Trace that its engine made and still holds.
"""

import msgspec

from loadgen.message.stamp import Stamp
from loadgen.wire.deviation import Deviation


class Offered(msgspec.Struct, frozen=True):
    """One message whose mail data was about to be sent, and to whom."""

    stamp: Stamp
    recipients: tuple[str, ...]     # those the server had accepted by RCPT


class Retrieved(msgspec.Struct, frozen=True):
    """One message that came out of a maildrop."""

    maildrop: str                   # the account's address
    unique_id: bytes | None         # None: the server has no UIDL, so copies cannot be told apart
    stamp: Stamp | None             # None: not one of ours
    octets: int
    at_ns: int                      # when its last octet had come


class Settled(msgspec.Struct, frozen=True):
    """What the server has said on one message so far. For whom it was offered and is named here in neither: no."""

    recipients: tuple[str, ...]            # accepted for these; none: refused
    at_ns: int                             # when the last reply had come
    unanswered: tuple[str, ...] = ()       # no word on these yet: LMTP answers for one after another


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
    retrieved: list[Retrieved] = []
    # Where a sender tries again: (message, recipient) -> when it was taken (ns on clock_ns), or None: refused for good
    # (5yz). Whoever is not here was put off, or never asked for (RFC 5321 §4.5.4.1).
    fates: dict[tuple[int, str], int | None] | None = None
    octets_sent: int = 0
    octets_received: int = 0

    def settle(self, recipients: tuple[str, ...], *, accepted: bool, at_ns: int) -> None:
        """Note the server's word on the message begun last, for these of its recipients."""
        index = len(self.begun) - 1
        before = self.settled.get(index) or Settled((), at_ns, self.begun[index].recipients)
        left = tuple([recipient for recipient in before.unanswered if recipient not in recipients])
        self.settled[index] = Settled(before.recipients + recipients if accepted else before.recipients, at_ns, left)

    def forget_since(self, timed: int) -> None:
        """Keep the first so many timings, and nothing of what came after them."""
        del self.timings[timed:]
        for each in (self.replies, self.deviations, self.begun, self.settled, self.retrieved):
            each.clear()
        if self.fates is not None:
            self.fates.clear()
        self.messages_offered = self.messages_refused = 0

    @property
    def messages_accepted(self) -> int:
        """Count the messages accepted for at least one recipient."""
        return sum(1 for word in self.settled.values() if word.recipients)
