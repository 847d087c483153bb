"""What this process has of the machine: processors, open files, memory."""

import ctypes
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

LARGE_OCTETS: Final = 1 << 17             # glibc's own mark, until it is given back a larger block
HEAP_KEPT_OCTETS: Final = 1 << 20         # free at the heap's end: not given back, for it is soon wanted again
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3     # glibc's malloc.h
OPEN_FILES: Final = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")


def raise_open_files_limit(wanted: int = 0) -> int:
    """Raise this process's limit of open files as far as anybody may, and to `wanted` if it is root's; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):      # macOS has "unlimited", and does not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if resource.RLIM_INFINITY != hard < wanted:
        with suppress(OSError, ValueError):  # only root may
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_files_limit() -> int:
    """Return how many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_files(listing: Path = OPEN_FILES) -> int | None:
    """Return how many files, sockets among them, this process has open; None where the system does not tell."""
    try:
        # Since Linux 6.2 the directory's size is their number; to list ten thousands of them takes milliseconds.
        told = listing.stat().st_size if sys.platform == "linux" and listing == OPEN_FILES else 0
        return told or len(os.listdir(listing))
    except OSError:
        return None


def keep_large_blocks_apart() -> bool:
    """Have large blocks mapped, and given back when they are freed; say whether this system's allocator can be told.

    glibc raises its mark to the largest block that it was given back: from then on the arrays that a second's times are
    folded in, 200 KiB each, lie in the heap; what is made meanwhile and outlives them lies in the room they leave, and
    the next one needs new room.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):         # musl, macOS
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGE_OCTETS) and mallopt(_TRIM_THRESHOLD, HEAP_KEPT_OCTETS))


def usable_cpus() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def peak_memory_octets() -> int:
    """Return the most memory this process has had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024      # macOS counts octets, Linux KiB
