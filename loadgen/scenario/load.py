"""From a scenario file to a checked scenario: read, override, decode, check."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from loadgen.endpoint import Protocol
from loadgen.scenario.arrivals import Replay
from loadgen.scenario.asked import NOTHING_ASKED, Asked
from loadgen.scenario.check import check
from loadgen.scenario.datafile import located
from loadgen.scenario.draft import read_draft
from loadgen.scenario.model import Load, OpenLoad, Scenario
from loadgen.scenario.overrides import RATE_SHORTHAND, Overridden, apply_overrides
from loadgen.scenario.problems import Problem, ScenarioError, UnreadableError, near_miss
from loadgen.scenario.quantities import Rate
from loadgen.scenario.rfc1090 import fill_in_profile
from loadgen.scenario.server import EMBEDDED
from loadgen.scenario.shipped import shipped_scenario, shipped_scenarios

_SCENARIO_OCTETS_MAX: Final = 1 << 20
_EMBEDDED_TARGET: Final = {"smtp": EMBEDDED, "lmtp": EMBEDDED, "pop3": EMBEDDED}


def load_scenario(
    source: str | Path,
    *,
    overrides: Sequence[str] = (),
    urls: Mapping[Protocol, str] | None = None,
    seed: int | None = None,
    authorized: bool = False,
    crashed: bool = False,
    environ: Mapping[str, str] | None = None,
    asked: Asked = NOTHING_ASKED,
) -> Scenario:
    """Return the scenario of a file, or of a shipped scenario's name, ready to run.

    `overrides` are the command line's `--set path=value`; `urls` its `--smtp`, `--lmtp`, `--pop3`, which take the
    place of an embedded target as a whole: half a run against one's own server would prove nothing; `asked` its gates,
    which are held beside those of the file. `crashed`: the server is crashed amid the load, also if the scenario says
    nothing of it.
    Raises ScenarioError with every problem found.
    """
    name, text, directory = _read(source)
    data = _parse(name, text)
    return scenario_from(
        data, name=name, directory=directory, overrides=overrides, urls=urls or {}, seed=seed,
        authorized=authorized, crashed=crashed, environ=os.environ if environ is None else environ, asked=asked,
    )   # fmt: skip


def scenario_from(  # noqa: PLR0913  a scenario, and all that the command line says of it
    data: dict[str, object],
    *,
    name: str,
    directory: Path | None,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    urls: Mapping[Protocol, str] | None = None,
    seed: int | None = None,
    authorized: bool = False,
    asked: Asked = NOTHING_ASKED,
    crashed: bool = False,
) -> Scenario:
    """Return the checked scenario of TOML's plain data, which is changed; file names are relative to `directory`.

    None for the directory is a shipped scenario's: it finds the data that is shipped with it.
    """
    _spell_out_embedded(data)                      # so that target.tls can be set within it,
    overridden = apply_overrides(data, overrides)
    _spell_out_embedded(data)                      # and target=embedded put in place of a table
    _point_at(data, urls or {})
    if crashed:
        data.setdefault("crash", {})
    if seed is not None:
        _set(data, "scenario", "seed", seed)
    marks = asked.put_into(data)
    _absolute(data, directory or Path.cwd(), shipped=directory is None)
    fill_in_profile(data)
    form_problems, draft = read_draft(data)
    problems = [*overridden.problems, *marks.problems, *form_problems]
    if overridden.peak_rate is not None and draft.load is not None:
        try:
            draft = replace(draft, load=_scaled_to(draft.load, overridden.peak_rate))
        except UnreadableError as error:
            problems += error.problems
    problems += check(draft, authorized=authorized, environ=environ)
    if problems:
        raise ScenarioError(name, [marks.marked(_marked(problem, overridden)) for problem in problems])
    return draft.scenario()


def _read(source: str | Path) -> tuple[str, str, Path | None]:
    """Return a scenario's name, its text, and its directory; None for a shipped one."""
    name, path = str(source), Path(source)
    try:
        if not path.exists() and (shipped := shipped_scenario(name)) is not None:
            return f"scenarios/{shipped.name}", shipped.read_text(encoding="utf-8"), None
        with path.open("rb") as file:
            octets = file.read(_SCENARIO_OCTETS_MAX + 1)
        if len(octets) > _SCENARIO_OCTETS_MAX:
            raise ScenarioError(name, [Problem("", what="larger than 1 MiB: this is no scenario file")])
        return name, octets.decode(), path.absolute().parent
    except FileNotFoundError:
        shipped_names = shipped_scenarios()
        hint = near_miss(path.name.removesuffix(".toml"), shipped_names)
        what = f"no such file; shipped scenarios: {', '.join(shipped_names)}"
        raise ScenarioError(name, [Problem("", what=what, hint=hint)]) from None
    except OSError as error:
        raise ScenarioError(name, [Problem("", what=f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text (octet {error.start}), so it is no TOML file"
        raise ScenarioError(name, [Problem("", what=what)]) from None


def _parse(name: str, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        sentence = str(error)
        place = re.search(r" \(at line (\d+), column (\d+)\)$", sentence)
        if place is None:   # "(at end of document)"
            raise ScenarioError(name, [Problem("", what=f"not TOML: {sentence}")]) from None
        line, column = int(place[1]), int(place[2])
        shown = "".join(char if char.isprintable() else " " for char in text.splitlines()[line - 1][:100])
        what = f"not TOML: line {line}, column {column}: {sentence[: place.start()]}"
        caret = f"\n    {shown}\n    {' ' * (column - 1)}^" if column <= len(shown) + 1 else ""
        raise ScenarioError(name, [Problem("", what=what + caret)]) from None


def _spell_out_embedded(data: dict[str, object]) -> None:
    if data.get("target", EMBEDDED) == EMBEDDED:
        data["target"] = dict(_EMBEDDED_TARGET)


def _point_at(data: dict[str, object], urls: Mapping[Protocol, str]) -> None:
    target = data["target"]
    if not urls or not isinstance(target, dict):
        return
    for protocol in _EMBEDDED_TARGET:
        if target.get(protocol) == EMBEDDED:
            del target[protocol]
    target.pop("store", None)      # the embedded server's own affair
    target.update(urls)


def _set(data: dict[str, object], table: str, key: str, value: object) -> None:
    if isinstance(section := data.setdefault(table, {}), dict):
        section[key] = value


def _absolute(data: dict[str, object], directory: Path, *, shipped: bool) -> None:
    """Make file names in the scenario relative to the scenario, not to wherever the command was typed."""
    for table, key in (("accounts", "file"), ("target", "ca_file")):
        section = data.get(table)
        if isinstance(section, dict) and isinstance(file := section.get(key), str):
            section[key] = str(directory / Path(file).expanduser())
    load = data.get("load")
    arrivals = load.get("arrivals") if isinstance(load, dict) else None
    for segment in arrivals if isinstance(arrivals, list) else ():
        if isinstance(segment, dict) and isinstance(file := segment.get("file"), str) and file:
            segment["file"] = located(file, directory, shipped=shipped)
    sessions = data.get("session")
    for session in sessions if isinstance(sessions, list) else ():
        content = session.get("content") if isinstance(session, dict) else None
        if isinstance(content, dict) and isinstance(corpus := content.get("corpus"), str) and corpus:
            content["corpus"] = str(directory / Path(corpus).expanduser())


def _scaled_to(load: Load, peak: Rate) -> Load:
    """Return an open load whose highest rate is `peak`, every other rate keeping its share of it."""
    if not isinstance(load, OpenLoad):
        what = "a closed load has no rate of its own; set load.virtual_users or load.think"
        raise UnreadableError([Problem(f"--set {RATE_SHORTHAND}", what=what)])
    rated = [segment for segment in load.arrivals if not isinstance(segment, Replay)]
    if len(rated) < len(load.arrivals):
        what = "a replay has the rate its trace had; set its speed, as in load.arrivals[0].speed=2"
        raise UnreadableError([Problem(f"--set {RATE_SHORTHAND}", what=what)])
    now = max(rate for segment in rated for rate in segment.rates)
    if now == 0:
        what = "every rate of load.arrivals is 0, so there is nothing to scale"
        raise UnreadableError([Problem(f"--set {RATE_SHORTHAND}", what=what)])
    factor = peak.per_s / now
    return msgspec.structs.replace(load, arrivals=tuple(each.scaled(factor) for each in rated))


def _marked(problem: Problem, overridden: Overridden) -> Problem:
    """Say of a problem that it came from the command line, not from the file."""
    if any(problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")) for path in overridden.paths):
        return replace(problem, path=f"--set {problem.path}")
    return problem

