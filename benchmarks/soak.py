"""The soak: thousands of sessions for minutes against embedded servers, with a look at every process each second."""

import csv
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from os import getloadavg
from pathlib import Path

from benchmarks.comparison import Tell, revision
from benchmarks.comparisons.memory import generator
from benchmarks.ours import read_result
from benchmarks.place import KEPT, mailproof
from benchmarks.procfs import children, usage
from benchmarks.scenario import Soak
from benchmarks.servers import scratch
from benchmarks.soak_record import HEADER, SoakRecord, judge, read_samples
from benchmarks.turn import TurnFailedError

CSV = KEPT / "soak.csv"
TLS_SHARE = 0.25
FINISH_LIMIT_S = 90.0         # to drain, to write the reports
PARTS = ("clear", "tls")


def soak(minutes: float, sessions: int, tell: Tell) -> SoakRecord:
    """Soak for that long at that many sessions, and return what was seen. The samples stay in `CSV`."""
    load_average = getloadavg()[0]
    duration_s = round(minutes * 60)
    in_tls = round(sessions * TLS_SHARE)
    loads = {"clear": Soak(sessions - in_tls, duration_s, tls=False), "tls": Soak(in_tls, duration_s, tls=True)}
    outs = {part: scratch(f"soak-{part}") for part in PARTS}
    failures: list[str] = []
    CSV.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack, CSV.open("w", encoding="ascii", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(HEADER)
        running = {part: stack.enter_context(generator(_command(part, loads[part], outs[part]))) for part in PARTS}
        began_s = time.monotonic()
        second = 0
        while second < duration_s and all(process.poll() is None for process in running.values()):
            second += 1
            time.sleep(max(0.0, began_s + second - time.monotonic()))
            for part, process in running.items():
                servers = children(process.pid)
                for name, ids in ((f"generator, {part}", [process.pid]), (f"server, {part}", servers)):
                    seen = usage(ids)
                    rows.writerow([second, name, seen.rss_kib, seen.descriptors, seen.threads])
            if second % 60 == 0:
                tell(f"  {second // 60} of {minutes:g} minutes")
        failures += [f"{part}: the generator ended early" for part in PARTS if running[part].poll() is not None]
        for process in running.values():
            _finish(process)
    load: list[tuple[str, str]] = []
    for part in PARTS:
        try:
            load.append((part, _told(outs[part])))
        except TurnFailedError as reason:
            failures.append(f"{part}: {reason}")
    try:
        series = judge(read_samples(CSV), duration_s)
    except ValueError as reason:
        series = ()
        failures.append(str(reason))
    return SoakRecord(
        taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        revision=revision(),
        load_average=load_average,
        minutes=minutes,
        sessions=sessions,
        load=tuple(load),
        series=series,
        failures=tuple(failures),
    )


def _command(part: str, load: Soak, out: Path) -> list[str]:
    path = scratch(f"soak-{part}.toml")
    path.write_text(load.toml(), encoding="utf-8")
    return [*mailproof(), "run", str(path), "--out", str(out)]


def _finish(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(FINISH_LIMIT_S)
    except subprocess.TimeoutExpired:
        return          # whoever started it ends it


def _told(out: Path) -> str:
    """Return what a run says of itself, in a line."""
    document = read_result(out)
    load = document.load
    if load is None:
        raise TurnFailedError("there was no load")
    n, m = load.sessions, load.messages
    return (
        f"{n.arrived:,} sessions ({n.accepted:,} accepted, {n.refused:,} refused, {n.failed:,} failed, "
        f"{n.timed_out:,} timed out, {n.interrupted:,} cut off at the end), {load.in_flight_peak:,} open at once at "
        f"most, {m.accepted:,} messages accepted and {m.retrieved:,} retrieved; "
        f"generator CPU {load.health.cpu_share:.0%} of a core"
    )
