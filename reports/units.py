"""Numbers as people write and read them: durations, octets, counts, shares, rates."""

import re
from typing import Final

NS_PER_S: Final = 1_000_000_000

_NS_PER_UNIT: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter: both are typed
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zµμ]+)\s*")


def parse_duration_ns(text: str) -> int:
    """Return the nanoseconds of a duration such as "250ms", "1.5 s" or "2m"; ValueError with a sentence."""
    match = _DURATION.fullmatch(text)
    if match is None or match[2] not in _NS_PER_UNIT:
        raise ValueError(
            f'not a duration: "{text}"; write a number and a unit (ns, us, ms, s, m, h), as in "500ms"'
        )
    return round(float(match[1]) * _NS_PER_UNIT[match[2]])


def duration(ns: float) -> str:
    """Return a duration with three significant digits and its unit: "812 ms", "1.25 s", "2 min 5 s"."""
    if ns < 1_000:
        return f"{ns:.0f} ns" if ns else "0 ms"
    for limit, per_unit, unit in ((1e6, 1e3, "µs"), (1e9, 1e6, "ms"), (60e9, 1e9, "s")):
        # 999.6 µs would round to "1000 µs": leave it to the next unit.
        if round(ns / per_unit, 1) < limit / per_unit:
            return f"{_three_digits(ns / per_unit)} {unit}"
    minutes, seconds = divmod(round(ns / NS_PER_S), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(ns: float) -> str:
    """Return a duration in ms for a column of them, without the unit: "0.042", "8.10", "1,204"."""
    return _three_digits(ns / 1e6, keep_zeros=True)


def count(number: float) -> str:
    """Return a whole number with thousands set apart: "12,004"."""
    return f"{number:,.0f}"


def mean(number: float) -> str:
    """Return a mean of counts: "1,003", "4.25"."""
    return _three_digits(number)


def share(part: float) -> str:
    """Return a share (0 to 1) in percent: "0.42 %". Never "0 %" or "100 %" for what is only nearly so."""
    percent = part * 100
    digits = f"{percent:.2f}".rstrip("0").rstrip(".")
    if digits == "0" and part > 0:
        return "< 0.01 %"
    if digits == "100" and part < 1:
        return "> 99.99 %"
    return f"{digits} %"


def rate(per_s: float) -> str:
    """Return a rate: "1,204/s", "3.25/s"."""
    return f"{_three_digits(per_s)}/s"


def processors(number: int) -> str:
    """Return a number of processors in words: "1 processor", "2 processors"."""
    return f"{number} processor{'' if number == 1 else 's'}"


def octets(number: float) -> str:
    """Return a size in binary multiples: "512 B", "4.1 KiB"."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{_three_digits(number) if unit != 'B' else format(number, '.0f')} {unit}"
        number /= 1024
    return f"{_three_digits(number)} GiB"


def _three_digits(number: float, *, keep_zeros: bool = False) -> str:
    """Return a number with about three significant digits, no exponent; trailing zeros go unless kept."""
    if number == 0 or number >= 99.95:
        return f"{number:,.0f}"
    if number < 0.0005:
        return "< 0.001"
    places = 1 if number >= 9.995 else 2 if number >= 0.9995 else 3
    text = f"{number:.{places}f}"
    return text if keep_zeros else text.rstrip("0").rstrip(".")
