"""A run's interval histograms, kept in a file of its own while it runs: some of them come every second, for days."""

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import IO

import msgspec

from reports.histogram import Interval


class IntervalLog:
    """Intervals in the order in which they came. Its memory does not grow with them; its file goes with it."""

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()       # noqa: SIM115  lives as long as this does
        weakref.finalize(self, self._file.close)
        self._encoder = msgspec.json.Encoder()
        self._count = 0
        self.extend(intervals)

    def append(self, interval: Interval) -> None:
        """Add one at the end."""
        self._file.write(self._encoder.encode(interval) + b"\n")
        self._count += 1

    def extend(self, intervals: Iterable[Interval]) -> None:
        """Add some at the end."""
        for interval in intervals:
            self.append(interval)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Interval]:
        """Give all there are now. Nothing may be added meanwhile."""
        self._file.seek(0)
        decoder = msgspec.json.Decoder(Interval)
        for line in self._file:
            yield decoder.decode(line)
        assert self._file.tell() == self._file.seek(0, 2), "added to while it was read"

    def __reduce__(self) -> tuple[type["IntervalLog"], tuple[list[Interval]]]:
        """Cross processes as a list: files do not."""
        return IntervalLog, (list(self),)
