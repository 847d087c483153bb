"""A run as it would be told had its warm-up been longer: what the interval histograms beside it allow to tell."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import structs

from reports.document import Document
from reports.errors import DocumentError
from reports.histogram import Histogram, Interval
from reports.load_result import PhaseResult

_FIELDS = 5      # Tag=NAME, start, length, max, histogram


def read_intervals(path: Path) -> Iterator[Interval]:
    """Yield the intervals of a `.hlog` of ours. DocumentError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"cannot read {path}: {error}") from None
    for line in lines:
        fields = line.split(",")
        if line.startswith("Tag=") and len(fields) == _FIELDS:
            tag, start, length, greatest, encoded = fields
            yield Interval(
                tag.removeprefix("Tag="), float(start), float(length), round(float(greatest) * 1e6), encoded
            )


def without_start(document: Document, intervals: Iterable[Interval], from_s: float) -> Document:
    """Return the document with the response times of each phase only from an instant of the run on.

    Counts and rates stay as they are, and so do service times where they differ: no interval tells them apart.
    """
    load = document.load
    if load is None:
        return document
    until_s = load.warm_up_s + load.steady_s
    times: defaultdict[str, Histogram] = defaultdict(Histogram)
    for interval in intervals:
        if from_s <= interval.start_s < until_s:
            times[interval.tag].merge_encoded(interval.encoded, interval.max_ns)
    phases = {
        name: structs.replace(
            phase, count=times[name].count, response_ns=times[name].quantiles(), response_hdr=times[name].encode()
        ) if name in times else PhaseResult()
        for name, phase in load.phases.items()
    }   # fmt: skip
    return structs.replace(document, load=structs.replace(load, phases=phases))
