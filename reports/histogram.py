"""Distributions of times: a thin wrapper around the HdrHistogram library, which has no types of its own.

Nanoseconds go in and come out. From 1 µs to 1 h with three significant digits: a value read back is at most
0.1 % (or 0.5 µs) above what was recorded; the least, the greatest and the mean are exact. About 200 kB each.
"""

import base64
import math
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Self, TextIO

import numpy as np
from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from reports.times import Quantiles

LOWEST_NS: Final = 1_000
HIGHEST_NS: Final = 3_600_000_000_000
SIGNIFICANT_DIGITS: Final = 3
NS_PER_MS: Final = 1_000_000

# Below this many values a plain loop is quicker than the trip through numpy.
_SMALL_BATCH: Final = 32
_TICKS_PER_HALF_DISTANCE: Final = 5  # HdrHistogram's own default for .hgrm

_SETTINGS: Final = (LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
_NOT_OURS: Final = (ValueError, TypeError, IndexError, zlib.error, HdrCookieException, HdrLengthException)
_TAG: Final = re.compile(r"[^\s,=]+")

# The library's layout: buckets of 2**_SUB_BITS counters, each bucket's twice as wide as the one's before.
_LAYOUT: Final = HdrHistogram(*_SETTINGS)
_SHIFT: Final[int] = _LAYOUT.unit_magnitude
_SUB_BITS: Final[int] = _LAYOUT.sub_bucket_half_count_magnitude
_BUCKETS: Final[int] = _LAYOUT.bucket_count
_SUB_BUCKETS: Final[int] = _LAYOUT.sub_bucket_count


def _edges() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the least value each counter counts, and the greatest (ns)."""
    index = np.arange(_LAYOUT.counts_len, dtype=np.int64)
    bucket = np.maximum((index >> _SUB_BITS) - 1, 0)
    width = np.int64(1) << (bucket + _SHIFT)
    least = (index - (bucket << _SUB_BITS)) * width
    return least, least + width - 1


_LEAST, _GREATEST = _edges()


def _middles(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the middle of what each of these counters counts (ns). Of all there are tens of thousands, mostly at 0."""
    middles: NDArray[np.float64] = (_LEAST[indices] + _GREATEST[indices] + 1) / 2
    return middles


class Histogram:
    """A mutable distribution of times in ns."""

    __slots__ = ("_counts", "_hdr", "_max", "_min", "_sum", "count")

    def __init__(self) -> None:
        self._adopt(HdrHistogram(*_SETTINGS))
        self.count = 0
        self._min = HIGHEST_NS
        self._max = 0
        self._sum = 0

    def _adopt(self, hdr: HdrHistogram) -> None:
        self._hdr = hdr
        # The library's own counters, seen as an array: what is added here is what it encodes.
        self._counts: NDArray[np.uint64] = np.frombuffer(hdr.counts, dtype=np.uint64)

    def record(self, value_ns: int) -> None:
        """Count one time. Times over an hour count as an hour; ValueError for a negative one."""
        self.record_many((value_ns,))

    def record_many(self, values_ns: Sequence[int]) -> None:
        """Count many times at once; the larger the batch, the less each costs. ValueError: a negative one.

        An array of 64-bit numbers is read where it lies; of a list each is copied first, which costs as much again.
        """
        count = len(values_ns)
        if count >= _SMALL_BATCH:
            self._record_array(np.asarray(values_ns, dtype=np.int64))
        elif count:
            least, greatest = min(values_ns), max(values_ns)
            if least < 0:
                raise ValueError(_negative(least))
            if greatest > HIGHEST_NS:
                self.record_many([min(value, HIGHEST_NS) for value in values_ns])
                return
            counts = self._hdr.counts  # the same memory, but quicker one by one than numpy's scalars
            for value in values_ns:
                counts[_index_of(value)] += 1
            self._account(count, least, greatest, sum(values_ns))

    def _record_array(self, values: NDArray[np.int64]) -> None:
        least, greatest = int(values.min()), int(values.max())
        if least < 0:
            raise ValueError(_negative(least))
        if greatest > HIGHEST_NS:
            values, greatest = np.minimum(values, HIGHEST_NS), HIGHEST_NS
            least = min(least, HIGHEST_NS)
        found = np.bincount(_indices_of(values))
        self._counts[: len(found)] += found.astype(np.uint64)
        fits = len(values) * greatest < 1 << 63
        self._account(len(values), least, greatest, int(values.sum()) if fits else sum(values.tolist()))

    def _account(self, count: int, least: int, greatest: int, total: int) -> None:
        self.count += count
        self._sum += total
        self._min = self._hdr.min_value = min(self._min, least)
        self._max = self._hdr.max_value = max(self._max, greatest)
        self._hdr.total_count = self.count

    def merge(self, other: "Histogram") -> None:
        """Add everything the other has counted."""
        if other.count:
            self._counts += other._counts
            self._account(other.count, other._min, other._max, other._sum)

    def merge_encoded(self, encoded: str, max_ns: int) -> None:
        """Add what an encoded histogram of ours has counted, and its exact greatest.

        For the few values of one second that is quicker than to decode and merge; for thousands it is slower.
        The least and the mean are then no more exact than the counters are. ValueError when it is not one.
        """
        if not encoded:
            return
        try:
            counted = _counters_of(encoded)
        except _NOT_OURS as exc:
            raise ValueError(f"not an encoded histogram: {exc or type(exc).__name__}") from None
        indices, counts = np.array(list(counted)), np.array(list(counted.values()), dtype=np.uint64)
        self._counts[indices] += counts
        self._account(int(counts.sum()), int(_LEAST[indices[0]]), max_ns, int(counts @ _middles(indices)))

    def __reduce__(self) -> tuple[Callable[[str, int, int, int, int], "Histogram"], tuple[str, int, int, int, int]]:
        """Cross processes, as exact as it is."""
        return _restored, (self.encode(), self.count, self._min, self._max, self._sum)

    def restore(self, encoded: str, count: int, least: int, greatest: int, total: int) -> None:
        """Take the place of the histogram these were of. Only of use to pickle."""
        self.merge_encoded(encoded, greatest)
        self.count, self._min, self._max, self._sum = 0, least, greatest, 0
        self._account(count, least, greatest, total)

    def clear(self) -> None:
        """Forget everything; cheaper than a new one."""
        self._counts[:] = 0
        self.count, self._min, self._max, self._sum = 0, HIGHEST_NS, 0, 0
        self._account(0, HIGHEST_NS, 0, 0)

    def value_at(self, percentile: float) -> int | None:
        """Return the least recorded time (ns) that at least this many percent do not exceed; None: no data.

        The nearest-rank definition: never interpolated, and the 100th is the exact greatest.
        """
        if not 0 <= percentile <= 100:
            raise ValueError(f"a percentile is from 0 to 100, not {percentile}")
        return self.curve([percentile])[0] if self.count else None

    def curve(self, percentiles: Sequence[float]) -> list[int]:
        """Return the time (ns) at each percentile, in one walk; empty when nothing was recorded."""
        if not self.count:
            return []
        # Decimal: 99.9 % of 1,000 is the 999th exactly, whatever binary fractions make of it.
        ranks = [max(1, math.ceil(Decimal(str(p)) * self.count / 100)) for p in percentiles]
        indices = np.searchsorted(np.cumsum(self._counts), np.array(ranks, dtype=np.uint64))
        return [max(self._min, min(self._max, int(value))) for value in _GREATEST[indices]]

    @property
    def max_ns(self) -> int:
        """Return the greatest time, exactly; 0 when nothing was recorded."""
        return self._max

    def quantiles(self) -> Quantiles:
        """Return the distribution in brief; all zero when nothing was recorded."""
        if not self.count:
            return Quantiles()
        p50, p90, p95, p99, p999 = self.curve([50, 90, 95, 99, 99.9])
        mean = self._sum / self.count
        return Quantiles(
            min=self._min, p50=p50, p90=p90, p95=p95, p99=p99, p999=p999, max=self._max, mean=mean
        )

    def encode(self) -> str:
        """Return the histogram in HdrHistogram's V2 format (compressed, base64); "" when it is empty."""
        return str(self._hdr.encode(), "ascii") if self.count else ""

    @classmethod
    def decode(cls, encoded: str) -> Self:
        """Return the histogram that `encode` wrote; ValueError when it is not one.

        The least, greatest and mean are then no more exact than the counters are.
        """
        made = cls()
        if not encoded:
            return made
        try:
            hdr = HdrHistogram.decode(encoded)
        except _NOT_OURS as exc:
            raise ValueError(f"not an encoded histogram: {exc or type(exc).__name__}") from None
        settings = (hdr.lowest_trackable_value, hdr.highest_trackable_value, hdr.significant_figures)
        if settings != _SETTINGS:
            raise ValueError(f"a histogram of another range: {settings}")
        made._adopt(hdr)
        if hdr.total_count:
            held = np.flatnonzero(made._counts)
            total = int(made._counts[held] @ _middles(held))
            made._account(hdr.total_count, hdr.min_value, min(hdr.max_value, HIGHEST_NS), total)
        return made

    def write_hgrm(self, path: Path) -> None:
        """Write the percentile distribution, values in ms, as HdrHistogram's plotters read it. OSError."""
        path.write_text(
            "\n".join((*_hgrm_head(), *self._hgrm_rows(), *self._hgrm_foot(), "")), encoding="ascii"
        )

    def _hgrm_rows(self) -> list[str]:
        """Return a line for each percentile level: five, then five more for every halving of what remains.

        The library can write these too, but needs a quarter of a second for each histogram.
        """
        rows: list[str] = []
        cumulated = np.cumsum(self._counts)
        level, total = 0.0, 0
        while total < self.count:
            rank = max(1, math.ceil(level / 100 * self.count))
            index = int(np.searchsorted(cumulated, np.uint64(rank)))
            total = int(cumulated[index])
            value_ms, share = _GREATEST[index] / NS_PER_MS, level / 100
            rows.append(f"{value_ms:12.3f} {share:2.12f} {total:10d} {1 / (1 - share):14.2f}")
            halvings = math.floor(math.log2(100 / (100 - level))) + 1
            level += 100 / (_TICKS_PER_HALF_DISTANCE * 2**halvings)
        if self.count:
            rows.append(f"{self._max / NS_PER_MS:12.3f} {1:2.12f} {self.count:10d}")
        return rows

    def _hgrm_foot(self) -> tuple[str, ...]:
        mean = self._sum / self.count / NS_PER_MS if self.count else 0.0
        held = np.flatnonzero(self._counts)
        beside = _middles(held) / NS_PER_MS - mean
        spread = math.sqrt(float(self._counts[held] @ beside**2) / self.count) if self.count else 0.0
        return (
            f"#[Mean    = {mean:12.3f}, StdDeviation   = {spread:12.3f}]",
            f"#[Max     = {self._max / NS_PER_MS:12.3f}, Total count    = {self.count:12d}]",
            f"#[Buckets = {_BUCKETS:12d}, SubBuckets     = {_SUB_BUCKETS:12d}]",
        )


def _restored(encoded: str, count: int, least: int, greatest: int, total: int) -> Histogram:
    made = Histogram()
    made.restore(encoded, count, least, greatest, total)
    return made


def _counters_of(encoded: str) -> dict[int, int]:
    """Return the counters that are not zero, by index: what HdrHistogram's V2 format holds.

    It is base64 of a cookie, a length and a zlib stream; in that a header of 40 octets, then LEB128 numbers in
    zigzag: a count, or as many zeros as a negative one says.
    """
    octets = zlib.decompress(base64.b64decode(encoded)[8:])[40:]
    counters: dict[int, int] = {}
    index = number = shift = 0
    for octet in octets:
        number |= (octet & 0x7F) << shift if shift < 56 else octet << shift      # the ninth octet is whole
        if octet & 0x80 and shift < 56:
            shift += 7
            continue
        value = (number >> 1) ^ -(number & 1)
        if value > 0:
            counters[index] = value
        index += 1 if value >= 0 else -value
        number = shift = 0
    return counters


def _hgrm_head() -> tuple[str, ...]:
    return (f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", "")


def _negative(value_ns: int) -> str:
    return f"a time cannot be negative: {value_ns} ns"


def _index_of(value: int) -> int:
    """Return the counter of one value (ns); the same sum as `_indices_of`."""
    bucket = max(value.bit_length() - _SHIFT - _SUB_BITS - 1, 0)
    return (bucket << _SUB_BITS) + (value >> (bucket + _SHIFT))


def _indices_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counters of many values (ns). frexp gives the bit length, exactly below 2**53."""
    bits: NDArray[np.int64] = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    bucket = np.maximum(bits - (_SHIFT + _SUB_BITS + 1), 0)
    indices: NDArray[np.int64] = (bucket << _SUB_BITS) + (values >> (bucket + _SHIFT))
    return indices


@dataclass(frozen=True, slots=True)
class Interval:
    """One histogram of a stretch of the run, ready to be logged: small, and fit to cross processes."""

    tag: str  # what was timed, "smtp.body"
    start_s: float  # from the start of the run
    length_s: float
    max_ns: int
    encoded: str  # Histogram.encode()

    @classmethod
    def of(cls, tag: str, start_s: float, length_s: float, histogram: Histogram) -> Self:
        """Freeze what a histogram holds now."""
        return cls(tag, start_s, length_s, histogram.max_ns, histogram.encode())


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Join the intervals of one tag and one stretch that several processes logged; in order of time, then of tag."""
    gathered: dict[tuple[float, str, float], list[Interval]] = {}
    for interval in intervals:
        gathered.setdefault((interval.start_s, interval.tag, interval.length_s), []).append(interval)
    whole, joined = Histogram(), []
    for (start_s, tag, length_s), parts in sorted(gathered.items()):
        if len(parts) == 1:
            joined += parts
            continue
        whole.clear()
        for part in parts:
            whole.merge_encoded(part.encoded, part.max_ns)
        joined.append(Interval.of(tag, start_s, length_s, whole))
    return joined


class HlogWriter:
    """Writes interval histograms to an open text file in HdrHistogram's log format 1.2 (`.hlog`)."""

    def __init__(self, stream: TextIO, started: datetime) -> None:
        """Write the head of the log. `started` is the run's start; whoever opened the stream closes it."""
        self._stream = stream
        at = f"{started.timestamp():.3f} (seconds since epoch)"
        stream.write(
            "#[mailproof: response times, interval max in ms]\n#[Histogram log format version 1.2]\n"
        )
        stream.write(f"#[StartTime: {at}, {started.astimezone(UTC):%a %b %d %H:%M:%S UTC %Y}]\n")
        stream.write(f"#[BaseTime: {at}]\n")
        stream.write('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n')

    def write(self, interval: Interval) -> None:
        """Log one interval; an empty one is left out. ValueError: the tag holds a space, a comma or `=`."""
        if not _TAG.fullmatch(interval.tag):
            raise ValueError(f"not a tag: {interval.tag!r}")
        if interval.encoded:
            self._stream.write(
                f"Tag={interval.tag},{interval.start_s:.3f},{interval.length_s:.3f},"
                f"{interval.max_ns / NS_PER_MS:.3f},{interval.encoded}\n"
            )
