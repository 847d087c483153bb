"""What a gate can look at of a crash: how long the server was away."""

from collections.abc import Iterator

from reports.document import Document
from reports.measure import Metric


def crash_metrics() -> Iterator[Metric]:
    """Yield the metrics of a load in which the server was crashed."""
    yield Metric(
        "crash.recovery", "ns", _recovery, "the server was not crashed, or not seen to come back", under_way=False,
        what="the longest outage after a crash that was meant",
    )   # fmt: skip


def _recovery(document: Document, _: float | None) -> float | None:
    crash = document.load.crash if document.load is not None else None
    return None if crash is None else crash.recovery_ns
