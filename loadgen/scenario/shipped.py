"""The scenario files that come with the package, and the data they need, found wherever it is installed."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Final

DATA_SUFFIXES: Final = (".csv", ".log")


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, without `.toml`, sorted."""
    return tuple(name.removesuffix(".toml") for name in _names() if name.endswith(".toml"))


def shipped_scenario(source: str) -> Traversable | None:
    """Return the shipped file that `quickstart`, `quickstart.toml` or `scenarios/quickstart.toml` means."""
    path = PurePath(source)
    name = path.name.removesuffix(".toml")
    if str(path.parent) not in (".", "scenarios") or name not in shipped_scenarios():
        return None
    return files("scenarios").joinpath(f"{name}.toml")


def shipped_data(file: str) -> Traversable | None:
    """Return the shipped data file of just this name, such as `diurnal.csv`; None if there is none."""
    if not file.endswith(DATA_SUFFIXES) or file not in _names():
        return None
    return files("scenarios").joinpath(file)


def _names() -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in files("scenarios").iterdir()))
