"""The run second by second: the columns of the report's graphs, and the last second for the progress line.

A day has 86,400 seconds: a second's row is a number in each of some arrays, and the times of its sessions, which only
another process's are merged with, lie in a file.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from loadgen.clock import NS_PER_S
from loadgen.engine.columns import Instants, by_second
from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.times import INT64
from loadgen.session.outcome import OutcomeKind
from reports.histogram import Histogram, Interval
from reports.interval_log import IntervalLog
from reports.load_result import Timeline

# What of a second is counted, and adds; an outcome under its kind. `started`: arrivals that got their turn in it,
# whenever they were due; `in_flight`: the most at once.
COUNTED: Final = (
    "arrived", "started", "in_flight", "messages_accepted", "messages_retrieved", *(kind.value for kind in OutcomeKind),
)
NONE_ENDED: Final = -1                  # for a percentile


class Responses(NamedTuple):
    """The response times of the sessions that ended in one second."""

    p50_ns: int | None = None
    p99_ns: int | None = None
    hdr: str = ""                       # the same times as a histogram, for percentiles never merge
    max_ns: int = 0


def response_times(parts: Iterable[tuple[str, int]]) -> Histogram:
    """Return the response times of one second in several processes together: of each the histogram and the greatest."""
    times = Histogram()
    for hdr, max_ns in parts:
        times.merge_encoded(hdr, max_ns)
    return times


class Seconds:
    """Rows by second, counted from the run's start. An event counts in the second it happened."""

    def __init__(self) -> None:
        self._counts = {name: array(INT64) for name in COUNTED}
        self._p50_ns, self._p99_ns = array(INT64), array(INT64)
        self._responses: dict[int, list[int]] = defaultdict(list)      # ns; of seconds that are not closed
        self._log = IntervalLog()       # of those that are, in their order
        self._last = Responses()
        self.closed = 0                 # seconds before this one are closed: their percentiles stand
        self._carried = 0               # sessions open at the end of the last second closed
        self._times = Histogram()       # one for all: the library's refer to themselves, and so are not freed at once

    def _row(self, second: int) -> int:
        """Return the index of a second's row, and make it and those before it if there are none yet."""
        assert second >= 0, "nothing happens before the run"
        if (missing := second + 1 - len(self._p50_ns)) > 0:
            for counts in self._counts.values():
                counts.extend([0] * missing)
            self._p50_ns.extend([NONE_ENDED] * missing)
            self._p99_ns.extend([NONE_ENDED] * missing)
        return second

    def _count(self, name: str, second: int, how_many: int = 1) -> None:
        row = self._row(second)
        self._counts[name][row] += how_many

    def opened(self, at_ns: int, in_flight: int) -> None:
        """Note how many sessions were open at once: one was opened that is no arrival's first."""
        self._open_at_once(self._row(at_ns // NS_PER_S), in_flight)

    def _open_at_once(self, row: int, in_flight: int) -> None:
        column = self._counts["in_flight"]
        column[row] = max(column[row], in_flight)

    def arrived(self, intended_ns: int, in_flight: int) -> None:
        """Count an arrival in the second of its intended instant."""
        self._count("arrived", intended_ns // NS_PER_S)
        self.opened(intended_ns, in_flight)

    def arrived_together(self, intended_ns: Instants, in_flight: Instants) -> None:
        """Count many arrivals likewise; `in_flight` is what was in flight at each."""
        for second, which in by_second(intended_ns):
            self._count("arrived", second, int(which.sum()))
            self._open_at_once(second, int(in_flight[which].max()))

    def started(self, at_ns: int) -> None:
        """Count an arrival that got its turn: its session started, or was dropped for want of room."""
        self._count("started", at_ns // NS_PER_S)

    def ended(self, at_ns: int, kind: OutcomeKind, response_ns: int | None = None) -> None:
        """Count an outcome, and keep its response time, if it has one, until its second is closed."""
        second = at_ns // NS_PER_S
        self._count(kind.value, second)
        if response_ns is not None:
            self._responses[second].append(response_ns)

    def ended_well(self, started_ns: Instants, finished_ns: Instants, responses_ns: Instants) -> None:
        """Count arrivals that got their turn, and were accepted in the end."""
        self._count_together("started", started_ns)
        for second, which in by_second(finished_ns):
            responses = responses_ns[which].tolist()
            self._count(OutcomeKind.ACCEPTED.value, second, len(responses))
            self._responses[second] += responses

    def tallied(self, tallied: TalliedSessions, in_flight: int) -> None:
        """Count sessions likewise, and the arrivals of those that followed them."""
        self.ended_well(tallied.started_ns, tallied.finished_ns, tallied.finished_ns - tallied.due_ns)
        for second, which in by_second(tallied.next_ns):
            self._count("arrived", second, int(which.sum()))
            self._open_at_once(second, in_flight)

    def messages(self, accepted_ns: Instants, retrieved_ns: Instants) -> None:
        """Count messages accepted, and messages retrieved."""
        self._count_together("messages_accepted", accepted_ns)
        self._count_together("messages_retrieved", retrieved_ns)

    def _count_together(self, name: str, instants_ns: Instants) -> None:
        for second, which in by_second(instants_ns):
            self._count(name, second, int(which.sum()))

    def accepted(self, at_ns: int) -> None:
        """Count a message accepted."""
        self._count("messages_accepted", at_ns // NS_PER_S)

    def retrieved(self, at_ns: int) -> None:
        """Count a message retrieved."""
        self._count("messages_retrieved", at_ns // NS_PER_S)

    def close(self, second: int, in_flight: int) -> None:
        """Settle a row; `in_flight` is what is open at its end.

        What is open at the end of one second is open at the start of the next, and counts there too,
        even if nothing arrives in it any more.
        """
        self._open_at_once(self._row(second), max(self._carried, in_flight))
        self._last = self._close_times(second)
        self._carried = in_flight
        self.closed = second + 1

    def _close_times(self, second: int) -> Responses:
        """Reduce a second's response times to their percentiles, nearest rank, and put the rest of them away."""
        ordered = sorted(self._responses.pop(second, ()))
        if not ordered:
            return Responses()
        p50_ns, p99_ns = ordered[(len(ordered) - 1) // 2], ordered[(99 * len(ordered) + 99) // 100 - 1]
        self._p50_ns[second], self._p99_ns[second] = p50_ns, p99_ns
        self._times.clear()
        self._times.record_many(ordered)
        interval = Interval.of("response", second, 1, self._times)
        self._log.append(interval)
        return Responses(p50_ns, p99_ns, interval.encoded, interval.max_ns)

    def _close_all_times(self) -> None:
        for second in sorted(self._responses):
            self._close_times(second)

    def merge(self, other: "Seconds") -> None:
        """Add another process's rows; both are closed to their ends. The most at once is the sum of both's."""
        self._close_all_times()
        other._close_all_times()
        for name, counts in other._counts.items():
            for second, how_many in enumerate(counts):
                self._count(name, second, how_many)
        times = {round(each.start_s): each for each in self._log}
        for theirs in other._log:
            second = round(theirs.start_s)
            if (ours := times.get(second)) is None:
                times[second] = theirs
                self._p50_ns[second], self._p99_ns[second] = other._p50_ns[second], other._p99_ns[second]
            else:
                whole = response_times((each.encoded, each.max_ns) for each in (ours, theirs))
                self._p50_ns[second], self._p99_ns[second] = whole.curve([50, 99])
                times[second] = Interval.of(ours.tag, second, 1, whole)
        self._log = IntervalLog(times[second] for second in sorted(times))
        self.closed = max(self.closed, other.closed)

    def most_in_flight(self) -> int:
        """Return the most sessions open at once in any closed second."""
        return max(self._counts["in_flight"], default=0)

    def last_closed(self) -> Responses:
        """Return the response times of the newest settled second; none before there is one."""
        return self._last

    def arrivals(self, count: int, *, late: bool) -> tuple[list[int], list[int]]:
        """Return how many arrivals got their turn in each of the first `count` seconds, and how many were due in it.

        With `late` those that came in later seconds count in the last.
        """
        if count:
            self._row(count - 1)
        started, due = self._counts["started"].tolist(), self._counts["arrived"].tolist()
        if late and count:
            started[count - 1] += sum(started[count:])
        return started[:count], due[:count]

    def timeline(self) -> Timeline:
        """Return the run as columns, one row for each second from 0 to the last in which anything happened."""
        self._close_all_times()
        columns = {name: tuple(counts) for name, counts in self._counts.items() if name in Timeline.__struct_fields__}
        return Timeline(
            **columns, response_p50_ns=_some_ended(self._p50_ns), response_p99_ns=_some_ended(self._p99_ns)
        )


def _some_ended(percentiles_ns: "array[int]") -> tuple[int | None, ...]:
    return tuple(None if each == NONE_ENDED else each for each in percentiles_ns)
