"""What messages are made of: a word or a table with one key, and what is drawn from it."""

import random
from pathlib import Path

import jsonschema
import pytest

from loadgen.scenario.content import TEXT, Content, Multipart, Plain
from loadgen.scenario.distributions import Counts, Sizes
from loadgen.scenario.problems import UnreadableError
from loadgen.scenario.quantities import Size

CHOICES: list[object] = [
    "text",
    "8bit",
    "smtputf8",
    {"mime": {"attachments": {"uniform": [0, 3]}, "attachment_size": {"uniform": [1, 2048]}}},
]


def schema() -> dict[str, object]:
    definitions = {leaf.__name__: leaf.json_schema() for leaf in (Counts, Size, Sizes)}
    return {**Content.json_schema(), "$defs": definitions}


@pytest.mark.parametrize("value", CHOICES)
def test_what_is_written_is_read_back(value: object) -> None:
    content = Content.parse(value)
    assert Content.parse(content.plain()) == content
    jsonschema.validate(content.plain(), schema())


def test_mime_alone_is_one_attachment_of_16_kib() -> None:
    assert Content.parse("mime") == Content.parse({"mime": {}})
    assert Content.parse("mime").draw(random.Random(1)) == Multipart((16_384,))


@pytest.mark.parametrize("kind", ["text", "8bit", "smtputf8"])
def test_a_word_draws_nothing_from_the_stream(kind: str) -> None:
    rng = random.Random(1)
    before = rng.getstate()
    body = Content.parse(kind).draw(rng)
    assert isinstance(body, Plain)
    assert body.kind == kind
    assert rng.getstate() == before
    assert (body == TEXT) is (kind == "text")


def test_attachments_are_drawn_within_their_bounds_and_again_from_the_same_stream() -> None:
    content = Content.parse(CHOICES[-1])
    drawn = [content.draw(random.Random(n)) for n in range(300)]
    assert drawn == [content.draw(random.Random(n)) for n in range(300)]
    counts = {len(each.attachments_octets) for each in drawn if isinstance(each, Multipart)}
    sizes = {size for each in drawn if isinstance(each, Multipart) for size in each.attachments_octets}
    assert counts == {0, 1, 2, 3}
    assert 1 <= min(sizes) < 100
    assert 1948 < max(sizes) <= 2048


def test_every_message_of_a_corpus_is_drawn_sooner_or_later(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.eml").write_bytes(b"A: b\r\n\r\n")
    content = Content.parse({"corpus": str(tmp_path)})
    assert content.corpus is not None
    assert content.plain() == {"corpus": str(tmp_path)}
    assert Content.parse(content.plain()) == content
    assert {content.draw(random.Random(n)) for n in range(100)} == set(content.corpus.samples)
    assert Content.parse("text").corpus is None


ALLOWED = 'text, 8bit, smtputf8, mime, or a table {mime|corpus} such as {corpus = "mails"}'
MISTAKES: list[tuple[object, list[str]]] = [
    ("mine", [f'got "mine", expected {ALLOWED}; did you mean `mime`?']),
    (8, [f"got 8, expected {ALLOWED}"]),
    ({}, ["got {}, expected " + ALLOWED]),
    ({"corpse": "x"}, ["corpse: unknown key; did you mean `corpus`?"]),
    ({"mime": {}, "corpus": "x"}, ["mime and corpus exclude each other"]),
    ({"mime": 3}, ["mime: got 3, expected a table"]),
    ({"mime": {"attachments": 101}}, ["mime.attachments: got 101, expected numbers from 0 to 100"]),
    ({"mime": {"attachments": -1, "attachment_size": "big", "size": 1}}, [
        "mime.size: unknown key; did you mean `attachment_size`?",
        "mime.attachments: got -1, expected a whole number or a table {fixed|uniform|lognormal|exponential|choice}",
        'mime.attachment_size: got "big", expected a size such as "4 KiB" or a table '
        "{fixed|uniform|lognormal|exponential|choice}",
    ]),
    ({"corpus": ""}, ['corpus: got "", expected the name of a directory of .eml files such as "mails"']),
    ({"corpus": "/nowhere/at/all"}, ["corpus: no such directory: /nowhere/at/all"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "sentences"), MISTAKES)
def test_every_mistake_has_its_sentence_and_its_path(value: object, sentences: list[str]) -> None:
    with pytest.raises(UnreadableError) as caught:
        Content.parse(value)
    assert [str(problem) for problem in caught.value.problems] == sentences
