"""The scenario files that come with the package, found wherever it is installed."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, without `.toml`, sorted."""
    names = (entry.name for entry in files("scenarios").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def shipped_scenario(source: str) -> Traversable | None:
    """Return the shipped file that `quickstart`, `quickstart.toml` or `scenarios/quickstart.toml` means."""
    path = PurePath(source)
    name = path.name.removesuffix(".toml")
    if str(path.parent) not in (".", "scenarios") or name not in shipped_scenarios():
        return None
    return files("scenarios").joinpath(f"{name}.toml")
