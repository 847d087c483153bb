"""The books of what is tried again: what the first attempts came to, and what became of it in the end. Never mixed."""

from collections import Counter

from loadgen.engine.attempt import Attempt, Upshot
from reports.histogram import Histogram


class RetryBook:
    """The deliveries of one kind of session; a delivery is one message for one recipient.

    Invariant: every delivery of a session that has ended its first attempt is in exactly one class of
    `reports.retry_result.FinalCounts`, and so is every such session; they start as unfinished.
    """

    def __init__(self) -> None:
        self.deliveries: Counter[str] = Counter()
        self.sessions: Counter[str] = Counter()
        self.first: Counter[str] = Counter()           # deliveries by what the first attempt came to
        self.attempts: Counter[int] = Counter()        # deliveries by how many attempts it took to settle them
        self.tried_again = 0                           # sessions after the first
        self.delay = Histogram()                       # from intended instant to acceptance, ns
        self._delays: list[int] = []

    def first_attempt(self, upshot: Upshot, *, cut: bool) -> None:
        """Enter a session by its first attempt; `cut`: the run ended amid it, and nobody put anything off."""
        self.sessions["unfinished"] += 1
        self.deliveries["unfinished"] += upshot.deliveries
        self.first["accepted"] += len(upshot.taken_ns)
        self.first["bounced"] += upshot.refused
        self.first["interrupted" if cut else "deferred"] += upshot.put_off

    def settled(self, attempt: Attempt, upshot: Upshot) -> None:
        """Enter what an attempt, a first one too, has settled."""
        accepted = "accepted_first" if attempt.number == 1 else "accepted_later"
        self._deliveries(accepted, len(upshot.taken_ns), attempt.number)
        self._deliveries("bounced", upshot.refused, attempt.number)
        if not upshot.left:
            self._session("bounced" if attempt.bounced or upshot.refused else accepted)

    def given_up(self, attempt: Attempt, upshot: Upshot) -> None:
        """Enter what an attempt left, and no other will be made at."""
        self._deliveries("given_up", upshot.put_off, attempt.number)
        self._session("given_up")

    def delayed(self, delay_ns: int) -> None:
        """Keep how long one delivery of the steady phase took to be accepted."""
        self._delays.append(delay_ns)

    def fold(self) -> None:
        """Put what has gathered into the histogram."""
        self.delay.record_many(self._delays)
        self._delays.clear()

    def merge(self, other: "RetryBook") -> None:
        """Add another process's book; both are folded."""
        self.deliveries.update(other.deliveries)
        self.sessions.update(other.sessions)
        self.first.update(other.first)
        self.attempts.update(other.attempts)
        self.tried_again += other.tried_again
        self.delay.merge(other.delay)

    def _deliveries(self, final: str, count: int, attempts: int) -> None:
        if count:
            self.deliveries["unfinished"] -= count
            self.deliveries[final] += count
            self.attempts[attempts] += count

    def _session(self, final: str) -> None:
        self.sessions["unfinished"] -= 1
        self.sessions[final] += 1
