"""Gates: what the operator allows, held against one result document."""

import difflib
import operator
import re
from collections.abc import Callable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from reports import units
from reports.document import Document, GateResult
from reports.metric import Metric, Unit, known_metrics, metric_named
from reports.named_metric import ANYTHING_NAMED, NOTHING_NAMED, REPLY_METRIC, Named, names_of_metrics
from reports.verdict import Verdict

__all__ = ["Gate", "judge", "known_metrics", "problems_of"]

Bound = str | int | float
Comparison = Literal["below", "above", "at_most", "at_least", "equals"]

# how the bound is compared, and how that reads after "the gate allows"
_COMPARISONS: Final[dict[Comparison, tuple[Callable[[float, float], bool], str]]] = {
    "below": (operator.lt, "below"),
    "above": (operator.gt, "above"),
    "at_most": (operator.le, "at most"),
    "at_least": (operator.ge, "at least"),
    "equals": (operator.eq, "exactly"),
}
_PERCENT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_A_BOUND: Final = 'A duration ("500ms") for times, else a number; shares also as "1 %".'


class Gate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[gate]]` of a scenario: a metric, and exactly one condition it must meet."""

    metric: Annotated[
        str, Meta(description='What to look at: "smtp.body.response", "errors.share", "ledger.lost".')
    ]
    percentile: Annotated[
        float | None, Meta(description="For times only, above 0 and up to 100 (the greatest).")
    ] = None
    below: Annotated[Bound | None, Meta(description=_A_BOUND)] = None
    above: Annotated[Bound | None, Meta(description=_A_BOUND)] = None
    at_most: Annotated[Bound | None, Meta(description=_A_BOUND)] = None
    at_least: Annotated[Bound | None, Meta(description=_A_BOUND)] = None
    equals: Annotated[Bound | None, Meta(description=_A_BOUND)] = None

    def conditions(self) -> list[tuple[Comparison, Bound]]:
        """Return the conditions given; a gate without problems has exactly one."""
        given = ((name, getattr(self, name)) for name in _COMPARISONS)
        return [(name, bound) for name, bound in given if bound is not None]


def problems_of(gate: Gate, named: Named = NOTHING_NAMED) -> list[str]:
    """Say everything that is wrong with a gate, a sentence each; empty when it can be judged.

    `named` is what the scenario itself names: its sessions, its steps.
    """
    metric = metric_named(gate.metric, named)
    problems = [] if metric is not None else [_unknown(gate.metric, named)]
    if metric is not None:
        problems += _percentile_problems(gate, metric)
    conditions = gate.conditions()
    if len(conditions) != 1:
        got = " and ".join(name for name, _ in conditions) or "none"
        problems.append(f"exactly one condition is needed ({', '.join(_COMPARISONS)}); got {got}")
    if metric is not None:
        for name, bound in conditions:
            try:
                _bound_value(bound, metric.unit)
            except ValueError as exc:
                problems.append(f"{name}: {exc}")
    return problems


def _percentile_problems(gate: Gate, metric: Metric) -> list[str]:
    if not metric.takes_percentile:
        return [] if gate.percentile is None else [f"{metric.name} is one number and takes no percentile"]
    if gate.percentile is None:
        return [f"{metric.name} is a distribution: say which percentile, as in percentile = 99"]
    if not 0 < gate.percentile <= 100:
        return [f"percentile must be above 0 and at most 100; got {gate.percentile:g}"]
    return []


def _unknown(name: str, named: Named) -> str:
    # Every phase in the family, so that a slip in `replies.smtp.mial.250` finds its neighbour too.
    names = [*(each for each in known_metrics() if "<" not in each), *names_of_metrics(named)]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    hint = (
        f"; did you mean {' or '.join(near)}?"
        if near
        else f"; metrics look like smtp.body.response, errors.share, {REPLY_METRIC}"
    )
    return f'unknown metric "{name}"{hint}'


def _bound_value(bound: Bound, unit: Unit) -> float:
    """Return a bound in the metric's own unit; ValueError with a sentence."""
    if unit == "ns":
        if isinstance(bound, str):
            return units.parse_duration_ns(bound)
        raise ValueError(f'a time needs a unit, as in "500ms"; got {bound:g}')
    if isinstance(bound, str):
        percent = _PERCENT.fullmatch(bound) if unit == "share" else None
        if percent is None:
            raise ValueError(f'a number is needed here; got "{bound}"')
        return float(percent[1]) / 100
    if unit == "share" and not 0 <= bound <= 1:
        raise ValueError(f'a share is from 0 to 1, or "1 %"; got {bound:g}')
    return bound


def judge(gate: Gate, document: Document) -> GateResult:
    """Hold one gate against one result. No data is inconclusive: a gate that could not look has not looked.

    The gate must be free of problems (`problems_of`); ValueError otherwise.
    """
    metric, problems = metric_named(gate.metric, ANYTHING_NAMED), problems_of(gate, ANYTHING_NAMED)
    if metric is None or problems:
        raise ValueError(f"this gate cannot be judged: {'; '.join(problems)}")
    [(comparison, bound)] = gate.conditions()
    holds, wording = _COMPARISONS[comparison]
    allowed = _bound_value(bound, metric.unit)
    condition = f"{wording} {shown(allowed, metric.unit)}"
    subject = _subject(gate, metric)
    value = metric.read(document, gate.percentile)
    if value is None:
        verdict, measured = Verdict.INCONCLUSIVE, None
        sentence = f"{subject} could not be judged: {metric.absent}"
    else:
        verdict = Verdict.PASS if holds(value, allowed) else Verdict.FAIL
        measured = shown(value, metric.unit)
        if measured == shown(allowed, metric.unit) and value != allowed:
            measured = _exactly(value, metric.unit)  # never "was 500 ms, the gate allows below 500 ms"
        sentence = f"{subject} was {measured}, the gate allows {condition}"
    return GateResult(
        metric=subject,
        condition=condition,
        measured=measured,
        value=value,
        unit=metric.unit,
        verdict=verdict,
        question=metric.question,
        sentence=sentence,
    )


def _subject(gate: Gate, metric: Metric) -> str:
    if gate.percentile is None:
        return metric.name
    return f"{'max' if gate.percentile == 100 else f'p{gate.percentile:g}'} of {metric.name}"


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
