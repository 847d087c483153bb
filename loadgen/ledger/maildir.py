"""What lies in Maildirs that the server under test delivers to: one for each account, by a pattern.

A file is renamed into `new` when its message is there to be read, and the file system notes that instant as the time of
its last change. So the time of arrival is known, to the tick of the system's clock, however late somebody looks.
"""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadgen.ledger.delivery import Copy
from loadgen.ledger.ledger import Ledger
from loadgen.message.stamp import body_of, read_stamp
from loadgen.scenario.accounts import Account
from loadgen.session.trace import EVIDENCE_OCTETS_MAX

FOLDERS = ("new", "cur")


class Maildirs:
    """The Maildirs of a run. A file is read once; it may move from `new` to `cur` meanwhile."""

    def __init__(self, template: str, accounts: Sequence[Account], origin_monotonic_ns: int) -> None:
        self._template = template
        self._accounts = accounts
        self._origin_ns = time.time_ns() - time.monotonic_ns() + origin_monotonic_ns     # of the run, as files have it
        self._known: set[tuple[str, str]] = set()

    def read(self, ledger: Ledger) -> frozenset[str]:
        """Enter what is new; return whose Maildirs could be read."""
        return frozenset([account.address for account in self._accounts if self._read_one(ledger, account.address)])

    def _read_one(self, ledger: Ledger, address: str) -> bool:
        try:
            for entry in _entries(directory_of(self._template, address)):
                unique = entry.name.partition(":")[0]
                if (address, unique) not in self._known:
                    self._enter(ledger, address, unique, entry)
                    self._known.add((address, unique))
        except OSError:
            return False           # not there, or not ours to read: what it owes is pending, and nobody is accused
        return True

    def _enter(self, ledger: Ledger, address: str, unique: str, entry: os.DirEntry[str]) -> None:
        content = Path(entry.path).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")     # lines end as here
        stamp = read_stamp(content)
        if stamp is None:
            return
        seen_ns = entry.stat().st_ctime_ns - self._origin_ns
        evidence = None if stamp.whole or len(content) > EVIDENCE_OCTETS_MAX else bytes(body_of(content))
        copy = Copy(0, 0, "", address, unique.encode("utf-8", "replace"), stamp.digest, seen_ns, None, None, None)
        ledger.found(stamp.message_id, copy, evidence)


def directory_of(template: str, address: str) -> Path:
    """Return where an account's Maildir is."""
    local, _, domain = address.rpartition("@")
    return Path(template.replace("{address}", address).replace("{local}", local).replace("{domain}", domain))


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of messages; what is moved meanwhile is found again in the second folder. Raises OSError."""
    for folder in FOLDERS:
        with os.scandir(directory / folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
