"""Linux's accounts of itself, as text; elsewhere there are none."""

from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


def read_proc(root: Path, name: str) -> str | None:
    """Return one file's text; None where the system has no such file, or does not show it."""
    try:
        return (root / name).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
