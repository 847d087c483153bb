"""What a person sees while the load runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.clock import NS_PER_S
from loadgen.engine.recorder import Recorder
from loadgen.engine.seconds import response_times
from loadgen.session.outcome import OutcomeKind

STAGES = ("warm-up", "steady", "drain")


@dataclass(frozen=True, slots=True)
class Progress:
    """The run so far, once a second."""

    stage: str                       # one of STAGES
    elapsed_s: float
    in_flight: int
    arrived: int
    messages_accepted: int
    messages_accepted_per_s: int     # in the last whole second
    errors: int                      # failed, timed out, dropped
    refused: int
    p50_ns: int | None               # response times of the sessions that ended in the last whole second
    p99_ns: int | None
    response_hdr: str = ""           # the same, to be merged
    response_max_ns: int = 0


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
        response_hdr=last.response_hdr,
        response_max_ns=last.response_max_ns,
    )


def together(parts: Sequence[Progress]) -> Progress:
    """Return how a run stands in several processes, of which each has said how its part stands."""
    times = response_times(parts)
    p50_ns, p99_ns = times.curve([50, 99]) or (None, None)
    return Progress(
        stage=min((part.stage for part in parts), key=STAGES.index),
        elapsed_s=min(part.elapsed_s for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        arrived=sum(part.arrived for part in parts),
        messages_accepted=sum(part.messages_accepted for part in parts),
        messages_accepted_per_s=sum(part.messages_accepted_per_s for part in parts),
        errors=sum(part.errors for part in parts),
        refused=sum(part.refused for part in parts),
        p50_ns=p50_ns,
        p99_ns=p99_ns,
    )
