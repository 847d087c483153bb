"""Gates as the command line spells them: "smtp.body.response:p99 < 500ms", "errors.share <= 1%", "ledger.lost == 0"."""

import re
from collections.abc import Collection
from typing import Final

from msgspec import structs

from reports.bound import Bound, Comparison
from reports.errors import UserError
from reports.gate import AbortOnBreach, Gate, problems_of
from reports.named_metric import ANYTHING_NAMED, Named
from reports.phases import PROTOCOLS

_SIGNS: Final[dict[str, Comparison]] = {
    "<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "=": "equals", "==": "equals",
    "below": "below", "at most": "at_most", "above": "above", "at least": "at_least", "equals": "equals",
    "exactly": "equals",
}   # fmt: skip
_SPELT: Final[dict[Comparison, str]] = {
    "below": "<", "at_most": "<=", "above": ">", "at_least": ">=", "equals": "==",
}   # fmt: skip
_NUMBER: Final = r"\d+(?:\.\d+)?"
# p99(smtp.body.response) · p99 of smtp.body.response · smtp.body.response:p99
_SUBJECT: Final = re.compile(
    rf"(?:p(?P<p_in>{_NUMBER})|max)\((?P<inner>[^()]+)\)"
    rf"|(?:(?:p(?P<p_of>{_NUMBER})|(?P<max_of>max))\s+of\s+)?(?P<metric>.+?)(?::(?:p(?P<p>{_NUMBER})|(?P<max>max)))?"
)
_WHOLE_SESSIONS: Final = ("response", "service")
_GATE: Final = re.compile(
    r"(?P<subject>[^<>=!]+?)"
    r"(?:\s*(?P<sign><=|>=|==|<|>|=)\s*|\s+(?P<word>below|above|at[ _]most|at[ _]least|equals|exactly)\s+)"
    r"(?P<bound>(?:(?!abort_on_breach)[^<>=])+?)(?:\s+abort_on_breach(?P<how>(?:\s+(?:delay|hold)=\S+)*))?"
)
EXAMPLE: Final = 'a gate looks like "smtp.body.response:p99 < 500ms" or "errors.share <= 1%"'


def gate_of(text: str) -> Gate:
    """Return the gate of one line. UserError when it is none; what it asks for is not looked at (`problems_of`).

    The percentile is `:p99` or `:max` behind the metric, "p99 of" before it as reports write it, or `p99(…)` around it;
    the condition is a sign or the word that a scenario has. `abort_on_breach`, and with it `delay=10s` and `hold=5s`,
    may follow.
    """
    found = _GATE.fullmatch(text.strip())
    if found is None:
        raise UserError(f'cannot read the gate "{text}": {EXAMPLE}')
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


def gates_spelt(
    text: str, named: Named = ANYTHING_NAMED, protocols: Collection[str] = PROTOCOLS
) -> tuple[Gate, ...]:
    """Return the gate of a spelling: one, or one for each protocol where it is "response" or "service" alone.

    These two are the times of whole sessions; `protocols` are those that the load speaks. UserError, also for a gate
    that cannot be judged.
    """
    asked = gate_of(text)
    names = [asked.metric]
    if asked.metric in _WHOLE_SESSIONS:
        names = [f"{protocol}.session.{asked.metric}" for protocol in protocols]
    gates = tuple(structs.replace(asked, metric=name) for name in names)
    for gate in gates:
        if problems := problems_of(gate, named):
            raise UserError(f'the gate "{text}" cannot be judged: {"; ".join(problems)}')
    return gates


def subject_spelt(text: str) -> tuple[str, float | None]:
    """Return metric and percentile of "smtp.body.response:p99", or of one of its other spellings."""
    found = _SUBJECT.fullmatch(text.strip())
    if found is None:
        return text, None
    percentile = found["p"] or found["p_of"] or found["p_in"]
    greatest = found["max"] or found["max_of"] or (found["inner"] and not percentile)
    return found["inner"] or found["metric"], 100.0 if greatest else None if percentile is None else float(percentile)


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
