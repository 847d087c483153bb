"""A target whose capacity is known, counted out without a client: the reference server's own work, fed with arrivals.

What a run of it would have measured is made into a result document, as a real run's is.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from conformance.refserver.workers import Work, Workers
from loadgen.capacity.search import Asked, Search
from reports.capacity_result import CapacityStage
from reports.capacity_stage import Measured, judged_stage, with_always
from reports.conclude import conclude
from reports.document import Document
from reports.gate import Gate
from reports.health import Health, InFlight
from reports.histogram import Histogram, Interval
from reports.load_result import LoadResult, PhaseResult, SessionCounts, Throughput, Timeline
from reports.verdict import UNJUDGED

WARM_UP_S = 10
NS = 1_000_000_000


@dataclass(frozen=True)
class Target:
    """So many workers with exponential service times, and perhaps a limit of sessions at once."""

    work: Work
    admits: int = 1 << 30             # who comes past that is refused at once
    seed: int = 1

    @property
    def ceiling_per_s(self) -> float:
        """Return what it can do: workers / mean."""
        assert self.work.workers is not None
        return self.work.workers / self.work.service_s

    def run(self, rate: float, seconds: float, number: int) -> "Run":
        """Return what an open run at this rate measures; `number` chooses its chance."""
        rng, queue = Random(f"{self.seed} {number}"), Workers(self.seed * 100 + number)
        length_s = WARM_UP_S + seconds
        came, done, refused = list[float](), list[float](), list[float]()
        now_s, open_until = 0.0, list[float]()
        while (now_s := now_s + rng.expovariate(rate)) < length_s:
            open_until = [each for each in open_until if each > now_s] if self.admits < 1 << 30 else []
            if len(open_until) >= self.admits:
                refused.append(now_s)
                continue
            took_s = queue.take(self.work, now_s)
            came.append(now_s)
            done.append(now_s + took_s)
            open_until.append(now_s + took_s)
        return Run(np.asarray(came), np.asarray(done), np.asarray(refused), seconds)


@dataclass(frozen=True)
class Run:
    """When sessions came and were done, and when some were refused."""

    came: np.ndarray
    done: np.ndarray
    refused: np.ndarray
    steady_s: float

    @property
    def document(self) -> Document:
        """Return its result."""
        return _document(self.came, self.done, self.refused, self.steady_s)

    def intervals(self) -> Iterator[Interval]:
        """Yield what its interval log holds."""
        ended = np.floor(self.done)
        for second in range(int(WARM_UP_S + self.steady_s)):
            times = Histogram()
            times.record_many([round(each * NS) for each in (self.done - self.came)[ended == second]])
            if times.count:
                yield Interval.of("smtp.session", float(second), 1.0, times)


def _per_second(instants: np.ndarray, seconds: int) -> tuple[int, ...]:
    return tuple(int(each) for each in np.histogram(instants, bins=np.arange(seconds + 1))[0])


def _document(came: np.ndarray, done: np.ndarray, refused: np.ndarray, steady_s: float) -> Document:
    until_s = WARM_UP_S + steady_s
    rows = math.ceil(max(until_s, float(done.max(initial=0.0)))) + 1
    nothing = (0,) * rows
    steady = (came >= WARM_UP_S) & (came < until_s)
    times = Histogram()
    times.record_many([round(each * NS) for each in (done - came)[steady]])
    ended = int(((done >= WARM_UP_S) & (done < until_s)).sum())
    here_s = np.minimum(done, until_s) - np.maximum(came, WARM_UP_S)
    mean = float(here_s[here_s > 0].sum()) / steady_s
    in_flight = _in_flight(came, done, rows)
    sessions = SessionCounts(arrived=len(came) + len(refused), accepted=len(came), refused=len(refused))
    load = LoadResult(
        model="open", warm_up_s=WARM_UP_S, steady_s=steady_s, in_flight_peak=max(in_flight), sessions=sessions,
        throughput=Throughput(sessions_per_s=ended / steady_s, sessions_accepted_per_s=ended / steady_s),
        phases={"smtp.session": PhaseResult(
            count=times.count, service_ns=times.quantiles(), response_ns=times.quantiles(),
            service_hdr=times.encode(), response_hdr=times.encode(),
        )},
        timeline=Timeline(
            arrived=_per_second(np.concatenate([came, refused]), rows), accepted=_per_second(done, rows),
            refused=_per_second(refused, rows), failed=nothing, timed_out=nothing, dropped=nothing,
            in_flight=in_flight, messages_accepted=_per_second(done, rows), messages_retrieved=nothing,
            response_p50_ns=(None,) * rows, response_p99_ns=(None,) * rows,
        ),
        health=Health(in_flight=InFlight(looks=1000, seen=mean, seen_variance=1.0, recorded=mean)),
    )   # fmt: skip
    document = Document(
        kind="load", mailproof="0", run_id="simulated", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=3,
        load=load,
    )   # fmt: skip
    return conclude(document, [])


def _in_flight(came: np.ndarray, done: np.ndarray, rows: int) -> tuple[int, ...]:
    ends = np.arange(1, rows + 1)
    return tuple(int(each) for each in np.searchsorted(came, ends) - np.searchsorted(np.sort(done), ends))


def searched(search: Search, run: Callable[[Asked], Run], gates: Sequence[Gate] = ()) -> Search:
    """Carry a search out, and return it."""
    for asked in search:
        measured = Measured(asked.number, asked.purpose, asked.level, asked.seconds)
        made = run(asked)
        search.tell(judged_stage(made.document, with_always(gates), measured, made.intervals()))
    return search


def told(stages: Sequence[CapacityStage]) -> list[str]:
    """Return a search in brief, for whoever reads a failing test."""
    return [f"{each.purpose} {each.level:g} for {each.seconds:g} s: {each.outcome}" for each in stages]


def rate_within(limit_s: float, share: float, work: Work) -> float:
    """Return the rate at which a share of sessions takes no longer than a limit: the waiting times of M/M/c."""
    assert work.workers is not None
    low, high = 0.0, work.workers / work.service_s
    for _ in itertools.repeat(None, 60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - taking_longer(limit_s, middle, work) > share else (low, middle)
    return low


def taking_longer(limit_s: float, rate: float, work: Work) -> float:
    """Return the probability that a session takes longer than this, waiting included (Erlang C)."""
    c, mu = work.workers, 1 / work.service_s
    assert c is not None
    load = rate / mu
    tail = load**c / math.factorial(c) * c / (c - load)
    waits = tail / (sum(load**k / math.factorial(k) for k in range(c)) + tail)
    drain = c * mu - rate
    alone = math.exp(-mu * limit_s)
    if abs(drain - mu) < 1e-9:
        return alone + waits * mu * limit_s * alone
    return alone + waits * mu / (drain - mu) * (alone - math.exp(-drain * limit_s))
