"""The result document: what it accepts, what it refuses, and the sentence with which it refuses."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from reports.document import Document, LoadResult, SessionCounts, Timeline, books_balance, decode, encode, read
from reports.errors import DocumentError
from reports.ledger_result import CLASSES, COUNTS, LedgerResult
from reports.schema import result_json_schema


def test_a_document_comes_back_as_it_went(good: Document) -> None:
    assert decode(encode(good)) == good


def test_the_names_are_those_of_the_published_example(good: Document) -> None:
    data = json.loads(encode(good))
    assert data["schema"] == "mailproof/result-v1"
    assert set(data["verdicts"]) == {"correct", "fast_enough", "valid"}
    assert set(data["load"]["sessions"]) == {
        "arrived",
        "accepted",
        "refused",
        "failed",
        "timed_out",
        "dropped",
        "interrupted",
        "outage",
    }
    assert set(data["load"]["messages"]) == {"offered", "accepted", "refused", "retrieved"}
    assert set(data["ledger"]) == {*COUNTS, "end_to_end", "backlog", "drain_s", "irregularities", "not_made"}
    assert {"p50", "p99", "max"} <= set(data["load"]["phases"]["smtp.mail"]["response_ns"])
    assert {"schedule_lag_ns", "cpu_share"} <= set(data["load"]["health"])


def test_the_document_is_written_for_people_too(good: Document) -> None:
    assert encode(good).startswith(b'{\n  "schema": "mailproof/result-v1",\n')
    assert encode(good).endswith(b"}\n")


def test_books_that_do_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="2 arrived, 1 are accounted for"):
        SessionCounts(arrived=2, accepted=1)


def test_a_delivery_is_in_one_class_and_no_more() -> None:
    assert set(CLASSES) <= set(COUNTS)
    assert msgspec.convert({"sent": 8, **dict.fromkeys(CLASSES, 1)}, LedgerResult).sent == 8
    with pytest.raises(ValueError, match="2 sent, 1 are accounted for"):
        LedgerResult(sent=2, accepted=1, lost=1)


def test_a_negative_count_cannot_balance_another() -> None:
    with pytest.raises(ValueError, match="negative"):
        SessionCounts(arrived=1, accepted=2, refused=-1)


@pytest.mark.parametrize("outcome", ["accepted", "refused", "failed", "timed_out", "dropped", "interrupted"])
def test_every_outcome_is_in_the_books(outcome: str) -> None:
    assert books_balance(SessionCounts(arrived=3, **{outcome: 3}))


def test_timeline_columns_have_one_length() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Timeline(arrived=(1, 2), accepted=(1,))


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "not a mailproof result: it is empty"),
        (b"not json", "not a mailproof result: JSON is malformed"),
        (b'{"schema": "mailproof/resu', "not a mailproof result: it is cut off before its end"),
        (b"[]", "not a mailproof result: Expected `object`, got `array`"),
        (b"[" * 100_000, "not a mailproof result: "),
        (b"{}", 'not a mailproof result: it has no "schema" key; "mailproof/result-v1" is expected'),
        (b'{"schema": 1}', "not a mailproof result: Expected `str | null`, got `int` - at `$.schema`"),
        (
            b'{"schema": "mailproof/result-v2"}',
            'the result is of schema "mailproof/result-v2"; this version reads "mailproof/result-v1"',
        ),
        (b'{"schema": "mailproof/result-v1"}', "the result does not fit schema mailproof/result-v1: Object missing"),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(octets: bytes, sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        decode(octets)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('"arrived": 9358', '"arrived": 9359', "load.sessions: sessions do not balance: 9359 arrived"),
        ('"in_flight_peak": 387', '"in_flight_peak": "many"', "load.in_flight_peak: Expected `int`, got `str`"),
        ('"correct": "pass"', '"correct": "perhaps"', "verdicts.correct: Invalid enum value 'perhaps'"),
        ('"seed": 7,\n  "i', '"sede": 7,\n  "i', "Object contains unknown field `sede`"),
    ],
)
def test_a_document_of_the_wrong_shape_names_the_key(good: Document, before: str, after: str, sentence: str) -> None:
    text = encode(good).decode()
    assert before in text
    with pytest.raises(DocumentError) as caught:
        decode(text.replace(before, after, 1).encode())
    assert str(caught.value).startswith(f"the result does not fit schema mailproof/result-v1: {sentence}")


def test_a_missing_file_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"cannot read .*absent\.json: No such file or directory"):
        read(tmp_path / "absent.json")


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"{}")
    with pytest.raises(DocumentError, match=r"bad\.json: not a mailproof result"):
        read(tmp_path / "bad.json")


def test_the_published_schema_validates_real_documents(good: Document, bad: Document) -> None:
    schema = result_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in (good, bad):
        jsonschema.validate(json.loads(encode(document)), schema)


def test_the_published_schema_refuses_an_unknown_key(good: Document) -> None:
    data = json.loads(encode(good)) | {"unheard_of": 1}
    with pytest.raises(jsonschema.ValidationError, match="unheard_of"):
        jsonschema.validate(data, result_json_schema())


def test_the_published_schema_says_what_fields_mean() -> None:
    definitions = result_json_schema()["$defs"]
    assert isinstance(definitions, dict)
    assert all(definition.get("description") for definition in definitions.values())
    times = definitions["PhaseResult"]["properties"]
    assert "finished - started" in times["service_ns"]["description"]


def test_a_document_without_a_load_section_is_whole(good: Document) -> None:
    document = msgspec.structs.replace(good, load=None, ledger=None, gates=())
    assert decode(encode(document)).load is None


def test_an_empty_load_result_has_no_throughput() -> None:
    assert LoadResult(model="open", sessions=SessionCounts()).throughput is None
