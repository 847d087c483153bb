"""The published JSON Schemas of what we write: `mailproof schema result`, `mailproof schema calibration`."""

import msgspec

from reports import calibration, document


def result_json_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of `result.json`, with the meaning and unit of every field."""
    return _published(document.Document, document.SCHEMA, "mailproof result")


def calibration_json_schema() -> dict[str, object]:
    """Return the JSON Schema of `calibration.json`."""
    return _published(calibration.Calibration, calibration.SCHEMA, "mailproof calibration")


def _published(kind: type[msgspec.Struct], name: str, title: str) -> dict[str, object]:
    schema: dict[str, object] = msgspec.json.schema(kind, schema_hook=_anything)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://mailproof.invalid/{name.replace('/', '-')}.json",
        "title": title,
        **schema,
    }


def _anything(kind: type) -> dict[str, object]:
    """Allow any JSON inside the resolved scenario: its own schema describes it."""
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError(f"no JSON Schema for {kind}")
