"""Gates: what the operator allows, held against one result document."""

import difflib
import math
from typing import Annotated, Final

from msgspec import Meta, Struct

from reports import units
from reports.bound import COMPARISONS, Bound, Comparison, bound_value, holds, shown, shown_beside
from reports.document import Document, GateResult
from reports.measure import Metric, Section
from reports.metric import known_metrics, metric_named
from reports.named_metric import ANYTHING_NAMED, NOTHING_NAMED, REPLY_METRIC, Named, names_of_metrics
from reports.verdict import Verdict

__all__ = ["AbortOnBreach", "Gate", "judge", "known_metrics", "problems_of", "shown", "subject_of"]

_A_BOUND: Final = 'A duration ("500ms") for times, else a number; shares also as "1 %".'


class AbortOnBreach(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """End the load when the gate does not hold; `{}` takes the defaults. It is looked at once a second."""

    delay: Annotated[str, Meta(description="Not so soon after the warm-up: few times make a poor percentile.")] = "10s"
    hold: Annotated[str, Meta(description="Only when it has not held for so long, without a break.")] = "0s"

    @property
    def delay_ns(self) -> int:
        """Return the delay; ValueError with a sentence."""
        return units.parse_duration_ns(self.delay)

    @property
    def hold_ns(self) -> int:
        """Return how long the breach must last; ValueError with a sentence."""
        return units.parse_duration_ns(self.hold)


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
    abort_on_breach: Annotated[
        AbortOnBreach | None, Meta(description="End the load as soon as the gate does not hold; {} takes the defaults.")
    ] = None

    def conditions(self) -> list[tuple[Comparison, Bound]]:
        """Return the conditions given; a gate without problems has exactly one."""
        given = ((name, getattr(self, name)) for name in COMPARISONS)
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
        problems.append(f"exactly one condition is needed ({', '.join(COMPARISONS)}); got {got}")
    if metric is not None:
        for name, bound in conditions:
            try:
                bound_value(bound, metric.unit)
            except ValueError as exc:
                problems.append(f"{name}: {exc}")
        if not problems and gate.abort_on_breach is not None:
            problems += _abort_problems(gate, gate.abort_on_breach, metric)
    return problems


def _percentile_problems(gate: Gate, metric: Metric) -> list[str]:
    if not metric.takes_percentile:
        return [] if gate.percentile is None else [f"{metric.name} is one number and takes no percentile"]
    if gate.percentile is None:
        return [f"{metric.name} is a distribution: say which percentile, as in percentile = 99"]
    if not 0 < gate.percentile <= 100:
        return [f"percentile must be above 0 and at most 100; got {gate.percentile:g}"]
    if metric.kept and gate.percentile not in metric.kept:
        kept = ", ".join(f"{percentile:g}" for percentile in metric.kept)
        return [f"of {metric.name} only these percentiles are kept: {kept}; got {gate.percentile:g}"]
    return []


def _abort_problems(gate: Gate, abort: AbortOnBreach, metric: Metric) -> list[str]:
    problems = []
    for name, duration in (("delay", abort.delay), ("hold", abort.hold)):
        try:
            units.parse_duration_ns(duration)
        except ValueError as exc:
            problems.append(f"abort_on_breach.{name}: {exc}")
    if not metric.under_way:
        problems.append(f"abort_on_breach: {metric.name} is known only when the load is over")
    [(comparison, bound)] = gate.conditions()
    if metric.unit == "count" and not (comparison in ("below", "at_most") or (comparison == "equals" and bound == 0)):
        problems.append(
            f"abort_on_breach: {metric.name} grows while the load goes on, so only below, at_most or equals = 0 can be "
            "breached before its end"
        )
    return problems


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


def judge(gate: Gate, document: Document, *, preset: str | None = None) -> GateResult:
    """Hold one gate against one result. No data is inconclusive: a gate that could not look has not looked.

    What is known only within bounds is judged where both agree. The gate must be free of problems (`problems_of`);
    ValueError otherwise.
    """
    metric, problems = metric_named(gate.metric, ANYTHING_NAMED), problems_of(gate, ANYTHING_NAMED)
    if metric is None or problems:
        raise ValueError(f"this gate cannot be judged: {'; '.join(problems)}")
    [(comparison, bound)] = gate.conditions()
    allowed = bound_value(bound, metric.unit)
    condition = f"{COMPARISONS[comparison][1]} {shown(allowed, metric.unit)}"
    subject = subject_of(gate.metric, gate.percentile)
    most = (metric.most or metric.read)(document, gate.percentile)
    least = (metric.least or metric.read)(document, gate.percentile)
    verdict, measured = Verdict.INCONCLUSIVE, None
    if most is None or least is None:
        sentence = f"{subject} could not be judged: {_why_absent(metric, document)}"
    else:
        held = holds(comparison, most, least, allowed)
        measured = _measured(most, least, allowed, metric)
        if held is None:
            sentence = f"{subject} was {measured}, which is not known well enough for a gate that allows {condition}"
        else:
            verdict = Verdict.PASS if held else Verdict.FAIL
            sentence = f"{subject} was {measured}, the gate allows {condition}"
    return GateResult(
        metric=subject,
        condition=condition,
        measured=measured,
        value=most if most is not None and math.isfinite(most) else None,
        least=least if least != most else None,
        unit=metric.unit,
        verdict=verdict,
        question=metric.question,
        steady=metric.steady if metric.section in ("load", "ledger") else None,
        preset=preset,
        sentence=sentence,
    )


def subject_of(metric: str, percentile: float | None) -> str:
    """Return what is looked at, as every report names it: "p99 of smtp.body.response"."""
    if percentile is None:
        return metric
    return f"{'max' if percentile == 100 else f'p{percentile:g}'} of {metric}"


def _measured(most: float, least: float, allowed: float, metric: Metric) -> str:
    low, high = (shown_beside(value, allowed, metric.unit) if math.isfinite(value) else "" for value in (least, most))
    if not high:
        return f"at least {low}"
    return high if low == high else f"between {low} and {high}"


# section -> the kind of result that has it, and what is missing in others
_SECTIONS: Final[dict[Section, tuple[str, str]]] = {
    "load": ("load", "no load was run"),
    "ledger": ("load", "no delivery was verified"),
    "conformance": ("conformance", "no case was run"),
    "comparison": ("compare", "no runs were compared"),
    "capacity": ("capacity", "no capacity was searched for"),
}


def _why_absent(metric: Metric, document: Document) -> str:
    """Return why there is no data: in another kind of result the reason is another one."""
    kind, missing = _SECTIONS[metric.section]
    return metric.absent if document.kind == kind else f"{missing}: this is a {document.kind} result"
