"""How far two sets of runs are apart, as people read it."""

from collections.abc import Callable

from reports import units
from reports.compare_result import Effect, MetricComparison


def measured_effect(compared: MetricComparison) -> str | None:
    """Return the effect with its interval as people read it; None where nothing can be said."""
    if compared.change is not None:
        return with_interval(compared.change, signed_percent)
    if compared.shift is not None:
        return with_interval(compared.shift, lambda value: signed(value, compared.unit))
    return None


def with_interval(effect: Effect, show: Callable[[float], str]) -> str:
    """Return "+12.1 % (+9.0 to +15.2 %)"."""
    if effect.low is None or effect.high is None:
        return show(effect.estimate)
    return f"{show(effect.estimate)} ({bounds(show(effect.low), show(effect.high))})"


def bounds(low: str, high: str) -> str:
    """Return "−0.4 to +2.1 %": a per cent sign is said once."""
    return f"{low.removesuffix(' %') if high.endswith(' %') else low} to {high}"


def signed_percent(change: float) -> str:
    """Return a change as people read it: "+12.1 %", "−0.3 %"."""
    places = 1 if abs(change) < 1 else 0
    text = f"{change * 100:+,.{places}f}"
    return f"{'0' if float(text.replace(',', '')) == 0 else text.replace('-', '−')} %"


def signed(value: float, unit: str) -> str:
    """Return a difference in the metric's unit: "+20 ms", "−3", "+0.5 pp"."""
    if value == 0:
        return "0"
    sign = "+" if value > 0 else "−"
    match unit:
        case "ns":
            return f"{sign}{units.duration(abs(value))}"
        case "share":
            return f"{sign}{abs(value) * 100:.3g} pp"
        case "per_s":
            return f"{sign}{units.rate(abs(value))}"
        case _:
            return f"{sign}{units.mean(abs(value))}"
