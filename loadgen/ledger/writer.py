"""A thread that appends octets to a file, so that a slow disk never makes the loop wait that keeps the time.

It does nothing but write, and a write lets the interpreter's lock go: what costs processor time is done by whoever
hands the octets over.
"""

import os
import queue
import threading
from pathlib import Path


class Writer:
    """Appends to one file, in order. Once a write has failed, nothing more is written, and `failure` says why."""

    def __init__(self, path: Path) -> None:
        self.failure: str | None = None
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, args=(path,), name="ledger", daemon=True)
        self._thread.start()

    def append(self, octets: bytes) -> None:
        """Have octets appended; returns at once."""
        self._queue.put(octets)

    def close(self) -> None:
        """Wait until everything is written, and end."""
        self._queue.put(None)
        self._thread.join()

    def _write(self, path: Path) -> None:
        try:
            with path.open("ab", buffering=0) as file:
                while (octets := self._queue.get()) is not None:
                    _write_all(file.fileno(), octets)
        except OSError as error:
            self.failure = f"{path}: {error.strerror}"


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
