"""Little's law, N = X·R: sessions counted by looking, against sessions that the books tell of.

The mean number in flight is the throughput times the mean time in the system. The books give the right-hand side;
the left-hand side is counted here, apart from them. If the two part, the books do not describe what happened:
sessions were lost, or their times are not what they say.
"""

from collections.abc import Callable
from random import Random

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.window import Window
from reports.health import InFlight

LOOK_EVERY_NS = 50_000_000


class Presence:
    """How many sessions are running now: whoever runs one counts it in, and out."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0


class Looks:
    """Looks at how many are present, at a random instant in each twentieth of a second of the steady phase.

    At random, because a load has rhythms of its own. One in each slot, because so the slots that a busy loop lets
    pass are known, and count by what is found when it comes round: what was in flight in them was in flight then.
    """

    def __init__(self, presence: Presence, origin_ns: int, window: Callable[[], Window], seed: int) -> None:
        self._presence = presence
        self._origin_ns = origin_ns
        self._window = window
        self._random = Random(seed)  # noqa: S311  a spread, no secret
        self._slot = 0               # in which the next look is
        self.due_s = self._draw_s()
        self._count = 0
        self._sum = 0
        self._sum_of_squares = 0

    def look(self) -> float:
        """Look, and return when to look next (s of trio's clock). The first time is to be at `due_s`."""
        last = max(self._slot, (clock_ns() - self._origin_ns) // LOOK_EVERY_NS)
        for slot in range(self._slot, last + 1):
            self._count_in(slot * LOOK_EVERY_NS)
        self._slot = last + 1
        self.due_s = self._draw_s()
        return self.due_s

    def _draw_s(self) -> float:
        at_ns = round((self._slot + self._random.random()) * LOOK_EVERY_NS)
        return (self._origin_ns + at_ns) / NS_PER_S

    def _count_in(self, slot_begins_ns: int) -> None:
        if self._window().holds(slot_begins_ns):
            present = self._presence.now
            self._count += 1
            self._sum += present
            self._sum_of_squares += present * present

    def result(self, session_ns: int) -> InFlight | None:
        """Return both sides of the law; `session_ns` is the time the books' sessions spent in the steady phase.

        None: nobody looked, or there was no steady phase. The looks' variance is taken to be at least their
        mean, a Poisson number's: where all looks found nobody it is not known to be none.
        """
        steady_ns = self._window().steady_ns
        if not self._count or not steady_ns:
            return None
        recorded, mean = session_ns / steady_ns, self._sum / self._count
        variance = max(0.0, self._sum_of_squares / self._count - mean * mean, mean, recorded)
        return InFlight(looks=self._count, seen=mean, seen_variance=variance / self._count, recorded=recorded)
