"""The JSON Schema of scenario files, made from the structs: `mailproof schema scenario` prints it."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, inspect

from loadgen.scenario.content import Content
from loadgen.scenario.crash import CrashAt
from loadgen.scenario.curve import CurveFile
from loadgen.scenario.decode import bare, default_of
from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.model import Scenario
from loadgen.scenario.quantities import Duration, Factor, JsonSchema, Leaf, Rate, Size
from loadgen.scenario.resolve import plain
from loadgen.scenario.server import EMBEDDED, ServerUrl
from loadgen.scenario.trace import TraceFile

SCENARIO_SCHEMA_ID: Final = "https://mailproof.invalid/scenario-v1.json"

_LEAVES: Final[tuple[type[Leaf[Any]], ...]] = (
    Duration, Size, Rate, Factor, Counts, Sizes, Durations, ServerUrl, CurveFile, TraceFile,
    Content, CrashAt,
)   # fmt: skip


def scenario_json_schema() -> dict[str, object]:
    """Return the schema (JSON Schema 2020-12) that every scenario file holds to.

    It knows form, not meaning: that a session's server is there, or that a gate's metric exists, only the check
    can say.
    """
    (reference,), definitions = msgspec.json.schema_components(
        [Scenario], schema_hook=_reference, ref_template="#/$defs/{name}"
    )
    for struct in _structs(inspect.type_info(Scenario)):
        _write_defaults(struct, definitions[struct.cls.__name__])
    definitions |= {leaf.__name__: leaf.json_schema() for leaf in _LEAVES}
    _allow_embedded(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCENARIO_SCHEMA_ID,
        "title": "mailproof scenario",
        **reference,
        "$defs": dict(sorted(definitions.items())),
    }


def _reference(kind: type) -> JsonSchema:
    if issubclass(kind, Leaf):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    raise NotImplementedError(f"the vocabulary holds a {kind.__name__}, which has no schema")


def _structs(node: inspect.Type) -> Iterator[inspect.StructType]:
    """Yield every struct that a type is made of, itself included."""
    match bare(node):
        case inspect.StructType() as struct:
            yield struct
            for each in struct.fields:
                yield from _structs(each.type)
        case inspect.UnionType() as union:
            for option in union.types:
                yield from _structs(option)
        case inspect.VarTupleType() as items:
            yield from _structs(items.item_type)


def _write_defaults(struct: inspect.StructType, schema: JsonSchema) -> None:
    """Add the defaults msgspec could not write: those in the vocabulary's own classes."""
    properties = schema["properties"]
    assert isinstance(properties, dict), "a struct's schema lists its properties"
    for each in struct.fields:
        if each.default_factory is not NODEFAULT:
            properties[each.encode_name]["default"] = plain(default_of(each))


def _allow_embedded(definitions: dict[str, JsonSchema]) -> None:
    """Let `target = "embedded"` stand for a table whose every server is embedded, as the loader does."""
    properties = definitions["Scenario"]["properties"]
    assert isinstance(properties, dict), "a struct's schema lists its properties"
    properties["target"] = {
        "description": "The server under test, or embedded for the reference server, started for the run.",
        "anyOf": [{"const": EMBEDDED}, {"$ref": "#/$defs/Target"}],
        "default": EMBEDDED,
    }
