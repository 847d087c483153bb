"""What a person sees while the load runs."""

from dataclasses import dataclass

from loadgen.clock import NS_PER_S
from loadgen.engine.recorder import Recorder
from loadgen.session.outcome import OutcomeKind


@dataclass(frozen=True, slots=True)
class Progress:
    """The run so far, once a second."""

    stage: str                       # "warm-up", "steady", "drain"
    elapsed_s: float
    in_flight: int
    arrived: int
    messages_accepted: int
    messages_accepted_per_s: int     # in the last whole second
    errors: int                      # failed, timed out, dropped
    refused: int
    p50_ns: int | None               # response times of the sessions that ended in the last whole second
    p99_ns: int | None


def progress_of(recorder: Recorder, elapsed_s: float) -> Progress:
    """Return what there is to show, `elapsed_s` after the run's start."""
    stage = "steady"
    if recorder.load_ended:
        stage = "drain"
    elif elapsed_s * NS_PER_S <= recorder.window.steady_from_ns:
        stage = "warm-up"
    last = recorder.seconds.last_closed()
    kinds = {kind: sum(counts[kind] for counts in recorder.outcomes.values()) for kind in OutcomeKind}
    return Progress(
        stage=stage,
        elapsed_s=elapsed_s,
        in_flight=recorder.in_flight,
        arrived=recorder.arrived,
        messages_accepted=recorder.messages["accepted"],
        messages_accepted_per_s=last.messages_accepted,
        errors=kinds[OutcomeKind.FAILED] + kinds[OutcomeKind.TIMED_OUT] + kinds[OutcomeKind.DROPPED],
        refused=kinds[OutcomeKind.REFUSED],
        p50_ns=last.p50_ns,
        p99_ns=last.p99_ns,
    )
