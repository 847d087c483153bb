"""What sessions of series did that went as hoped: tallied where they were led."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from loadgen.engine.columns import NO_INSTANTS, Instants
from loadgen.engine.reply_table import Reply
from loadgen.engine.window import Window

if TYPE_CHECKING:
    from loadgen.transport.native import Tallied

TALLIED_MAX = 4_000      # phases that wait to be recorded together: half a millisecond of work

# A name, its service and response times in the steady phase, and other response times: ns, 64 bits each.
Times = tuple[str, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class TalliedSessions:
    """Sessions all of which were accepted. Instants are ns from the start."""

    protocol: str
    phases: Sequence[Times]
    sessions: Sequence[Times]         # by the name in the scenario
    lags: bytes                       # of those due in the steady phase: how late they began, likewise
    due_ns: Instants
    started_ns: Instants
    finished_ns: Instants
    next_ns: Instants                 # when sessions started that followed one of them
    accepted_ns: Instants             # when messages were accepted
    retrieved_ns: Instants            # and when retrieved
    replies: Sequence[tuple[Reply, int]]      # with how often each came, some perhaps in several places
    offered: int                      # messages
    offered_in_steady: int            # by sessions that finished in the steady phase, as are the next two
    octets_sent: int
    octets_received: int

    @classmethod
    def told(cls, tallied: "Tallied", protocol: str, origin_ns: int) -> "TalliedSessions":
        """Return what was tallied; `origin_ns` is the run's start on `clock_ns`."""
        phases, sessions, lags, instants, taken, replies, offered, in_steady = tallied
        due_ns, started_ns, finished_ns, next_ns = np.frombuffer(instants, dtype=np.int64).reshape(-1, 4).T
        taken_ns = np.frombuffer(taken, dtype=np.int64) - origin_ns
        messages_ns = (NO_INSTANTS, taken_ns) if protocol == "pop3" else (taken_ns, NO_INSTANTS)
        return cls(
            protocol, phases, sessions, lags, due_ns - origin_ns, started_ns - origin_ns, finished_ns - origin_ns,
            next_ns[next_ns >= 0] - origin_ns, *messages_ns, replies, offered, *in_steady,
        )   # fmt: skip


class Tallies(Protocol):
    """Where such sessions are tallied."""

    def take(self) -> TalliedSessions | None:
        """Return what was tallied since the last time; None: nothing was."""

    def tell_when_full(self, phases: int, told: Callable[[], None]) -> None:
        """Call `told` whenever a session has been tallied and so many phases or more wait to be taken."""

    def place_by(self, window: Window) -> None:
        """Tell by this window from now on what belongs to the steady phase."""
