"""The arithmetic of a comparison: spreads, ratios round by round, and whose turn it is."""

import pytest

from benchmarks.figures import OURS, Record, Side, Spread, is_cost, order_of


def record(*rounds: dict[str, dict[str, float]]) -> Record:
    return Record(
        name="example",
        taken="2026-01-01 00:00 UTC",
        revision="abc",
        load_average=0.5,
        quick=False,
        sides=(Side(name=OURS), Side(name="peer")),
        rounds=rounds,
    )


def test_a_spread_is_the_least_the_median_and_the_greatest() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(1.0, 2.0, 3.0, 3)
    assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(1.0, 2.5, 4.0, 4)


def test_no_values_have_no_spread() -> None:
    assert Spread.of([]) is None
    assert record({}).spread(OURS, "messages/s") is None
    assert record({}).lead("peer", "messages/s") is None


def test_more_a_second_is_ahead() -> None:
    measured = record({OURS: {"messages/s": 300.0}, "peer": {"messages/s": 200.0}})
    assert measured.lead("peer", "messages/s") == Spread(1.5, 1.5, 1.5, 1)


def test_less_of_a_cost_is_ahead() -> None:
    measured = record({OURS: {"CPU µs/message": 50.0}, "peer": {"CPU µs/message": 100.0}})
    assert measured.lead("peer", "CPU µs/message") == Spread(2.0, 2.0, 2.0, 1)


def test_a_lead_is_the_median_of_the_ratios_and_not_the_ratio_of_the_medians() -> None:
    measured = record(
        {OURS: {"messages/s": 100.0}, "peer": {"messages/s": 50.0}},
        {OURS: {"messages/s": 10.0}, "peer": {"messages/s": 40.0}},
        {OURS: {"messages/s": 90.0}, "peer": {"messages/s": 30.0}},
    )
    assert measured.lead("peer", "messages/s") == Spread(0.25, 2.0, 3.0, 3)


def test_a_round_in_which_one_side_failed_is_in_no_ratio() -> None:
    measured = record(
        {OURS: {"messages/s": 100.0}},
        {OURS: {"messages/s": 100.0}, "peer": {"messages/s": 50.0}},
    )
    assert measured.lead("peer", "messages/s") == Spread(2.0, 2.0, 2.0, 1)
    assert measured.values(OURS, "messages/s") == [100.0, 100.0]


@pytest.mark.parametrize(
    ("metric", "cost"),
    [
        ("messages/s", False),
        ("CPU µs/message", True),
        ("whole process, CPU µs/message", True),
        ("ns/value", True),
        ("KiB/session", True),
        ("MiB resident", True),
        ("UIDL, ms", True),
    ],
)
def test_a_metric_says_whether_less_of_it_is_better(metric: str, cost: bool) -> None:
    assert is_cost(metric) is cost


def test_the_order_turns_round_every_round() -> None:
    assert [order_of(index, ("A", "B")) for index in range(3)] == [("A", "B"), ("B", "A"), ("A", "B")]


def test_metrics_come_in_the_order_in_which_they_were_first_reported() -> None:
    measured = record({"peer": {"messages/s": 1.0}}, {OURS: {"messages/s": 1.0, "UIDL, ms": 2.0}})
    assert measured.metrics() == ("messages/s", "UIDL, ms")
