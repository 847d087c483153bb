"""The books of a run: every arrival once, every phase's time, every reply. Plain calls, no checkpoint, no lock.

Times are kept as integers and folded into histograms in batches, once a second. What sessions did that went as hoped
waits until there is enough of it to be recorded together; whoever reads the books finds all of it in them.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator

from loadgen.engine.arrived import Arrived
from loadgen.engine.attempt import Attempt, Upshot
from loadgen.engine.batch import Batch, Done, batch_of
from loadgen.engine.columns import FEW, Instants, by_name
from loadgen.engine.outage import Outages
from loadgen.engine.reply_table import ReplyTable
from loadgen.engine.retry_book import RetryBook
from loadgen.engine.sample import Sample
from loadgen.engine.seconds import Seconds
from loadgen.engine.steady import Steady
from loadgen.engine.tallied import TALLIED_MAX, TalliedSessions, Tallies
from loadgen.engine.times import INT64, PhaseTable, SessionTable
from loadgen.engine.window import Window
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from loadgen.session.trace import Trace
from loadgen.wire.printable import printable
from reports.histogram import Histogram
from reports.interval_log import IntervalLog

DISTINCT_FAILURES_MAX = 500       # causes are our own sentences; this bounds them all the same
OTHER_CAUSES = "other causes"
TOGETHER_MAX = 1_000              # timings that wait to be recorded together: half a millisecond of work


class Recorder:
    """Everything counted and timed in one process's part of a run.

    Invariant: arrived == in_flight - retrying + every outcome, dropped among them, at every instant. Outcomes are of
    first attempts; what became of what they left stands in `retries`.
    """

    def __init__(self, window: Window, crash_instants_ns: tuple[int, ...] = ()) -> None:
        self.window = window
        self.outages = Outages(crash_instants_ns)
        self._crashes = bool(crash_instants_ns)
        self.load_ended = False              # no more arrivals come
        self.load_ended_ns = 0
        self.cut_short = False               # somebody ended the arrivals before their time
        self.arrived = 0                     # arrivals that reached their instant
        self._arrivals = Arrived()           # those that are not in the second and the phase yet in which they did
        self.in_flight = 0
        self.retrying = 0                    # of those in flight, the ones that try again
        self.in_flight_peak = 0
        self._tallies: tuple[Tallies, ...] = ()     # of sessions that are not told of one by one
        self._waiting: list[Done] = []       # sessions that went as hoped, and are not in the books yet
        self._waiting_timings = 0            # theirs, and one for each
        self._outcomes: dict[str, Counter[OutcomeKind]] = defaultdict(Counter)    # session name -> kinds
        self.retries: dict[str, RetryBook] = defaultdict(RetryBook)               # by session name
        self._messages: Counter[str] = Counter()
        self._phases = PhaseTable()
        self._session_times = SessionTable()                         # by session name
        self._lags = array(INT64)                                    # of sessions started in the steady phase
        self.lag_histogram = Histogram()
        self._replies = ReplyTable()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.failure_examples: dict[tuple[str, str], str] = {}      # what was first seen, made printable
        self.exhausted: Counter[str] = Counter()                     # what this host ran out of
        self.deviations: Counter[tuple[str, str]] = Counter()
        self.deviation_examples: dict[tuple[str, str], str] = {}
        self._steady = Steady()
        self._seconds = Seconds()
        self.intervals = IntervalLog()

    @property
    def outcomes(self) -> dict[str, Counter[OutcomeKind]]:
        """Return how often sessions of each name ended how."""
        self.settle()
        return self._outcomes

    @property
    def messages(self) -> Counter[str]:
        """Return how many messages were offered, refused, accepted and retrieved."""
        self.settle()
        return self._messages

    @property
    def phases(self) -> PhaseTable:
        """Return the times of every phase."""
        self.settle()
        return self._phases

    @property
    def session_times(self) -> SessionTable:
        """Return the times of whole sessions, by their names."""
        self.settle()
        return self._session_times

    @property
    def lags(self) -> "array[int]":
        """Return how late sessions started in the steady phase, ns: those not folded yet."""
        self.settle()
        return self._lags

    @property
    def replies(self) -> Counter[tuple[str, str, str | None]]:
        """Return how often each reply came: (phase, code, enhanced status code)."""
        self.settle()
        return self._replies

    @property
    def steady(self) -> Steady:
        """Return what happened in the steady phase."""
        self.settle()
        return self._steady

    @property
    def seconds(self) -> Seconds:
        """Return the run second by second."""
        self.settle()
        return self._seconds

    def tally(self, *tallies: Tallies) -> None:
        """Have sessions that are tallied elsewhere in the books from now on, and no others."""
        self.settle()
        self._tallies = tallies
        for each in tallies:
            each.place_by(self.window)
            each.tell_when_full(TALLIED_MAX, self.settle)

    def balanced(self) -> bool:
        """Say whether every arrival that reached its instant is in flight, or has exactly one outcome."""
        ended = sum(kinds.total() for kinds in self.outcomes.values())
        return 0 <= self.retrying <= self.in_flight and self.arrived == self.in_flight - self.retrying + ended

    @property
    def waiting(self) -> int:
        """Count the arrivals with mail that was put off and waits to be tried again."""
        return sum(book.sessions["unfinished"] for book in self.retries.values()) - self.retrying

    def started(self, intended_ns: int) -> None:
        """Count an arrival that starts, in flight from now on."""
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        self.arrived += 1
        self._arrivals.add(intended_ns, self.in_flight)

    def started_again(self, at_ns: int) -> None:
        """Count a session that tries again, in flight from now on; its arrival has been counted."""
        self.in_flight += 1
        self.retrying += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        self._seconds.opened(at_ns, self.in_flight)

    def dropped(self, intended_ns: int, session: str) -> None:
        """Count an arrival that was not started."""
        self.arrived += 1
        self._arrivals.add(intended_ns, self.in_flight)
        self._outcomes[session][OutcomeKind.DROPPED] += 1
        self._seconds.started(intended_ns)
        self._seconds.ended(intended_ns, OutcomeKind.DROPPED)
        if self.window.holds(intended_ns):
            self._steady.ended[OutcomeKind.DROPPED] += 1

    def ended(self, sample: Sample, trace: Trace, origin_ns: int) -> None:
        """Count how a started arrival ended, and what its session did. `origin_ns`: the run's start on clock_ns."""
        assert sample.intended_ns <= sample.started_ns <= sample.finished_ns
        assert self.in_flight > 0, "a session ends once"
        self.in_flight -= 1
        if sample.outcome is ACCEPTED and not (sample.held or trace.deviations or self._crashes):
            self._waiting.append((sample, trace, origin_ns))
            self._waiting_timings += 1 + len(trace.timings)
            if self._waiting_timings >= TOGETHER_MAX:
                self.settle()
        else:
            self.settle()                    # so that all is in the books in the order in which it happened
            self._enter(sample, trace, origin_ns)

    def ended_in_tally(self) -> None:
        """Count that one less is in flight: it went as hoped, which the tallies tell of, and none followed it."""
        assert self.in_flight > 0, "a session ends once"
        self.in_flight -= 1

    def settle(self) -> None:
        """Enter what waits to be recorded together."""
        self._arrivals.enter(self._seconds, self._steady, self.window)
        for tallies in self._tallies:
            if (tallied := tallies.take()) is not None:
                self._enter_tallied(tallied)
        if not self._waiting:
            return
        waiting, self._waiting, self._waiting_timings = self._waiting, [], 0
        if len(waiting) <= FEW:
            for sample, trace, origin_ns in waiting:
                self._enter(sample, trace, origin_ns)
        else:
            self._enter_together(batch_of(waiting))

    def ended_again(self, sample: Sample, trace: Trace, origin_ns: int) -> None:
        """Count what a session did that tried again; its arrival has its outcome from the first attempt."""
        assert self.retrying > 0, "a session ends once"
        self.settle()
        self.retrying -= 1
        self.in_flight -= 1
        self.retries[sample.session].tried_again += 1
        away = self.outages.ended(sample, first=False)
        self._ended(sample, trace, origin_ns, timed=not away and sample.is_timed)

    def tried(
        self, session: str, attempt: Attempt, upshot: Upshot, origin_ns: int, *, cut: bool, given_up: bool
    ) -> None:
        """Count what an attempt came to, for each delivery it was at; `cut` if the run ended amid it."""
        book = self.retries[session]
        if attempt.number == 1:
            book.first_attempt(upshot, cut=cut)
        book.settled(attempt, upshot)
        if given_up and upshot.left:
            book.given_up(attempt, upshot)
        if self.window.holds(attempt.intended_ns):
            for at_ns in upshot.taken_ns:
                book.delayed(at_ns - origin_ns - attempt.intended_ns)

    def close_seconds(self, until: int) -> Iterator[str]:
        """Close the books of every second before `until`. Yields between its parts, each a millisecond of work at most.

        Whoever iterates decides whether other tasks run in between: nothing is lost or counted twice if they do.
        """
        for second in range(self.seconds.closed, until):
            self.seconds.close(second, self.in_flight)
            self.lag_histogram.record_many(self._lags)
            del self._lags[:]
            for book in self.retries.values():
                book.fold()
            for session in tuple(self.session_times):
                self.session_times.fold(session)
                yield session
            for phase in tuple(self.phases):
                interval = self.phases.fold(phase, second)
                if interval is not None:
                    self.intervals.append(interval)
                    yield phase

    def end_load(self, at_ns: int, *, cut_short: bool = False) -> None:
        """Note that no more arrivals come: the steady phase ends now, if not before. `cut_short`: some are missing."""
        self.settle()                        # by the window as it was
        self.load_ended = True
        self.cut_short = cut_short
        self.load_ended_ns = min(at_ns, self.window.steady_until_ns)
        self.window = self.window.ended_at(self.load_ended_ns)
        self.tally(*self._tallies)

    def merge(self, other: "Recorder") -> None:
        """Add the closed books of another process of the same run to these, which are closed too.

        What was open at once in all of them is not known to the instant: the peak is the greatest sum of what
        each had at most in one second, and so never too low.
        """
        self.settle()
        self.load_ended_ns = max(self.load_ended_ns, other.load_ended_ns)
        self.cut_short |= other.cut_short
        self.window = Window(
            self.window.steady_from_ns, max(self.window.steady_until_ns, other.window.steady_until_ns)
        )
        self.arrived += other.arrived
        self.in_flight += other.in_flight
        self.retrying += other.retrying
        for session, book in other.retries.items():
            self.retries[session].merge(book)
        for session, kinds in other.outcomes.items():
            self.outcomes[session].update(kinds)
        self.phases.merge(other.phases)
        self.session_times.merge(other.session_times)
        self.lag_histogram.merge(other.lag_histogram)
        self.messages.update(other.messages)
        self.replies.update(other.replies)
        self.failures.update(other.failures)
        self.exhausted.update(other.exhausted)
        self.deviations.update(other.deviations)
        self.failure_examples = other.failure_examples | self.failure_examples
        self.deviation_examples = other.deviation_examples | self.deviation_examples
        self.steady.merge(other.steady)
        self.outages.merge(other.outages)
        self.seconds.merge(other.seconds)
        self.in_flight_peak = self.seconds.most_in_flight()
        self.intervals.extend(other.intervals)

    def _enter(self, sample: Sample, trace: Trace, origin_ns: int) -> None:
        kind = sample.outcome.kind
        self._outcomes[sample.session][kind] += 1
        timed = not self.outages.ended(sample, first=True) and sample.is_timed
        self._seconds.started(sample.started_ns)
        self._seconds.ended(sample.finished_ns, kind, sample.response_ns if timed else None)
        if self.window.holds(sample.intended_ns):
            self._lags.append(sample.lag_ns)
        if self._ended(sample, trace, origin_ns, timed=timed):
            self._steady.ended[kind] += 1

    def _enter_tallied(self, tallied: TalliedSessions) -> None:
        """Do so for sessions of series that went as hoped, and for the arrivals of those that followed them."""
        for phase, *times in tallied.phases:
            self._phases[phase].add_tallied(*times)
        for session, service, response, outside in tallied.sessions:
            self._outcomes[session][OutcomeKind.ACCEPTED] += (len(service) + len(outside)) // self._lags.itemsize
            self._phases[f"{tallied.protocol}.session"].add_tallied(service, response, outside)
            self._session_times[session].add_tallied(service, response, outside)
        self._lags.frombytes(tallied.lags)
        self.arrived += len(tallied.next_ns)
        self._seconds.tallied(tallied, self.in_flight)
        self._steady.tallied(tallied, self.window)
        self._count_messages_together(tallied.offered, 0, tallied.accepted_ns, tallied.retrieved_ns)
        self._replies.add(tallied.replies)

    def _enter_together(self, batch: Batch) -> None:
        """Do as `_enter` does, for many sessions that went as hoped."""
        steady, due = self._steady, self.window.holds_each(batch.intended_ns)
        service_ns = batch.finished_ns - batch.started_ns
        self._seconds.ended_well(batch.started_ns, batch.finished_ns, service_ns + batch.lag_ns)
        self._lags.frombytes(batch.lag_ns[due].tobytes())
        self._phases.keep_many(batch, due)
        for protocol, which in by_name(batch.protocols):
            self._phases[f"{protocol}.session"].add_many(service_ns[which], batch.lag_ns[which], due[which])
        for session, which in by_name(batch.sessions):
            self._outcomes[session][OutcomeKind.ACCEPTED] += int(which.sum())
            self._session_times[session].add_many(service_ns[which], batch.lag_ns[which], due[which])

        steady.session_ns += self.window.overlaps_ns(batch.started_ns, batch.finished_ns)
        done = self.window.holds_each(batch.finished_ns)
        if done.any():
            steady.ended[OutcomeKind.ACCEPTED] += int(done.sum())
            offered, refused, sent, received = batch.counts[done].sum(axis=0).tolist()
            steady.messages_offered += offered
            steady.messages_refused += refused
            steady.octets_sent += sent
            steady.octets_received += received
        offered, refused, _, _ = batch.counts.sum(axis=0).tolist()
        self._count_messages_together(offered, refused, batch.accepted_ns, batch.retrieved_ns)
        self._replies.count(batch.replies)

    def _count_messages_together(
        self, offered: int, refused: int, accepted_ns: Instants, retrieved_ns: Instants
    ) -> None:
        counted = {"offered": offered, "refused": refused, "accepted": len(accepted_ns), "retrieved": len(retrieved_ns)}
        self._messages.update(counted)
        self._steady.messages_accepted += int(self.window.holds_each(accepted_ns).sum())
        self._steady.messages_retrieved += int(self.window.holds_each(retrieved_ns).sum())
        self._seconds.messages(accepted_ns, retrieved_ns)

    def _ended(self, sample: Sample, trace: Trace, origin_ns: int, *, timed: bool) -> bool:
        """Count what any session did, a first one or one that tried again; say if it ended in the steady phase."""
        steady = self._steady
        steady.session_ns += self.window.overlap_ns(sample.started_ns, sample.finished_ns)
        in_steady = self.window.holds(sample.finished_ns)
        if in_steady:
            steady.messages_offered += trace.messages_offered
            steady.messages_refused += trace.messages_refused
            steady.octets_sent += trace.octets_sent
            steady.octets_received += trace.octets_received
        if sample.outcome.cause is not None:
            self._failure(sample.outcome.phase or sample.protocol, sample.outcome.cause, sample.outcome.evidence)
            if sample.outcome.exhausted:
                self.exhausted[sample.outcome.cause] += 1
        self._times(sample, trace, whole=timed)
        self._count_messages(trace, origin_ns)
        self._replies.count(trace.replies)
        for phase, deviation, octets in trace.deviations:
            self.deviations[phase, deviation] += 1
            self.deviation_examples.setdefault((phase, deviation), printable(octets))
        return in_steady

    def _times(self, sample: Sample, trace: Trace, *, whole: bool) -> None:
        """Keep the times of the phases, and if they tell anything of the whole session, by its intended instant."""
        steady, lag_ns = self.window.holds(sample.intended_ns), sample.lag_ns
        self._phases.keep(trace.timings, lag_ns, steady=steady)
        if whole:
            self._phases[f"{sample.protocol}.session"].add(sample.service_ns, lag_ns, steady=steady)
            self._session_times[sample.session].add(sample.service_ns, lag_ns, steady=steady)

    def _count_messages(self, trace: Trace, origin_ns: int) -> None:
        """Count messages where they happened: a long session's are not all of its last second."""
        counts, steady, holds = self._messages, self._steady, self.window.holds
        counts["offered"] += trace.messages_offered
        counts["refused"] += trace.messages_refused
        for word in trace.settled.values():
            if word.recipients:
                at_ns = word.at_ns - origin_ns
                counts["accepted"] += 1
                steady.messages_accepted += holds(at_ns)
                self._seconds.accepted(at_ns)
        for message in trace.retrieved:
            at_ns = message.at_ns - origin_ns
            counts["retrieved"] += 1
            steady.messages_retrieved += holds(at_ns)
            self._seconds.retrieved(at_ns)

    def _failure(self, phase: str, cause: str, evidence: bytes) -> None:
        key = (phase, cause)
        if key not in self.failures:
            if len(self.failures) >= DISTINCT_FAILURES_MAX:
                key = (phase, OTHER_CAUSES)
            self.failure_examples.setdefault(key, printable(evidence))
        self.failures[key] += 1
