"""The times of every phase: kept as integers as they come, folded into histograms once a second."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from loadgen.engine.batch import Batch
from loadgen.engine.columns import Instants, Which, by_name
from reports.histogram import Histogram, Interval

# What is due at an instant of its own. A later phase depends on the ones before it and was never due at any:
# its response time is its service time, and the delay it inherits shows in the session's.
DUE_AT_AN_INSTANT = (".connect", ".session")
INT64: Final = "q"     # where histograms read them as they lie


class PhaseTimes:
    """The times of one phase, ns: those not folded yet, and the histograms of the steady phase.

    Invariant: for a phase that is not due at an instant of its own, response and service are one and the same.
    """

    __slots__ = (
        "_outside", "_response", "_service", "due", "outside_steady", "response_histogram", "service_histogram",
    )   # fmt: skip

    def __init__(self, *, due: bool) -> None:
        self.due = due                            # at an instant of its own
        self._service = array(INT64)
        self._response = array(INT64) if due else self._service
        self._outside = array(INT64)              # response times before and after the steady phase
        self.outside_steady = 0                   # how many there were in the whole run
        self.service_histogram = Histogram()
        self.response_histogram = Histogram() if due else self.service_histogram

    @property
    def keep_steady(self) -> Callable[[int], None]:
        """Return what keeps one time of the steady phase, of a phase that is not due: the same for as long as it is."""
        assert not self.due, "a response time wants the lag too"
        return self._service.append

    def add(self, service_ns: int, lag_ns: int, *, steady: bool) -> None:
        """Keep one time; `lag_ns` is how late its session began."""
        if steady:
            self._service.append(service_ns)
            if self.due:
                self._response.append(service_ns + lag_ns)
        else:
            self.outside_steady += 1
            self._outside.append(service_ns + lag_ns if self.due else service_ns)

    def add_many(self, service_ns: Instants, lag_ns: Instants, steady: Which) -> None:
        """Keep many times."""
        response_ns = service_ns + lag_ns if self.due else service_ns
        outside = ~steady
        self.outside_steady += int(outside.sum())
        self._outside.frombytes(response_ns[outside].tobytes())
        self._service.frombytes(service_ns[steady].tobytes())
        if self.due:
            self._response.frombytes(response_ns[steady].tobytes())

    def add_tallied(self, service: bytes, response: bytes, outside: bytes) -> None:
        """Keep times as they lie: of the steady phase, and response times outside of it."""
        self.outside_steady += len(outside) // self._outside.itemsize
        self._outside.frombytes(outside)
        self._service.frombytes(service)
        if self.due:
            self._response.frombytes(response)

    def fold(self, interval: Histogram) -> None:
        """Put what has gathered into the histograms, and all of its response times into `interval`, which is empty."""
        interval.record_many(self._response)
        self.response_histogram.merge(interval)
        if self.due:
            self.service_histogram.record_many(self._service)
        interval.record_many(self._outside)
        for gathered in (self._service, self._response, self._outside):
            del gathered[:]

    def merge(self, other: "PhaseTimes") -> None:
        """Add another process's times of this phase; both are folded."""
        self.outside_steady += other.outside_steady
        self.service_histogram.merge(other.service_histogram)
        if self.response_histogram is not self.service_histogram:
            self.response_histogram.merge(other.response_histogram)


def _nowhere(_: str) -> None:
    return None


class TimesTable(dict[str, PhaseTimes]):
    """Times by name."""

    def merge(self, other: "TimesTable") -> None:
        """Add those of another process; all are folded."""
        for name, times in other.items():
            self[name].merge(times)


class PhaseTable(TimesTable):
    """The times of every phase that was seen, by name."""

    def __init__(self) -> None:
        super().__init__()
        self._interval = Histogram()              # one for all: making one anew for each fold would cost more
        self._keep_steady: dict[str, Callable[[int], None]] = {}      # of the phases seen that are not due

    def __missing__(self, phase: str) -> PhaseTimes:
        times = self[phase] = PhaseTimes(due=phase.endswith(DUE_AT_AN_INSTANT))
        if not times.due:
            self._keep_steady[phase] = times.keep_steady
        return times

    def keep(self, timings: Iterable[tuple[str, int, int]], lag_ns: int, *, steady: bool) -> None:
        """Keep what one session timed: (phase, started_ns, finished_ns); `lag_ns` is how late it began.

        Eight times a message: in the steady phase each costs one look-up and one append.
        """
        keep = self._keep_steady.get if steady else _nowhere
        for phase, started_ns, finished_ns in timings:
            if (known := keep(phase)) is not None:
                known(finished_ns - started_ns)
            else:
                self[phase].add(finished_ns - started_ns, lag_ns, steady=steady)

    def keep_many(self, batch: Batch, steady: Which) -> None:
        """Keep what many sessions timed; `steady` says of each if it was due in the steady phase."""
        lags_ns, in_steady = np.repeat(batch.lag_ns, batch.timed), np.repeat(steady, batch.timed)
        for phase, which in by_name(batch.phases):
            self[phase].add_many(batch.service_ns[which], lags_ns[which], in_steady[which])

    def __getstate__(self) -> dict[str, object]:
        """Cross processes without the appends, which are to arrays of this one; `keep` does without."""
        return {"_interval": self._interval, "_keep_steady": {}}

    def fold(self, phase: str, second: int) -> Interval | None:
        """Fold one phase; return its response times up to the end of a second, warm-up and drain included."""
        self._interval.clear()
        self[phase].fold(self._interval)
        return Interval.of(phase, float(second), 1.0, self._interval) if self._interval.count else None

    def outside_steady(self) -> Counter[str]:
        """Return how often each phase was completed outside the steady phase."""
        return Counter({phase: times.outside_steady for phase, times in self.items() if times.outside_steady})


class SessionTable(TimesTable):
    """The times of whole sessions, by the name the scenario gives them: `smtp.session` is of all that speak SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self._interval = Histogram()

    def __missing__(self, session: str) -> PhaseTimes:
        times = self[session] = PhaseTimes(due=True)
        return times

    def fold(self, session: str) -> None:
        """Put what has gathered into the histograms."""
        self[session].fold(self._interval)
        self._interval.clear()
