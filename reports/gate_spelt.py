"""Gates as the command line spells them: "p99(smtp.body.response)<500ms", "errors.share<=1%", "ledger.lost==0"."""

import re
from collections.abc import Collection
from typing import Final

from reports.errors import UserError
from reports.gate import Bound, Comparison, Gate, problems_of
from reports.named_metric import ANYTHING_NAMED, Named
from reports.phases import PROTOCOLS

EXAMPLE: Final = 'a gate looks like "p99(response)<2s", "errors.share<1%" or "messages.accepted.per_s>=100"'
_SPELT: Final = re.compile(
    r"(?:p(?P<percentile>\d+(?:\.\d+)?)\((?P<of>[^()\s]+)\)|max\((?P<max>[^()\s]+)\)|(?P<name>[^()<>=\s]+))"
    r"\s*(?P<sign><=|>=|==|<|>|=)\s*(?P<bound>[^<>=\s][^<>=]*)"
)
_SIGNS: Final[dict[str, Comparison]] = {
    "<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "=": "equals", "==": "equals",
}   # fmt: skip
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_WHOLE_SESSIONS: Final = ("response", "service")


def gates_spelt(
    text: str, named: Named = ANYTHING_NAMED, protocols: Collection[str] = PROTOCOLS
) -> tuple[Gate, ...]:
    """Return the gate of a spelling: one, or one for each protocol where it is "response" or "service" alone.

    These two are the times of whole sessions; `protocols` are those that the load speaks. UserError.
    """
    found = _SPELT.fullmatch(text.strip())
    if found is None:
        raise UserError(f'cannot read the gate "{text}": {EXAMPLE}')
    name = found["of"] or found["max"] or found["name"]
    percentile = 100.0 if found["max"] else float(found["percentile"]) if found["percentile"] else None
    names = [f"{protocol}.session.{name}" for protocol in protocols] if name in _WHOLE_SESSIONS else [name]
    gates = tuple(_gate(each, percentile, _SIGNS[found["sign"]], _bound(found["bound"].strip())) for each in names)
    for gate in gates:
        if problems := problems_of(gate, named):
            raise UserError(f'the gate "{text}" cannot be judged: {"; ".join(problems)}')
    return gates


def _bound(text: str) -> Bound:
    return float(text) if _NUMBER.fullmatch(text) else text


def _gate(metric: str, percentile: float | None, comparison: Comparison, bound: Bound) -> Gate:
    match comparison:
        case "below":
            return Gate(metric=metric, percentile=percentile, below=bound)
        case "above":
            return Gate(metric=metric, percentile=percentile, above=bound)
        case "at_most":
            return Gate(metric=metric, percentile=percentile, at_most=bound)
        case "at_least":
            return Gate(metric=metric, percentile=percentile, at_least=bound)
        case "equals":
            return Gate(metric=metric, percentile=percentile, equals=bound)
