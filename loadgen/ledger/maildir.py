"""What lies in Maildirs that the server under test delivers to: one for each account, by a pattern.

A file is renamed into `new` when its message is there to be read, and the file system notes that instant as the time of
its last change. So the time of arrival is known, to the tick of the system's clock, however late somebody looks.
"""

import os
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

from loadgen.ledger.delivery import Copy, seen_then
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.steps import AT_ONCE
from loadgen.message.stamp import body_of, read_stamp
from loadgen.scenario.accounts import Account
from loadgen.session.trace import EVIDENCE_OCTETS_MAX

FOLDERS: Final = ("new", "cur")
SETTLED_NS: Final = 2_000_000_000      # a folder that was changed later than this before a look may have been since


class Maildirs:
    """The Maildirs of a run. What has not been changed is not read again; a file that is read twice is one copy."""

    def __init__(self, template: str, accounts: Sequence[Account], origin_monotonic_ns: int) -> None:
        self._template = template
        self._accounts = accounts
        self._origin_ns = time.time_ns() - time.monotonic_ns() + origin_monotonic_ns     # of the run, as files have it
        self._unchanged: dict[str, list[int]] = {}       # address -> when its folders were changed last

    def read(self, ledger: Ledger) -> Generator[None, None, frozenset[str]]:
        """Enter what is there, in steps; return whose Maildirs could be read."""
        read = []
        for account in self._accounts:
            try:
                yield from self._read_one(ledger, account.address)
            except OSError:
                continue       # not there, or not ours to read: what it owes is pending, and nobody is accused
            read.append(account.address)
        return frozenset(read)

    def _read_one(self, ledger: Ledger, address: str) -> Generator[None, None, None]:
        directory = directory_of(self._template, address)
        looked_ns = time.time_ns()
        changed = [(directory / folder).stat().st_mtime_ns for folder in FOLDERS]
        if self._unchanged.get(address) == changed:
            return
        for number, entry in enumerate(_entries(directory), start=1):
            self._enter(ledger, address, entry)
            if number % AT_ONCE == 0:
                yield
        if max(changed) < looked_ns - SETTLED_NS:
            self._unchanged[address] = changed
        yield

    def _enter(self, ledger: Ledger, address: str, entry: os.DirEntry[str]) -> None:
        try:
            content = Path(entry.path).read_bytes()
            seen_ns = entry.stat().st_ctime_ns - self._origin_ns
        except FileNotFoundError:
            return                 # moved to the second folder, where it is found, or taken away meanwhile
        content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")      # lines end as here
        stamp = read_stamp(content)
        if stamp is None:
            return
        evidence = None if stamp.whole or len(content) > EVIDENCE_OCTETS_MAX else bytes(body_of(content))
        unique = entry.name.partition(":")[0].encode("utf-8", "surrogateescape")
        copy = Copy(0, 0, "", address, unique, stamp.digest, 0, None, None, None)
        ledger.found(stamp.message_id, seen_then(copy, seen_ns, time.time_ns() - self._origin_ns), evidence)


def directory_of(template: str, address: str) -> Path:
    """Return where an account's Maildir is."""
    local, _, domain = address.rpartition("@")
    return Path(template.replace("{address}", address).replace("{local}", local).replace("{domain}", domain))


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of messages; what is moved meanwhile is found again in the second folder. Raises OSError."""
    for folder in FOLDERS:
        with os.scandir(directory / folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
