"""Small parts of a result, made of what is recorded: while the load goes on, and when it is over."""

from collections.abc import Mapping

from loadgen.engine.steady import Steady
from loadgen.engine.times import PhaseTimes
from loadgen.session.outcome import OutcomeKind
from reports.load_result import PhaseResult, SessionCounts, Throughput


def session_counts(kinds: Mapping[OutcomeKind, int], outage: int = 0) -> SessionCounts:
    """Return the books of the sessions that have ended, so many of them by an outage that was asked for."""
    counts = {kind.value: kinds[kind] for kind in OutcomeKind}
    return SessionCounts(arrived=sum(counts.values()), outage=outage, **counts)


def phase_result(times: PhaseTimes) -> PhaseResult:
    """Return the times of one phase, those that are folded."""
    return PhaseResult(
        count=times.service_histogram.count,
        service_ns=times.service_histogram.quantiles(),
        response_ns=times.response_histogram.quantiles(),
        service_hdr=times.service_histogram.encode(),
        response_hdr=times.response_histogram.encode(),
    )


def throughput(steady: Steady, steady_s: float) -> Throughput | None:
    """Return the rates of a steady phase so long; None when there was none to divide by."""
    if not steady_s:
        return None
    ended = steady.ended
    return Throughput(
        sessions_arrived_per_s=steady.arrived / steady_s,
        sessions_per_s=steady.sessions_ended / steady_s,
        sessions_accepted_per_s=ended[OutcomeKind.ACCEPTED] / steady_s,
        sessions_refused_per_s=ended[OutcomeKind.REFUSED] / steady_s,
        sessions_failed_per_s=ended[OutcomeKind.FAILED] / steady_s,
        sessions_timed_out_per_s=ended[OutcomeKind.TIMED_OUT] / steady_s,
        sessions_dropped_per_s=ended[OutcomeKind.DROPPED] / steady_s,
        messages_offered_per_s=steady.messages_offered / steady_s,
        messages_accepted_per_s=steady.messages_accepted / steady_s,
        messages_refused_per_s=steady.messages_refused / steady_s,
        messages_retrieved_per_s=steady.messages_retrieved / steady_s,
        octets_sent_per_s=steady.octets_sent / steady_s,
        octets_received_per_s=steady.octets_received / steady_s,
    )
