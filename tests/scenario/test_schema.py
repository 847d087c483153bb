"""The published schema accepts what the loader accepts, and refuses what it refuses by form."""

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import Limits
from loadgen.scenario.resolve import resolved
from loadgen.scenario.schema import SCENARIO_SCHEMA_ID, scenario_json_schema
from loadgen.scenario.shipped import shipped_scenarios
from loadgen.transport.limits import PhaseLimits

SCHEMA = scenario_json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_the_schema_is_a_json_schema_and_can_be_printed() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA))["$id"] == SCENARIO_SCHEMA_ID


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_holds_to_the_schema_and_points_to_it(name: str) -> None:
    text = (SCENARIOS / f"{name}.toml").read_text()
    assert text.startswith(f"#:schema {SCENARIO_SCHEMA_ID}\n")
    VALIDATOR.validate(tomllib.loads(text))
    VALIDATOR.validate(resolved(load_scenario(name)))


MINIMAL = {
    "scenario": {"name": "x"},
    "load": {"model": "open", "arrivals": [{"shape": "constant", "rate": 1, "for": "1s"}]},
    "session": [{"kind": "smtp-deliver"}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"zzz": 1},
        {"load": {"model": "opne"}},
        {"load": {"model": "closed", "virtual_users": 0, "sessions": 1}},
        {"session": []},
        {"session": [{"kind": "smtp-deliver", "size": "4 Kib5"}]},
        {"session": [{"kind": "smtp-deliver", "size": {"uniform": [1]}}]},
        {"session": [{"kind": "smtp-deliver", "messages": {"lognormal": {"median": 1, "sigma": 1}}}]},
        {"session": [{"kind": "smtp-deliver", "weight": -1}]},
        {"session": [{"kind": "idle-hold", "hold": 5}]},
        {"target": "embeded"},
        {"target": {"smtp": "http://127.0.0.1"}},
        {"target": {"tls": "startls"}},
        {"limits": {"body": 5}},
        {"load": {"model": "open", "arrivals": [{"shape": "constant", "rate": "fast", "for": "1s"}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "ramp", "from": 1, "to": 2, "over": "1s", "process": "x"}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "steps", "from": 1, "to": 2, "by": 1}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "spike", "base": 1, "peak": 2, "for": 3}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "curve", "file": ""}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "curve", "file": "a.csv", "scale": 0}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "replay", "file": 3}]}},
        {"load": {"model": "open", "arrivals": [{"shape": "replay", "file": "a.csv", "speed": "fast"}]}},
        {"load": {"model": "closed", "virtual_users": 1, "sessions": 1, "maildrop": "mine"}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses_by_form(change: dict[str, object]) -> None:
    VALIDATOR.validate(MINIMAL)
    assert not VALIDATOR.is_valid({**MINIMAL, **change})


@pytest.mark.parametrize(
    "segment",
    [
        {"shape": "steps", "from": 50, "to": 200, "by": 50, "each": "30s"},
        {"shape": "spike", "base": 20, "peak": 400, "at": "10s", "rise": "2s", "fall": "2s", "for": "40s"},
        {"shape": "curve", "file": "day.csv", "scale": 0.5, "stretch": "1/3", "process": "poisson"},
        {"shape": "curve", "file": "day.csv", "over": "10m"},
        {"shape": "replay", "file": "mail.log", "speed": 2.5, "for": "5m"},
    ],
)
def test_the_schema_takes_every_shape(segment: dict[str, object]) -> None:
    VALIDATOR.validate({**MINIMAL, "load": {"model": "open", "arrivals": [segment]}})


def test_every_field_and_quantity_is_described() -> None:
    definitions = SCHEMA["$defs"]
    assert isinstance(definitions, dict)
    assert [name for name, schema in definitions.items() if "description" not in schema] == []
    assert definitions["OpenLoad"]["properties"]["drain"]["default"] == "30s"


def test_the_limits_are_the_transport_s_phases_and_the_session() -> None:
    assert set(Limits.__struct_fields__) == {field.name for field in fields(PhaseLimits)} | {"session"}
