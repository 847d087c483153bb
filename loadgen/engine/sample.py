"""One arrival's three instants: the raw material of every latency in a report."""

import msgspec

from loadgen.session.outcome import Outcome, OutcomeKind


class Sample(msgspec.Struct, frozen=True):
    """One arrival, ns from the run's start on the run's one clock. Invariant: intended <= started <= finished."""

    intended_ns: int     # when the schedule wanted it to start
    started_ns: int      # when its task first ran
    finished_ns: int     # when the session had ended
    session: str         # which [[session]] of the scenario
    protocol: str        # smtp, lmtp or pop3
    outcome: Outcome
    held: bool = False   # its length is the scenario's wish (idle-hold, slow-sender), not the server's doing

    @property
    def lag_ns(self) -> int:
        """Return the schedule lag: our own delay, no fault of the server's."""
        return self.started_ns - self.intended_ns

    @property
    def response_ns(self) -> int:
        """Return the response time of the whole session, from its intended instant."""
        return self.finished_ns - self.intended_ns

    @property
    def service_ns(self) -> int:
        """Return the service time of the whole session."""
        return self.finished_ns - self.started_ns

    @property
    def is_timed(self) -> bool:
        """Say whether the whole of it is a time the server took.

        That of one the run cut short is not, and neither is that of an idle-hold session, as long as the scenario
        wished; their phases are. Nor is one refused in an outage that was meant, as fast as it is.
        """
        return self.outcome.kind is not OutcomeKind.INTERRUPTED and not self.held
