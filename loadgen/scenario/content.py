"""What a session's messages are made of: text, attachments, 8-bit text, UTF-8 throughout, or the files of a corpus."""

import random
from dataclasses import dataclass
from typing import Final, Literal, Self, assert_never, get_args

from loadgen.scenario.corpus import Corpus, Sample, read_corpus
from loadgen.scenario.distributions import Counts, Sizes
from loadgen.scenario.problems import Problem, UnreadableError, join, near_miss, show, unknown_key
from loadgen.scenario.quantities import JsonSchema, Leaf

ATTACHMENTS_MAX: Final = 100       # of one message
Extension = Literal["8BITMIME", "SMTPUTF8"]      # what a message may need of a server
PlainKind = Literal["text", "8bit", "smtputf8"]


@dataclass(frozen=True, slots=True)
class Plain:
    """Lines of text: ASCII; or UTF-8, which needs 8BITMIME; or that below a header section in UTF-8: SMTPUTF8."""

    kind: PlainKind


@dataclass(frozen=True, slots=True)
class Multipart:
    """Lines of ASCII text and attachments in base64."""

    attachments_octets: tuple[int, ...]      # of each, before base64


Body = Plain | Multipart | Sample            # what one message is made of
TEXT: Final = Plain("text")


@dataclass(frozen=True, slots=True)
class Mime:
    """How many attachments a message has, and how large each is before base64."""

    attachments: Counts
    attachment_size: Sizes


_MIME: Final = Mime(Counts.parse(1), Sizes.parse("16 KiB"))
_WORDS: Final = (*get_args(PlainKind), "mime")


class Content(Leaf[Plain | Mime | Corpus]):
    """A choice of content: a word, or a table with one key.

    `text`, `8bit`, `smtputf8` and `mime` are made from the seed; `{mime = {attachments = 2, attachment_size = "1 kB"}}`
    is the last with its numbers. `{corpus = "mails"}` names a directory of .eml files, read when the scenario is.
    """

    __slots__ = ()
    ALLOWED = 'text, 8bit, smtputf8, mime, or a table {mime|corpus} such as {corpus = "mails"}'

    @property
    def corpus(self) -> Corpus | None:
        """Return the corpus that messages are drawn from, if they are."""
        return self._held if isinstance(self._held, Corpus) else None

    @property
    def always(self) -> Plain | None:
        """Return what every message is made of, where it is the same for all."""
        return self._held if isinstance(self._held, Plain) else None

    def needing(self, extension: Extension) -> tuple[int, int]:
        """Return how many of how many messages need an extension; what is made here is all of one kind."""
        match self._held:
            case Plain(kind):
                return int(kind == "smtputf8" or (kind == "8bit" and extension == "8BITMIME")), 1
            case Mime():
                return 0, 1
            case Corpus(samples=samples):
                parts = (each.body if extension == "8BITMIME" else each.header for each in samples)
                return sum(not part.isascii() for part in parts), len(samples)
            case _:
                assert_never(self._held)

    def draw(self, rng: random.Random) -> Body:
        """Return what one message is made of."""
        match self._held:
            case Plain():
                return self._held
            case Mime(attachments, attachment_size):
                return Multipart(tuple(attachment_size.sample(rng) for _ in range(attachments.sample(rng))))
            case Corpus(samples=samples):
                return samples[rng.randrange(len(samples))]
            case _:
                assert_never(self._held)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the content a word or a table stands for; of a corpus, every file is read."""
        match value:
            case "text" | "8bit" | "smtputf8":
                return cls(Plain(value))
            case "mime":
                return cls(_MIME)
            case {"mime": parameters, **rest} if not rest:
                return cls(_mime(parameters))
            case {"corpus": directory, **rest} if not rest:
                return cls(_corpus(directory))
            case {"mime": _, "corpus": _}:
                raise UnreadableError([Problem("", what="mime and corpus exclude each other")])
            case dict():
                raise UnreadableError([unknown_key("", str(key), ("mime", "corpus")) for key in value] or [
                    Problem("", got=show(value), allowed=cls.ALLOWED)
                ])  # fmt: skip
            case _:
                raise UnreadableError.value(value, cls.ALLOWED, hint=near_miss(str(value), _WORDS))

    def plain(self) -> object:
        """Return what `parse` reads back."""
        match self._held:
            case Plain(kind):
                return kind
            case Mime(attachments, attachment_size):
                return {"mime": {"attachments": attachments.plain(), "attachment_size": attachment_size.plain()}}
            case Corpus(directory=directory):
                return {"corpus": directory}
            case _:
                assert_never(self._held)

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a word or a table with one key."""
        mime = {
            "attachments": {"$ref": "#/$defs/Counts", "description": "How many, in base64.", "default": 1},
            "attachment_size": {
                "$ref": "#/$defs/Sizes", "description": "Octets of each, before base64.", "default": "16 KiB",
            },
        }  # fmt: skip
        corpus = {"type": "string", "minLength": 1, "description": "Directory of .eml files, relative to the scenario."}
        return {
            "description": "What messages are made of: a word, or a table with one key.",
            "anyOf": [
                {"enum": list(_WORDS)},
                _table("mime", {"type": "object", "properties": mime, "additionalProperties": False}),
                _table("corpus", corpus),
            ],
            "examples": ["8bit", {"mime": {"attachments": 2, "attachment_size": "1 MiB"}}, {"corpus": "mails"}],
        }


def _table(key: str, inner: JsonSchema) -> JsonSchema:
    return {"type": "object", "properties": {key: inner}, "required": [key], "additionalProperties": False}


def _mime(parameters: object) -> Mime:
    if not isinstance(parameters, dict):
        raise UnreadableError([Problem("mime", got=show(parameters), allowed="a table")])
    problems = [unknown_key("mime", key, _MIME.__slots__) for key in parameters if key not in _MIME.__slots__]
    attachments, attachment_size = _MIME.attachments, _MIME.attachment_size
    try:
        attachments = Counts.parse(parameters.get("attachments", attachments.plain()))
        if attachments.bounds[1] > ATTACHMENTS_MAX:
            raise UnreadableError.value(attachments.plain(), f"numbers from 0 to {ATTACHMENTS_MAX}")
    except UnreadableError as error:
        problems += [problem.under(join("mime", "attachments")) for problem in error.problems]
    try:
        attachment_size = Sizes.parse(parameters.get("attachment_size", attachment_size.plain()))
    except UnreadableError as error:
        problems += [problem.under(join("mime", "attachment_size")) for problem in error.problems]
    if problems:
        raise UnreadableError(problems)
    return Mime(attachments, attachment_size)


def _corpus(directory: object) -> Corpus:
    if not isinstance(directory, str) or not directory:
        allowed = 'the name of a directory of .eml files such as "mails"'
        raise UnreadableError([Problem("corpus", got=show(directory), allowed=allowed)])
    try:
        return read_corpus(directory)
    except UnreadableError as error:
        raise UnreadableError([problem.under("corpus") for problem in error.problems]) from None
