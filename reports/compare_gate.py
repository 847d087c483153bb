"""Gates between two sets of runs: "worse by more than x, with confidence c".

A gate fails only when the runs show it. Their verdicts hold together: with what confidence no gate is red that should
not be, is said for all of them (Holm), so that ten gates raise no more false alarms than one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports import units
from reports.bound import shown
from reports.compare_metrics import Measure, measure_spelt
from reports.compare_result import RUNS_MIN, MetricComparison
from reports.compare_words import measured_effect
from reports.document import GateResult
from reports.errors import UserError
from reports.rank_statistics import Alternative, holm, least_p, rank_test, shift
from reports.verdict import Verdict

_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_POINTS: Final = re.compile(r"(\d+(?:\.\d+)?)\s*pp")
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)")

NEITHER: Final = "shown neither way"

State = Literal["worse", "held", "undecided", "too few runs"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much worse the new runs may be: a share of base, or an amount in the metric's unit."""

    amount: float
    relative: bool
    text: str

    def limits(self, base: Sequence[float], *, more_is_worse: bool) -> list[float]:
        """Return the values of base, made as much worse as is allowed."""
        way = 1 if more_is_worse else -1
        if self.relative:
            return [value * (1 + way * self.amount) for value in base]
        return [value + way * self.amount for value in base]


@dataclass(frozen=True, slots=True)
class WorseThan:
    """What `--worse-than` asks for."""

    default: Allowance | None = None
    named: tuple[tuple[Measure, Allowance], ...] = ()


NO_GATE: Final = WorseThan()


def worse_than(texts: Sequence[str]) -> WorseThan:
    """Return what was asked by "5%", which is for the usual metrics, and "smtp.body.response:p99=20ms". UserError."""
    default: Allowance | None = None
    named: dict[str, tuple[Measure, Allowance]] = {}
    for text in texts:
        name, equals, amount = text.rpartition("=")
        if not equals:
            default = _relative(text)
            continue
        measure = measure_spelt(name)
        if measure.worse is None:
            raise UserError(f"{measure.subject} can be no gate of a comparison: neither way is worse")
        named[measure.subject] = (measure, _relative_or_absolute(amount, measure))
    return WorseThan(default, tuple(named.values()))


def _relative(text: str) -> Allowance:
    found = _PERCENT.fullmatch(text.strip())
    if found is None:
        raise UserError(
            f'--worse-than takes a per cent, "5%", or a metric with its own, "errors.share=0.5pp"; got "{text}"'
        )
    return Allowance(float(found[1]) / 100, relative=True, text=f"{found[1]} %")


def _relative_or_absolute(text: str, measure: Measure) -> Allowance:
    if _PERCENT.fullmatch(text.strip()):
        return _relative(text)
    unit = measure.metric.unit
    if unit == "ns":
        try:
            amount = float(units.parse_duration_ns(text))
        except ValueError as exc:
            raise UserError(f"--worse-than {measure.subject}: {exc}") from None
        return Allowance(amount, relative=False, text=shown(amount, unit))
    found = (_POINTS if unit == "share" else _NUMBER).fullmatch(text.strip())
    if found is None:
        takes = '"5%" of base, or points, "0.5pp"' if unit == "share" else '"5%" of base, or a number'
        raise UserError(f'--worse-than {measure.subject} takes {takes}; got "{text}"')
    if unit == "share":
        return Allowance(float(found[1]) / 100, relative=False, text=f"{found[1]} points")
    return Allowance(float(found[1]), relative=False, text=shown(float(found[1]), unit))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One gate before it is judged."""

    measure: Measure
    allowance: Allowance
    compared: MetricComparison

    @property
    def base(self) -> list[float]:
        """Return the base runs' values, those without data apart."""
        return [value for value in self.compared.base if value is not None]

    @property
    def new(self) -> list[float]:
        """Return the new runs' values, those without data apart."""
        return [value for value in self.compared.new if value is not None]

    @property
    def more_is_worse(self) -> bool:
        """Say which way is worse."""
        return self.measure.worse == "more"

    @property
    def limits(self) -> list[float]:
        """Return what the new values are held against."""
        return self.allowance.limits(self.base, more_is_worse=self.more_is_worse)

    def chance_if_allowed(self) -> float:
        """Return the chance of runs that look so much worse, if they were just as bad as is allowed."""
        way: Alternative = "greater" if self.more_is_worse else "less"
        return rank_test(self.new, self.limits, way)

    def is_shown_to_hold(self, alpha: float) -> bool:
        """Say whether the bound of the shift, past the limit, still lies within it."""
        found = shift(self.new, self.limits, 1 - 2 * alpha)
        bound = found.high if self.more_is_worse else found.low
        return bound is not None and (bound <= 0 if self.more_is_worse else bound >= 0)


