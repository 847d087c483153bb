"""`--set load.rate=500`: what the command line changes in a scenario, before anything is checked."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadgen.scenario.problems import Problem, UnreadableError
from loadgen.scenario.quantities import Rate

_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[([0-9]+)\]")
RATE_SHORTHAND = "load.rate"


@dataclass(slots=True)
class Overridden:
    """What became of the overrides: the paths that were set, and what could not be."""

    paths: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    peak_rate: Rate | None = None   # `load.rate`: not a key, but a wish about every arrival


def apply_overrides(data: dict[str, object], overrides: Sequence[str]) -> Overridden:
    """Set each `path=value` in the plain data of a scenario.

    A path is written as problems print it (`session[1].size`) or with dots (`session.1.size`). A value is TOML;
    what is no TOML is taken as text, so that `target.tls=starttls` needs no quotes within quotes.
    """
    result = Overridden()
    for override in overrides:
        path, equals, text = override.partition("=")
        steps = _steps(path.strip())
        if not equals or not steps:
            what = f"--set {override}: expected path=value, such as load.in_flight_max=500"
            result.problems.append(Problem("", what=what))
            continue
        try:
            value = _value(text.strip())
            if path.strip() == RATE_SHORTHAND:
                result.peak_rate = Rate.parse(value)
            else:
                _set(data, steps, value)
                result.paths.append(_printed(steps))
        except UnreadableError as error:
            result.problems += [problem.under(f"--set {path.strip()}") for problem in error.problems]
    return result


def _steps(path: str) -> list[str | int]:
    matches = list(_STEP.finditer(path))
    if not matches or "".join(match[0] for match in matches) != path or path.startswith((".", "[")):
        return []
    steps: list[str | int] = []
    for match in matches:
        text = match[1] if match[1] is not None else match[2]
        steps.append(int(text) if text.isdigit() else text)
    return steps


def _printed(steps: Sequence[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        if not text or text[0] in "[{\"'":   # meant as TOML, and broken
            raise UnreadableError([Problem("", what=f"{text or 'nothing'} is no TOML value")]) from None
        return text


def _set(data: dict[str, object], steps: Sequence[str | int], value: object) -> None:
    place: object = data
    for i, step in enumerate(steps[:-1]):
        where = _printed(steps[: i + 1])
        match place, step:
            case dict(), str():
                place = place.setdefault(step, {})
            case list(), int() if step < len(place):
                place = place[step]
            case _:
                raise UnreadableError([Problem("", what=_no_such(place, where))])
    match place, steps[-1]:
        case dict(), str() as key:
            place[key] = value
        case list(), int() as index if index < len(place):
            place[index] = value
        case _:
            raise UnreadableError([Problem("", what=_no_such(place, _printed(steps)))])


def _no_such(place: object, where: str) -> str:
    match place:
        case list():
            return f"{where} does not exist: that list has {len(place)} entries, counted from 0"
        case dict():
            return f"{where} does not exist: a table has keys, not numbers"
        case _:
            return f"{where} does not exist: its parent is a plain value"
