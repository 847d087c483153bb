"""Durations, sizes and rates: what people write, as exact integers and fractions."""

import re
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Final, Generic, Self, TypeVar

from loadgen.scenario.problems import UnreadableError

NS_PER_S: Final = 1_000_000_000

# One limit for each, so that a slip of the keyboard is an error here and not a full disk or an endless run.
DURATION_NS_MAX: Final = 30 * 24 * 3600 * NS_PER_S
SIZE_OCTETS_MAX: Final = 1 << 30
RATE_PER_S_MAX: Final = 1_000_000

JsonSchema = dict[str, object]
Held = TypeVar("Held")


class Leaf(ABC, Generic[Held]):
    """A value with a form of its own in a scenario file: immutable, equal by what it holds.

    Not a dataclass: msgspec reads those as tables, and leaves only classes it does not know to us.
    """

    __slots__ = ("_held",)

    def __init__(self, held: Held) -> None:
        self._held: Held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and type(self) is type(other) and self._held == other._held

    def __hash__(self) -> int:
        return hash((type(self), self._held))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._held!r})"

    @classmethod
    @abstractmethod
    def parse(cls, value: object) -> Self:
        """Return the value that TOML's `value` stands for; raise UnreadableError with every problem in it."""

    @abstractmethod
    def plain(self) -> object:
        """Return what `parse` reads back to an equal value: text, a number, or a table of them."""

    @classmethod
    @abstractmethod
    def json_schema(cls) -> JsonSchema:
        """Return the JSON Schema of what `parse` accepts."""


_DURATION_NS: Final = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
    "s": NS_PER_S, "m": 60 * NS_PER_S, "h": 3600 * NS_PER_S, "d": 86400 * NS_PER_S,
}   # fmt: skip
_UNIT: Final = "ns|us|µs|μs|ms|s|m|h|d"   # both micro signs: people type either
_NUMBER: Final = r"[0-9]{1,18}(?:\.[0-9]{1,9})?"
_DURATION_PART: Final = rf"({_NUMBER}) ?({_UNIT})"
DURATION_PATTERN: Final = rf"^(?:{_NUMBER} ?(?:{_UNIT}))+$"


class Duration(Leaf[int]):
    """A span of time, in whole nanoseconds: "250ms", "30s", "1m30s", "2h"."""

    __slots__ = ()
    ALLOWED = 'a duration such as "250ms", "30s" or "2m"'

    @property
    def ns(self) -> int:
        """Return the span in nanoseconds."""
        return self._held

    @property
    def s(self) -> float:
        """Return the span in seconds, for trio's deadlines."""
        return self.ns / NS_PER_S

    @classmethod
    def parse(cls, value: object) -> Self:
        if not isinstance(value, str) or not re.fullmatch(DURATION_PATTERN, value):
            bare = isinstance(value, int | float) and not isinstance(value, bool)
            raise UnreadableError.value(value, cls.ALLOWED, hint="a unit is missing" if bare else "")
        parts = re.findall(_DURATION_PART, value)
        ns = sum(Fraction(number) * _DURATION_NS[unit] for number, unit in parts)
        if ns != int(ns) or ns > DURATION_NS_MAX:
            raise UnreadableError.value(value, "a duration of whole nanoseconds and at most 30 days")
        return cls(int(ns))

    def plain(self) -> str:
        return str(self)

    def __str__(self) -> str:
        for unit in ("h", "m", "s", "ms", "us"):
            if self.ns and self.ns % _DURATION_NS[unit] == 0:
                return f"{self.ns // _DURATION_NS[unit]}{unit}"
        return f"{self.ns}ns" if self.ns else "0s"

    @classmethod
    def json_schema(cls) -> JsonSchema:
        return {
            "type": "string",
            "pattern": DURATION_PATTERN,
            "description": "A span of time: numbers with ns, us, ms, s, m, h or d.",
            "examples": ["250ms", "30s", "1m30s"],
        }


_SIZE_OCTETS: Final = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}   # fmt: skip
SIZE_PATTERN: Final = rf"^{_NUMBER}(?: ?(?:B|kB|KB|KiB|MB|MiB|GB|GiB))?$"


