"""What a person sees while the load runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loadgen.clock import NS_PER_S
from loadgen.engine.recorder import Recorder
from loadgen.engine.seconds import response_times
from loadgen.engine.standing import Watched, standing, standing_together
from loadgen.session.outcome import OutcomeKind
from reports.load_result import LoadResult

STAGES = ("warm-up", "steady", "drain", "audit")
SILENT_BEHIND_S = 2.0                # a worker this far behind the foremost is not waited for


@dataclass(frozen=True, slots=True)
class Progress:
    """The run so far, once a second."""

    stage: str                       # one of STAGES
    elapsed_s: float
    in_flight: int
    arrived: int
    messages_accepted: int           # in sessions under way too, where they go in series
    messages_accepted_per_s: int     # since the last time
    errors: int                      # failed, timed out, dropped
    refused: int
    p50_ns: int | None               # response times of the sessions that ended in the last whole second
    p99_ns: int | None
    response_hdr: str = ""           # the same, to be merged
    response_max_ns: int = 0
    waiting: int = 0                 # arrivals with mail that was put off
    workers_lost: int = 0            # of a run in several processes
    workers_silent: int = 0
    load: LoadResult | None = None   # what has ended so far, where gates look at it; None: none does


class AcceptedRate:
    """How many messages a second have been accepted from one look to the next."""

    def __init__(self) -> None:
        self._at_ns = self._accepted = 0

    def at(self, now_ns: int, accepted: int) -> int:
        """Return it, given how many were `accepted` in all by now.

        Not below 0: messages of a session that turned out otherwise are out of the count until it is over.
        """
        passed_ns, more = now_ns - self._at_ns, accepted - self._accepted
        self._at_ns, self._accepted = now_ns, accepted
        return max(0, round(more * NS_PER_S / passed_ns)) if passed_ns > 0 else 0


def progress_of(
    recorder: Recorder, elapsed_s: float, watched: Watched | None = None, *, under_way: int = 0, accepted_per_s: int = 0
) -> Progress:
    """Return what there is to show, `elapsed_s` after the run's start; `watched` is what gates look at meanwhile.

    `under_way`: messages accepted in sessions that are not over, of which the recorder has not been told.
    """
    stage = "steady"
    if recorder.load_ended:
        stage = "drain"
    elif elapsed_s * NS_PER_S <= recorder.window.steady_from_ns:
        stage = "warm-up"
    last = recorder.seconds.last_closed()
    kinds = {kind: sum(counts[kind] for counts in recorder.outcomes.values()) for kind in OutcomeKind}
    meant = recorder.outages.first_attempts().total()       # of a crash that was asked for
    return Progress(
        stage=stage,
        elapsed_s=elapsed_s,
        in_flight=recorder.in_flight,
        arrived=recorder.arrived,
        messages_accepted=recorder.messages["accepted"] + under_way,
        messages_accepted_per_s=accepted_per_s,
        errors=kinds[OutcomeKind.FAILED] + kinds[OutcomeKind.TIMED_OUT] + kinds[OutcomeKind.DROPPED] - meant,
        refused=kinds[OutcomeKind.REFUSED],
        p50_ns=last.p50_ns,
        p99_ns=last.p99_ns,
        response_hdr=last.hdr,
        response_max_ns=last.max_ns,
        waiting=recorder.waiting,
        load=standing(recorder, watched, elapsed_s) if watched is not None and stage != "warm-up" else None,
    )


def reading_maildrops(recorder: Recorder, elapsed_s: float) -> Progress:
    """Return what there is to show when the load is over and its mail is looked for."""
    return replace(progress_of(recorder, elapsed_s), stage="audit")


NOTHING_YET = Progress(
    stage=STAGES[0], elapsed_s=0.0, in_flight=0, arrived=0, messages_accepted=0, messages_accepted_per_s=0, errors=0,
    refused=0, p50_ns=None, p99_ns=None,
)


def at_rest(part: Progress) -> Progress:
    """Return what a process told last, if it tells no more: its counts stay, and nothing goes on as far as we know."""
    return replace(
        part, stage="drain", in_flight=0, waiting=0, messages_accepted_per_s=0, p50_ns=None, p99_ns=None,
        response_hdr="", response_max_ns=0,
    )


def together(parts: Sequence[Progress]) -> Progress:
    """Return how a run stands in several processes, of which each has said how its part stands."""
    times = response_times((part.response_hdr, part.response_max_ns) for part in parts)
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
        waiting=sum(part.waiting for part in parts),
        load=_standing(parts),
        p50_ns=p50_ns,
        p99_ns=p99_ns,
    )


def _standing(parts: Sequence[Progress]) -> LoadResult | None:
    going = [part.load for part in parts if part.load is not None and part.stage == "steady"]
    ended = [part.load for part in parts if part.load is not None and part.stage != "steady"]
    return standing_together(going, ended) if going or ended else None


class Overview:
    """Shows a run in several processes as one: each second once, when all that are of use have told of it."""

    def __init__(self, workers: int, observe: Callable[[Progress], None]) -> None:
        self._observe = observe
        self._newest = dict.fromkeys(range(workers), NOTHING_YET)
        self._ended: list[Progress] = []
        self._lost = 0
        self._shown_s = 0.0

    def told(self, worker: int, progress: Progress) -> None:
        """Note how a worker's part stands, and show the whole if that makes a new second of it."""
        if worker not in self._newest:
            return                    # its last word was still on its way when its result was there
        self._newest[worker] = progress
        foremost_s = max(each.elapsed_s for each in self._newest.values())
        silent = [each for each in self._newest.values() if each.elapsed_s < foremost_s - SILENT_BEHIND_S]
        speaking = [each for each in self._newest.values() if each.elapsed_s >= foremost_s - SILENT_BEHIND_S]
        elapsed_s = min(each.elapsed_s for each in speaking)
        if elapsed_s > self._shown_s:
            self._shown_s = elapsed_s
            whole = together([*speaking, *map(at_rest, silent), *self._ended])
            self._observe(
                replace(whole, elapsed_s=elapsed_s, workers_lost=self._lost, workers_silent=len(silent))
            )

    def ended(self, worker: int, *, lost: bool) -> None:
        """Note that a worker has ended. What a lost one has told is in no number of the run any more."""
        told = self._newest.pop(worker)
        if lost:
            self._lost += 1
        else:
            self._ended.append(at_rest(told))
