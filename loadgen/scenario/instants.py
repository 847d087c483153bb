"""Instants as people and programs write them, as whole nanoseconds. No clock, and no time zone but the one written.

The standard library's own parser is not used: it keeps microseconds, and it is the module of the wall clock.
"""

import re
from typing import Final, Literal

from loadgen.scenario.quantities import NS_PER_S

Notation = Literal["seconds", "RFC 3339", "time of day"]

_FRACTION: Final = r"(?:\.([0-9]{1,9})[0-9]*)?"      # past the nanosecond it is cut off
_SECONDS: Final = re.compile(rf"([0-9]{{1,12}}){_FRACTION}", re.ASCII)
_TIME_OF_DAY: Final = re.compile(rf"([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}}){_FRACTION})?", re.ASCII)
_RFC_3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    rf"{_FRACTION}([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})",
    re.ASCII,
)
_DAYS_BEFORE_MONTH: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


def parse_instant(text: str) -> tuple[Notation, int]:
    """Return how an instant is written, and how many ns it is after the start of what it counts from.

    Seconds count from zero, a time of day ("08:30", "24:00") from midnight, RFC 3339 from 1970. Only differences
    between instants of one notation mean anything. Raises ValueError for what is none of them.
    """
    if match := _SECONDS.fullmatch(text):
        return "seconds", _ns(int(match[1]), match[2])
    if match := _RFC_3339.fullmatch(text):
        return "RFC 3339", _rfc_3339_ns(match)
    if match := _TIME_OF_DAY.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if minute < 60 and second < 60 and (hour < 24 or (hour == 24 and minute == second == 0 and not match[4])):
            return "time of day", _ns(hour * 3600 + minute * 60 + second, match[4])
    raise ValueError(text)


def rfc_3339_ns(text: str) -> int:
    """Return the ns from 1970 to an RFC 3339 instant; ValueError for what is none."""
    if match := _RFC_3339.fullmatch(text):
        return _rfc_3339_ns(match)
    raise ValueError(text)


def days_from_1970(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date of the Gregorian calendar; ValueError if there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month)):
        raise ValueError(f"{year}-{month}-{day}")
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400 - 477      # 477: those up to the end of 1969
    leap_day = int(month > 2 and _is_leap(year))
    return (year - 1970) * 365 + leap_days + _DAYS_BEFORE_MONTH[month - 1] + leap_day + day - 1


def _is_leap(year: int) -> bool:
    """Say whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(year: int, month: int) -> int:
    return _DAYS_BEFORE_MONTH[month] - _DAYS_BEFORE_MONTH[month - 1] + int(month == 2 and _is_leap(year))


def _rfc_3339_ns(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    if hour > 23 or minute > 59 or second > 60:      # 60 is a leap second (RFC 3339 §5.7): the next minute's first
        raise ValueError(match[0])
    offset_s = 0
    if match[8] not in "Zz":
        hours, minutes = int(match[8][1:3]), int(match[8][4:6])
        if hours > 23 or minutes > 59:
            raise ValueError(match[0])
        offset_s = (hours * 60 + minutes) * (-60 if match[8][0] == "-" else 60)
    return _ns(days_from_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s, match[7])


def _ns(seconds: int, fraction: str | None) -> int:
    return seconds * NS_PER_S + (int(fraction.ljust(9, "0")) if fraction else 0)
