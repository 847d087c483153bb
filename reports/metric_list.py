"""Every metric there is, as `mailproof gate --list` shows it."""

from collections.abc import Iterator
from typing import Final

from reports.gate_spelt import text_of
from reports.measure import Metric, Question, Unit
from reports.metric import fixed_metrics
from reports.named_metric import FAMILIES
from reports.phases import PHASES, PROTOCOLS
from reports.preset import PRESETS

_UNITS: Final[dict[Unit, str]] = {"ns": "time", "count": "count", "share": "share", "per_s": "per second"}
_QUESTIONS: Final[dict[Question, str]] = {
    "fast_enough": "Is it fast enough? (a gate that fails: 1)",
    "correct": "Is it correct? (a gate that fails: 1)",
    "valid": "Can the run be believed? (a gate that fails: 3)",
}
_HEAD: Final = """\
What a gate can look at. Of a time say which percentile: smtp.body.response:p99 < 500ms, or :max.
Times and rates are of the steady phase (*), counts and shares of the whole run.
"""


def metric_list() -> str:
    """Return the list as text."""
    return "\n".join([_HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    metrics = list(fixed_metrics())
    for question, words in _QUESTIONS.items():
        yield words
        if question == "fast_enough":
            yield _line("<phase>.response", "time *", "from the instant a phase was due; phases below")
            yield _line("<phase>.service", "time *", "from the instant it began")
            for name, what in FAMILIES.items():
                unit = "share" if name.endswith(".share") else "time *" if name.endswith(".response") else "count"
                yield _line(name, unit, what)
        yield from (_of(metric) for metric in metrics if metric.question == question)
        yield ""
    yield "Phases, and whatever steps of its own a scenario names"
    for protocol in PROTOCOLS:
        parts = (phase.removeprefix(f"{protocol}.") for phase in PHASES if phase.startswith(f"{protocol}."))
        yield f"  {protocol}: {' '.join(parts)}"
    yield ""
    yield "Presets"
    for name, gates in PRESETS.items():
        yield f"  {name}"
        yield from (f"    {text_of(gate)}" for gate in gates)


def _of(metric: Metric) -> str:
    unit = f"{_UNITS[metric.unit]}{' *' if metric.steady else ''}"
    return _line(metric.name, unit, metric.what)


def _line(name: str, unit: str, what: str) -> str:
    return f"  {name:<36} {unit:<13} {what}".rstrip()
