"""Does the ledger find every wrong of a faulty sink, none of a clean one, and hold ten million messages?"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.comparison import Tell
from benchmarks.place import KEPT, mailproof

DIRECTORY: Final = KEPT / "ledger"
PER_SESSION: Final = 10
FAULTS: Final = {"loses": 10_000, "duplicates": 5_000, "flips": 20_011, "misdelivers": 20_021, "hushes": 20_023}
SCENARIO: Final = """[scenario]
name = "sink"
[target]
smtp = "{smtp}"
[accounts]
count = 1000
[load]
model = "closed"
virtual_users = 20
sessions = {sessions}
pause_max = "2s"
[[session]]
kind = "smtp-deliver"
messages = {per_session}
size = "1 KiB"
[ledger]
verify = true
sink = "{kept}"
"""


def sinks(messages: int, tell: Tell) -> bool:
    """Load a clean sink and one with every fault; say whether each wrong was found, and no other."""
    clean = _as_told("a clean sink", *_loaded("clean", {}, messages), tell)
    faulty = _as_told("a sink with every fault", *_loaded("faulty", FAULTS, messages), tell)
    return clean and faulty


def rows(messages: int, tell: Tell) -> bool:
    """Put so many messages through the store; say whether every class was counted exactly."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ledger_rows", str(messages), str(DIRECTORY / "rows")],
        capture_output=True, text=True, timeout=7_200, check=True,
    )   # fmt: skip
    told = json.loads(done.stdout)
    memory = " → ".join(f"{mib:,}" for mib in told["memory_mib"])
    tell(
        f"{messages:,} messages: {told['entering_us']:.2f} µs to enter one and {told['folding_us']:.2f} µs to make "
        f"octets of it; {told['rows_s']:.0f} s to make rows, {told['join_s']:.0f} s to join; MiB of memory {memory}; "
        f"{'exact' if told['exact'] else 'WRONG'}: {told['found']}"
    )
    return bool(told["exact"])


def _loaded(name: str, faults: Mapping[str, int], messages: int) -> tuple[dict[str, int], dict[str, int]]:
    """Run a load against a sink; return what the ledger counted, and what the sink says it did."""
    directory = DIRECTORY / name
    directory.mkdir(parents=True, exist_ok=True)
    kept = directory / "kept.jsonl"
    kept.unlink(missing_ok=True)
    with _sink(kept, [f"--fault={fault}={every}" for fault, every in faults.items()]) as (smtp, tell_counts):
        scenario = directory / "sink.toml"
        scenario.write_text(
            SCENARIO.format(smtp=smtp, sessions=messages // PER_SESSION, per_session=PER_SESSION, kept=kept),
            encoding="utf-8",
        )
        subprocess.run(
            [*mailproof(), "run", str(scenario), "--no-monitors", "--out", str(directory / "run")],
            capture_output=True, timeout=3_600, check=False, stdin=subprocess.DEVNULL,
        )   # fmt: skip
        did = tell_counts()
    ledger = json.loads((directory / "run" / "result.json").read_text(encoding="utf-8"))["ledger"]
    return ledger, did


@contextmanager
def _sink(kept: Path, faults: Sequence[str]) -> Iterator[tuple[str, "TellCounts"]]:
    with subprocess.Popen(
        [*mailproof(), "sink", "--until-eof", f"--keep={kept}", *faults],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield ready["smtp"], TellCounts(process)


class TellCounts:
    """Asks a sink, once, what it did; that ends it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self) -> dict[str, int]:
        """Return how many messages suffered each fault, and how many were received."""
        told, _ = self._process.communicate()
        last = json.loads(told.splitlines()[-1])
        return {"received": last["received"], **last["faults"]}


def _as_told(name: str, ledger: Mapping[str, int], did: Mapping[str, int], tell: Tell) -> bool:
    expected = {
        "sent": did["received"], "lost": did.get("loses", 0) + did.get("misdelivers", 0),
        "duplicate": did.get("duplicates", 0), "duplicate_lawful": 0, "corrupt": did.get("flips", 0),
        "misdelivered": did.get("misdelivers", 0), "ambiguous": did.get("hushes", 0),
        "ambiguous_arrived": did.get("hushes", 0), "pending": 0, "rejected": 0,
    }   # fmt: skip
    found = {count: ledger[count] for count in expected}
    tell(f"{name}: {'exact' if found == expected else f'WRONG, expected {expected}'}: {found}")
    return found == expected
