"""The run second by second: what is kept of a second, and what two processes make of the same one."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.clock import NS_PER_S
from loadgen.engine.seconds import Seconds
from loadgen.session.outcome import OutcomeKind

MS = 1_000_000
ENDS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(OutcomeKind), st.none() | st.integers(1, 10_000)), max_size=60
)


def book_of(ends: list[tuple[int, OutcomeKind, int | None]], until: int) -> Seconds:
    """Return the rows of sessions that ended in some second, in some way, after so many ms."""
    seconds = Seconds()
    for second, kind, response_ms in ends:
        at_ns = second * NS_PER_S
        seconds.arrived(at_ns, 1)
        seconds.started(at_ns)
        seconds.ended(at_ns, kind, None if response_ms is None else response_ms * MS)
    for second in range(until):
        seconds.close(second, 0)
    return seconds


@given(ENDS, ENDS, st.integers(0, 5), st.integers(0, 5))
def test_the_rows_of_two_processes_are_those_of_one_that_did_both(
    ours: list[tuple[int, OutcomeKind, int | None]], theirs: list[tuple[int, OutcomeKind, int | None]],
    closed: int, closed_there: int,
) -> None:  # fmt: skip
    whole, merged = book_of([*ours, *theirs], 5).timeline(), book_of(ours, closed)
    merged.merge(book_of(theirs, closed_there))
    timeline = merged.timeline()
    rows = timeline.seconds
    for name in ("arrived", "started", "accepted", "refused", "failed", "timed_out", "dropped"):
        assert getattr(timeline, name) == getattr(whole, name)[:rows]
        assert not any(getattr(whole, name)[rows:])
    for name in ("response_p50_ns", "response_p99_ns"):
        for mine, true in zip(getattr(timeline, name), getattr(whole, name), strict=False):
            assert (mine or 0) == pytest.approx(true or 0, rel=0.002)        # no time is 0 here


def test_what_is_kept_of_a_second_is_a_hundred_octets_however_much_happened_in_it() -> None:
    tracemalloc.start()
    try:
        seconds = book_of([], 10)
        before, _ = tracemalloc.get_traced_memory()
        for second in range(10, 1010):
            for one in range(50):
                seconds.ended(second * NS_PER_S, OutcomeKind.ACCEPTED, (one * 7919 % 1000 + 1) * MS)
            seconds.close(second, 0)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 1000 < 150
    assert seconds.timeline().accepted[1000] == 50
