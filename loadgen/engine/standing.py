"""How a load stands while it goes on, for the gates that may end it: what has ended so far, as a `load` section.

The same reading of metrics then judges it that judges the finished run.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from loadgen.clock import NS_PER_S
from loadgen.engine.figures import phase_result, session_counts, throughput
from loadgen.engine.recorder import Recorder
from loadgen.engine.times import PhaseTimes
from loadgen.session.outcome import OutcomeKind
from reports.gate import Gate
from reports.health import Health
from reports.histogram import Histogram
from reports.load_result import (
    FailureCount,
    LoadResult,
    MessageCounts,
    PhaseResult,
    ReplyCount,
    SessionCounts,
    Throughput,
)
from reports.times import Hdr, Quantiles

Sums = TypeVar("Sums", SessionCounts, MessageCounts, Throughput)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the gates look at that may end the load: of the rest nothing is told every second."""

    metrics: tuple[str, ...]

    @classmethod
    def by(cls, gates: Iterable[Gate]) -> "Watched | None":
        """Return what is watched; None when no gate may end the load."""
        metrics = tuple(gate.metric for gate in gates if gate.abort_on_breach is not None)
        return cls(metrics) if metrics else None

    def times_of(self, phase: str) -> bool:
        """Say whether any metric is of a phase's times; `sessions.response` is of all whole sessions'."""
        return self.family(phase) or (phase.endswith(".session") and self.family("sessions"))

    def family(self, name: str) -> bool:
        """Say whether any metric is of a family."""
        return any(metric.startswith(f"{name}.") for metric in self.metrics)


def standing(recorder: Recorder, watched: Watched, elapsed_s: float) -> LoadResult:
    """Return the sessions that have ended so far, and what they did. Times are of what is folded: by a second's end."""
    window = recorder.window.ended_at(min(round(elapsed_s * NS_PER_S), recorder.window.steady_until_ns))
    steady_s = window.steady_ns / NS_PER_S
    total = {kind: sum(counts[kind] for counts in recorder.outcomes.values()) for kind in OutcomeKind}
    lags, away = recorder.lag_histogram, recorder.outages.first_attempts()
    return LoadResult(
        model="",
        steady_s=steady_s,
        sessions=session_counts(total, away.total()),
        messages=MessageCounts(**{name: recorder.messages[name] for name in MessageCounts.__struct_fields__}),
        throughput=throughput(recorder.steady, steady_s),
        kinds={name: session_counts(counts, away[name]) for name, counts in recorder.outcomes.items()},
        phases=_times(recorder.phases, [phase for phase in recorder.phases if watched.times_of(phase)]),
        session_times=_times(
            recorder.session_times, [name for name in recorder.session_times if watched.family(f"session.{name}")]
        ),
        warm_up_phases=dict(recorder.phases.outside_steady()),
        replies=tuple(ReplyCount(*key, count) for key, count in recorder.replies.items())
        if watched.family("replies") else (),
        failures=tuple(FailureCount(phase, "", count) for (phase, _), count in recorder.failures.items())
        if watched.family("failures") else (),
        health=Health(schedule_lag_ns=lags.quantiles(), schedule_lag_hdr=lags.encode())
        if watched.family("health") else Health(),
    )   # fmt: skip


def _times(table: Mapping[str, PhaseTimes], names: Collection[str]) -> dict[str, PhaseResult]:
    return {name: phase_result(table[name]) for name in names if table[name].service_histogram.count}


def standing_together(going: Sequence[LoadResult], ended: Sequence[LoadResult] = ()) -> LoadResult:
    """Return how a load stands in several processes, some of which have ended their arrivals; there is one at least.

    Counts and rates add up and histograms merge. What a process does no more counts by the time that it did it.
    """
    parts = [*going, *ended]
    steady_s = max(part.steady_s for part in parts)
    kinds = {name for part in parts for name in part.kinds}
    rates = [each.throughput for each in going if each.throughput is not None]
    rates += [_over(each.throughput, each.steady_s / steady_s) for each in ended if each.throughput is not None]
    replies: Counter[tuple[str, str, str | None]] = Counter()
    failures: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for part in parts:
        replies.update({(each.phase, each.code, each.enhanced): each.count for each in part.replies})
        outside.update(part.warm_up_phases)
        for failure in part.failures:
            failures[failure.phase] += failure.count
    lag, lag_hdr = _merged((part.health.schedule_lag_hdr, part.health.schedule_lag_ns) for part in parts)
    return LoadResult(
        model="",
        steady_s=steady_s,
        sessions=_added(SessionCounts, [part.sessions for part in parts]),
        messages=_added(MessageCounts, [part.messages for part in parts]),
        throughput=_added(Throughput, rates) if rates else None,
        kinds={
            name: _added(SessionCounts, [part.kinds[name] for part in parts if name in part.kinds]) for name in kinds
        },
        phases=_times_together([part.phases for part in parts]),
        session_times=_times_together([part.session_times for part in parts]),
        warm_up_phases=dict(outside),
        replies=tuple(ReplyCount(*key, count) for key, count in replies.items()),
        failures=tuple(FailureCount(phase, "", count) for phase, count in failures.items()),
        health=Health(schedule_lag_ns=lag, schedule_lag_hdr=lag_hdr),
    )   # fmt: skip


def _added(kind: type[Sums], parts: Sequence[Sums]) -> Sums:
    return kind(**{name: sum(getattr(part, name) for part in parts) for name in kind.__struct_fields__})


def _over(rates: Throughput, share: float) -> Throughput:
    """Return rates that lasted only a share of the time, over the whole of it."""
    return Throughput(**{name: getattr(rates, name) * share for name in Throughput.__struct_fields__})


def _times_together(parts: Sequence[Mapping[str, PhaseResult]]) -> dict[str, PhaseResult]:
    together: dict[str, PhaseResult] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        found = [part[name] for part in parts if name in part]
        service_ns, service_hdr = _merged((each.service_hdr, each.service_ns) for each in found)
        response_ns, response_hdr = _merged((each.response_hdr, each.response_ns) for each in found)
        together[name] = PhaseResult(
            count=sum(each.count for each in found), service_ns=service_ns, response_ns=response_ns,
            service_hdr=service_hdr, response_hdr=response_hdr,
        )   # fmt: skip
    return together


def _merged(encoded: Iterable[tuple[Hdr, Quantiles]]) -> tuple[Quantiles, Hdr]:
    whole = Histogram()
    for hdr, quantiles in encoded:
        whole.merge_encoded(hdr, quantiles.max)
    return whole.quantiles(), whole.encode()
