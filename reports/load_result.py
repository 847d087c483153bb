"""What a load run measured: the `load` section of the result document.

Every number of time is in nanoseconds and says so in its name; rates are per second of the steady phase.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, structs

from reports.arrival_check import ArrivalCheckResult
from reports.crash_result import CrashResult
from reports.health import Health
from reports.machine import Machine
from reports.monitors import MonitorsResult
from reports.retry_result import RetryResult
from reports.times import Count, Hdr, Quantiles


class SessionCounts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arrivals by how they ended; exactly one outcome for each arrival that reached its instant.

    Of an arrival that tries again it is its first attempt's; what became of it in the end stands in `retries`.

    Invariant: arrived == accepted + refused + failed + timed_out + dropped + interrupted, none negative (ValueError).
    """

    arrived: Annotated[Count, Meta(description="Arrivals whose intended instant was reached.")] = 0
    accepted: Annotated[Count, Meta(description="Sessions in which everything asked for was done.")] = 0
    refused: Annotated[Count, Meta(description="Sessions in which the server said no (4yz, 5yz, -ERR).")] = 0
    failed: Annotated[Count, Meta(description="Sessions broken by the network, by TLS, or by a protocol error.")] = 0
    timed_out: Annotated[
        Count, Meta(description="Sessions in which a phase or the whole took longer than its limit.")
    ] = 0
    dropped: Annotated[Count, Meta(description="Arrivals never started: in_flight_max sessions were already open.")] = 0
    interrupted: Annotated[Count, Meta(description="Sessions still open when the run ended.")] = 0
    outage: Annotated[
        Count,
        Meta(description="Of the failed and the timed out: those of an outage that was asked for (crash). No errors."),
    ] = 0

    def __post_init__(self) -> None:
        if min(structs.astuple(self)) < 0:
            raise ValueError(f"a count of sessions is negative: {structs.asdict(self)}")
        if self.outage > self.failed + self.timed_out:
            raise ValueError(f"{self.outage} sessions of an outage are more than failed: {structs.asdict(self)}")
        if not books_balance(self):
            raise ValueError(
                f"sessions do not balance: {self.arrived} arrived, {_accounted_for(self)} are accounted for"
            )


def _accounted_for(n: SessionCounts) -> int:
    return n.accepted + n.refused + n.failed + n.timed_out + n.dropped + n.interrupted


def books_balance(n: SessionCounts) -> bool:
    """Say whether every arrival has exactly one outcome."""
    return n.arrived == _accounted_for(n)


class MessageCounts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Messages of the whole run, counted once per message and not per recipient; tried again, at every attempt."""

    offered: Annotated[Count, Meta(description="Mail transactions begun: MAIL was sent.")] = 0
    accepted: Annotated[
        Count, Meta(description="Transactions whose final dot was answered 2yz (LMTP: for any recipient).")
    ] = 0
    refused: Annotated[Count, Meta(description="Transactions the server answered 4yz or 5yz, in whatever phase.")] = 0
    retrieved: Annotated[Count, Meta(description="Messages read whole by RETR.")] = 0


class Throughput(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rates per second of the steady phase. An event belongs to the phase in which it happened."""

    sessions_arrived_per_s: Annotated[float, Meta(description="Offered load: intended starts.")] = 0.0
    sessions_per_s: Annotated[
        float, Meta(description="Sessions ended, whatever their outcome; dropped arrivals apart.")
    ] = 0.0
    sessions_accepted_per_s: float = 0.0
    sessions_refused_per_s: float = 0.0
    sessions_failed_per_s: float = 0.0
    sessions_timed_out_per_s: float = 0.0
    sessions_dropped_per_s: float = 0.0
    messages_offered_per_s: float = 0.0
    messages_accepted_per_s: Annotated[float, Meta(description="Accepted mail transactions.")] = 0.0
    messages_refused_per_s: float = 0.0
    messages_retrieved_per_s: float = 0.0
    octets_sent_per_s: Annotated[float, Meta(description="Octets given to the transport, before TLS.")] = 0.0
    octets_received_per_s: Annotated[float, Meta(description="Octets read from the transport, after TLS.")] = 0.0


class PhaseResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The times of one phase, over the steady phase of the run."""

    count: Annotated[Count, Meta(description="How often the phase was completed.")] = 0
    service_ns: Annotated[Quantiles, Meta(description="Service time: finished - started.")] = Quantiles()
    response_ns: Annotated[
        Quantiles,
        Meta(
            description="Response time. Of connect and of the whole session: service time plus the delay of the "
            "session's start behind its intended instant. Of the phases in between: service time, because they "
            "were due at no instant of their own; of a session that tries again: service time throughout, and so "
            "in a closed run."
        ),
    ] = Quantiles()
    service_hdr: Hdr = ""
    response_hdr: Hdr = ""


OTHER_CODES: Final = "other"       # what stands for enhanced codes past the first few thousand different ones


class ReplyCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How often one reply was given to one phase, over the whole run."""

    phase: str
    code: Annotated[
        str,
        Meta(
            description='"250"; for POP3 the status indicator, "+OK", "-ERR" or a challenge\'s "+". Without a word: '
            '"closed" where the server closed and may, "kept" where it bore a silent client to the end.'
        ),
    ]
    enhanced: Annotated[str | None, Meta(description='RFC 3463 status "2.1.5", or a POP3 response code "IN-USE".')]
    count: Count


class FailureCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How often sessions ended in one phase for one cause."""

    phase: str
    cause: Annotated[str, Meta(description="One plain sentence.")]
    count: Count
    example: Annotated[
        str,
        Meta(
            description="What the server said the first time, made printable; empty: it said nothing, or it was about "
            "a login."
        ),
    ] = ""

    @property
    def in_words(self) -> str:
        """Return the cause, with what was seen first."""
        return f"{self.cause}; first seen as {self.example}" if self.example else self.cause


class DeviationCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the server departed from the protocol's octets in one way."""

    phase: str
    deviation: Annotated[str, Meta(description='What was seen, "bare-lf".')]
    count: Count
    example: Annotated[str, Meta(description="The first such octets, made printable.")]


