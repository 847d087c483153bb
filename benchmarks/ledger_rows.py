"""The ledger at a size no load reaches in an hour: so many messages through the journal, the store and the join.

The sessions are made up, all that comes after them is what a run does. Some messages are lost, there twice or changed,
in numbers known beforehand, and the ledger has to find each of them and no other. Memory is the process's own, as Linux
tells it, so this runs as a program of its own: `python -m benchmarks.ledger_rows MESSAGES DIRECTORY`.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.procfs import usage
from loadgen.ledger.journal import Journal
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.steps import finished
from loadgen.message.stamp import Stamp
from loadgen.session.trace import Offered, Retrieved, Trace
from reports.ledger_result import COUNTS

TOKEN: Final = "c0ffee00"
ACCOUNTS: Final = 1_000
PER_SESSION: Final = 10
READ_EVERY: Final = 100_000             # messages: then every maildrop is read
LOST_ONE_IN, TWICE_ONE_IN, CHANGED_ONE_IN = 10_000, 5_000, 100_003
MS: Final = 1_000_000
DIGESTS: Final = [number.to_bytes(16, "big") for number in range(256)]
MAILDROPS: Final = [f"user{number}@example.test" for number in range(1, ACCOUNTS + 1)]


def sending(first: int) -> Trace:
    """Return a session that handed in so many messages from this one on."""
    trace = Trace()
    for number in range(PER_SESSION):
        k = first + number
        to = (MAILDROPS[k % ACCOUNTS],)
        stamp = Stamp(f"{TOKEN}.{first // PER_SESSION}.{number}", DIGESTS[k % 255])
        trace.begun.append(Offered(stamp, to, "load@example.test"))
        trace.dots[number] = k * MS
        trace.words.append((number, to, True, 250, k * MS + MS // 2))
    return trace


def reading(maildrop: int, first: int) -> Trace:
    """Return a session that found in one maildrop what was handed in for it, from message `first` on."""
    trace = Trace()
    for k in range(first + (maildrop - first) % ACCOUNTS, first + READ_EVERY, ACCOUNTS):
        copies = 0 if k % LOST_ONE_IN == 1 else 2 if k % TWICE_ONE_IN == 2 else 1
        digest = DIGESTS[255 if k % CHANGED_ONE_IN == 3 else k % 255]
        stamp = Stamp(f"{TOKEN}.{k // PER_SESSION}.{k % PER_SESSION}", digest)
        for copy in range(copies):
            at_ns = (first + READ_EVERY) * MS + k
            trace.retrieved.append(Retrieved(MAILDROPS[maildrop], b"%d.%d" % (k, copy), stamp, 4096, at_ns, k))
    return trace


def expected(messages: int) -> dict[str, int]:
    """Return what there has to be of each class."""
    lost = len(range(1, messages, LOST_ONE_IN))
    twice = sum(k % LOST_ONE_IN != 1 for k in range(2, messages, TWICE_ONE_IN))
    changed = [k for k in range(3, messages, CHANGED_ONE_IN) if k % LOST_ONE_IN != 1]
    twice_and_changed = sum(k % TWICE_ONE_IN == 2 for k in changed)
    return {
        "sent": messages, "accepted": messages, "lost": lost, "corrupt": len(changed),
        "duplicate": twice - twice_and_changed,
        "delivered_once": messages - lost - twice - len(changed) + twice_and_changed,
    }   # fmt: skip


def main(messages: int, directory: Path) -> dict[str, object]:
    """Put them through; return what was counted, the processor time of each part and the memory after it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("0.pages", "ledger.sqlite"):
        (directory / name).unlink(missing_ok=True)
    told: dict[str, object] = {"messages": messages, "memory_mib": [memory_mib()]}
    journal = Journal(directory / "0.pages")
    adding_s, folding_s = _entered(journal, messages)
    started = time.process_time()
    journal.close()
    told |= {
        "entering_us": 1e6 * adding_s / messages, "folding_us": 1e6 * folding_s / messages,
        "pages_mib": (directory / "0.pages").stat().st_size >> 20,
    }   # fmt: skip
    _note_memory(told)
    ledger = Ledger(TOKEN, directory / "ledger.sqlite")
    finished(ledger.read(journal))
    journal.remove()
    told["rows_s"] = time.process_time() - started
    _note_memory(told)
    started = time.process_time()
    owing = len(ledger.maildrops_owing())
    told |= {"owing_s": time.process_time() - started, "maildrops_owing": owing}
    started = time.process_time()
    result = ledger.result(None, record=directory / "ledger.jsonl")
    told["join_s"] = time.process_time() - started
    _note_memory(told)
    found = {name: getattr(result, name) for name in COUNTS if getattr(result, name)}
    told |= {
        "found": found, "exact": found == expected(messages),
        "database_mib": (directory / "ledger.sqlite").stat().st_size >> 20,
    }   # fmt: skip
    ledger.close()
    return told


def _entered(journal: Journal, messages: int) -> tuple[float, float]:
    """Enter all sessions; return how long the entering took, and making octets of them, in seconds."""
    adding_s = folding_s = 0.0
    for batch in _batches(messages):
        traces = list(batch)
        started = time.process_time()
        for trace in traces:
            journal.add(trace)
        adding_s += time.process_time() - started
        started = time.process_time()
        for _ in journal.fold():
            pass
        folding_s += time.process_time() - started
    return adding_s, folding_s


def _batches(messages: int) -> Iterator[Iterator[Trace]]:
    for first in range(0, messages, READ_EVERY):
        for start in range(first, first + READ_EVERY, READ_EVERY // 20):
            yield map(sending, range(start, start + READ_EVERY // 20, PER_SESSION))
        for start in range(0, ACCOUNTS, 50):
            yield (reading(maildrop, first) for maildrop in range(start, start + 50))


def _note_memory(told: dict[str, object]) -> None:
    memory = told["memory_mib"]
    assert isinstance(memory, list)
    memory.append(memory_mib())


def memory_mib() -> int:
    """Return what this process holds in memory."""
    return usage([os.getpid()]).rss_kib >> 10


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2])), indent=2) + "\n")
