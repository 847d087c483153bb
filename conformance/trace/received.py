"""One Received field, clause by clause (RFC 5321 §4.4), whatever is wrong with it."""

import re
from dataclasses import dataclass
from typing import Final

from conformance.trace.tokens import Kind, Token, tokens_of

KEYWORDS: Final = (b"from", b"by", b"via", b"with", b"id", b"for")
OCTETS_MAX: Final = 65_536              # of one field that are looked at
_TAIL_DATE: Final = re.compile(
    rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\s+)?\d{1,2}\s+[A-Za-z]{3}\s+\d{2,4}\s[\s\S]*\Z"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A keyword with what follows it up to the next: the words, and the comments, in their order."""

    keyword: bytes                     # in lower case; b"" before the first one
    words: tuple[bytes, ...]
    comments: tuple[bytes, ...]
    text: bytes                        # both, on one line

    @property
    def value(self) -> bytes:
        """Return the first word; b"" if there is none."""
        return self.words[0] if self.words else b""


NOTHING: Final = Clause(b"", (), (), b"")


@dataclass(frozen=True, slots=True)
class Received:
    """What one Received field says."""

    octets: bytes                      # the field's value as it stands
    clauses: tuple[Clause, ...]
    date: bytes                        # behind the last semicolon, comments and all; b"" if there is none
    semicolon: bool                    # before the date, as RFC 5321 §4.4 has it

    def clause(self, keyword: bytes) -> Clause:
        """Return the first clause of a keyword; NOTHING if there is none."""
        return next((clause for clause in self.clauses if clause.keyword == keyword), NOTHING)

    @property
    def by(self) -> bytes:
        """Return the host that wrote it, as it stands; b"" if it does not say."""
        return self.clause(b"by").value

    @property
    def comments(self) -> tuple[bytes, ...]:
        """Return every comment before the date."""
        return tuple(comment for clause in self.clauses for comment in clause.comments)


def received(value: bytes) -> Received:
    """Read the value of a Received field."""
    value = value[:OCTETS_MAX]
    tokens = tokens_of(value)
    last = max((at for at, token in enumerate(tokens) if token.kind is Kind.SEMICOLON), default=None)
    if last is not None:
        body, date = tokens[:last], value[tokens[last].at + 1:]
    else:
        found = _TAIL_DATE.search(value)
        start = found.start() if found else len(value)
        body, date = [token for token in tokens if token.at < start], value[start:]
    return Received(value, tuple(_clauses(body)), b" ".join(date.split()), last is not None)


def _clauses(tokens: list[Token]) -> list[Clause]:
    found: list[Clause] = []
    keyword, parts = b"", list[Token]()
    fresh = False                       # a word right behind a keyword is its value, even if it looks like one
    for at, token in enumerate(tokens):
        word = token.text.lower() if token.kind is Kind.WORD else b""
        if word in KEYWORDS and not (fresh and _comes_again(word, tokens, at)):
            found += _clause(keyword, parts)
            keyword, parts, fresh = word, [], True
        else:
            parts.append(token)
            fresh = False
    return found + _clause(keyword, parts)


def _comes_again(word: bytes, tokens: list[Token], at: int) -> bool:
    """Say whether a keyword stands further down too, so that here it may be what somebody called himself."""
    return any(token.kind is Kind.WORD and token.text.lower() == word for token in tokens[at + 1:at + 8])


def _clause(keyword: bytes, parts: list[Token]) -> list[Clause]:
    if not keyword and not parts:
        return []
    words = tuple(token.text for token in parts if token.kind is Kind.WORD)
    comments = tuple(token.text for token in parts if token.kind is Kind.COMMENT)
    text = b" ".join(b"(%b)" % token.text if token.kind is Kind.COMMENT else token.text for token in parts)
    return [Clause(keyword, words, comments, text)]
