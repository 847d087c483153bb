"""The signs of the generator's own health: what was measured, what is allowed, and where it is too much, what to do.

One list serves the verdict, the summary and the report, so none of them can know of a doubt the others do not show.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from reports import units
from reports.arrival_check import ArrivalCheckResult
from reports.health import Health, InFlight, Pause
from reports.load_result import LoadResult
from reports.machine_signs import machine_signs
from reports.sign import NOT_KNOWN, Sign

# A session started later than this says more of the generator than of the server: it is what people begin to notice.
# On a shared machine of two cores a run that disturbed nothing was seen to be 70 ms late (DECISIONS.md, 9).
LAG_NS_P99_MAX: Final = 100_000_000
# One process is one core: nearer to 1.0 than this, the server was waiting for the generator.
CPU_SHARE_MAX: Final = 0.95
CPU_SHARE_AMPLE: Final = 0.6           # a process that used no more could have used more, had it been let
PAUSE_NS_MAX: Final = 200_000_000      # unless the scenario allows more
LOOKS_MIN: Final = 20                  # looks at the sessions in flight: with fewer chance does anything
LITTLE_SHARE_MAX: Final = 0.10         # how far the two sides of Little's law may be apart,
LITTLE_CHANCE: Final = 4.0             # or so many standard errors of the looks, whichever is more


@dataclass(frozen=True, slots=True)
class Process:
    """One generator process, by the name a sentence gives it."""

    name: str                     # "the generator", "worker 2 of 3"
    health: Health


def signs(load: LoadResult, cpus: int | None = None) -> Iterator[Sign]:
    """Yield every sign; `cpus` is how many processors the generator could use, if that is known."""
    processes = processes_of(load)
    more = _more_processes(len(processes), cpus)
    yield _pauses(load, processes, more)          # first, for it explains the lags
    if load.model == "open":
        yield _lag("schedule lag", "started its sessions late", processes, more, lambda each: each.schedule_lag_ns.p99)
    yield _lag("timers", "was late for its timers", processes, more, lambda each: each.loop_lag_ns.p99)
    yield _processor(processes, more)
    if load.arrival_check is not None:
        busiest = max(processes, key=lambda each: each.health.cpu_share)
        yield from _arrivals(load.arrival_check, _remedy(busiest, more))
    yield _in_flight(load.health.in_flight)
    yield from _process_facts(load.health)
    if load.machine is not None:
        yield from machine_signs(load.machine, [each.health for each in processes])


def processes_of(load: LoadResult) -> Sequence[Process]:
    """Return each generator process of which there are books."""
    if not load.workers:
        return [Process("the generator", load.health)]
    count = len(load.workers)
    return [
        Process(f"worker {worker.worker} of {count}", worker.health) for worker in load.workers if worker.lost is None
    ] or [Process("the generator", load.health)]


def _more_processes(processes: int, cpus: int | None) -> str:
    """Return what to do when the processor is the limit: the end of a sentence."""
    if cpus is None or processes < cpus:
        return f"lower the load, or share it out among more processes (--workers {processes + 1})"
    return f"lower the load, or generate it on a machine with more than {units.processors(cpus)}"


def _remedy(process: Process, more: str) -> str:
    """Return what to do about lateness: a process with processor time to spare was kept from it by others."""
    if process.health.cpu_share > CPU_SHARE_AMPLE:
        return more
    used = units.share(process.health.cpu_share)
    return f"it used {used} of a core, so others held the processor: give the generator one, or a machine, of its own"


def _lag(
    name: str, did: str, processes: Sequence[Process], more: str, p99_ns: Callable[[Health], int]
) -> Sign:
    """Judge a lag by the worst process: one late worker among punctual ones is late all the same."""
    worst = max(processes, key=lambda each: p99_ns(each.health))
    lag, limit = units.duration(p99_ns(worst.health)), units.duration(LAG_NS_P99_MAX)
    doubt = None
    if p99_ns(worst.health) > LAG_NS_P99_MAX:
        doubt = f"{worst.name} {did}: p99 {lag}, at most {limit} is allowed; {_remedy(worst, more)}"
    return Sign(f"{name}, p99", lag, f"at most {limit}", doubt, _of_worst(processes, "the latest"))


def _pauses(load: LoadResult, processes: Sequence[Process], more: str) -> Sign:
    """Judge pauses: a single one voids the run."""
    limit = units.duration(load.pause_max_ns)
    allowed, note = f"below {limit}", _of_worst(processes, "the longest")
    if load.pause_max_ns > PAUSE_NS_MAX:
        note = f"the scenario allows more than {units.duration(PAUSE_NS_MAX)} (load.pause_max)"
    longest = max(processes, key=lambda each: each.health.longest_pause_ns)
    measured = units.duration(longest.health.longest_pause_ns)
    paused = [each for each in processes if each.health.pauses]
    if not paused:
        return Sign("longest pause", measured, allowed, None, note)
    worst = max(paused, key=lambda each: each.health.pauses[0].length_ns)
    pause, others = worst.health.pauses[0], sum(each.health.pauses_count for each in processes) - 1
    again = f" (and {units.count(others)} more {'time' if others == 1 else 'times'})" if others else ""
    why, what_to_do = _cause(pause, more)
    doubt = (
        f"{worst.name} stood still for {units.duration(pause.length_ns)}, {units.duration(pause.at_ns)} after the "
        f"start{again}; only pauses below {limit} are allowed (load.pause_max): {why}; {what_to_do}"
    )
    return Sign("longest pause", measured, allowed, doubt, note)


def _cause(pause: Pause, more: str) -> tuple[str, str]:
    """Return what kept the process, and what to do about it."""
    if 2 * pause.collector_ns >= pause.length_ns:
        return "it was collecting garbage", "lower the number of sessions of one process (--workers)"
    if 2 * pause.busy_ns >= pause.length_ns:
        return "its own work kept the processor busy", more
    busy = f"it had the processor for {units.duration(pause.busy_ns)} of that time, so it was stopped or kept waiting"
    return busy, "give the generator a processor, or a machine, of its own"


def _processor(processes: Sequence[Process], more: str) -> Sign:
    busiest = max(processes, key=lambda each: each.health.cpu_share)
    used, limit = units.share(busiest.health.cpu_share), units.share(CPU_SHARE_MAX)
    doubt = None
    if busiest.health.cpu_share > CPU_SHARE_MAX:
        doubt = f"{busiest.name} was saturated: it used {used} of a processor core, at most {limit} is allowed; {more}"
    return Sign(
        "processor", f"{used} of a core", f"at most {limit}", doubt, _of_worst(processes, "the busiest")
    )


def _arrivals(check: ArrivalCheckResult, what_to_do: str) -> Iterator[Sign]:
    """Judge the arrival process, once for its rate and once for its spacing, but say all of it in one doubt."""
    doubt, note = None, ""
    if not check.holds and check.drawn_holds:
        doubt = f"the generator did not deliver the arrivals that were configured: {check.sentence}; {what_to_do}"
    elif not check.holds:
        note = "the seed's own instants are as unlikely as this: no fault of the generator's; choose another seed"
    ratio, dispersion = check.ratio, check.dispersion
    yield Sign(
        "arrivals",
        f"{units.count(check.delivered)} of {units.count(check.configured)} ({100 * ratio.value:.1f} %)",
        f"{100 * ratio.low:.1f} % to {100 * ratio.high:.1f} %", doubt, note,
    )   # fmt: skip
    spacing = "the index of dispersion: near 0 for even arrivals, 1 for independent ones, above for bursts"
    if dispersion is None:
        yield Sign("their spacing", NOT_KNOWN, note=f"too few seconds to tell ({check.windows})")
    else:
        yield Sign("their spacing", f"{dispersion.value:.2f}", f"{dispersion.low:.2f} to {dispersion.high:.2f}",
                   note=spacing)   # fmt: skip


def _in_flight(found: InFlight | None) -> Sign:
    """Judge Little's law: sessions counted by looking against sessions that the books tell of."""
    name = "in flight, seen and recorded"
    if found is None:
        return Sign(name, NOT_KNOWN)
    measured = f"{units.mean(found.seen)} and {units.mean(found.recorded)}"
    if found.looks < LOOKS_MIN:
        return Sign(name, measured, note=f"{found.looks} looks are too few to judge")
    allowed = max(LITTLE_SHARE_MAX * max(found.seen, found.recorded), LITTLE_CHANCE * sqrt(found.seen_variance))
    doubt = None
    if abs(found.seen - found.recorded) > allowed:
        doubt = (
            f"the books do not describe what happened (Little's law): on the average of {units.count(found.looks)} "
            f"looks {units.mean(found.seen)} sessions were in flight, by the recorded sessions "
            f"{units.mean(found.recorded)}, and at most {units.mean(allowed)} apart is allowed; "
            "run it again, and if this comes again, report it as a bug, with result.json"
        )
    note = f"Little's law: {units.count(found.looks)} looks at random instants, against throughput times time"
    return Sign(name, measured, f"at most {units.mean(allowed)} apart", doubt, note)


def _process_facts(health: Health) -> Iterator[Sign]:
    longest, whole = units.duration(health.gc_pause_ns_max), units.duration(health.gc_pause_ns_sum)
    collections = units.count(health.gc_collections)
    note = f"{collections} collections took {whole} together"
    yield Sign("garbage collector", f"{longest} at the longest", note=note)
    if health.open_files_max is None:
        yield Sign("open files", NOT_KNOWN)
    else:
        limit = "" if health.open_files_limit is None else f" of {units.count(health.open_files_limit)}"
        note = "sockets too, at the peak; looked at every second"
        yield Sign("open files", f"{units.count(health.open_files_max)}{limit}", note=note)
    if health.rss_octets_max:
        yield Sign("memory", f"{units.octets(health.rss_octets_max)} at the peak")
    if health.lane:
        lane, _, why = health.lane.partition(": ")
        yield Sign("lane", lane, note=why or "deliveries that go as hoped are led by compiled code")


def _of_worst(processes: Sequence[Process], which: str) -> str:
    return f"{which} of {len(processes)} processes" if len(processes) > 1 else ""
