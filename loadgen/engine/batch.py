"""What sessions did that went as hoped, as columns: recorded many at once, which runs a quarter of the opcodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadgen.engine.columns import Instants
from loadgen.engine.sample import Sample
from loadgen.session.trace import Trace

Done = tuple[Sample, Trace, int]      # an ended session, and the run's start on `clock_ns`

_INSTANTS: Final[Callable[[Sample], Any]] = attrgetter("intended_ns", "started_ns", "finished_ns")
_COUNTS: Final[Callable[[Trace], Any]] = attrgetter(
    "messages_offered", "messages_refused", "octets_sent", "octets_received"
)
_TIMINGS: Final[Callable[[Trace], list[tuple[str, int, int]]]] = attrgetter("timings")
_REPLIES: Final[Callable[[Trace], list[tuple[str, str, str | None]]]] = attrgetter("replies")
_SESSION: Final[Callable[[Sample], str]] = attrgetter("session")
_PROTOCOL: Final[Callable[[Sample], str]] = attrgetter("protocol")


@dataclass(frozen=True, slots=True)
class Batch:
    """Sessions in the order in which they ended. Instants are ns from the run's start."""

    sessions: Sequence[str]           # the name of each in the scenario
    protocols: Sequence[str]          # and its protocol
    intended_ns: Instants
    started_ns: Instants
    finished_ns: Instants
    counts: NDArray[np.int64]         # a row for each: messages offered and refused, octets sent and received
    timed: NDArray[np.int64]          # how many phases each timed
    phases: Sequence[str]             # these phases, those of one session after those of the other
    service_ns: Instants              # and their service times
    replies: Sequence[tuple[str, str, str | None]]     # of all of them
    accepted_ns: Instants             # when messages were accepted
    retrieved_ns: Instants            # when messages were retrieved

    @property
    def lag_ns(self) -> Instants:
        """Return how late each started."""
        return self.started_ns - self.intended_ns


def batch_of(done: Sequence[Done]) -> Batch:
    """Return what these sessions' traces tell."""
    samples: tuple[Sample, ...]
    traces: tuple[Trace, ...]
    samples, traces, _ = zip(*done, strict=True)
    intended_ns, started_ns, finished_ns = np.array(list(map(_INSTANTS, samples)), dtype=np.int64).T
    timings = list(map(_TIMINGS, traces))
    phases, begun_ns, over_ns = zip(*chain.from_iterable(timings), strict=True) if any(timings) else ((), (), ())
    return Batch(
        sessions=list(map(_SESSION, samples)),
        protocols=list(map(_PROTOCOL, samples)),
        intended_ns=intended_ns,
        started_ns=started_ns,
        finished_ns=finished_ns,
        counts=np.array(list(map(_COUNTS, traces)), dtype=np.int64),
        timed=np.fromiter(map(len, timings), dtype=np.int64, count=len(timings)),
        phases=phases,
        service_ns=np.array(over_ns, dtype=np.int64) - np.array(begun_ns, dtype=np.int64),
        replies=list(chain.from_iterable(map(_REPLIES, traces))),
        accepted_ns=np.array([
            word.at_ns - origin_ns
            for _, trace, origin_ns in done for word in trace.settled.values() if word.recipients
        ], dtype=np.int64),
        retrieved_ns=np.array([
            message.at_ns - origin_ns for _, trace, origin_ns in done if trace.retrieved for message in trace.retrieved
        ], dtype=np.int64),
    )   # fmt: skip
