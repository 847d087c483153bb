"""Texts of a scenario with places in them to be filled in: `RCPT TO:<{recipient}>`."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from loadgen.scenario.problems import near_miss, show

CAPTURE: Final = "capture."
# In the order they are listed to somebody who wrote another one.
FIELDS: Final = (
    "account.address", "account.login", "account.password", "base64.login", "base64.password", "base64.plain",
    "recipient", "reverse_path", "hello", "k", "i",
)  # fmt: skip
SECRET: Final = frozenset({"account.password", "base64.password", "base64.plain"})
FOR_MAIL: Final = frozenset({"recipient", "reverse_path"})

_PART: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.?))", re.DOTALL)
_ESCAPED: Final = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
_ENDS_A_LINE: Final = re.compile("[\r\n\0]")


class BadTemplateError(ValueError):
    """A text that is no template, with a sentence for whoever wrote it."""


@lru_cache(maxsize=1024)
def fields_of(text: str) -> tuple[str, ...]:
    """Return the fields of a template, in order. Raises BadTemplateError on a brace that is neither."""
    return tuple([part for part, is_field in _parts(text) if is_field])


def filled(text: str, values: Mapping[str, str]) -> bytes:
    """Return a template with its fields filled in; `values` has them all. What is no text in UTF-8 goes as it came."""
    return b"".join([_octets(values[part] if is_field else part) for part, is_field in _parts(text)])


def filled_octets(text: str, values: Mapping[str, str]) -> bytes:
    r"""Return a template's octets, with escapes such as \r and \xff in what is not filled in."""
    return b"".join([_octets(values[part]) if is_field else unescaped(part) for part, is_field in _parts(text)])


def unescaped(text: str) -> bytes:
    r"""Return the octets a text with \r \n \t \0 \\ and \xHH stands for. Raises BadTemplateError on another."""
    octets, at = [], 0
    for found in _ESCAPE.finditer(text):
        octets.append(_octets(text[at : found.start()]))
        if found[1] is not None:
            octets.append(bytes.fromhex(found[1]))
        elif found[2] in _ESCAPED:
            octets.append(_ESCAPED[found[2]])
        else:
            raise BadTemplateError(rf"{show(found[0])} is no escape; there are \r \n \t \0 \\ and \xHH")
        at = found.end()
    return b"".join([*octets, _octets(text[at:])])


def ends_a_line(text: str) -> bool:
    """Say whether a text could make two commands of one: it holds CR, LF or NUL."""
    return _ENDS_A_LINE.search(text) is not None


def unknown_field(field: str, allowed: tuple[str, ...]) -> str:
    """Return the sentence about a field that nothing fills."""
    hint = near_miss(field, allowed) or f"there are {', '.join(f'{{{each}}}' for each in allowed)}"
    return f"nothing fills {show('{' + field + '}')[1:-1]}; {hint}"


def checked(text: str, read: Callable[[str], object]) -> str | None:
    """Return the sentence that says why a text cannot be read as a template; None if it can."""
    try:
        read(text)
    except BadTemplateError as error:
        return str(error)
    return None


def literal_octets(text: str) -> None:
    """Read a template's literal parts as octets with escapes. Raises BadTemplateError."""
    for part, is_field in _parts(text):
        if not is_field:
            unescaped(part)


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[tuple[str, bool], ...]:
    parts = []
    for part in _PART.findall(text):
        if part in ("{{", "}}"):
            parts.append((part[0], False))
        elif part in ("{", "}"):
            raise BadTemplateError(f"a lone {part}: write {part * 2} for a brace itself")
        elif part[0] == "{":
            parts.append((part[1:-1], True))
        else:
            parts.append((part, False))
    return tuple(parts)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
