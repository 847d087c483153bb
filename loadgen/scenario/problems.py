"""What can be wrong with a scenario, said so that its author can put it right."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from reports.errors import UserError

_SHOWN_MAX = 60   # characters of a wrong value that are shown back


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, what was got, what is allowed, and perhaps what was meant.

    `what` is a sentence of its own, for mistakes that are not about one value's form.
    """

    path: str
    got: str = ""
    allowed: str = ""
    hint: str = ""
    what: str = ""

    def __str__(self) -> str:
        what = self.what or f"got {self.got}, expected {self.allowed}"
        sentence = f"{what}; {self.hint}" if self.hint else what
        return f"{self.path}: {sentence}" if self.path else sentence

    def under(self, prefix: str) -> Self:
        """Return the same problem seen from further out: `median` under `session[1].size`."""
        return replace(self, path=join(prefix, self.path))


class UnreadableError(ValueError):
    """A value is not in the form its key wants. Paths are relative to that key. Never leaves this package."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def value(cls, got: object, allowed: str, *, hint: str = "") -> Self:
        """Return the error for one wrong value, with no path below its key."""
        return cls([Problem("", got=show(got), allowed=allowed, hint=hint)])


class ScenarioError(UserError):
    """A scenario cannot be run. The message lists every problem found, one a line."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        assert problems, "a scenario without a problem is no error"
        self.source = source
        self.problems = tuple(problems)
        if len(problems) == 1 and not problems[0].path:   # about the file, not about something in it
            super().__init__(f"{source}: {problems[0]}")
        else:
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            super().__init__("\n".join([f"{source} has {count}:", *(f"  {problem}" for problem in problems)]))


def join(outer: str, inner: str) -> str:
    """Return the key path of `inner` under `outer`: `load` + `arrivals`, `arrivals` + `[0]`."""
    if not outer or not inner or inner.startswith("["):
        return outer + inner
    return f"{outer}.{inner}"


def show(value: object) -> str:
    """Return a value as TOML would write it, harmless to a terminal and at most a line long."""
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = f'"{value}"'
        case int() | float():
            text = str(value)
        case list() | tuple():
            text = f"[{', '.join(show(item) for item in value[:8])}{', …' if len(value) > 8 else ''}]"
        case dict():
            pairs = [f"{key} = {show(item)}" for key, item in list(value.items())[:8]]
            text = f"{{{', '.join(pairs)}{', …' if len(value) > 8 else ''}}}"
        case None:
            text = "nothing"
        case _:
            text = f"{value} (a {type(value).__name__})"
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"


def near_miss(word: str, allowed: Iterable[str]) -> str:
    """Return ``did you mean `x`?`` for the closest allowed word, or "" if none is close."""
    found = nearest(word, allowed)
    return f"did you mean `{found}`?" if found is not None else ""


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that was most likely meant; None if none is close."""
    folded = {re.sub(r"[^a-z0-9]", "", candidate.lower()): candidate for candidate in allowed}
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    close = [known for known in folded if len(plain) > 2 and known.startswith(plain)]   # "smtp" for "smtp-deliver"
    close = close or difflib.get_close_matches(plain, folded, n=1, cutoff=0.6)
    if not close and len(plain) > 2:   # "rate_per_s" for "rate", "users" for "virtual_users"
        close = [known for known in folded if len(known) > 2 and (known in plain or plain in known)]
    return folded[close[0]] if close else None


def unknown_key(path: str, key: str, allowed: Sequence[str]) -> Problem:
    """Return the problem of a key nobody reads, with the nearest key that somebody does."""
    hint = near_miss(key, allowed) or f"allowed here: {', '.join(allowed)}"
    return Problem(join(path, key), what="unknown key", hint=hint)
