"""The condition of a generator of several processes: that of its worst, and never one sick process among well ones."""

from collections.abc import Sequence
from heapq import nlargest

from msgspec import structs

from loadgen.engine.health.heartbeat import PAUSES_KEPT
from reports.health import Health, InFlight
from reports.histogram import Histogram


def worst_of(parts: Sequence[Health], schedule_lag: Histogram) -> Health:
    """Return of each sign the worst; schedule lag and memory are those of all together, and so are the counts."""
    pauses = nlargest(PAUSES_KEPT, (pause for part in parts for pause in part.pauses), key=lambda each: each.length_ns)
    return structs.replace(
        max(parts, key=lambda part: part.loop_lag_ns.p99),
        schedule_lag_ns=schedule_lag.quantiles(),
        schedule_lag_hdr=schedule_lag.encode(),
        longest_pause_ns=max(part.longest_pause_ns for part in parts),
        pauses=tuple(pauses),
        pauses_count=sum(part.pauses_count for part in parts),
        cpu_share=max(part.cpu_share for part in parts),
        open_files_max=max((part.open_files_max for part in parts if part.open_files_max is not None), default=None),
        in_flight=_together([part.in_flight for part in parts if part.in_flight is not None]),
        gc_pause_ns_max=max(part.gc_pause_ns_max for part in parts),
        gc_pause_ns_sum=sum(part.gc_pause_ns_sum for part in parts),
        gc_collections=sum(part.gc_collections for part in parts),
        rss_octets_max=sum(part.rss_octets_max for part in parts),
    )


def _together(parts: Sequence[InFlight]) -> InFlight | None:
    """Return Little's law for all processes: numbers in flight add, and so do the variances of what was seen."""
    if not parts:
        return None
    return InFlight(
        looks=sum(part.looks for part in parts),
        seen=sum(part.seen for part in parts),
        seen_variance=sum(part.seen_variance for part in parts),
        recorded=sum(part.recorded for part in parts),
    )
