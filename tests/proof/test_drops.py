"""Arrivals past `in_flight_max`: which are dropped follows from when sessions start and end, and each is counted."""

import heapq
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from loadgen.session.outcome import OutcomeKind
from tests.engine.stage import MS, Act, Cast, play_open, virtually


@dataclass(frozen=True)
class Crowd:
    """Arrivals at even milliseconds, whose sessions end at odd ones: never both at one instant."""

    due_ms: tuple[int, ...]
    lengths_ms: tuple[int, ...]

    def started(self, in_flight_max: int) -> list[int]:
        """Return who starts, by a queue's textbook: a place is free again when its session has ended."""
        ends: list[int] = []
        begun = []
        for arrival, (due, length) in enumerate(zip(self.due_ms, self.lengths_ms, strict=True)):
            while ends and ends[0] <= due:
                heapq.heappop(ends)
            if len(ends) < in_flight_max:
                heapq.heappush(ends, due + length)
                begun.append(arrival)
        return begun


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    due = sorted(draw(st.lists(st.integers(0, 40).map(lambda n: 2 * n), max_size=40)))
    lengths = draw(st.lists(st.integers(0, 30).map(lambda n: 2 * n + 1), min_size=len(due), max_size=len(due)))
    return Crowd(tuple(due), tuple(lengths))


@given(crowds(), st.integers(1, 12), st.integers(1, 4))
def test_exactly_those_are_dropped_that_find_no_place(crowd: Crowd, in_flight_max: int, workers: int) -> None:
    count = min(workers, in_flight_max)            # as many as can have a place
    for worker in range(count):
        places = len(range(worker, in_flight_max, count))
        mine = Crowd(crowd.due_ms[worker::count], crowd.lengths_ms[worker::count])
        cast = Cast(lambda k: Act(length_s=crowd.lengths_ms[k] / 1000))
        schedule = [(k, due * MS) for k, due in enumerate(crowd.due_ms)][worker::count]
        virtually(lambda: play_open(cast, schedule, in_flight_max=places, end_s=1.0))  # noqa: B023  called at once
        expected = [worker + count * at for at in mine.started(places)]
        assert sorted(arrival for arrival, _ in cast.began) == expected
        assert cast.kinds.get(OutcomeKind.DROPPED, 0) == len(schedule) - len(expected)
        assert cast.recorder.arrived == len(schedule)
        assert sum(cast.recorder.seconds.timeline().dropped) == len(schedule) - len(expected)
        assert cast.recorder.in_flight_peak <= places
