"""The published JSON Schema of the result document: `mailproof schema result`."""

import msgspec

from reports.document import SCHEMA, Document


def result_json_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of `result.json`, with the meaning and unit of every field."""
    schema: dict[str, object] = msgspec.json.schema(Document, schema_hook=_anything)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://mailproof.invalid/{SCHEMA.replace('/', '-')}.json",
        "title": "mailproof result",
        **schema,
    }


def _anything(kind: type) -> dict[str, object]:
    """Allow any JSON inside the resolved scenario: its own schema describes it."""
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError(f"no JSON Schema for {kind}")
