"""Resident memory of the generator while it holds sessions that only wait."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.figures import OURS
from benchmarks.place import mailproof, shown
from benchmarks.procfs import Usage, children, usage
from benchmarks.scenario import Held
from benchmarks.servers import holder, scratch
from benchmarks.turn import CLIENT_CORE, TurnFailedError, pinned

RSS_MIB = "MiB resident"
PER_SESSION = "KiB/session"
SESSIONS = (1_000, 5_000, 10_000, 20_000)
BASE_SESSIONS = 10
ONE_PROCESS_MAX = 15_000          # a process here may not have 20,000 descriptors and its own beside
MORE_WORKERS = 2                  # beyond
ARRIVALS_PER_S = {False: 2_000, True: 400}      # by TLS or not: no more than both ends can greet in that time
SETTLED_SHARE = 0.15              # of a core, over a second: sessions that only wait use less than this
SETTLE_LIMIT_S = 150.0
END_LIMIT_S = 10.0


def comparisons() -> tuple[Comparison, ...]:
    """Return a measurement for each number of sessions, clear and in TLS."""
    few = [(BASE_SESSIONS, workers) for workers in (1, MORE_WORKERS)]
    rows = [*few, *((sessions, 1 if sessions <= ONE_PROCESS_MAX else MORE_WORKERS) for sessions in SESSIONS)]
    return tuple(_comparison(sessions, workers, tls) for tls in (False, True) for sessions, workers in rows)


def _comparison(sessions: int, workers: int, tls: bool) -> Comparison:
    greeting_s = sessions / ARRIVALS_PER_S[tls]
    several = f"-in-{workers}" if workers > 1 and sessions == BASE_SESSIONS else ""
    return Comparison(
        name=f"memory-{'tls' if tls else 'clear'}-{sessions}{several}",
        group="memory-tls" if tls else "memory-clear",
        title=f"{sessions:,} waiting sessions, {'TLS' if tls else 'clear text'}{', in workers' * (workers > 1)}",
        contenders=(Contender(OURS, lambda _: held(sessions, workers, tls)),),
        round_s=7 + 1.3 * greeting_s,
        quick_s=7 + 1.3 * greeting_s,
        rounds_max=1,
        x=sessions,
        in_quick=greeting_s < 5,
    )


def held(sessions: int, workers: int, tls: bool) -> Taken:
    """Hold that many sessions, and return the memory of all of the generator's processes once they only wait."""
    with holder(processes=1 if sessions <= ONE_PROCESS_MAX else 3, tls=tls) as (port, authority):
        scenario = scratch("scenario.toml")
        held_load = Held(port, sessions, ARRIVALS_PER_S[tls], authority if tls else None)
        scenario.write_text(held_load.toml(), encoding="utf-8")
        options = ["run", str(scenario), "--out", str(scratch("run")), "--workers", str(workers)]
        command = pinned([*mailproof(), *options], CLIENT_CORE)
        with generator(command) as process:
            seen = _settled(process, sessions)
    metrics = {RSS_MIB: seen.rss_kib / 1024}
    if sessions > BASE_SESSIONS:
        metrics[PER_SESSION] = seen.rss_kib / sessions
    return Taken(metrics, shown(command))


@contextmanager
def generator(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a generator until the block ends; then it is interrupted twice, and killed if that does not help."""
    with scratch("generator.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process
        finally:
            for _ in range(2):
                with suppress(subprocess.TimeoutExpired):
                    process.send_signal(signal.SIGINT)
                    process.wait(1)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_LIMIT_S)
            process.kill()
            process.wait()


def _settled(process: subprocess.Popen[bytes], sessions: int) -> Usage:
    """Wait until every session has its descriptor and the processes idle; return what they hold then."""
    until_s = time.monotonic() + SETTLE_LIMIT_S
    before = Usage(0, 0, 0, 0.0)
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise TurnFailedError(f"the generator ended with status {process.returncode} before it held them all")
        time.sleep(1.0)
        now = usage([process.pid, *children(process.pid)])
        if now.descriptors >= sessions and now.cpu_s - before.cpu_s < SETTLED_SHARE:
            return now
        before = now
    raise TurnFailedError(f"{before.descriptors:,} descriptors for {sessions:,} sessions after {SETTLE_LIMIT_S:.0f} s")
