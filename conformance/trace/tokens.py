"""A Received field cut into words, comments and semicolons (RFC 5322 §3.2; its obsolete forms too). Never raises."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    COMMENT = auto()
    SEMICOLON = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a field. A comment's text is what stands between its parentheses, on one line."""

    kind: Kind
    text: bytes
    at: int                # where in the field it begins


# A quoted string, a path or a literal is one word with what stands around it, unless it never ends.
_WORD: Final = re.compile(rb'(?:"(?:[^"\\]|\\.){0,255}"|<[^<>\s]{0,255}>|\[[^\[\]\s]{0,255}\]|[^\s();])+', re.DOTALL)
_SIGN: Final = re.compile(rb"\\.|[()]", re.DOTALL)


def tokens_of(field: bytes) -> list[Token]:
    """Cut a field's value up. A parenthesis that nothing answers is passed over, as if it were space."""
    ends = _matches(field)
    found: list[Token] = []
    at = 0
    while at < len(field):
        octet = field[at:at + 1]
        if octet == b"(" and at in ends:
            found.append(Token(Kind.COMMENT, b" ".join(field[at + 1:ends[at]].split()), at))
            at = ends[at] + 1
        elif octet == b";":
            found.append(Token(Kind.SEMICOLON, octet, at))
            at += 1
        elif octet.isspace() or octet in b"()":
            at += 1
        elif (word := _WORD.match(field, at)) is not None:
            found.append(Token(Kind.WORD, word[0], at))
            at = word.end()
        else:
            at += 1
    return found


def _matches(field: bytes) -> dict[int, int]:
    """Return where each parenthesis that opens is closed, in one pass."""
    open_ones: list[int] = []
    ends: dict[int, int] = {}
    for sign in _SIGN.finditer(field):
        if sign[0] == b"(":
            open_ones.append(sign.start())
        elif sign[0] == b")" and open_ones:
            ends[open_ones.pop()] = sign.start()
    return ends


def without_comments(text: bytes) -> bytes:
    """Return a text without its comments, nested ones too (RFC 5322 §3.2.2)."""
    ends = _matches(text)
    kept, at = bytearray(), 0
    for start in sorted(ends):
        if start >= at:
            kept += text[at:start] + b" "
            at = ends[start] + 1
    return bytes(kept + text[at:])
