"""Load runs as a model of run-to-run noise gives them: one draw for each run, and what all its times share.

A run's times move together (the machine had a good or a bad minute), its tail moves more than its middle, one run in
twenty is disturbed by something else, and now and then a session fails. What runs differ by is theirs alone: the many
requests within a run are nobody's sample.
"""

import math
import random
from dataclasses import dataclass

from reports.compare_runs import Run
from reports.document import (
    Document,
    HostFacts,
    LedgerResult,
    LoadResult,
    MessageCounts,
    PhaseResult,
    Reason,
    SessionCounts,
    Throughput,
)
from reports.histogram import Histogram
from reports.verdict import Verdict, Verdicts

SESSIONS = 1_000
NOISE = 0.02            # standard deviation of the middle, as a share; the tail has twice as much
DISTURBED = 1 / 20      # of the runs
P50_MS = {"smtp.body": 8.0, "smtp.session": 30.0, "pop3.session": 20.0}


@dataclass(frozen=True)
class Server:
    """What is measured, and how quick it is."""

    slower: float = 1.0
    noise: float = NOISE


def set_of_runs(name: str, runs: int, drawn: random.Random, server: Server = Server()) -> list[Run]:
    """Draw a set of runs."""
    return [noisy_run(f"{name}/run-{number}", number, drawn, server) for number in range(1, runs + 1)]


def noisy_run(result: str, number: int, drawn: random.Random, server: Server = Server()) -> Run:
    """Draw one run."""
    minute = math.exp(drawn.gauss(0, server.noise)) * (1.15 if drawn.random() < DISTURBED else 1)
    phases = {
        name: phase_of(
            middle * server.slower * minute,
            5 * middle * server.slower * minute * math.exp(drawn.gauss(0, 2 * server.noise)),
        )
        for name, middle in P50_MS.items()
    }
    failed = sum(drawn.random() < 1 / SESSIONS for _ in range(SESSIONS))
    per_s = 100 * math.exp(drawn.gauss(0, 0.002))
    return Run(result, document_of(phases, number, run=result, failed=failed, per_s=per_s))


def phase_of(p50_ms: float, p99_ms: float) -> PhaseResult:
    """Return times that have this median and this 99th percentile."""
    histogram = Histogram()
    histogram.record_many([int(p50_ms * 1e6)] * 960 + [int(p99_ms * 1e6)] * 40)
    quantiles, encoded = histogram.quantiles(), histogram.encode()
    return PhaseResult(
        count=SESSIONS, service_ns=quantiles, response_ns=quantiles, service_hdr=encoded, response_hdr=encoded
    )


def document_of(
    phases: dict[str, PhaseResult],
    seed: int = 1,
    *,
    run: str = "run",
    failed: int = 0,
    per_s: float = 100.0,
    verdicts: tuple[Verdict, Verdict, Verdict] = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.PASS),
    host: str = "bench-1",
    scenario: dict[str, object] | None = None,
) -> Document:
    """Return the result of a run."""
    return Document(
        kind="load",
        mailproof="0.1.0",
        run_id=f"20260101T0000{seed:02}Z-{run}",
        started=f"2026-01-01T00:{seed:02}:00Z",
        seed=seed,
        verdicts=Verdicts(*verdicts),
        reasons=(Reason("valid", "the generator stood still for 312 ms"),),
        exit_code=0,
        load=LoadResult(
            model="open",
            steady_s=10.0,
            sessions=SessionCounts(arrived=SESSIONS, accepted=SESSIONS - failed, failed=failed),
            messages=MessageCounts(offered=SESSIONS, accepted=SESSIONS - failed),
            throughput=Throughput(sessions_per_s=per_s, sessions_accepted_per_s=per_s, messages_accepted_per_s=per_s),
            phases=phases,
        ),
        ledger=LedgerResult(accepted=SESSIONS - failed, delivered_once=SESSIONS - failed),
        scenario=scenario or {"scenario": {"name": "steady", "seed": seed}, "load": {"model": "open", "rate": 100}},
        host=HostFacts(python="3.11.7", trio="0.35.0", platform="Linux", cpus=2, hostname=host),
    )
