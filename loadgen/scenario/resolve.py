"""The scenario as it was run: every default filled in, no secret in it."""

import msgspec

from loadgen.scenario.model import Scenario
from loadgen.scenario.quantities import Leaf

MASK = "***"


def resolved(scenario: Scenario) -> dict[str, object]:
    """Return a scenario as plain data for the report, its password masked; what is not set at all is left out.

    Save for the password it reads back to the same scenario.
    """
    data = plain(scenario)
    assert isinstance(data, dict), "a Struct becomes a dict"
    data["accounts"]["password"] = MASK
    return data


def plain(value: object) -> object:
    """Return any part of the vocabulary as TOML would say it; TOML has no null, so None is left out."""
    match msgspec.to_builtins(value, enc_hook=_leaf):
        case dict() as table:
            return {key: plain(item) for key, item in table.items() if item is not None}
        case list() | tuple() as items:
            return [plain(item) for item in items]
        case scalar:
            return scalar


def _leaf(value: object) -> object:
    if isinstance(value, Leaf):
        return value.plain()
    raise NotImplementedError(f"the vocabulary holds a {type(value).__name__}, which has no plain form")