class Size(Leaf[int]):
    """A number of octets: 512, "4 KiB" (4 × 1024), "10 kB" (10 × 1000), "1 MiB"."""

    __slots__ = ()
    ALLOWED = 'a size such as "4 KiB"'

    @property
    def octets(self) -> int:
        """Return the size in octets."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not re.fullmatch(SIZE_PATTERN, text):
            raise UnreadableError.value(value, cls.ALLOWED, hint=_size_meant(value))
        number = text.rstrip("BkKMGi").rstrip()
        octets = Fraction(number) * _SIZE_OCTETS[text[len(number) :].strip() or "B"]
        if octets != int(octets) or octets > SIZE_OCTETS_MAX:
            raise UnreadableError.value(value, "a size of whole octets and at most 1 GiB")
        return cls(int(octets))

    def plain(self) -> int | str:
        text = str(self)
        return text if " " in text else self.octets

    def __str__(self) -> str:
        for unit in ("GiB", "MiB", "KiB"):
            if self.octets and self.octets % _SIZE_OCTETS[unit] == 0:
                return f"{self.octets // _SIZE_OCTETS[unit]} {unit}"
        return f"{self.octets}"

    @classmethod
    def json_schema(cls) -> JsonSchema:
        return {
            "description": "Octets, bare or with B, kB, MB, GB (powers of 1000) or KiB, MiB, GiB (of 1024).",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": SIZE_OCTETS_MAX},
                {"type": "string", "pattern": SIZE_PATTERN, "examples": ["4 KiB", "1 MiB"]},
            ],
        }


def _size_meant(value: object) -> str:
    """Return a hint for the unit that was nearly written: "4 kib", "4K"."""
    if isinstance(value, str) and (match := re.fullmatch(rf"({_NUMBER}) ?([a-zA-Z]+)", value)):
        number, unit = match.groups()
        for known in ("KiB", "MiB", "GiB", "kB", "MB", "GB"):
            if unit.lower() in (known.lower(), known[0].lower()):
                return f'did you mean "{number} {known}"?'
    return ""


_RATE_PERIOD_S: Final = {"s": 1, "min": 60, "h": 3600}
RATE_PATTERN: Final = rf"^{_NUMBER} ?/ ?(?:s|min|h)$"


class Rate(Leaf[Fraction]):
    """How many a second, exactly: 200, 0.5, "90/min". A fraction: an interval of 1/7 s is no float."""

    __slots__ = ()
    ALLOWED = 'a rate: a number per second such as 200 or 0.5, or text such as "90/min"'

    @property
    def per_s(self) -> Fraction:
        """Return how many a second."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        match value:
            case bool():
                raise UnreadableError.value(value, cls.ALLOWED)
            case int():
                per_s = Fraction(value)
            case float() if value - value == 0:   # neither inf nor nan
                per_s = Fraction(str(value))      # what was written: 0.1 is one tenth
            case str() if re.fullmatch(RATE_PATTERN, value):
                number, _, period = value.partition("/")
                per_s = Fraction(number.strip()) / _RATE_PERIOD_S[period.strip()]
            case _:
                raise UnreadableError.value(value, cls.ALLOWED)
        if not 0 <= per_s <= RATE_PER_S_MAX:
            raise UnreadableError.value(value, f"a rate from 0 to {RATE_PER_S_MAX} per second")
        return cls(per_s)

    def plain(self) -> int | float | str:
        if self.per_s.denominator == 1:
            return self.per_s.numerator
        for period, seconds in _RATE_PERIOD_S.items():
            per_period = self.per_s * seconds
            if period != "s" and per_period.denominator == 1:
                return f"{per_period}/{period}"
        return float(self.per_s)

    def __str__(self) -> str:
        plain = self.plain()
        return plain if isinstance(plain, str) else f"{plain}/s"

    @classmethod
    def json_schema(cls) -> JsonSchema:
        return {
            "description": "How many a second: a number, or text such as 90/min.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": RATE_PER_S_MAX},
                {"type": "string", "pattern": RATE_PATTERN, "examples": ["90/min"]},
            ],
        }


FACTOR_PATTERN: Final = rf"^{_NUMBER} ?/ ?{_NUMBER}$"
FACTOR_MAX: Final = 1_000_000


class Factor(Leaf[Fraction]):
    """What something is multiplied by, exactly: 2, 0.5, "1/3"."""

    __slots__ = ()
    ALLOWED = 'a factor: a number above 0 such as 2 or 0.5, or text such as "1/3"'

    @property
    def times(self) -> Fraction:
        """Return the factor."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        match value:
            case bool():
                raise UnreadableError.value(value, cls.ALLOWED)
            case int():
                times = Fraction(value)
            case float() if value - value == 0:   # neither inf nor nan
                times = Fraction(str(value))
            case str() if re.fullmatch(FACTOR_PATTERN, value):
                over, under = (Fraction(part.strip()) for part in value.split("/"))
                times = over / under if under else Fraction(0)
            case _:
                raise UnreadableError.value(value, cls.ALLOWED)
        if not Fraction(1, FACTOR_MAX) <= times <= FACTOR_MAX:
            raise UnreadableError.value(value, f"a factor from 1/{FACTOR_MAX} to {FACTOR_MAX}")
        return cls(times)

    def plain(self) -> int | str:
        return self.times.numerator if self.times.denominator == 1 else str(self.times)

    def __str__(self) -> str:
        return str(self.plain())

    @classmethod
    def json_schema(cls) -> JsonSchema:
        return {
            "description": "A number above 0, or a fraction such as 1/3.",
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": FACTOR_MAX},
                {"type": "string", "pattern": FACTOR_PATTERN, "examples": ["1/3"]},
            ],
        }
