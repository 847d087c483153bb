"""What a gate allows: comparisons, bounds in the unit of what is measured, and how both are shown."""

import math
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from reports import units
from reports.measure import Unit

Bound = str | int | float
Comparison = Literal["below", "above", "at_most", "at_least", "equals"]

# how the bound is compared, and how that reads after "the gate allows"
COMPARISONS: Final[dict[Comparison, tuple[Callable[[float, float], bool], str]]] = {
    "below": (operator.lt, "below"),
    "above": (operator.gt, "above"),
    "at_most": (operator.le, "at most"),
    "at_least": (operator.ge, "at least"),
    "equals": (operator.eq, "exactly"),
}
_PERCENT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def bound_value(bound: Bound, unit: Unit) -> float:
    """Return a bound in the metric's own unit; ValueError with a sentence."""
    if not isinstance(bound, str) and not math.isfinite(bound):
        raise ValueError(f"a number is needed here; got {bound}")
    if unit == "ns":
        if isinstance(bound, str):
            return units.parse_duration_ns(bound)
        raise ValueError(f'a time needs a unit, as in "500ms"; got {bound:g}')
    if isinstance(bound, str):
        percent = _PERCENT.fullmatch(bound) if unit == "share" else None
        if percent is None:
            raise ValueError(f'a number is needed here; got "{bound}"')
        bound = float(Decimal(percent[1]) / 100)      # 3.6 / 100 is a little more than 18 of 500
    if unit == "share" and not 0 <= bound <= 1:
        raise ValueError(f'a share is from 0 to 1, or "1 %"; got {bound:g}')
    return bound


def holds(comparison: Comparison, most: float, least: float, bound: float) -> bool | None:
    """Say whether what lies between two bounds meets a condition; None: that depends on where it lies.

    >>> holds("below", 5, 3, 6), holds("below", 5, 3, 4), holds("below", 5, 3, 2)
    (True, None, False)
    """
    compare, _ = COMPARISONS[comparison]
    if comparison == "equals" and least < bound < most:
        return None
    of_most, of_least = compare(most, bound), compare(least, bound)
    return of_most if of_most == of_least else None


def shown(value: float, unit: Unit) -> str:
    """Return a measured value or a bound as a person reads it."""
    match unit:
        case "ns":
            return units.duration(value)
        case "count":
            return units.count(value)
        case "share":
            return units.share(value)
        case "per_s":
            return units.rate(value)


def shown_beside(value: float, bound: float, unit: Unit) -> str:
    """Return a measured value so that it never reads like a bound that it is not."""
    text = shown(value, unit)
    return _exactly(value, unit) if text == shown(bound, unit) and value != bound else text


def _exactly(value: float, unit: Unit) -> str:
    match unit:
        case "ns":
            return f"{value:,.0f} ns"
        case "count":
            return f"{value:,}"
        case "share":
            return f"{value * 100:.10g} %"
        case "per_s":
            return f"{value:.10g}/s"
