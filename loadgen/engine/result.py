"""From what a run recorded to the document's numbers."""

import platform
from collections import Counter
from collections.abc import Sequence

import trio

from loadgen.clock import NS_PER_S
from loadgen.engine.figures import phase_result, session_counts, throughput
from loadgen.engine.health.arrivals import arrival_check
from loadgen.engine.health.process import usable_cpus
from loadgen.engine.retry_book import RetryBook
from loadgen.engine.shard import ShardResult
from loadgen.scenario.model import Load, OpenLoad
from loadgen.session.outcome import OutcomeKind
from reports.crash_result import CrashResult
from reports.document import HostFacts
from reports.load_result import (
    DeviationCount,
    FailureCount,
    LoadResult,
    MessageCounts,
    ReplyCount,
    WorkerResult,
)
from reports.machine import Machine
from reports.phases import in_order, order_of
from reports.retry_result import FinalCounts, FirstCounts, RetryResult


def load_result(
    load: Load,
    driven: ShardResult,
    workers: Sequence[WorkerResult] = (),
    machine: Machine | None = None,
    crash: CrashResult | None = None,
) -> LoadResult:
    """Return the `load` section, of one process or of several merged, `workers` then being each of them.

    The run is over: nothing is in flight, and the books balance.
    """
    recorder = driven.recorder
    assert recorder.in_flight == 0, "every session has ended before the result is made"
    assert recorder.balanced(), "every arrival has exactly one outcome"
    outside_steady = recorder.phases.outside_steady()
    away = recorder.outages.first_attempts(0 if crash is None else len(crash.moments))
    kinds = {name: session_counts(counts, away[name]) for name, counts in sorted(recorder.outcomes.items())}
    total = {kind: sum(counts[kind] for counts in recorder.outcomes.values()) for kind in OutcomeKind}
    return LoadResult(
        model="open" if isinstance(load, OpenLoad) else "closed",
        warm_up_s=load.warm_up.s,
        steady_s=recorder.window.steady_ns / NS_PER_S,
        drain_s=max(0, driven.ended_ns - recorder.load_ended_ns) / NS_PER_S,
        in_flight_peak=recorder.in_flight_peak,
        sessions=session_counts(total, away.total()),
        messages=MessageCounts(**{name: recorder.messages[name] for name in MessageCounts.__struct_fields__}),
        throughput=throughput(recorder.steady, recorder.window.steady_ns / NS_PER_S),
        kinds=kinds,
        retries={name: _retry_result(book) for name, book in sorted(recorder.retries.items())},
        phases={name: phase_result(recorder.phases[name]) for name in in_order(recorder.phases)
                if recorder.phases[name].service_histogram.count},
        session_times={name: phase_result(times) for name, times in sorted(recorder.session_times.items())
                       if times.service_histogram.count},
        warm_up_phases={name: outside_steady[name] for name in in_order(outside_steady)},
        replies=tuple(ReplyCount(*key, count) for key, count in sorted(recorder.replies.items(), key=_by_phase)),
        failures=tuple(
            FailureCount(*key, count, recorder.failure_examples[key])
            for key, count in recorder.failures.most_common()
        ),
        deviations=tuple(
            DeviationCount(*key, count, recorder.deviation_examples[key])
            for key, count in recorder.deviations.most_common()
        ),
        timeline=recorder.seconds.timeline(),
        arrival_check=None if any(worker.lost for worker in workers) else arrival_check(load, recorder),
        pause_max_ns=load.pause_max.ns,
        crash=crash,
        health=driven.health,
        machine=machine,
        workers=tuple(workers),
        monitors=None if driven.heard is None else driven.heard.result(),
    )


def host_facts(nofile: int) -> HostFacts:
    """Return what is known of the machine that generated the load."""
    return HostFacts(
        python=platform.python_version(),
        trio=trio.__version__,
        platform=platform.platform(),
        cpus=usable_cpus(),
        nofile=nofile,
        hostname=platform.node() or None,
    )


def _retry_result(book: RetryBook) -> RetryResult:
    return RetryResult(
        deliveries=_final_counts(book.deliveries),
        sessions=_final_counts(book.sessions),
        first=FirstCounts(**{name: book.first[name] for name in FirstCounts.__struct_fields__}),
        attempts=tuple(book.attempts[number] for number in range(1, max(book.attempts, default=0) + 1)),
        tried_again=book.tried_again,
        delay_ns=book.delay.quantiles(),
        delay_hdr=book.delay.encode(),
    )


def _final_counts(classes: Counter[str]) -> FinalCounts:
    _, *names = FinalCounts.__struct_fields__
    return FinalCounts(total=classes.total(), **{name: classes[name] for name in names})


def _by_phase(item: tuple[tuple[str, str, str | None], int]) -> tuple[tuple[float, str], str, str]:
    (phase, code, enhanced), _ = item
    return (order_of(phase), code, enhanced or "")
