"""What every page of ours has in common: its templates, its style, and how a verdict looks."""

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import units
from reports.safe import inert

# verdict of a case -> a mark that is told from the others without its colour
CASE_SIGNS: Final = {
    "fail": "✕", "error": "!", "divergence": "≠", "weak": "△", "inconclusive": "?", "latitude": "~", "observed": "·",
    "not-applicable": "–", "pass": "✓", "not-asked": "∅",
}  # fmt: skip
CASE_WORDS: Final = {"not-asked": "not asked"}      # where the word is not the verdict as results spell it
CASE_MARKS: Final = {verdict: (CASE_WORDS.get(verdict, verdict), sign) for verdict, sign in CASE_SIGNS.items()}
_UNIT: Final = re.compile(r"(\d) (%|(?:ns|µs|ms|s|min|h|B|KiB|MiB|GiB)\b)")


def environment() -> Environment:
    """Return where the pages' templates are, with the filters that they use."""
    pages = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,  # whatever the server said is text, never markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    pages.filters |= {
        "count": units.count,
        "duration": units.duration,
        "ms": units.milliseconds,
        "rate": units.rate,
        "share": units.share,
        "octets": units.octets,
        "words": _words,
        "unbroken": _unbroken,
        "breakable": _breakable,
    }
    return pages


def style_of(pages: Environment) -> str:
    """Return the style sheet of every page."""
    return pages.get_template("style.css").render()


def _shown(value: object) -> object:
    """Make every character harmless that acts instead of showing; line breaks stay where we made them."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(inert(line) for line in value.split("\n"))
    return value


def _words(name: str) -> str:
    return name.replace("_", " ")


def _unbroken(sentence: str) -> str:
    """Keep a number and its unit on one line."""
    return _UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", sentence)


def _breakable(name: str) -> Markup:
    """Let a dotted name break after its dots, as on a phone it must."""
    return Markup(".<wbr>").join(escape(part) for part in inert(name).split("."))