def judge_gates(candidates: Sequence[Candidate], confidence: float, *, strict: bool) -> list[GateResult]:
    """Hold all gates against the runs. `strict`: what is neither shown worse nor shown to hold is inconclusive."""
    alpha, family = 1 - confidence, len(candidates)
    told = [_enough(candidate, alpha / family) for candidate in candidates]
    # One that cannot be judged still counts: leaving it out afterwards would make the others easier.
    adjusted = holm([
        each.chance_if_allowed() if enough else 1.0 for each, enough in zip(candidates, told, strict=True)
    ])
    judged = []
    for candidate, enough, p in zip(candidates, told, adjusted, strict=True):
        state: State = "undecided"
        if not enough:
            state = "too few runs"
        elif p <= alpha:
            state = "worse"
        elif candidate.is_shown_to_hold(alpha / family):
            state = "held"
        judged.append(_result(candidate, state, p, confidence, strict=strict))
    return judged


def runs_needed(gates: int, confidence: float) -> int:
    """Return how many runs a side it takes that every one of so many gates could fail."""
    runs = RUNS_MIN
    while least_p(runs, runs, "greater") > (1 - confidence) / gates:
        runs += 1
    return runs


def _enough(candidate: Candidate, alpha: float) -> bool:
    new, base = len(candidate.new), len(candidate.base)
    return min(new, base) >= RUNS_MIN and least_p(new, base, "greater") <= alpha


_VERDICTS: Final[dict[State, Verdict]] = {
    "worse": Verdict.FAIL,
    "held": Verdict.PASS,
    "undecided": Verdict.PASS,
    "too few runs": Verdict.INCONCLUSIVE,
}


def _result(candidate: Candidate, state: State, p: float, confidence: float, *, strict: bool) -> GateResult:
    compared, allowed = candidate.compared, candidate.allowance.text
    effect = measured_effect(compared)
    subject, said = compared.metric, f"{effect}" if effect else "no interval"
    sentence = {
        "worse": f"{subject} is worse by more than {allowed}: {said} (one-sided p = {_chance(p)} with all gates)",
        "held": f"{subject} is not worse by more than {allowed}: {said}",
        "undecided": f"{subject} is not shown to be worse by more than {allowed}, nor to be within it: {said}",
        "too few runs": (
            f"{subject} cannot be judged: {len(candidate.base)} base and {len(candidate.new)} new runs have data: "
            "too few"
        ),
    }[state]
    undecided = strict and state == "undecided"
    value = compared.change or compared.shift
    return GateResult(
        metric=subject,
        condition=f"at most {allowed} worse",
        measured=f"{effect}; {NEITHER}" if effect and state == "undecided" else effect,
        value=None if value is None else value.estimate,
        unit="share" if compared.change is not None else compared.unit,
        verdict=Verdict.INCONCLUSIVE if undecided else _VERDICTS[state],
        question=candidate.measure.metric.question,
        sentence=sentence,
    )


def _chance(p: float) -> str:
    return f"{p:.2g}" if p >= 0.001 else "below 0.001"
