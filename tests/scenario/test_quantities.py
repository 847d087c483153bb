"""Durations, sizes and rates: exact, and read back from what they print."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.problems import UnreadableError
from loadgen.scenario.quantities import DURATION_NS_MAX, SIZE_OCTETS_MAX, Duration, Factor, Leaf, Rate, Size


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0), ("1ns", 1), ("5us", 5_000), ("5\u00b5s", 5_000), ("5\u03bcs", 5_000), ("250ms", 250_000_000),
        ("30s", 30 * 10**9), ("30 s", 30 * 10**9), ("1.5s", 1_500_000_000), ("0.1ms", 100_000), ("2m", 120 * 10**9),
        ("1m30s", 90 * 10**9), ("1h", 3600 * 10**9), ("1d", 86400 * 10**9), ("0.000000001s", 1),
    ],
)   # fmt: skip
def test_a_duration_is_exact(text: str, ns: int) -> None:
    assert Duration.parse(text).ns == ns


@pytest.mark.parametrize(
    "value", ["", "5", 5, 5.0, True, "s", "-1s", "1 0s", "1e3s", "1S", "5 min", "0.1ns", "31d", "1s ", "١s", None, []]
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="expected a duration"):
        Duration.parse(value)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, 0), (100, 100), ("100", 100), ("100 B", 100), ("4 KiB", 4096), ("4KiB", 4096), ("10 kB", 10_000),
        ("10 KB", 10_000), ("1.5 MiB", 3 << 19), ("1 MB", 10**6), ("1 GiB", 1 << 30), ("0.5 kB", 500),
    ],
)   # fmt: skip
def test_a_size_is_exact(value: object, octets: int) -> None:
    assert Size.parse(value).octets == octets


@pytest.mark.parametrize("value", ["", -1, 1.5, True, "4 Kib5", "KiB", "0.3 B", "2 GiB", 1 << 31, "1_000", None])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="expected a size"):
        Size.parse(value)


@pytest.mark.parametrize(
    ("value", "meant"), [("4 kib", "4 KiB"), ("4K", "4 KiB"), ("4 mb", "4 MB"), ("1m", "1 MiB"), ("1 gib", "1 GiB")]
)
def test_a_unit_nearly_right_is_suggested(value: str, meant: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        Size.parse(value)
    assert caught.value.problems[0].hint == f'did you mean "{meant}"?'


@pytest.mark.parametrize(
    ("value", "per_s"),
    [
        (200, Fraction(200)), (0, Fraction(0)), (0.1, Fraction(1, 10)), (1e-3, Fraction(1, 1000)),
        ("90/min", Fraction(3, 2)), ("1 / h", Fraction(1, 3600)), ("7/s", Fraction(7)), ("0.5/s", Fraction(1, 2)),
    ],
)   # fmt: skip
def test_a_rate_is_exact_in_what_was_written(value: object, per_s: Fraction) -> None:
    assert Rate.parse(value).per_s == per_s


@pytest.mark.parametrize("value", ["7", "fast", -1, -0.5, 1e7, float("inf"), float("nan"), True, "7/d", None, [7]])
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="expected a rate"):
        Rate.parse(value)


@given(
    st.integers(0, DURATION_NS_MAX).map(Duration)
    | st.integers(0, SIZE_OCTETS_MAX).map(Size)
    | st.integers(0, 10**6).map(lambda n: Rate(Fraction(n)))
    | st.integers(0, 10**6).map(lambda n: Rate(Fraction(n, 100)))
    | st.integers(0, 10**6).map(lambda n: Rate(Fraction(n, 60)))
)
def test_what_a_quantity_prints_reads_back_to_it(quantity: Leaf[object]) -> None:
    assert type(quantity).parse(quantity.plain()) == quantity


@given(st.text() | st.integers() | st.floats() | st.lists(st.integers()))
def test_any_value_is_a_quantity_or_is_refused_as_unreadable(value: object) -> None:
    for kind in (Duration, Size, Rate):
        try:
            kind.parse(value)
        except UnreadableError:
            continue


def test_quantities_of_different_kinds_are_never_equal() -> None:
    assert Duration(5) != Size(5)
    assert Duration(5) == Duration(5)
    assert len({Duration(5), Size(5), Duration(5)}) == 2


@pytest.mark.parametrize(
    ("value", "times", "plain"),
    [(2, Fraction(2), 2), (2.0, Fraction(2), 2), (0.1, Fraction(1, 10), "1/10"), ("1/3", Fraction(1, 3), "1/3"),
     ("1.5 / 0.5", Fraction(3), 3), (1_000_000, Fraction(1_000_000), 1_000_000)],
)   # fmt: skip
def test_a_factor_is_exact_and_reads_back(value: object, times: Fraction, plain: object) -> None:
    assert Factor.parse(value).times == times
    assert Factor.parse(value).plain() == plain
    assert Factor.parse(plain) == Factor.parse(value)


@pytest.mark.parametrize(
    "value", [0, -1, True, "2", "1/0", "0/1", "a/b", 1_000_001, float("inf"), float("nan"), 1e-9, None, []]
)
def test_what_is_no_factor_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="expected a factor"):
        Factor.parse(value)
