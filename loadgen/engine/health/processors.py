"""The machine's processors: how busy they were, with whatever, and what a hypervisor took (/proc/stat)."""

from dataclasses import dataclass

from reports.machine import Processors

# The columns of a "cpu" line, proc_stat(5); guest time is part of user time and would count twice.
_COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_IDLE = ("idle", "iowait")


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Clock ticks since the machine started, of all its processors together."""

    cpus: int
    busy: int
    steal: int
    total: int


def processor_times(text: str | None) -> ProcessorTimes | None:
    """Return what /proc/stat tells; None if that is nothing."""
    lines = [line.split() for line in (text or "").splitlines() if line.startswith("cpu")]
    whole = next((line[1:] for line in lines if line[0] == "cpu"), [])
    if len(whole) < len(_COLUMNS) or not all(each.isdigit() for each in whole):
        return None
    ticks = dict(zip(_COLUMNS, map(int, whole), strict=False))
    total, steal = sum(ticks.values()), ticks["steal"]
    return ProcessorTimes(len(lines) - 1, total - steal - sum(ticks[name] for name in _IDLE), steal, total)


def between(first: ProcessorTimes | None, last: ProcessorTimes | None) -> Processors | None:
    """Return how many processors were busy on the average between two looks; None if they tell nothing."""
    if first is None or last is None or last.total <= first.total:
        return None
    per_tick = last.cpus / (last.total - first.total)
    return Processors(
        cpus=last.cpus,
        busy=max(0.0, (last.busy - first.busy) * per_tick),
        steal=max(0.0, (last.steal - first.steal) * per_tick),
    )
