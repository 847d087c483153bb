"""Where things are: the checkout, what is kept between invocations, and the peers' programs."""

import os
import sys
from pathlib import Path
from typing import Final

from benchmarks.turn import CannotRunError
from tests.interop.mail_system import interop_root

CHECKOUT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = CHECKOUT / ".bench"              # ignored by git: peers, scratch
FIGURES: Final = CHECKOUT / "benchmarks" / "figures"       # in git, so that RESULTS.md can be made again anywhere
SCRATCH: Final = KEPT / "scratch"
RESULTS: Final = CHECKOUT / "benchmarks" / "RESULTS.md"
HOW_TO_GET_PEERS: Final = "`make bench-peers` provides it"


def postfix_program(name: str) -> tuple[Path, dict[str, str]]:
    """Return one of Postfix's programs, and the environment it finds its libraries by. CannotRunError: missing."""
    root = interop_root() / "postfix" / "usr"
    program = root / "sbin" / name
    if not os.access(program, os.X_OK):
        raise CannotRunError(f"Postfix's {name} is not here; {HOW_TO_GET_PEERS}")
    return program, {"LD_LIBRARY_PATH": str(root / "lib" / "postfix")}


def postal_program(name: str = "postal") -> Path:
    """Return postal, or another program of its package. CannotRunError if it is missing."""
    program = KEPT / "postal" / "usr" / "sbin" / name
    if not os.access(program, os.X_OK):
        raise CannotRunError(f"{name} is not here; {HOW_TO_GET_PEERS}")
    return program


def mpop_program() -> Path:
    """Return mpop. CannotRunError if it is missing."""
    program = KEPT / "mpop" / "usr" / "bin" / "mpop"
    if not os.access(program, os.X_OK):
        raise CannotRunError(f"mpop is not here; {HOW_TO_GET_PEERS}")
    return program


def peers_python(package: str) -> Path:
    """Return the interpreter of the peers' own environment. CannotRunError if it is missing, or the package is."""
    python = KEPT / "venv" / "bin" / "python"
    if not os.access(python, os.X_OK) or not list((KEPT / "venv").glob(f"lib/python*/site-packages/{package}")):
        raise CannotRunError(f"{package} is not here; {HOW_TO_GET_PEERS}")
    return python


def mailproof() -> list[str]:
    """Return the command of this checkout."""
    return [sys.executable, "-m", "mailproof"]


def shown(command: list[str]) -> str:
    """Return a command as the tables show it: no path of this machine in it."""
    replaced = {sys.executable: "python", str(KEPT / "venv" / "bin" / "python"): ".bench/venv/bin/python"}
    words = (replaced.get(word, word) for word in command)
    root = f"{interop_root()}/"
    return " ".join(word.replace(root, ".interop/").replace(f"{CHECKOUT}/", "") for word in words)
