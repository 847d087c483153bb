"""When mail arrived: both bounds of every time, the backlog second by second, and the end of the drain."""

import pytest

from loadgen.clock import NS_PER_S
from loadgen.ledger.delivery import ACCEPTED, UNANSWERED, Attempt, Copy, Delivery
from loadgen.ledger.timing import Timing
from reports.ledger_result import EndToEnd

S = NS_PER_S


def delivery(
    reply_s: float, seen_s: float | None, *, look_s: float | None = None, previous_s: float | None = None
) -> Delivery:
    """Return one that was accepted and seen then, by a look that began at `look_s` (None: as it came)."""
    attempt = Attempt(0, 0, "a", ACCEPTED, 250, "", b"d", 0, 0, ns(reply_s))
    if seen_s is None:
        return Delivery("lost", "a", [attempt], [])
    looked = None if look_s is None else ns(look_s)
    previous = None if previous_s is None else ns(previous_s)
    copy = Copy(0, 0, "", "a", b"u", b"d", ns(seen_s), looked, 1, previous)
    return Delivery("delivered_once", "a", [attempt], [copy])


def ns(seconds: float) -> int:
    return round(seconds * S)


def timed(*deliveries: Delivery) -> EndToEnd:
    result = entered(*deliveries).end_to_end()
    assert result is not None
    return result


def entered(*deliveries: Delivery) -> Timing:
    timing = Timing()
    for each in deliveries:
        timing.add(each)
    return timing


def test_the_truth_lies_between_the_look_that_found_it_and_the_one_before() -> None:
    times = timed(delivery(10, 14, look_s=13.5, previous_s=11))
    assert (times.count, times.untimed) == (1, 0)
    assert (times.latency_ns.max, times.least_ns.max, times.poll_ns.max) == (4 * S, 1 * S, 3 * S)


def test_a_look_before_the_acceptance_is_no_lower_bound() -> None:
    times = timed(delivery(10, 14, look_s=13.5, previous_s=9))
    assert (times.latency_ns.max, times.least_ns.max, times.poll_ns.max) == (4 * S, 0, 4 * S)


def test_what_was_seen_as_it_came_is_known_exactly() -> None:
    times = timed(delivery(10, 10.25))
    assert (times.latency_ns.max, times.least_ns.max, times.poll_ns.max) == (S // 4, S // 4, 0)


def test_the_first_look_of_all_times_nothing_and_says_how_much_that_is() -> None:
    times = timed(delivery(10, 40, look_s=39))
    assert (times.count, times.untimed, times.latency_hdr) == (0, 1, "")


def test_a_receiver_may_have_it_before_the_sender_is_told() -> None:
    times = timed(delivery(10, 9.5))
    assert (times.count, times.latency_ns.max) == (1, 0)


def test_where_nothing_was_found_there_is_no_time() -> None:
    assert entered(delivery(1, None)).end_to_end() is None
    assert entered().end_to_end() is None


def test_what_was_never_accepted_has_no_beginning() -> None:
    attempt = Attempt(0, 0, "a", UNANSWERED, None, "", b"d", 0, 0, None)
    timing = entered(Delivery("ambiguous", "a", [attempt], []))
    assert (timing.end_to_end(), timing.backlog(), timing.drain_s()) == (None, (), None)


def test_of_several_copies_the_first_counts() -> None:
    first, second = delivery(10, 12), delivery(10, 11)
    times = timed(Delivery("duplicate", "a", first.attempts, [*first.copies, *second.copies]))
    assert (times.count, times.latency_ns.max) == (1, S)


def test_the_backlog_is_what_was_accepted_and_not_seen_at_the_end_of_each_second() -> None:
    timing = entered(
        delivery(0.1, 0.2), delivery(0.5, 2.5), delivery(1.5, 2.1), delivery(1.9, None), delivery(3.5, 3.6)
    )
    assert timing.backlog() == (1, 3, 1, 1)


def test_the_drain_ends_with_the_last_that_was_seen_and_never_where_some_were_not() -> None:
    assert entered(delivery(1, 2), delivery(3, 7.5), delivery(2, 4)).drain_s() == 4.5
    assert entered(delivery(3, 3.5), delivery(2, 2.5)).drain_s() == 0.5
    assert entered(delivery(3, 3.5), delivery(2, None)).drain_s() is None


@pytest.mark.parametrize("count", [70_000])
def test_times_are_folded_and_none_is_lost(count: int) -> None:
    times = timed(*(delivery(1, 2) for _ in range(count)))
    assert (times.count, times.latency_ns.max) == (count, S)
    assert times.latency_ns.p50 == pytest.approx(S, rel=0.001)
