"""The machine that was measured on, and the versions of everything that took part."""

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from benchmarks.place import KEPT, peers_python
from benchmarks.turn import CannotRunError


class Machine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts, in words."""

    taken: str
    facts: tuple[tuple[str, str], ...]


def this_machine() -> Machine:
    """Return the facts of this machine, now."""
    return Machine(taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", facts=tuple(_facts()))


def _facts() -> Iterator[tuple[str, str]]:
    yield "processor", f"{_processor()}, {os.cpu_count()} cores ({len(os.sched_getaffinity(0))} usable)"
    yield "memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    yield "kernel", f"{platform.system()} {platform.release()}"
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    yield "trio", version("trio")
    yield "mailproof", version("mailproof")
    yield "Postfix (smtp-source, smtp-sink)", _debian_version("postfix")
    yield "Dovecot", _said(["dovecot", "--version"]) or "not here"
    for name in ("postal", "mpop"):
        yield name, _text(KEPT / name / "version") or "not here"
    for package in ("aiosmtplib", "locust"):
        yield package, _peer_version(package)


def _processor() -> str:
    for line in (_text(Path("/proc/cpuinfo")) or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _peer_version(package: str) -> str:
    try:
        python = peers_python(package)
    except CannotRunError:
        return "not here"
    asked = f"from importlib.metadata import version; print(version('{package}'))"
    return _said([str(python), "-c", asked]) or "unknown"


def _debian_version(package: str) -> str:
    """Return the version that is unpacked: the one Debian offers, as it was just fetched from there."""
    said = _said(["apt-cache", "policy", package]) or ""
    candidates = [line.split()[1] for line in said.splitlines() if line.strip().startswith("Candidate:")]
    return candidates[0] if candidates else "unknown"


def _said(command: Sequence[str]) -> str | None:
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.check_output(command, text=True, timeout=10, stderr=subprocess.DEVNULL)
        return said.strip() or None
    return None


def _text(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text(encoding="utf-8").strip() or None
    return None
