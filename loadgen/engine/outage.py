"""Where the server was away after a crash that was asked for: what failed for it, and when it was back.

Told by the load alone. A refused connection says that nobody listens. One that is cut, or falls silent, is of the
outage if its session began before the server was back; after that it is a failure like any other.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from loadgen.engine.sample import Sample
from loadgen.scenario.crash import CRASHES_MAX
from loadgen.session.outcome import Break, OutcomeKind

NEVER = 1 << 62


@dataclass(slots=True)
class Outage:
    """One protocol after one crash. Instants are ns from the run's start; a session's start tells before from after."""

    refused: Counter[str] = field(default_factory=Counter)     # by session name; sessions that tried again too
    cut: Counter[str] = field(default_factory=Counter)
    first_attempts: Counter[str] = field(default_factory=Counter)     # of both: arrivals whose outcome it is
    refused_from_ns: int = NEVER         # when the first refusal had come
    cut_from_ns: int = NEVER
    refused_last_ns: int = -1            # when the session began that was refused last
    back_began_ns: int = NEVER           # when the first session began that was accepted after that,
    back_ns: int = NEVER                 # and when the first such had ended

    @property
    def began_ns(self) -> int:
        """Return when the server was seen to be away: the first refusal, or if nobody was refused the first cut."""
        return self.refused_from_ns if self.refused_from_ns < NEVER else self.cut_from_ns

    def broken(self, sample: Sample, how: Break, *, first: bool) -> bool:
        """Note a session that the network ended, if that is of the outage, and say if it is."""
        name, began_ns = sample.session, sample.started_ns
        if how is Break.REFUSED:
            self.refused[name] += 1
            self.refused_from_ns = min(self.refused_from_ns, sample.finished_ns)
            self.refused_last_ns = max(self.refused_last_ns, began_ns)
            self._forget_what_came_too_soon()
        elif began_ns < self.back_began_ns:
            self.cut[name] += 1
            self.cut_from_ns = min(self.cut_from_ns, sample.finished_ns)
        else:
            return False
        self.first_attempts[name] += first
        return True

    def accepted(self, sample: Sample) -> None:
        """Note a session that was accepted: the server is back, if it was away when the session began."""
        if self._away_before(sample.started_ns):
            self.back_began_ns = min(self.back_began_ns, sample.started_ns)
            self.back_ns = min(self.back_ns, sample.finished_ns)

    def merge(self, other: "Outage") -> None:
        """Add what another process saw."""
        self.refused += other.refused
        self.cut += other.cut
        self.first_attempts += other.first_attempts
        self.refused_from_ns = min(self.refused_from_ns, other.refused_from_ns)
        self.cut_from_ns = min(self.cut_from_ns, other.cut_from_ns)
        self.refused_last_ns = max(self.refused_last_ns, other.refused_last_ns)
        backs = [(each.back_began_ns, each.back_ns) for each in (self, other) if self._away_before(each.back_began_ns)]
        self.back_began_ns, self.back_ns = min(backs, default=(NEVER, NEVER))

    def _away_before(self, began_ns: int) -> bool:
        return self.refused_last_ns < began_ns and self.began_ns <= began_ns

    def _forget_what_came_too_soon(self) -> None:
        # A server is not killed in one instant: somebody may be served between the first cut and the last breath.
        if not self._away_before(self.back_began_ns):
            self.back_began_ns = self.back_ns = NEVER


class Outages:
    """What one process saw of every crash. A value that crosses processes, and merges."""

    def __init__(self, instants_ns: tuple[int, ...]) -> None:
        self._instants_ns = instants_ns      # when the crashes are due
        self._seen: defaultdict[tuple[int, str], Outage] = defaultdict(Outage)    # (crash, protocol)

    def ended(self, sample: Sample, *, first: bool) -> bool:
        """Note how a session ended, and say if it was by an outage; `first`: it is no arrival's that tries again."""
        if not self._instants_ns:
            return False
        crash = bisect_right(self._instants_ns, sample.finished_ns) - 1
        if crash < 0:
            return False
        if sample.outcome.broken is not None:
            return self._seen[crash, sample.protocol].broken(sample, sample.outcome.broken, first=first)
        if sample.outcome.kind is OutcomeKind.ACCEPTED and (crash, sample.protocol) in self._seen:
            self._seen[crash, sample.protocol].accepted(sample)
        return False

    def after(self, crash: int) -> dict[str, Outage]:
        """Return what was seen after the crash of this number, from 0, by protocol."""
        return {protocol: outage for (number, protocol), outage in sorted(self._seen.items()) if number == crash}

    def first_attempts(self, crashes: int = CRASHES_MAX) -> Counter[str]:
        """Count the arrivals, by session name, whose outcome is of the outage after one of the first so many."""
        of_all: Counter[str] = Counter()
        for (number, _), outage in self._seen.items():
            if number < crashes:
                of_all += outage.first_attempts
        return of_all

    def merge(self, other: "Outages") -> None:
        """Add what another process saw."""
        for key, outage in other._seen.items():
            self._seen[key].merge(outage)
