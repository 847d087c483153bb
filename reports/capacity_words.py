"""What a capacity search says in words: levels, and its answer."""

from collections.abc import Sequence
from typing import Final

from reports import units
from reports.capacity_result import Broke, Capacity, CapacityStage, Level, ScalingLaw

RETROGRADE_MAX: Final = 0.9      # of the best throughput: overloaded, a server that loses none does as much as ever
_NOTHING: Final = 1e-7


def level_in_words(level: float, of: Level) -> str:
    """Return a level with what it counts."""
    match of:
        case "rate":
            return units.rate(level)
        case "users":
            return f"{units.count(level)} virtual user{'' if level == 1 else 's'}"
        case "sessions":
            return f"{units.count(level)} session{'' if level == 1 else 's'} at once"


def most_in_words(capacity: Capacity) -> str:
    """Return the highest sustained level with what it counts, and how many messages a second that brought."""
    if capacity.good is None:
        return ""
    said = level_in_words(capacity.good, capacity.of)
    if capacity.of == "rate":
        said = f"{said.removesuffix('/s')} sessions/s"
    held = [each for each in capacity.stages if each.level == capacity.good and each.outcome == "sustained"]
    messages_per_s = held[-1].messages_per_s if held else None
    return f"{said} ({units.rate(messages_per_s)} messages)" if messages_per_s else said


def broke_in_words(broke: Sequence[Broke]) -> str:
    """Return what broke, as the end of a sentence."""
    return "; ".join(each.sentence for each in broke) or "nothing is known of why"


def answer(capacity: Capacity) -> str:
    """Return the answer of a search, one sentence."""
    good = None if capacity.good is None else level_in_words(capacity.good, capacity.of)
    bad = None if capacity.bad is None else level_in_words(capacity.bad, capacity.of)
    last = capacity.stages[-1] if capacity.stages else None
    reached = "no level was sustained" if good is None else f"{good} was the most that was sustained until then"
    reached += "" if bad is None else f", and {bad} was not"
    match capacity.finding:
        case "found":
            said = f"the target sustains {most_in_words(capacity)}, in a long stage too, and not {bad}{_gap(capacity)}"
        case "at least":
            said = f"the target sustains {most_in_words(capacity)}, the most that was asked for: its limit is higher"
        case "below":
            said = f"the target does not sustain {bad or 'anything'}, the least that was asked for"
        case "not load":
            said = f"the target fails or refuses as many at {bad} as at four times that, so it is not for the load"
        case "generator":
            level = level_in_words(last.level, capacity.of) if last is not None else "the first level"
            said = f"the generator was the limit at {level}; of the target this much is known: {reached}"
        case "interrupted":
            said = f"the search was interrupted, {len(capacity.stages)} stages long: {reached}"
        case "unconfirmed":
            but = "it was not confirmed by a long stage" if not capacity.confirmed else f"not {bad}, and none between"
            said = f"{good} was sustained, but {but}: all {capacity.stages_max} stages allowed are used up"
    return said


def _gap(capacity: Capacity) -> str:
    if capacity.good is None or capacity.bad is None:
        return ""
    return f" ({units.share((capacity.bad - capacity.good) / capacity.good)} more)"


def coefficient(value: float | None) -> str:
    """Return a coefficient of the law; a fit's last few digits beside nothing are nothing."""
    if value is None:
        return "none"
    return f"{value:.3g}" if value >= _NOTHING else "0"


def law_in_words(law: ScalingLaw) -> str:
    """Return what a fitted law says of a peak, one sentence."""
    peak = law.peak
    if peak.estimate is None:
        return "no peak: by the law more in flight never means less done, throughput only levels off"
    if peak.high is None:
        return f"no peak is shown: one at {peak.estimate:.3g} sessions in flight would fit, and so would none"
    low = "?" if peak.low is None else f"{peak.low:.3g}"
    at = f"throughput has its peak at N* = {peak.estimate:.3g} sessions in flight ({low} to {peak.high:.3g})"
    if law.peak_per_s is not None:
        at += f", with {units.rate(law.peak_per_s)}"
    if peak.estimate > law.measured_to:
        return f"{at}; this is extrapolated, for no stage had more than {law.measured_to:.3g} in flight"
    return f"{at}; with more in flight less gets done"


def retrograde_in_words(stages: Sequence[CapacityStage], of: Level) -> str | None:
    """Return what was seen of a target that does less when it is asked for more; None: it was not seen."""
    told = [each for each in stages if each.outcome != "void" and each.throughput_per_s is not None]
    best = max(told, key=lambda each: each.throughput_per_s or 0.0, default=None)
    above = [each for each in told if best is not None and each.level >= best.level]
    worst = min(above, key=lambda each: each.throughput_per_s or 0.0, default=None)
    if best is None or worst is None or best.throughput_per_s is None or worst.throughput_per_s is None:
        return None
    if worst.throughput_per_s > RETROGRADE_MAX * best.throughput_per_s:
        return None
    return (
        f"asked for more it did less: at {level_in_words(worst.level, of)} {units.rate(worst.throughput_per_s)} "
        f"sessions were accepted, at {level_in_words(best.level, of)} {units.rate(best.throughput_per_s)}"
    )


