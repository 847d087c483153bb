"""The journal of one process: its pages of the ledger, gathered while the load goes on and joined after it.

Entering a session costs an append to a list. Once a second the pages become octets, a few at a time, and a thread
appends these to a file, so memory does not grow with the run. Without a directory they stay in memory.
"""

import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import structs

from loadgen.clock import clock_ns
from loadgen.ledger.page import Page, encoded, page_of, pages_in
from loadgen.ledger.writer import Writer
from loadgen.session.trace import Trace
from reports.errors import UserError

AT_ONCE: Final = 32                # pages that are encoded between two checkpoints: a fraction of a millisecond
EVIDENCE_MAX: Final = 256          # changed bodies that are kept; the rest are counted


class Journal:
    """What one process enters in the ledger. A value that crosses processes once it is closed."""

    def __init__(self, path: Path | None = None) -> None:
        self.failure: str | None = None        # why not all of it could be written
        self.origin_ns = 0                     # the run's start on the `clock_ns` of this process
        self.origin_monotonic_ns = 0           # the same on the monotonic clock, which processes share
        self._path = path
        self._writer = None if path is None else Writer(path)
        self._waiting: list[Page] = []
        self._kept = bytearray()               # without a file
        self._evidence = 0

    def begin(self, origin_ns: int) -> None:
        """Note the run's start, which all instants count from."""
        self.origin_ns = origin_ns
        self.origin_monotonic_ns = time.monotonic_ns() - clock_ns() + origin_ns

    def add(self, trace: Trace, *, intended_ns: int = 0, looked: str | None = None, look_ns: int = 0) -> None:
        """Enter what one session sent and what it found; `looked` names the maildrop that it read to the end."""
        page = page_of(trace, intended_ns, looked, look_ns)
        if page is not None:
            self._waiting.append(page)

    def fold(self) -> Iterator[int]:
        """Hand over what was entered, in steps of a fraction of a millisecond; yields how much after each."""
        pages, self._waiting = self._waiting, []
        for start in range(0, len(pages), AT_ONCE):
            octets = b"".join([encoded(self._bounded(page)) for page in pages[start : start + AT_ONCE]])
            if self._writer is None:
                self._kept += octets
            else:
                self._writer.append(octets)
            yield len(octets)

    def close(self) -> None:
        """Hand over the rest, and wait until it is written: the load is over."""
        for _ in self.fold():
            pass                               # there is nobody to give way to
        if self._writer is not None:
            self._writer.close()
            self.failure = self._writer.failure
            self._writer = None

    def pages(self) -> Iterator[Page]:
        """Yield all pages of a closed journal. Raises OSError."""
        if self._path is None:
            yield from pages_in(io.BytesIO(self._kept))
            return
        with self._path.open("rb") as stream:
            yield from pages_in(stream)

    def remove(self) -> None:
        """Delete the file: it has been read."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _bounded(self, page: Page) -> Page:
        """Return a page without the changed bodies that are too many."""
        changed = sum(one.evidence is not None for one in page.retrieved)
        if not changed:
            return page
        self._evidence += changed
        if self._evidence <= EVIDENCE_MAX:
            return page
        return structs.replace(page, retrieved=[structs.replace(one, evidence=None) for one in page.retrieved])


@contextmanager
def journals_in(directory: Path | None) -> Iterator[Path | None]:
    """Give a directory, inside this one, for the journals of a run; it is gone when the run is over. None: none.

    UserError if it cannot be made.
    """
    if directory is None:
        yield None
        return
    try:
        made = tempfile.TemporaryDirectory(dir=directory, prefix=".ledger-")
    except OSError as error:
        raise UserError(f"the ledger cannot be kept in {directory}: {error.strerror}") from None
    with made as name:
        yield Path(name)
