"""The run second by second: the columns of the report's graphs, and the last second for the progress line."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from loadgen.clock import NS_PER_S
from loadgen.engine.columns import Instants, by_second
from loadgen.engine.tallied import TalliedSessions
from loadgen.session.outcome import OutcomeKind
from reports.histogram import Histogram
from reports.load_result import Timeline


@dataclass(slots=True)
class Second:
    """What happened in one second of the run."""

    arrived: int = 0
    started: int = 0                    # arrivals that got their turn in it, whenever they were due
    accepted: int = 0
    refused: int = 0
    failed: int = 0
    timed_out: int = 0
    dropped: int = 0
    interrupted: int = 0
    in_flight: int = 0                  # the most at once
    messages_accepted: int = 0
    messages_retrieved: int = 0
    responses: list[int] = field(default_factory=list)     # ns; emptied when the second is closed
    p50_ns: int | None = None
    p99_ns: int | None = None
    # The same times as a histogram, for percentiles never merge. Until the second is closed: "".
    response_hdr: str = ""
    response_max_ns: int = 0

    def close(self, times: Histogram) -> None:
        """Reduce the response times to their percentiles, nearest rank. `times` is for any use."""
        if self.responses:
            ordered = sorted(self.responses)
            self.p50_ns = ordered[(len(ordered) - 1) // 2]
            self.p99_ns = ordered[(99 * len(ordered) + 99) // 100 - 1]
            times.clear()
            times.record_many(ordered)
            self.response_hdr, self.response_max_ns = times.encode(), times.max_ns
            self.responses = []

    def merge(self, other: "Second") -> None:
        """Add what another process did in this second; both are closed. The most at once is the sum of both's."""
        for name in ADDED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.response_hdr:
            times = response_times([self, other])
            self.p50_ns, self.p99_ns = times.curve([50, 99])
            self.response_hdr, self.response_max_ns = times.encode(), times.max_ns


# What of a second is counted, and adds.
ADDED = (
    "arrived", "started", "accepted", "refused", "failed", "timed_out", "dropped", "interrupted", "in_flight",
    "messages_accepted", "messages_retrieved",
)


class HasResponses(Protocol):
    """Closed response times of one second, of a process or of several."""

    @property
    def response_hdr(self) -> str: ...
    @property
    def response_max_ns(self) -> int: ...


def response_times(seconds: Iterable[HasResponses]) -> Histogram:
    """Return the response times of one second in several processes together."""
    times = Histogram()
    for each in seconds:
        times.merge_encoded(each.response_hdr, each.response_max_ns)
    return times


