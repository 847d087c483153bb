"""Instants: exact to the nanosecond, and the calendar against the standard library's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.instants import days_from_1970, parse_instant, rfc_3339_ns

NS_PER_S = 10**9


@pytest.mark.parametrize(
    ("text", "notation", "ns"),
    [
        ("0", "seconds", 0),
        ("12.5", "seconds", 12_500_000_000),
        ("0.000000001", "seconds", 1),
        ("0.0000000019", "seconds", 1),                       # past the nanosecond it is cut off
        ("1709283302.25", "seconds", 1_709_283_302_250_000_000),
        ("08:30", "time of day", 30_600 * NS_PER_S),
        ("8:30:01.5", "time of day", 30_601_500_000_000),
        ("24:00", "time of day", 86_400 * NS_PER_S),
        ("1970-01-01T00:00:01Z", "RFC 3339", NS_PER_S),
        ("1985-04-12T23:20:50.52Z", "RFC 3339", 482_196_050_520_000_000),          # RFC 3339 §5.8
        ("1996-12-19T16:39:57-08:00", "RFC 3339", 851_042_397_000_000_000),
        ("1990-12-31T23:59:60Z", "RFC 3339", 662_688_000_000_000_000),             # a leap second
        ("1937-01-01T12:00:27.87+00:20", "RFC 3339", -1_041_337_172_130_000_000),
        ("2024-02-29 00:00:00z", "RFC 3339", 1_709_164_800_000_000_000),
    ],
)
def test_an_instant_is_exact(text: str, notation: str, ns: int) -> None:
    assert parse_instant(text) == (notation, ns)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1e3", "1.", ".5", "1_0", "١", "24:01", "8:60", "08:30:60", "2023-02-29T00:00:00Z",
     "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z",
     "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00+24:00",
     "2024-01-01T00:00:00+01:60", "2024-01-01", "Mar  7 09:15:02"],
)   # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_instant(text)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_the_calendar_agrees_with_the_standard_library_s(local: datetime, minutes: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since_1970 = at - datetime(1970, 1, 1, tzinfo=UTC)
    assert rfc_3339_ns(at.isoformat(timespec="microseconds")) == (since_1970 // timedelta(microseconds=1)) * 1000


def test_a_day_there_never_was_has_no_number() -> None:
    with pytest.raises(ValueError, match="1900-2-29"):
        days_from_1970(1900, 2, 29)
    assert days_from_1970(2000, 3, 1) - days_from_1970(2000, 2, 28) == 2
