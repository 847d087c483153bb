"""The date of a Received field: RFC 5322 §3.3, with its obsolete forms (§4.3) and what servers write beside."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from conformance.trace.tokens import without_comments

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ZONES: Final = {                        # hours from UTC, RFC 5322 §4.3
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip
ZONE_MINUTES_MAX: Final = 14 * 60       # the farthest that is in use
DAY_S: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_TIME: Final = r"(?P<hour>\d{1,2}) ?: ?(?P<minute>\d{1,2})(?: ?: ?(?P<second>\d{1,2})(?:\.\d{1,9})?)?"
_ZONE: Final = r"(?: ?(?P<zone>[+-]\d{4}|[+-]\d{2}:\d{2}|\"?[A-Za-z]{1,5}\"?))?"
_WEEKDAY: Final = r"(?:(?P<weekday>[A-Za-z]{3})[a-z]{0,6} ?,? ?)?"
_DATE: Final = r"(?P<day>\d{1,2})[ -](?P<month>[A-Za-z]{3})[a-z]{0,6}[ -](?P<year>\d{2,4}) "
_USUAL: Final = re.compile(_WEEKDAY + _DATE + _TIME + _ZONE)
_CTIME: Final = re.compile(_WEEKDAY + r"(?P<month>[A-Za-z]{3}) (?P<day>\d{1,2}) " + _TIME + _ZONE + r" (?P<year>\d{4})")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as a field gives it, in seconds since 1970, UTC."""

    epoch_s: int
    zone_known: bool = True             # False: by a name that says nothing, or none at all; up to 14 hours off
    wrong: str = ""                     # what cannot be: a weekday that this day was not, a 31 February
    strict: bool = True                 # as RFC 5322 has it where nothing is obsolete

    def __str__(self) -> str:
        """Return it for people."""
        try:
            moment = f"{datetime.fromtimestamp(self.epoch_s, UTC):%Y-%m-%d %H:%M:%S}"
        except (ValueError, OverflowError, OSError):
            moment = f"{self.epoch_s} s since 1970"
        return moment + ("Z" if self.zone_known else " (zone unknown)")


def moment_of(text: bytes) -> Moment | None:
    """Read a date; None where there is none. Comments may stand in it; what is behind it is passed over."""
    plain = " ".join(without_comments(text[:1_000]).decode("latin-1").split())
    found = _USUAL.search(plain) or _CTIME.search(plain)
    if found is None or found["month"].lower() not in MONTHS:
        return None
    year, zone_known, offset_s = _year(found["year"]), *_zone(found["zone"])
    day, month = int(found["day"]), MONTHS.index(found["month"].lower()) + 1
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    strict = found.re is _USUAL and len(found["year"]) == 4 and (found["zone"] or "")[:1] in ("+", "-")
    try:
        ordinal, weekday = date(year, month, day).toordinal(), DAYS[date(year, month, day).weekday()]
    except ValueError:
        return Moment(_roughly(year, month), False, f"there is no {day} {MONTHS[month - 1].title()} {year}", False)
    wrong = ""
    if hour > 23 or minute > 59 or second > 60:         # 60: a leap second
        wrong = f"there is no {hour:02}:{minute:02}:{second:02}"
        hour, minute, second, zone_known = 12, 0, 0, False
    said = (found["weekday"] or "").lower()
    if said in DAYS and said != weekday:
        wrong = f"{day} {MONTHS[month - 1].title()} {year} was a {weekday.title()}, not a {said.title()}"
    epoch_s = (ordinal - _EPOCH) * DAY_S + hour * 3600 + minute * 60 + second - offset_s
    return Moment(epoch_s, zone_known, wrong, strict and not wrong)


def _roughly(year: int, month: int) -> int:
    return (date(max(1, year), month, 15).toordinal() - _EPOCH) * DAY_S


def _year(digits: str) -> int:
    """RFC 5322 §4.3: two digits up to 49 are of this century, three and the others count from 1900."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _zone(text: str | None) -> tuple[bool, int]:
    """Return whether a zone says anything, and its offset in seconds; -0000 is a time in UTC (RFC 5322 §3.3)."""
    name = (text or "").strip('"').lower()
    if name[:1] in ("+", "-") and name:
        digits = name[1:].replace(":", "")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes > ZONE_MINUTES_MAX or int(digits[2:]) > 59:
            return False, 0
        return True, (-60 if name[0] == "-" else 60) * minutes
    return (True, ZONES[name] * 3600) if name in ZONES else (False, 0)