class Seconds:
    """Rows by second, counted from the run's start. An event counts in the second it happened."""

    def __init__(self) -> None:
        self._rows: dict[int, Second] = defaultdict(Second)
        self.closed = 0                 # seconds before this one are closed: their percentiles stand
        self._carried = 0               # sessions open at the end of the last second closed
        self._times = Histogram()       # one for all: the library's refer to themselves, and so are not freed at once

    def arrived(self, intended_ns: int, in_flight: int) -> None:
        """Count an arrival in the second of its intended instant."""
        row = self._rows[intended_ns // NS_PER_S]
        row.arrived += 1
        row.in_flight = max(row.in_flight, in_flight)

    def arrived_together(self, intended_ns: Instants, in_flight: Instants) -> None:
        """Count many arrivals likewise; `in_flight` is what was in flight at each."""
        for second, which in by_second(intended_ns):
            row = self._rows[second]
            row.arrived += int(which.sum())
            row.in_flight = max(row.in_flight, int(in_flight[which].max()))

    def started(self, at_ns: int) -> None:
        """Count an arrival that got its turn: its session started, or was dropped for want of room."""
        self._rows[at_ns // NS_PER_S].started += 1

    def opened(self, at_ns: int, in_flight: int) -> None:
        """Note that a session was opened that is no arrival's first."""
        row = self._rows[at_ns // NS_PER_S]
        row.in_flight = max(row.in_flight, in_flight)

    def ended(self, at_ns: int, kind: OutcomeKind, response_ns: int | None = None) -> None:
        """Count an outcome, and keep its response time, if it has one, until its second is closed."""
        row = self._rows[at_ns // NS_PER_S]
        if response_ns is not None:
            row.responses.append(response_ns)
        match kind:
            case OutcomeKind.ACCEPTED:
                row.accepted += 1
            case OutcomeKind.REFUSED:
                row.refused += 1
            case OutcomeKind.FAILED:
                row.failed += 1
            case OutcomeKind.TIMED_OUT:
                row.timed_out += 1
            case OutcomeKind.DROPPED:
                row.dropped += 1
            case OutcomeKind.INTERRUPTED:
                row.interrupted += 1

    def ended_well(self, started_ns: Instants, finished_ns: Instants, responses_ns: Instants) -> None:
        """Count arrivals that got their turn, and were accepted in the end."""
        for second, which in by_second(started_ns):
            self._rows[second].started += int(which.sum())
        for second, which in by_second(finished_ns):
            responses = responses_ns[which].tolist()
            self._rows[second].accepted += len(responses)
            self._rows[second].responses += responses

    def tallied(self, tallied: TalliedSessions, in_flight: int) -> None:
        """Count sessions likewise, and the arrivals of those that followed them."""
        self.ended_well(tallied.started_ns, tallied.finished_ns, tallied.finished_ns - tallied.due_ns)
        for second, which in by_second(tallied.next_ns):
            row = self._rows[second]
            row.arrived += int(which.sum())
            row.in_flight = max(row.in_flight, in_flight)

    def messages(self, accepted_ns: Instants, retrieved_ns: Instants) -> None:
        """Count messages accepted, and messages retrieved."""
        for second, which in by_second(accepted_ns):
            self._rows[second].messages_accepted += int(which.sum())
        for second, which in by_second(retrieved_ns):
            self._rows[second].messages_retrieved += int(which.sum())

    def accepted(self, at_ns: int) -> None:
        """Count a message accepted."""
        self._rows[at_ns // NS_PER_S].messages_accepted += 1

    def retrieved(self, at_ns: int) -> None:
        """Count a message retrieved."""
        self._rows[at_ns // NS_PER_S].messages_retrieved += 1

    def close(self, second: int, in_flight: int) -> None:
        """Settle a row; `in_flight` is what is open at its end.

        What is open at the end of one second is open at the start of the next, and counts there too,
        even if nothing arrives in it any more.
        """
        row = self._rows[second]
        row.in_flight = max(row.in_flight, self._carried, in_flight)
        row.close(self._times)
        self._carried = in_flight
        self.closed = second + 1

    def merge(self, other: "Seconds") -> None:
        """Add another process's rows; both are closed to their ends."""
        for number, row in other._rows.items():
            self._rows[number].merge(row)
        self.closed = max(self.closed, other.closed)

    def most_in_flight(self) -> int:
        """Return the most sessions open at once in any closed second."""
        return max((row.in_flight for row in self._rows.values()), default=0)

    def last_closed(self) -> Second:
        """Return the newest settled second; an empty one before there is any."""
        return self._rows[self.closed - 1] if self.closed else Second()

    def arrivals(self, count: int, *, late: bool) -> tuple[list[int], list[int]]:
        """Return how many arrivals got their turn in each of the first `count` seconds, and how many were due in it.

        With `late` those that came in later seconds count in the last.
        """
        rows = [self._rows[number] for number in range(count)]
        started, due = [row.started for row in rows], [row.arrived for row in rows]
        if late and started:
            started[-1] += sum(row.started for number, row in self._rows.items() if number >= count)
        return started, due

    def timeline(self) -> Timeline:
        """Return the run as columns, one row for each second from 0 to the last in which anything happened."""
        rows = [self._rows[number] for number in range(max(self._rows, default=-1) + 1)]
        for row in rows:
            row.close(self._times)
        return Timeline(
            arrived=tuple(row.arrived for row in rows),
            started=tuple(row.started for row in rows),
            accepted=tuple(row.accepted for row in rows),
            refused=tuple(row.refused for row in rows),
            failed=tuple(row.failed for row in rows),
            timed_out=tuple(row.timed_out for row in rows),
            dropped=tuple(row.dropped for row in rows),
            in_flight=tuple(row.in_flight for row in rows),
            messages_accepted=tuple(row.messages_accepted for row in rows),
            messages_retrieved=tuple(row.messages_retrieved for row in rows),
            response_p50_ns=tuple(row.p50_ns for row in rows),
            response_p99_ns=tuple(row.p99_ns for row in rows),
        )
