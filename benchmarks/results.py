"""RESULTS.md: made anew from everything that is kept, whatever was measured when."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.alarm_record import FALSE_MAX, FOUND_MIN, AlarmRecord
from benchmarks.capacity_record import CLOSE, CapacityRecord
from benchmarks.comparison import Comparison
from benchmarks.figures import OURS, Record, Spread
from benchmarks.machine import Machine
from benchmarks.prose import ALARM, CAPACITY, GROUPS, HEAD, SOAK
from benchmarks.soak_record import SoakRecord
from benchmarks.trend import S_PER_HOUR, Slope

CURVE_METRICS = 2          # of a record's metrics, the first: the rate and the cost under load
BUSY_LOAD = 2.5            # of our own making is some 1.5: a client, a server
Records = dict[str, Record]


def render(
    comparisons: Sequence[Comparison], records: Records, machine: Machine | None, soak: SoakRecord | None,
    alarm: AlarmRecord | None = None, known: CapacityRecord | None = None,
) -> str:  # fmt: skip
    """Return the whole page. A comparison without a record, and a peer that did not run, are named with the reason."""
    return "\n".join([*_page(comparisons, records, machine, soak, alarm, known)]) + "\n"


def _page(
    comparisons: Sequence[Comparison], records: Records, machine: Machine | None, soak: SoakRecord | None,
    alarm: AlarmRecord | None, known: CapacityRecord | None,
) -> Iterator[str]:  # fmt: skip
    yield HEAD
    if machine is not None:
        yield f"## Machine\n\nSeen {machine.taken}.\n\n| | |\n|---|---|"
        yield from (f"| {name} | {said} |" for name, said in machine.facts)
        yield ""
        if len({record.revision for record in records.values()}) > 1:
            yield (
                "It is the machine of the newest figures. Others are of other commits, and may be of other machines:\n"
                "what was taken when, and at which commit, stands at the end.\n"
            )
    yield from _busy(records)
    for group, (title, prose) in GROUPS.items():
        members = [comparison for comparison in comparisons if comparison.group == group]
        measured = [comparison for comparison in members if comparison.name in records]
        yield f"## {title}\n\n{prose}\n"
        yield from _not_measured(members, measured)
        if group.startswith("memory"):
            yield from _memory(measured, records)
        else:
            yield from _leads(measured, records)
        yield from _missing(measured, records)
    yield from _soak(soak)
    yield from _alarm(alarm)
    yield from _capacity(known)
    yield from _commands(comparisons, records)


def _busy(records: Records) -> Iterator[str]:
    """Say how busy the machine was, for that decides what the figures are worth."""
    loads = Spread.of(record.load_average for record in records.values())
    if loads is None:
        return
    between = f"between {loads.least:.2f} and {loads.greatest:.2f}"
    if loads.greatest > BUSY_LOAD:
        yield (
            f"**Others used the machine meanwhile:** the load average before a comparison was {between}. Rates say "
            "then how the processor was shared out; look at the processor time, and measure again on a quiet machine.\n"
        )
    else:
        yield f"The load average before a comparison was {between}.\n"


def _not_measured(members: Iterable[Comparison], measured: Sequence[Comparison]) -> Iterator[str]:
    left_out = [comparison.title for comparison in members if comparison not in measured]
    if left_out:
        yield f"**Not measured yet:** {'; '.join(left_out)}.\n"


def _leads(measured: Sequence[Comparison], records: Records) -> Iterator[str]:
    """Give a row for each comparison, peer and metric."""
    if not measured:
        return
    yield "| comparison | metric | mailproof | peer | | ahead (above 1) | rounds |"
    yield "|---|---|---|---|---|---|---|"
    for comparison in measured:
        record = records[comparison.name]
        title = comparison.title + _quick(record)      # in the first of its rows
        for peer in (side.name for side in record.sides if side.name != OURS):
            for metric in record.metrics():
                ours, theirs = record.spread(OURS, metric), record.spread(peer, metric)
                lead = record.lead(peer, metric)
                if theirs is not None or (ours is not None and peer == _only_peer(record)):
                    yield (
                        f"| {title} | {metric} | {_spread(ours)} | {peer} | "
                        f"{_spread(theirs)} | **{_ratio(lead)}** | {lead.count if lead else 0} |"
                    )
                    title = ""
    yield ""


def _only_peer(record: Record) -> str | None:
    peers = [side.name for side in record.sides if side.name != OURS]
    return peers[0] if len(peers) == 1 else None


def _memory(measured: Sequence[Comparison], records: Records) -> Iterator[str]:
    """Give a row for each number of sessions, and the slope of the line through them."""
    if not measured:
        return
    yield "| sessions | MiB resident | KiB for each session | more than with few, KiB for each | generator processes |"
    yield "|---|---|---|---|---|"
    few: dict[str, tuple[float, float]] = {}      # by the number of processes, of which each holds much by itself
    for comparison in measured:
        record = records[comparison.name]
        resident = record.spread(OURS, "MiB resident")
        if resident is None or comparison.x is None:
            continue
        workers = record.sides[0].command.rpartition("--workers ")[2].split()[0]
        sessions, mib = few.setdefault(workers, (comparison.x, resident.median))
        more = comparison.x - sessions
        above = f"{(resident.median - mib) * 1024 / more:.1f}" if more else "–"
        each = record.spread(OURS, "KiB/session")
        yield (
            f"| {comparison.x:,.0f}{_quick(record)} | {resident.median:,.1f} | "
            f"{f'{each.median:.1f}' if each else '–'} | {above} | {workers} |"
        )
    yield ""


def _missing(measured: Iterable[Comparison], records: Records) -> Iterator[str]:
    """Name who did not run, and what failed, with the reason."""
    for comparison in measured:
        record = records[comparison.name]
        for side in record.sides:
            if side.not_run is not None:
                yield f"- {comparison.title}: **{side.name} was not run**: {side.not_run}"
        yield from (f"- {comparison.title}: left out: {failure}" for failure in record.failures)
    yield ""


def _soak(soak: SoakRecord | None) -> Iterator[str]:
    yield f"## Soak\n\n{SOAK}\n"
    if soak is None:
        yield "**Not measured yet.**\n"
        return
    word = {True: "flat", False: "NOT flat: something grows", None: "undecided"}[soak.flat]
    yield (
        f"{soak.minutes:g} minutes at {soak.sessions:,} sessions, {soak.taken}, commit {soak.revision}, load average "
        f"before {soak.load_average:.2f}: **{word}**.\n\n![memory and descriptors over time](soak.svg)\n"
    )
    yield from (f"- {part}: {said}" for part, said in soak.load)
    yield from (f"- **failed:** {failure}" for failure in soak.failures)
    yield "\n| process | quantity | mean | greatest | slope in an hour | 95 % interval | |"
    yield "|---|---|---|---|---|---|---|"
    for each in soak.series:
        yield (
            f"| {each.process} | {each.quantity} | {_number(each.slope.level)} | {_number(each.greatest)} | "
            f"{_hourly(each.slope)} | {each.slope.verdict} |"
        )
    yield ""


def _alarm(alarm: AlarmRecord | None) -> Iterator[str]:
    yield f"## Does a comparison alarm when it should?\n\n{ALARM}\n"
    if alarm is None:
        yield "**Not measured yet.**\n"
        return
    yield (
        f"`python -m benchmarks alarm --sets {alarm.sets} --runs {alarm.runs}`: messages take {alarm.service_ms:g} ms, "
        f"or {alarm.slower_ms:g} ms; {alarm.again} runs that could not be believed were made again; {alarm.taken}, "
        f"commit {alarm.revision}, load average before {alarm.load_average:.2f}: "
        f"**{'as it should be' if alarm.holds else 'NOT as it should be'}**.\n"
    )
    yield "| new is, in truth | gate | comparisons | alarms | inconclusive | wanted |"
    yield "|---|---|--:|--:|--:|---|"
    for each in alarm.alarms:
        bound = f"{FOUND_MIN:.0%} at least" if each.slower else f"{FALSE_MAX:.0%} at most"
        wanted = bound if each.judged else "told, not judged"
        truth = "slower by a tenth" if each.slower else "the same"
        yield (
            f"| {truth} | `--worse-than {each.gate}` | {len(each.codes)} | {each.alarms} | {each.codes.count(3)} | "
            f"{wanted} |"
        )
    yield ""


def _capacity(known: CapacityRecord | None) -> Iterator[str]:
    yield f"## Is a known capacity found?\n\n{CAPACITY}\n"
    if known is None:
        yield "**Not measured yet.**\n"
        return
    workers = ",".join(str(each.workers) for each in known.searches)
    yield (
        f"`python -m benchmarks capacity --workers {workers} --stage {known.stage_s:g} --confirm {known.confirm_s:g}`: "
        f"**{'as it should be' if known.holds else 'NOT as it should be'}** "
        f"({CLOSE:.0%} off at most).\n"
    )
    searched = ("it can do", "last good", "first bad", "off", "stages (void)", "minutes", "load before", "", "taken")
    yield f"| workers | ms each | {' | '.join(searched)} |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|"
    for each in known.searches:
        good, bad = ("–" if level is None else f"{level:g}/s" for level in (each.good, each.bad))
        off = "–" if each.off is None else f"{100 * each.off:+.1f} %"
        yield (
            f"| {each.workers} | {each.service_ms:g} | {each.ceiling_per_s:g}/s | {good} | {bad} | {off} | "
            f"{each.stages} ({each.void}) | {each.minutes:.0f} | {each.load_average:.1f} | {each.finding} | "
            f"{each.taken}, commit {each.revision} |"
        )
    yield ""


def _hourly(slope: Slope) -> str:
    middle, low, high = (value * S_PER_HOUR for value in (slope.per_s, slope.low_per_s, slope.high_per_s))
    return f"{middle:+,.0f} | {low:+,.0f} to {high:+,.0f}"


def _commands(comparisons: Iterable[Comparison], records: Records) -> Iterator[str]:
    """Give each command as it was run, with the date, the commit and the load average before."""
    yield "## Commands, as run\n"
    for comparison in comparisons:
        record = records.get(comparison.name)
        if record is not None:
            taken = f"{record.taken}, commit {record.revision}, load average before {record.load_average:.2f}"
            yield f"- `{record.name}`: {comparison.title}{_quick(record)}; {taken}"
            yield from (f"  - `{side.command}`" for side in record.sides if side.command)


def _quick(record: Record) -> str:
    return " (quick)" if record.quick else ""


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "not run"
    if spread.count == 1:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.least)}–{_number(spread.greatest)})"


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"{spread.median:.2f}" + ("" if spread.count == 1 else f" ({spread.least:.2f}–{spread.greatest:.2f})")


def _number(value: float) -> str:
    """Return a number as precise as it deserves."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
