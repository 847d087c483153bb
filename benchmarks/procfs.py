"""What Linux says of a running process: memory, descriptors, threads, processor time."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage(Struct, frozen=True):
    """What one or several processes hold at an instant."""

    rss_kib: int
    descriptors: int
    threads: int
    cpu_s: float


def usage(process_ids: Iterable[int]) -> Usage:
    """Return what these processes hold together. One that has ended holds nothing."""
    found = [Usage(0, 0, 0, 0.0)]
    for process_id in process_ids:
        with suppress(OSError):
            found.append(_usage_of(Path("/proc", str(process_id))))
    return Usage(
        sum(each.rss_kib for each in found),
        sum(each.descriptors for each in found),
        sum(each.threads for each in found),
        sum(each.cpu_s for each in found),
    )


def _usage_of(directory: Path) -> Usage:
    status = dict(line.partition(":")[::2] for line in (directory / "status").read_text().splitlines())
    # After the command's name in parentheses, which may hold anything: utime and stime are fields 14 and 15.
    fields = (directory / "stat").read_text().rpartition(")")[2].split()
    return Usage(
        rss_kib=int(status.get("VmRSS", "0 kB").split()[0]),
        descriptors=len(os.listdir(directory / "fd")),
        threads=int(status["Threads"]),
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS_PER_S,
    )


def children(process_id: int) -> list[int]:
    """Return the processes that a process, by whichever of its threads, has started and that still run."""
    found: list[int] = []
    for thread in Path("/proc", str(process_id), "task").glob("*/children"):
        with suppress(OSError):
            found += map(int, thread.read_text().split())
    return found
