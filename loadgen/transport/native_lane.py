"""Whether there is a native lane: `native.pyx`, built where the package is installed with a C compiler at hand.

`mailing.pyx`, which puts together what series say on it, is built with it, and shares its checksum. Without them all
goes the ordinary way, with the same results and at more cost.
"""

import os
import time
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from loadgen.transport.native import Lanes

SWITCH: Final = "MAILPROOF_LANE"      # "python": not the native lane, for comparing the two
PARTS: Final = (
    "transport/native.pyx", "transport/system.pxd", "transport/heard.pxi", "transport/lanes.pxi", "transport/tally.pxi",
    "session/mailing.pyx",
)
_CLOCK: Final = "clock_gettime(CLOCK_MONOTONIC)"


@cache
def why_not_native() -> str | None:
    """Say why there is no native lane here; None: there is one."""
    if os.environ.get(SWITCH) == "python":
        return f"{SWITCH}=python"
    module = _module()
    if module is None:
        return "it was not built: install again where there are a C compiler and Python's headers"
    if checksum() not in {None, module.source_checksum}:
        return "it was built from another source than lies beside it: run `make` again"
    if time.get_clock_info("perf_counter").implementation != _CLOCK:
        return f"the clock here is not {_CLOCK}"
    return None


def checksum() -> int | None:
    """Return the checksum of the native lane's source, as hatch_build.py takes it; None: it is not here."""
    parts = [Path(__file__).parents[1] / part for part in PARTS]
    return zlib.crc32(b"".join([part.read_bytes() for part in parts])) if parts[0].exists() else None


def lane_in_words() -> str:
    """Return which lane there is for the result of a run: `native`, or `python: ` and why."""
    why_not = why_not_native()
    return "native" if why_not is None else f"python: {why_not}"


def native_lanes(epoll: int, earlier: Callable[[float], None]) -> "Lanes | None":
    """Return the native lanes of an epoll; None: there are none, or the run's clock is not the one that they read.

    `earlier` is told of each deadline that is earlier than all since the last sweep.
    """
    clock = trio.lowlevel.current_clock()
    offset = getattr(clock, "offset", None) if type(clock).__name__ == "SystemClock" else None
    if why_not_native() is not None or not isinstance(offset, float):
        return None
    module = _module()
    assert module is not None, "why_not_native has looked"
    lanes: Lanes = module.Lanes(epoll, offset, earlier)
    return lanes


def _module() -> ModuleType | None:
    try:
        from loadgen.transport import native  # noqa: PLC0415  it may not be there
    except ImportError:
        return None
    return native
