"""What of two sets of runs is compared: which metrics, and which way each of them is worse."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.compare_result import Worse
from reports.document import Document
from reports.errors import UserError
from reports.gate import subject_of
from reports.gate_spelt import subject_spelt
from reports.measure import IN_BRIEF, Metric
from reports.metric import LEDGER_COUNTS, known_metrics, metric_named
from reports.named_metric import ANYTHING_NAMED
from reports.phases import PROTOCOLS, in_order

_SHOWN_PERCENTILES: Final = (50.0, 99.0)
# Elsewhere the two times are the same: only these are due at an instant of the schedule.
_DUE: Final = (".connect", ".session")
_COUNTS: Final = (
    "sessions.accepted.per_s", "messages.accepted.per_s", "messages.retrieved.per_s", "errors.share",
    "sessions.refused.share",
)   # fmt: skip
_GATED_COUNTS: Final = ("messages.accepted.per_s", "messages.retrieved.per_s", "errors.share")
_LESS_IS_WORSE: Final = re.compile(
    r"(sessions|messages)\.(accepted|retrieved)(\.share|\.per_s)?|sessions\.per_s|ledger\.delivered_once(\.share)?|goodput"
)
_MORE_IS_WORSE: Final = re.compile(
    r".*\.(response|service|delay)|end_to_end|errors(\.share|\.per_s)?|failures\..*|session\..*\.errors\.share"
    r"|sessions\.(refused|failed|timed_out|dropped)(\.share|\.per_s)?|messages\.refused(\.per_s)?"
    r"|ledger\.(?!sent|accepted|delivered_once|duplicate_lawful|ambiguous_arrived|reordered).*"
    r"|replies\.(.*\.)?([45]..|[45]\.[0-9]+\.[0-9]+|-ERR)(\.share)?"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a run."""

    metric: Metric
    percentile: float | None = None

    @property
    def subject(self) -> str:
        """Return its name as people read it."""
        return subject_of(self.metric.name, self.percentile)

    @property
    def worse(self) -> Worse | None:
        """Say which way is worse; None where neither is."""
        if _LESS_IS_WORSE.fullmatch(self.metric.name):
            return "less"
        return "more" if _MORE_IS_WORSE.fullmatch(self.metric.name) else None

    def read(self, document: Document) -> float | None:
        """Return the number of this run; None when it has no data."""
        brief = self._read_in_brief(document)
        return brief if brief is not None else self.metric.read(document, self.percentile)

    def _read_in_brief(self, document: Document) -> float | None:
        """Return what the document says beside its histograms: to unpack one takes 10 ms, and there are hundreds."""
        of, _, what = self.metric.name.rpartition(".")
        if document.load is None or what not in ("response", "service") or self.percentile not in IN_BRIEF:
            return None
        phases, sessions = document.load.phases, document.load.session_times
        result = sessions.get(of.removeprefix("session.")) if of.startswith("session.") else phases.get(of)
        if result is None or not result.count:
            return None
        times = result.response_ns if what == "response" else result.service_ns
        value: float = getattr(times, IN_BRIEF[self.percentile])
        return value


def measure_spelt(text: str) -> Measure:
    """Return the measure of a spelling such as "smtp.body.response:p99" or "errors.share". UserError."""
    name, percentile = subject_spelt(text)
    metric = metric_named(name, ANYTHING_NAMED)
    if metric is None:
        near = difflib.get_close_matches(name, known_metrics(), n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else "one looks like smtp.body.response:p99 or errors.share"
        raise UserError(f'unknown metric "{text}"; {hint}')
    if metric.takes_percentile != (percentile is not None):
        raise UserError(
            f"{metric.name} is a distribution: say which percentile, as in {metric.name}:p99"
            if metric.takes_percentile
            else f"{metric.name} is one number and takes no percentile"
        )
    if percentile is not None and not 0 < percentile <= 100:
        raise UserError(f"a percentile is above 0 and at most 100; got {text}")
    return Measure(metric, percentile)


def shown_measures(documents: Sequence[Document]) -> Iterator[Measure]:
    """Yield what is shown of these runs: whatever any of them has data for."""
    for measure in _all_measures(documents):
        if any(measure.read(document) is not None for document in documents):
            yield measure


def gated_measures(documents: Sequence[Document]) -> Iterator[Measure]:
    """Yield what a gate is on when no metric is named: few, since each makes the others harder to show."""
    for protocol in PROTOCOLS:
        for percentile in _SHOWN_PERCENTILES:
            yield from _if_measured(_measure(f"{protocol}.session.response", percentile), documents)
    for name in _GATED_COUNTS:
        measure = _measure(name)
        values = [measure.read(document) for document in documents]
        if any(values) or (name == "errors.share" and any(value is not None for value in values)):
            yield measure


def _all_measures(documents: Sequence[Document]) -> Iterator[Measure]:
    loads = [document.load for document in documents if document.load is not None]
    for phase in in_order({phase for load in loads for phase in load.phases}):
        for what in ("response", "service") if phase.endswith(_DUE) else ("response",):
            for percentile in _SHOWN_PERCENTILES:
                yield _measure(f"{phase}.{what}", percentile)
    kinds = list(dict.fromkeys(name for load in loads for name in load.session_times))
    for name in kinds if len(kinds) > 1 else ():
        for percentile in _SHOWN_PERCENTILES:
            yield _measure(f"session.{name}.response", percentile)
    for name in _COUNTS:
        measure = _measure(name)
        if name.endswith(".share") or any(measure.read(document) for document in documents):
            yield measure
    for name in LEDGER_COUNTS:
        measure = _measure(f"ledger.{name}")
        if any(measure.read(document) for document in documents):
            yield measure


def _if_measured(measure: Measure, documents: Sequence[Document]) -> Iterator[Measure]:
    if any(measure.read(document) is not None for document in documents):
        yield measure


def _measure(name: str, percentile: float | None = None) -> Measure:
    metric = metric_named(name, ANYTHING_NAMED)
    assert metric is not None, name
    return Measure(metric, percentile)
