"""The books of a run: every arrival once, every phase's time, every reply. Plain calls, no checkpoint, no lock.

Times are kept as integers and folded into histograms in batches, once a second: recording one costs
a list append.
"""

from collections import Counter, defaultdict

from loadgen.engine.sample import Sample
from loadgen.engine.seconds import Seconds
from loadgen.engine.window import Window
from loadgen.session.outcome import OutcomeKind
from loadgen.session.trace import Trace
from loadgen.wire.printable import printable
from reports.histogram import Histogram, Interval

DISTINCT_FAILURES_MAX = 500       # causes are our own sentences; this bounds them all the same
OTHER_CAUSES = "other causes"
FIRST_PHASE = "connect"


class PhaseTimes:
    """The times of one phase: what is not folded yet, and the histograms of the steady phase."""

    __slots__ = ("interval", "response", "response_histogram", "service", "service_histogram")

    def __init__(self) -> None:
        self.service: list[int] = []
        self.response: list[int] = []
        self.interval: list[int] = []             # response times of the whole run since the last interval
        self.service_histogram = Histogram()
        self.response_histogram = Histogram()

    def fold(self) -> None:
        """Put what has gathered into the histograms."""
        self.service_histogram.record_many(self.service)
        self.response_histogram.record_many(self.response)
        self.service.clear()
        self.response.clear()


class Recorder:
    """Everything counted and timed in one process's part of a run.

    Invariant: arrived == in_flight + ended + dropped, at every instant.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.load_ended = False              # no more arrivals come
        self.load_ended_ns = 0
        self.in_flight = 0
        self.in_flight_peak = 0
        self.outcomes: dict[str, Counter[OutcomeKind]] = defaultdict(Counter)     # session name -> kinds
        self.messages: Counter[str] = Counter()
        self.phases: dict[str, PhaseTimes] = defaultdict(PhaseTimes)
        self.outside_steady: Counter[str] = Counter()                # phase -> completed, not timed
        self.lag = PhaseTimes()
        self.replies: Counter[tuple[str, str, str | None]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.exhausted: Counter[str] = Counter()                     # what this host ran out of
        self.deviations: Counter[tuple[str, str]] = Counter()
        self.deviation_examples: dict[tuple[str, str], str] = {}
        self.steady: Counter[str] = Counter()                        # what happened in the steady phase
        self.seconds = Seconds()
        self.intervals: list[Interval] = []
        self._scratch = Histogram()

    @property
    def arrived(self) -> int:
        """Return the number of arrivals that reached their instant so far."""
        return self.in_flight + sum(kinds.total() for kinds in self.outcomes.values())

    def started(self, intended_ns: int) -> None:
        """Count an arrival that starts, in flight from now on."""
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        self._arrived(intended_ns)

    def dropped(self, intended_ns: int, session: str) -> None:
        """Count an arrival that was not started."""
        self._arrived(intended_ns)
        self.outcomes[session][OutcomeKind.DROPPED] += 1
        self.seconds.ended(intended_ns, OutcomeKind.DROPPED)
        if self.window.holds(intended_ns):
            self.steady["sessions.dropped"] += 1

    def ended(self, sample: Sample, trace: Trace, origin_ns: int) -> None:
        """Count how a started arrival ended, and what its session did. `origin_ns`: the run's start on clock_ns."""
        assert sample.intended_ns <= sample.started_ns <= sample.finished_ns
        kind = sample.outcome.kind
        self.in_flight -= 1
        self.outcomes[sample.session][kind] += 1
        self.seconds.ended(sample.finished_ns, kind)
        if self.window.holds(sample.finished_ns):
            self.steady[f"sessions.{kind}"] += 1
            self.steady["messages.offered"] += trace.messages_offered
            self.steady["messages.refused"] += trace.messages_refused
            self.steady["octets.sent"] += trace.octets_sent
            self.steady["octets.received"] += trace.octets_received
        if sample.outcome.cause is not None:
            self._failure(sample.outcome.phase or sample.protocol, sample.outcome.cause)
        if sample.outcome.exhausted and sample.outcome.cause is not None:
            self.exhausted[sample.outcome.cause] += 1
        self._times(sample, trace)
        self._messages(trace, origin_ns)
        self.replies.update(trace.replies)
        for phase, deviation, octets in trace.deviations:
            self.deviations[phase, deviation] += 1
            self.deviation_examples.setdefault((phase, deviation), printable(octets))

    def close_second(self, second: int) -> None:
        """Fold what gathered up to the end of a second of the run; a few milliseconds of work."""
        self.seconds.close(second, self.in_flight)
        self.lag.fold()
        for name, times in self.phases.items():
            times.fold()
            if times.interval:
                self._scratch.clear()
                self._scratch.record_many(times.interval)
                self.intervals.append(Interval.of(name, float(second), 1.0, self._scratch))
                times.interval.clear()

    def end_load(self, at_ns: int) -> None:
        """Note that no more arrivals come: the steady phase ends now, if not before."""
        self.load_ended = True
        self.load_ended_ns = min(at_ns, self.window.steady_until_ns)
        self.window = self.window.ended_at(self.load_ended_ns)

    def _arrived(self, intended_ns: int) -> None:
        self.seconds.arrived(intended_ns, self.in_flight)
        if self.window.holds(intended_ns):
            self.steady["sessions.arrived"] += 1

    def _times(self, sample: Sample, trace: Trace) -> None:
        """Keep the phases' times: response counts from the intended instant where the session begins.

        A later phase depends on the ones before it and was never due at an instant of its own, so its
        response time is its service time; the delay it inherits is in the session's response time.
        """
        steady = self.window.holds(sample.intended_ns)
        first = f"{sample.protocol}.{FIRST_PHASE}"
        for name, started_ns, finished_ns in trace.timings:
            service_ns = finished_ns - started_ns
            self._time(name, service_ns, service_ns + sample.lag_ns if name == first else service_ns, steady)
        if sample.outcome.kind is OutcomeKind.INTERRUPTED:
            return                                       # the run ended it: not a time the server took
        self._time(f"{sample.protocol}.session", sample.service_ns, sample.response_ns, steady)
        if not sample.held:
            self.seconds.responded(sample.finished_ns, sample.response_ns)
        if steady:
            self.lag.service.append(sample.lag_ns)

    def _time(self, name: str, service_ns: int, response_ns: int, steady: bool) -> None:
        times = self.phases[name]
        times.interval.append(response_ns)
        if steady:
            times.service.append(service_ns)
            times.response.append(response_ns)
        else:
            self.outside_steady[name] += 1

    def _messages(self, trace: Trace, origin_ns: int) -> None:
        accepted = [word.at_ns - origin_ns for word in trace.settled.values() if word.recipients]
        retrieved = [message.at_ns - origin_ns for message in trace.retrieved]
        self.messages.update(
            offered=trace.messages_offered,
            accepted=len(accepted),
            refused=trace.messages_refused,
            retrieved=len(retrieved),
        )
        self.seconds.messages(accepted, retrieved)
        self.steady["messages.accepted"] += sum(map(self.window.holds, accepted))
        self.steady["messages.retrieved"] += sum(map(self.window.holds, retrieved))

    def _failure(self, phase: str, cause: str) -> None:
        key = (phase, cause)
        if key not in self.failures and len(self.failures) >= DISTINCT_FAILURES_MAX:
            key = (phase, OTHER_CAUSES)
        self.failures[key] += 1
