"""Numbers as people read and write them."""

import pytest

from reports import units


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("500ms", 500_000_000),
        ("1.5 s", 1_500_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("250us", 250_000),
        ("250µs", 250_000),
        ("7 ns", 7),
        ("0s", 0),
    ],
)
def test_durations_are_read(text: str, ns: int) -> None:
    assert units.parse_duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "500", "ms", "5 parsecs", "-1s", "1e3s", "5 s later", "٣s x"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        units.parse_duration_ns(text)


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0 ms"),
        (750, "750 ns"),
        (1_000, "1 µs"),
        (81_240, "81.2 µs"),
        (999_960, "1 ms"),
        (812_000_000, "812 ms"),
        (999_960_000, "1 s"),
        (1_250_000_000, "1.25 s"),
        (59_900_000_000, "59.9 s"),
        (59_960_000_000, "1 min"),
        (125_000_000_000, "2 min 5 s"),
        (3_600_000_000_000, "1 h"),
        (5_430_000_000_000, "1 h 30 min"),
    ],
)
def test_durations_are_shown(ns: int, shown: str) -> None:
    assert units.duration(ns) == shown


@pytest.mark.parametrize(
    ("part", "shown"),
    [(0, "0 %"), (0.00001, "< 0.01 %"), (0.0042, "0.42 %"), (0.5, "50 %"), (0.99999, "> 99.99 %"), (1, "100 %")],
)
def test_shares_never_round_to_all_or_nothing(part: float, shown: str) -> None:
    assert units.share(part) == shown


@pytest.mark.parametrize(("ns", "shown"), [(0, "0"), (100, "< 0.001"), (8_100_000, "8.10"), (1_204_000_000, "1,204")])
def test_milliseconds_line_up_in_a_column(ns: int, shown: str) -> None:
    assert units.milliseconds(ns) == shown


def test_rates_octets_and_counts() -> None:
    assert (units.rate(1204.4), units.rate(3.25), units.rate(0)) == ("1,204/s", "3.25/s", "0/s")
    assert (units.octets(512), units.octets(4200), units.octets(5 * 1024**3)) == ("512 B", "4.1 KiB", "5 GiB")
    assert units.count(12004) == "12,004"
