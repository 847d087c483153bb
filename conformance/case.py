"""A case: an executable question to a server, bound to one row of the catalogue."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.judgement import Judgement

Question = Callable[..., Awaitable[Judgement]]
Ask = Callable[[Any], Awaitable[Judgement]]        # of a Pop3Peer for cases of POP3, of an SmtpPeer for all others
OVER_LMTP: Final = "lmtp"              # in the ids of what is asked of SMTP servers, and here of one that speaks LMTP


@dataclass(frozen=True, slots=True)
class Case:
    """One question. Several may belong to one requirement: its variants, told apart by `#variant` in the id."""

    requirement: str
    variant: str | None
    ask: Ask
    title: str                         # what the requirement comes to, in one sentence
    alone: bool = False                # must not run beside others: it measures time, or hurts everybody
    limit_s: float | None = None       # how long it may take; None: as long as any
    asks_for_the_end: bool = False     # when and how the server ends the session is what it is about
    over_lmtp: bool = False            # a case of SMTP, put to an LMTP server

    @property
    def usual_id(self) -> str:
        """Return the id that it has when it is put to an SMTP server."""
        return self.id if not self.over_lmtp else replace(self, over_lmtp=False).id

    @property
    def id(self) -> str:
        """Return the permanent name: the requirement's, and the variant's behind a `#`; there `lmtp` comes first."""
        words = [word for word in (OVER_LMTP if self.over_lmtp else None, self.variant) if word is not None]
        return f"{self.requirement}#{'-'.join(words)}" if words else self.requirement


CASES: Final[dict[str, Case]] = {}     # filled by importing `conformance.cases`; read-only afterwards


def case(
    requirement: str, *, variants: Mapping[str, Any] | None = None, alone: bool = False, limit_s: float | None = None,
    asks_for_the_end: bool = False,
) -> Callable[[Question], Question]:
    """Register a question under a requirement's id.

    The question is a coroutine function that takes the peer, and with `variants` one value of theirs as well: then it
    is a case for each. Its docstring's first line is the title.
    """

    def register(question: Question) -> Question:
        title = (question.__doc__ or "").strip().partition("\n")[0]
        assert title, f"{question.__name__} has no docstring: a case says what it asks"
        for name, value in ({None: None} if variants is None else variants).items():
            ask = question if name is None else _with(question, value)
            made = Case(requirement, name, ask, title, alone, limit_s, asks_for_the_end)
            assert made.id not in CASES, f"two cases are named {made.id}"
            CASES[made.id] = made
        return question

    return register


def _with(question: Question, value: object) -> Ask:
    async def ask(peer: object) -> Judgement:
        return await question(peer, value)

    return ask
