"""Ctrl-C (and SIGTERM) when the load is over: the first leaves the report to be made, the second ends that too."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Final, Self

import trio

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
STILL_MADE: Final = "interrupted: the report is still made; once more stops at once"


class Interrupts:
    """What signals do while nobody in trio listens for them: set `stop`, and then end the making of the report.

    Python's own handler would raise at the first, wherever it finds us: amid a result that is half written.
    """

    def __init__(self) -> None:
        self.stop = trio.Event()                                        # somebody has had enough
        self.note: Callable[[str], None] = lambda _: None               # is told what the first one does
        self._at_once = self._making = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._heed) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def ending_it(self) -> Iterator[None]:
        """Have a second signal end what is done meanwhile, by KeyboardInterrupt; at once, if it has come."""
        self._making = True
        try:
            if self._at_once:
                raise KeyboardInterrupt
            yield
        finally:
            self._making = False

    def _heed(self, _number: int, _frame: FrameType | None) -> None:
        if not self.stop.is_set():
            self.stop.set()
            self.note(STILL_MADE)
            return
        self._at_once = True
        if self._making:
            raise KeyboardInterrupt
