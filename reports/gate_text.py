"""A gate in one line, as the command line takes it: `smtp.body.response:p99 < 500ms`."""

import re
from typing import Final

from msgspec import structs

from reports.bound import Bound, Comparison
from reports.errors import UserError
from reports.gate import AbortOnBreach, Gate

_SIGNS: Final[dict[str, Comparison]] = {
    "<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "=": "equals", "==": "equals",
    "below": "below", "at most": "at_most", "above": "above", "at least": "at_least", "equals": "equals",
    "exactly": "equals",
}   # fmt: skip
_SPELT: Final[dict[Comparison, str]] = {
    "below": "<", "at_most": "<=", "above": ">", "at_least": ">=", "equals": "==",
}   # fmt: skip
_NUMBER: Final = r"\d+(?:\.\d+)?"
_SUBJECT: Final = re.compile(
    rf"(?:(?:p(?P<p_of>{_NUMBER})|(?P<max_of>max))\s+of\s+)?(?P<metric>.+?)(?::(?:p(?P<p>{_NUMBER})|(?P<max>max)))?"
)
_GATE: Final = re.compile(
    r"(?P<subject>[^<>=!]+?)"
    r"(?:\s*(?P<sign><=|>=|==|<|>|=)\s*|\s+(?P<word>below|above|at[ _]most|at[ _]least|equals|exactly)\s+)"
    r"(?P<bound>(?:(?!abort_on_breach)[^<>=])+?)(?:\s+abort_on_breach(?P<how>(?:\s+(?:delay|hold)=\S+)*))?"
)
EXAMPLE: Final = 'one looks like "smtp.body.response:p99 < 500ms" or "errors.share <= 1%"'


def gate_of(text: str) -> Gate:
    """Return the gate of one line. UserError when it is none; what it asks for is not looked at (`problems_of`).

    The percentile is `:p99` or `:max` behind the metric, or "p99 of" before it, as reports write it; the condition is a
    sign or the word that a scenario has. `abort_on_breach`, and with it `delay=10s` and `hold=5s`, may follow.
    """
    found = _GATE.fullmatch(text.strip())
    if found is None:
        raise UserError(f'not a gate: "{text}"; {EXAMPLE}')
    metric, percentile = subject_spelt(found["subject"])
    sign = found["sign"] or found["word"].replace("_", " ")
    gate = Gate(metric=metric, percentile=percentile)
    gate = structs.replace(gate, **{_SIGNS[sign]: _bound(found["bound"])})
    if found["how"] is None:
        return gate
    how = dict(part.split("=", 1) for part in found["how"].split())
    return structs.replace(gate, abort_on_breach=AbortOnBreach(**how))


def text_of(gate: Gate) -> str:
    """Return the line that `gate_of` reads as this gate. It has exactly one condition."""
    [(comparison, bound)] = gate.conditions()
    abort = gate.abort_on_breach
    how = "" if abort is None else f" abort_on_breach delay={abort.delay} hold={abort.hold}"
    return f"{spelling_of(gate.metric, gate.percentile)} {_SPELT[comparison]} {bound}{how}"


def subject_spelt(text: str) -> tuple[str, float | None]:
    """Return metric and percentile of "smtp.body.response:p99", or of "p99 of smtp.body.response"."""
    found = _SUBJECT.fullmatch(text.strip())
    if found is None:
        return text, None
    percentile = found["p"] or found["p_of"]
    if found["max"] or found["max_of"]:
        return found["metric"], 100.0
    return found["metric"], None if percentile is None else float(percentile)


def spelling_of(metric: str, percentile: float | None) -> str:
    """Return what `subject_spelt` reads so."""
    if percentile is None:
        return metric
    return f"{metric}:{'max' if percentile == 100 else f'p{percentile:.12g}'}"


def _bound(text: str) -> Bound:
    """Return a number as one, and all else as the text that it is."""
    if not re.fullmatch(rf"-?{_NUMBER}", text):
        return text
    return float(text) if "." in text else int(text)
