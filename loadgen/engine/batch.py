"""What sessions did that went as hoped, as columns: recorded many at once, which runs a quarter of the opcodes."""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

import numpy as np

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


class Batch:
    """Sessions in the order in which they ended. Instants are ns from the run's start."""

    def __init__(self, done: Sequence[Done]) -> None:
        samples, traces, _ = zip(*done, strict=True)
        self._done = done
        self._samples: tuple[Sample, ...] = samples
        self._traces: tuple[Trace, ...] = traces
        instants = np.array(list(map(_INSTANTS, samples)), dtype=np.int64)
        self.intended_ns, self.started_ns, self.finished_ns = instants.T
        self.lag_ns = self.started_ns - self.intended_ns
        # One row for each session: messages offered and refused, octets sent and received.
        self.counts = np.array(list(map(_COUNTS, traces)), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._done)

    @property
    def sessions(self) -> list[str]:
        """Return the name of each in the scenario."""
        return list(map(_SESSION, self._samples))

    @property
    def protocols(self) -> list[str]:
        """Return the protocol of each."""
        return list(map(_PROTOCOL, self._samples))

    @property
    def timings(self) -> list[list[tuple[str, int, int]]]:
        """Return what each timed: (phase, started_ns, finished_ns)."""
        return list(map(_TIMINGS, self._traces))

    @property
    def replies(self) -> list[tuple[str, str, str | None]]:
        """Return the replies of all of them together."""
        return list(chain.from_iterable(map(_REPLIES, self._traces)))

    def accepted_ns(self) -> Instants:
        """Return when messages were accepted."""
        return np.array([
            word.at_ns - origin_ns
            for _, trace, origin_ns in self._done for word in trace.settled.values() if word.recipients
        ], dtype=np.int64)  # fmt: skip

    def retrieved_ns(self) -> Instants:
        """Return when messages were retrieved."""
        return np.array([
            message.at_ns - origin_ns for _, trace, origin_ns in self._done if trace.retrieved
            for message in trace.retrieved
        ], dtype=np.int64)  # fmt: skip
