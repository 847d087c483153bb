"""Hold a message's trace against itself: what contradicts, what breaks, and which lines can be believed."""

from dataclasses import dataclass
from enum import StrEnum

from conformance.trace.dns_facts import NOT_ASKED, DnsFacts
from conformance.trace.hop import Hop
from conformance.trace.remark import Remark, Weight
from conformance.trace.remarks import remarks_on_lines, remarks_on_links
from conformance.trace.times import remarks_on_times
from conformance.trace.trust import Trust, believed


class Belief(StrEnum):
    """How far a line can be believed."""

    OWN = "believed"                 # a server of the reader's wrote it
    NEWEST = "unproved"              # the top-most, and no server was named: whoever handed the message over wrote it
    CLAIM = "claimed"                # the word of the host that handed the message over, or of whom it had it from


class Outcome(StrEnum):
    """What an audit comes to."""

    CONTRADICTS = "contradicts itself"
    BREAKS = "does not hold together"
    HOLDS = "holds together"
    NOTHING = "has no Received line"


@dataclass(frozen=True, slots=True)
class Audit:
    """A chain, judged."""

    chain: tuple[Hop, ...]
    remarks: tuple[Remark, ...]      # by line, the gravest first
    believed: int                    # lines from the top that the reader's own servers wrote
    trust: Trust

    @property
    def outcome(self) -> Outcome:
        """Return what it comes to."""
        weights = {remark.weight for remark in self.remarks}
        if not self.chain:
            return Outcome.NOTHING
        if Weight.CONTRADICTION in weights:
            return Outcome.CONTRADICTS
        return Outcome.BREAKS if Weight.BREAK in weights else Outcome.HOLDS

    @property
    def entry(self) -> Hop:
        """Return the line by which the message came to the reader's machines: what is below is somebody else's word.

        Without a server named it is the first with which a message comes from another machine.
        """
        if self.believed:
            return self.chain[self.believed - 1]
        return next((hop for hop in self.chain if hop.origin is not None and not hop.is_local), self.chain[-1])

    def belief(self, hop: Hop) -> Belief:
        """Say how far a line can be believed."""
        if hop.line <= self.believed:
            return Belief.OWN
        return Belief.NEWEST if hop.line == 1 and not self.trust else Belief.CLAIM

    def on(self, hop: Hop) -> list[Remark]:
        """Return the remarks on a line."""
        return [remark for remark in self.remarks if remark.line == hop.line]


def audit(chain: tuple[Hop, ...], *, now_s: int, trust: Trust | None = None, dns: DnsFacts = NOT_ASKED) -> Audit:
    """Judge a chain, newest line first. `now_s` is the reader's time, in seconds since 1970."""
    remarks = [*remarks_on_lines(chain, dns), *remarks_on_links(chain, dns), *remarks_on_times(chain, now_s)]
    order = list(Weight)
    remarks.sort(key=lambda remark: (remark.line, order.index(remark.weight)))
    trust = trust or Trust()
    return Audit(chain, tuple(remarks), believed(chain, trust), trust)
