"""What this process has of the machine: processors, open files, memory."""

import os
import resource
import sys
from contextlib import suppress


def raise_open_files_limit() -> int:
    """Raise this process's limit of open files as far as the system lets it; return what it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):      # macOS has "unlimited", and does not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def usable_cpus() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def peak_memory_octets() -> int:
    """Return the most memory this process has had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024      # macOS counts octets, Linux KiB
