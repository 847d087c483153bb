"""The other senders: `smtplib` in threads, aiosmtplib, Locust with an smtplib user, and postal."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.comparisons.source import (
    mailproof_turn,
    took_all,
    whole_process,
    work_for,
)
from benchmarks.figures import OURS, Metrics
from benchmarks.place import CHECKOUT, SCRATCH, peers_python, postal_program, shown
from benchmarks.servers import scratch, smtp_sink
from benchmarks.turn import CLIENT_CORE, Finished, TurnFailedError, expect_success, pinned, run

SESSIONS = 100
PAYLOAD_OCTETS = 1024
POSTAL_S, POSTAL_QUICK_S = 10.0, 5.0


def comparisons() -> tuple[Comparison, ...]:
    """Return the one comparison: all of them in turn."""
    return (
        Comparison(
            name="clients",
            group="clients",
            title=f"a session for each message, 1 KiB, {SESSIONS} sessions",
            contenders=(
                Contender(OURS, lambda quick: mailproof_turn(work_for("fresh", SESSIONS, PAYLOAD_OCTETS, quick=quick))),
                Contender("smtplib in threads", lambda quick: _hand_written("smtplib_threads", _python(), quick)),
                Contender(
                    "aiosmtplib", lambda quick: _hand_written("aiosmtplib_tasks", peers_python("aiosmtplib"), quick)
                ),
                Contender("Locust with smtplib", _locust),
                Contender("postal", _postal),
            ),
            round_s=40,
            quick_s=22,
            rounds_max=3,
        ),
    )


def accounted(finished: Finished) -> dict[str, float]:
    """Return what a client printed of itself: the last lines of its output that are JSON objects, put together."""
    found: dict[str, float] = {}
    for line in finished.output.splitlines():
        if line.startswith("{"):
            try:
                found.update(json.loads(line))
            except ValueError:
                continue
    if "messages" not in found:
        raise TurnFailedError(f"printed no figures: {' '.join(finished.output.split())[-200:]}")
    return found


def client_metrics(finished: Finished, figures: dict[str, float], unit: str = "message") -> Metrics:
    """Return the figures of a client that accounts for itself: its load, without its start."""
    count = figures["messages"]
    return {
        f"{unit}s/s": count / figures["wall_s"],
        f"CPU µs/{unit}": figures["cpu_s"] / count * 1e6,
        f"whole process, CPU µs/{unit}": finished.cpu_s / count * 1e6,
    }


def client_command(module: str, python: Path, arguments: Sequence[int]) -> list[str]:
    """Return the command of one of our hand-written clients."""
    return pinned([str(python), "-m", f"benchmarks.clients.{module}", *map(str, arguments)], CLIENT_CORE)


def locust_command(python: Path, users: int) -> list[str]:
    """Return Locust's command: no web, all users at once, no end of its own."""
    locustfile = CHECKOUT / "benchmarks" / "clients" / "locust_users.py"
    return pinned(
        [python, "-m", "locust", "-f", locustfile, "--headless", "-u", str(users), "-r", str(users), "--only-summary"],
        CLIENT_CORE,
    )


def postal_command(program: Path, port: int, users: Path) -> list[str]:
    """Return postal's command, at the highest rate it has."""
    options = ["-t", str(SESSIONS), "-c", "1", "-m", "1", "-M", "1", "-r", "24000"]
    return pinned([str(program), *options, f"[127.0.0.1]{port}", str(users)], CLIENT_CORE)


def _python() -> Path:
    return Path(sys.executable)


def _messages(quick: bool) -> int:
    return 1_000 if quick else 5_000


def _hand_written(module: str, python: Path, quick: bool) -> Taken:
    messages = _messages(quick)
    with smtp_sink(sessions=SESSIONS) as sink:
        command = client_command(module, python, (sink.port, SESSIONS, messages, PAYLOAD_OCTETS))
        finished = expect_success(run(command, directory=CHECKOUT))
        took_all(sink, messages)
    return Taken(client_metrics(finished, accounted(finished)), shown(command))


def _locust(quick: bool) -> Taken:
    messages = _messages(quick)
    command = locust_command(peers_python("locust"), SESSIONS)
    with smtp_sink(sessions=SESSIONS) as sink:
        environment = {
            "PORT": str(sink.port), "MESSAGES": str(messages), "OCTETS": str(PAYLOAD_OCTETS),
            "PYTHONPATH": str(CHECKOUT),
        }  # fmt: skip
        finished = expect_success(run(command, environment=environment))
        took_all(sink, messages)
    return Taken(client_metrics(finished, accounted(finished)), shown(command))


def _postal(quick: bool) -> Taken:
    """Let postal send for some time. It never ends by itself, so it is killed, and the sink has counted."""
    program = postal_program()
    users = scratch("postal.users")
    users.write_text("".join(f"user{n}@example.test\n" for n in range(1, 101)), encoding="ascii")
    with smtp_sink(sessions=SESSIONS) as sink:
        command = postal_command(program, sink.port, users)
        # It leaves a log wherever it is run.
        finished = run(command, stop_after_s=POSTAL_QUICK_S if quick else POSTAL_S, directory=SCRATCH)
        messages = sink.messages()
    if messages < 1:
        raise TurnFailedError(f"the sink got no message: {' '.join(finished.output.split())[-200:]}")
    return Taken(whole_process(finished, messages), shown(command))