class Timeline(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row per second of the run, from its start; kept as columns of one length (else ValueError).

    An arrival counts in the second of its intended instant, an outcome in the second it happened.
    """

    arrived: tuple[int, ...] = ()
    started: Annotated[
        tuple[int, ...],
        Meta(description="Arrivals that got their turn in that second: started, or dropped for want of room."),
    ] = ()
    accepted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    timed_out: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    in_flight: Annotated[tuple[int, ...], Meta(description="The most sessions open at once in that second.")] = ()
    messages_accepted: tuple[int, ...] = ()
    messages_retrieved: tuple[int, ...] = ()
    response_p50_ns: Annotated[
        tuple[int | None, ...],
        Meta(
            description="Median response time of the whole sessions that ended in that second, idle-hold "
            "sessions apart; null: none ended."
        ),
    ] = ()
    response_p99_ns: Annotated[tuple[int | None, ...], Meta(description="The same, 99th percentile.")] = ()

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in structs.asdict(self).items()}
        if not self.started:
            del lengths["started"]           # results of the first days lack it
        if len(set(lengths.values())) > 1:
            raise ValueError(f"timeline columns differ in length: {lengths}")

    @property
    def seconds(self) -> int:
        """Return the number of rows."""
        return len(self.arrived)


class WorkerResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One generator process's share of a run."""

    worker: Annotated[int, Meta(ge=1, description="Its number; it ran arrivals number - 1 modulo their count.")]
    arrived: Annotated[Count, Meta(description="Arrivals of its share.")] = 0
    sessions_per_s: Annotated[
        float | None, Meta(description="Sessions ended in its steady phase; null when it had none.")
    ] = None
    health: Health = Health()
    lost: Annotated[
        str | None,
        Meta(description="Why nothing is known of its share: how it died. Null: its books are in this result."),
    ] = None


class Aborted(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The gate that ended the load before its time, as its `abort_on_breach` asks."""

    metric: Annotated[str, Meta(description='What was looked at, "p99 of smtp.body.response".')]
    condition: Annotated[str, Meta(description='What is allowed, "below 500 ms".')]
    measured: Annotated[str, Meta(description="What was found of all until then.")]
    question: Annotated[Literal["correct", "fast_enough", "valid"], Meta(description="What the gate counts for.")]
    at_s: Annotated[float, Meta(ge=0, description="When it ended the load, after the run's start.")]
    breached_s: Annotated[float, Meta(ge=0, description="For how long it had not held then.")]
    sentence: Annotated[str, Meta(description="All of it in one sentence.")]


class LoadResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One load run: what was offered, what came of it, how long it took."""

    notes: Annotated[
        tuple[str, ...], Meta(description="What a reader must know of this run, whole sentences, also said before it.")
    ] = ()
    aborted: Annotated[Aborted | None, Meta(description="Null: no gate ended it.")] = None
    model: Annotated[str, Meta(description='"open": arrivals ignore completions; "closed": a fixed population waits.')]
    warm_up_s: Annotated[float, Meta(ge=0)] = 0.0
    steady_s: Annotated[
        float, Meta(ge=0, description="Length of the steady phase, the only one that is gated by time.")
    ] = 0.0
    drain_s: Annotated[float, Meta(ge=0, description="How long the last sessions took after the last arrival.")] = 0.0
    in_flight_peak: Annotated[
        Count,
        Meta(
            description="The most sessions open at once. With several workers, the greatest sum of what each had at "
            "most in one second: never too low."
        ),
    ] = 0
    sessions: Annotated[SessionCounts, Meta(description="The whole run.")]
    messages: Annotated[MessageCounts, Meta(description="The whole run.")] = MessageCounts()
    throughput: Annotated[Throughput | None, Meta(description="Null when there was no steady phase.")] = None
    kinds: Annotated[
        dict[str, SessionCounts], Meta(description="The same books for each session of the scenario.")
    ] = {}
    retries: Annotated[
        dict[str, RetryResult],
        Meta(
            description="What became of mail that was put off, for each session that tries again. `sessions` and "
            "`kinds` count first attempts; messages, replies, failures and times are of every attempt."
        ),
    ] = {}
    phases: Annotated[dict[str, PhaseResult], Meta(description="By phase name; steady phase only.")] = {}
    session_times: Annotated[
        dict[str, PhaseResult],
        Meta(
            description="Whole sessions, by the name of the scenario's session; steady phase only. Those whose length "
            "the scenario sets, as of idle-hold, are not timed."
        ),
    ] = {}
    warm_up_phases: Annotated[
        dict[str, int], Meta(description="Phases completed outside the steady phase, not timed.")
    ] = {}
    replies: tuple[ReplyCount, ...] = ()
    failures: tuple[FailureCount, ...] = ()
    deviations: tuple[DeviationCount, ...] = ()
    timeline: Timeline = Timeline()
    arrival_check: Annotated[
        ArrivalCheckResult | None,
        Meta(description="Null: a closed load, one cut short before anything was due, or of which a worker was lost."),
    ] = None
    pause_max_ns: Annotated[
        int, Meta(ge=0, description="A pause of the generator this long voids the run: the scenario's load.pause_max.")
    ] = 200_000_000
    health: Annotated[
        Health,
        Meta(
            description="With several workers the worst of each; their schedule lag, memory, pauses and sessions in "
            "flight together."
        ),
    ] = Health()
    machine: Annotated[
        Machine | None, Meta(description="What the system tells of the machine that generated the load.")
    ] = None
    monitors: Annotated[
        MonitorsResult | None,
        Meta(description="What its replies came to when they were held against the RFCs; null: nobody listened."),
    ] = None
    crash: Annotated[
        CrashResult | None, Meta(description="What became of the server when it was crashed; null: nobody meant to.")
    ] = None
    workers: Annotated[
        tuple[WorkerResult, ...], Meta(description="Each generator process; empty: the run had only one.")
    ] = ()
