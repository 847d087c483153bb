"""The last guard before text meets a terminal, an XML parser or a page: nothing in it acts, it only shows."""

import unicodedata

# Cc control, Cf format (bidirectional overrides, zero-width), Cs surrogates, Co private, Cn unassigned; Zl, Zp: line
# and paragraph separators. Escape sequences and line breaks out of a server's mouth have rewritten reports before.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def inert(text: str) -> str:
    r"""Return the text on one line, every character that acts instead of showing written as an escape.

    >>> inert("\x1b[2Jok\n")
    '\\x1b[2Jok\\n'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _ACTING:
        return character
    return character.encode("unicode_escape").decode("ascii")
