"""What happened in the steady phase of a run."""

from collections import Counter
from dataclasses import dataclass, field, fields

from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.window import Window
from loadgen.session.outcome import OutcomeKind


@dataclass(slots=True)
class Steady:
    """What happened in the steady phase, for its rates."""

    arrived: int = 0
    ended: Counter[OutcomeKind] = field(default_factory=Counter)
    messages_accepted: int = 0
    messages_retrieved: int = 0
    session_ns: int = 0                  # what the sessions spent in it, all together
    # These have no instant of their own in a trace, and count when their session ends.
    messages_offered: int = 0
    messages_refused: int = 0
    octets_sent: int = 0
    octets_received: int = 0

    @property
    def sessions_ended(self) -> int:
        """Return how many sessions ended, however they did; arrivals that were dropped never began one."""
        return self.ended.total() - self.ended[OutcomeKind.DROPPED]

    def tallied(self, tallied: TalliedSessions, window: Window) -> None:
        """Count sessions in which all went as hoped, and the arrivals of those that followed them."""
        self.arrived += int(window.holds_each(tallied.next_ns).sum())
        self.ended[OutcomeKind.ACCEPTED] += int(window.holds_each(tallied.finished_ns).sum())
        self.session_ns += window.overlaps_ns(tallied.started_ns, tallied.finished_ns)
        self.messages_offered += tallied.offered_in_steady
        self.octets_sent += tallied.octets_sent
        self.octets_received += tallied.octets_received

    def merge(self, other: "Steady") -> None:
        """Add what happened in another process."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
