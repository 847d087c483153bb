"""Maildrops kept as Maildirs: one directory with tmp, new and cur per maildrop, one file per message.

Files of our own hold the message as RETR gives it, CRLF and all. A Maildir that other software fills is read too:
what it wrote with bare LF is given out with CRLF. Nothing is moved to cur and no flag is set; whoever else reads the
Maildir finds its mail as new as it was.

Writes go to the page cache in the event loop's own thread: they cost less than handing them to another thread would,
and a message is in the maildrop before its 250 is sent. They survive the process, not a power cut.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from conformance.refserver.errors import ServerSetupError
from conformance.refserver.maildrop import Listed, NotStored

_FOLDERS: Final = ("tmp", "new", "cur")
_DIRECTORY_NAME_OCTETS_MAX: Final = 200
_UNIQUE_ID: Final = re.compile(r"[!-~]{1,70}")                # RFC 1939 §7
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")


class MaildirMaildrop:
    """One maildrop. The directory is looked at anew at each login, so other software's deliveries appear too."""

    __slots__ = ("_known", "_locked", "_made", "_root", "octets")

    def __init__(self, root: Path) -> None:
        """Use the Maildir at `root`, which may not exist yet."""
        self._root = root
        self._known: dict[str, tuple[Path, Listed]] = {}      # by the unique part of the file's name
        self._locked = False
        self._made = False                                    # its three folders exist for sure
        self.octets = 0                                       # Invariant: the sum over _known
        self._look()

    def lock(self) -> bool:
        """See Maildrop. The lock is this process's: a Maildir needs none between deliverers and readers."""
        if self._locked:
            return False
        self._locked = True
        self._look()
        return True

    def unlock(self) -> None:
        """See Maildrop."""
        self._locked = False

    def listing(self) -> tuple[Listed, ...]:
        """See Maildrop. File names begin with the second of delivery, so their order is that of arrival."""
        return tuple([listed for _, (_, listed) in sorted(self._known.items(), key=_arrival)])

    def read(self, unique_id: str) -> bytes | None:
        """See Maildrop."""
        for path, listed in self._known.values():
            if listed.unique_id == unique_id:
                try:
                    return _with_crlf(path.read_bytes())
                except OSError:
                    return None
        return None

    def remove(self, unique_ids: Iterable[str]) -> bool:
        """See Maildrop."""
        complete = True
        by_id = {listed.unique_id: name for name, (_, listed) in self._known.items()}
        for unique_id in unique_ids:
            try:
                name = by_id[unique_id]
                self._known[name][0].unlink()
            except (KeyError, OSError):
                complete = False
                continue
            self.octets -= self._known.pop(name)[1].octets
        return complete

    def add(self, name: str, message: bytes) -> None:
        """Write a message under a name nobody else uses. Raises OSError; then nothing is left behind in new."""
        if not self._made:
            for folder in _FOLDERS:
                (self._root / folder).mkdir(parents=True, exist_ok=True)
            self._made = True
        temporary, final = self._root / "tmp" / name, self._root / "new" / name
        try:
            temporary.write_bytes(message)
            temporary.rename(final)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._known[name] = (final, Listed(_unique_id(name), len(message)))
        self.octets += len(message)

    def discard(self, name: str) -> None:
        """Take a message just added back out."""
        path, listed = self._known.pop(name)
        self.octets -= listed.octets
        path.unlink(missing_ok=True)

    def _look(self) -> None:
        seen: dict[str, tuple[Path, Listed]] = {}
        for folder in ("new", "cur"):
            for path in _files(self._root / folder):
                name = path.name.partition(":")[0]
                known = self._known.get(name)
                listed = known[1] if known else _list_file(path, name)
                if listed is not None:
                    seen[name] = (path, listed)
        self._known = seen
        self.octets = sum([listed.octets for _, listed in seen.values()])


class MaildirStore:
    """All maildrops under one directory."""

    def __init__(self, root: Path, host_name: str, *, maildrop_octets_max: int) -> None:
        """Keep Maildirs under `root`. Raises ServerSetupError when that cannot be written."""
        self._root = root
        self._host_name = host_name
        self._maildrop_octets_max = maildrop_octets_max
        self._maildrops: dict[str, MaildirMaildrop] = {}
        self._delivered = 0
        try:
            root.mkdir(parents=True, exist_ok=True)
            probe = root / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as exc:
            raise ServerSetupError(f"cannot keep maildrops under {root}: {exc.strerror}") from exc

    def maildrop(self, name: str) -> MaildirMaildrop:
        """See MaildropStore. What an earlier run left is found here."""
        found = self._maildrops.get(name)
        if found is None:
            found = self._maildrops[name] = MaildirMaildrop(self._root / directory_name(name))
        return found

    def room(self, name: str, octets: int) -> NotStored | None:
        """See MaildropStore."""
        return NotStored.MAILDROP_FULL if self.maildrop(name).octets + octets > self._maildrop_octets_max else None

    def deliver(self, names: Iterable[str], message: bytes) -> NotStored | None:
        """See MaildropStore."""
        stored: list[tuple[MaildirMaildrop, str]] = []
        for name in names:
            drop, unique = self.maildrop(name), self._unique_name()
            try:
                drop.add(unique, message)
            except OSError:
                for earlier, earlier_name in stored:
                    earlier.discard(earlier_name)
                return NotStored.STORE_FAILED
            stored.append((drop, unique))
        return None

    def _unique_name(self) -> str:
        """Return a name as Maildirs have it: second, then what makes it unique, then host."""
        self._delivered += 1
        now_ns = time.time_ns()
        microseconds = now_ns // 1000 % 1_000_000
        unique = f"M{microseconds:06}P{os.getpid()}Q{self._delivered}"
        return f"{now_ns // 1_000_000_000}.{unique}.{self._host_name[:30]}"


def directory_name(maildrop: str) -> str:
    """Return a directory name for a maildrop: safe in every file system, and different for every maildrop."""
    name = quote(maildrop, safe="@+=-_!#$&'*^`{|}")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _DIRECTORY_NAME_OCTETS_MAX:
        return hashlib.sha256(maildrop.encode()).hexdigest()
    return name


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder; none when there is no such folder, or it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []


def _list_file(path: Path, name: str) -> Listed | None:
    try:
        return Listed(_unique_id(name), len(_with_crlf(path.read_bytes())))
    except OSError:
        return None      # gone again, or a directory: no message


def _unique_id(name: str) -> str:
    return name if _UNIQUE_ID.fullmatch(name) else hashlib.sha256(os.fsencode(name)).hexdigest()


def _with_crlf(octets: bytes) -> bytes:
    """Return a message with CRLF line ends. One whose first line has it is ours, and may have a binary body."""
    if octets.partition(b"\n")[0].endswith(b"\r"):
        return octets if octets.endswith(b"\r\n") else octets + b"\r\n"
    if octets.count(b"\n") != octets.count(b"\r\n"):
        octets = _BARE_LF.sub(b"\r\n", octets)
    return octets if octets.endswith(b"\r\n") or not octets else octets + b"\r\n"


def _arrival(item: tuple[str, object]) -> tuple[int, int, int, str]:
    """Return what files are sorted by: second, microsecond and delivery number where the name tells them."""
    second, _, rest = item[0].partition(".")
    ours = re.match(r"M(\d+)P\d+Q(\d+)", rest)
    return (int(second) if second.isdigit() else 0, int(ours[1]) if ours else 0, int(ours[2]) if ours else 0, item[0])
