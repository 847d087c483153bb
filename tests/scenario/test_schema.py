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
    ],
)
def test_the_schema_refuses_what_the_loader_refuses_by_form(change: dict[str, object]) -> None:
    VALIDATOR.validate(MINIMAL)
    assert not VALIDATOR.is_valid({**MINIMAL, **change})


def test_every_field_and_quantity_is_described() -> None:
    definitions = SCHEMA["$defs"]
    assert isinstance(definitions, dict)
    assert [name for name, schema in definitions.items() if "description" not in schema] == []
    assert definitions["OpenLoad"]["properties"]["drain"]["default"] == "30s"


def test_the_limits_are_the_transport_s_phases_and_the_session() -> None:
    assert set(Limits.__struct_fields__) == {field.name for field in fields(PhaseLimits)} | {"session"}
