"""Metrics of what was judged against the RFCs, and of what a comparison found: so many of each verdict."""

from collections.abc import Iterator
from typing import Final, get_args

from reports.compare_result import FindingName
from reports.document import CaseVerdict, Document
from reports.measure import Metric, Read

_VERDICTS: Final[tuple[CaseVerdict, ...]] = get_args(CaseVerdict)
_FINDINGS: Final[tuple[FindingName, ...]] = ("worse", "better")
_DEPARTURES: Final = ("fail", "divergence", "weak", "latitude")


def case_metrics() -> Iterator[Metric]:
    """Yield every metric of verdicts."""
    absent = "no case was run"
    for which in ("planned", "executed"):
        yield Metric(f"cases.{which}", "count", _total(which), absent, question="correct", section="conformance")
    for verdict in _VERDICTS:
        what = "those of the baseline apart" if verdict == "fail" else ""
        yield Metric(
            f"cases.{verdict}", "count", _cases(verdict), absent, question="correct", section="conformance", what=what
        )
    yield Metric(
        "cases.known", "count", _known, absent, question="correct", section="conformance",
        what="failed, and in the baseline",
    )   # fmt: skip
    for verdict in _DEPARTURES:
        yield Metric(
            f"monitors.{verdict}", "count", _departures(verdict), "no reply was held against the RFCs",
            question="correct", under_way=False, what="requirements that replies to the load were seen to break",
        )   # fmt: skip
    for finding in _FINDINGS:
        yield Metric(
            f"comparison.{finding}", "count", _findings(finding), "no metric of enough runs was compared",
            section="comparison", what="metrics shown to be so",
        )   # fmt: skip


def _total(which: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        cases = document.conformance
        return None if cases is None else cases.planned if which == "planned" else cases.executed

    return read


def _cases(verdict: CaseVerdict) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        cases = document.conformance
        if cases is None or not cases.executed:
            return None
        return sum(case.verdict == verdict and (verdict != "fail" or case.known is None) for case in cases.cases)

    return read


def _known(document: Document, _: float | None) -> float | None:
    cases = document.conformance
    if cases is None or not cases.executed:
        return None
    return sum(case.verdict == "fail" and case.known is not None for case in cases.cases)


def _departures(verdict: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        monitors = document.load.monitors if document.load is not None else None
        if monitors is None or not monitors.replies:
            return None
        return sum(each.verdict == verdict for each in monitors.departures)

    return read


def _findings(finding: FindingName) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        compared = document.comparison
        if compared is None or all(each.finding == "too few runs" for each in compared.metrics):
            return None
        return sum(each.finding == finding for each in compared.metrics)

    return read
