"""What a sink that keeps mail can be told to do wrong, each once in so many messages: to prove a ledger on.

Each changes what is kept, or whether the sink answers, and nothing else.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conformance.sink import Transferred
from reports.errors import UserError

_NUMBERED: Final = re.compile(rb"(.*?)([0-9]*)(@.*)?", re.DOTALL)
_END_OF_HEADER: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class SinkFault:
    """One thing that a sink does wrong."""

    name: str
    does: str                                                    # one sentence
    kept: Callable[[Transferred], Sequence[Transferred]]         # what is kept of a message
    answers: bool = True


def _neighbour_of(address: bytes) -> bytes:
    """Return another address in the same domain: the next number, if it ends in one."""
    found = _NUMBERED.fullmatch(address)
    assert found is not None, "it matches anything"
    return b"%s%d%s" % (found[1], int(found[2] or b"0") + 1, found[3] or b"")


def _flipped(one: Transferred) -> Transferred:
    """Return a message with one bit of its body changed, in the middle; it stays text of the same lines."""
    octets = bytearray(one.mail_data)
    body = octets.find(_END_OF_HEADER) + len(_END_OF_HEADER)
    middle = range((body + len(octets)) // 2, len(octets))
    place = next((place for place in middle if chr(octets[place]).isalnum()), len(octets) - 1)
    octets[place] ^= 1
    return replace(one, mail_data=bytes(octets))


FAULTS: Final = {
    fault.name: fault
    for fault in (
        SinkFault("loses", "says 250 and keeps nothing", lambda _: ()),
        SinkFault("duplicates", "keeps the message twice", lambda one: (one, one)),
        SinkFault("flips", "changes one octet of the body", lambda one: (_flipped(one),)),
        SinkFault(
            "misdelivers", "keeps it for the neighbour",
            lambda one: (replace(one, recipients=tuple(map(_neighbour_of, one.recipients))),),
        ),
        SinkFault("hushes", "keeps the message and closes instead of answering", lambda one: (one,), answers=False),
    )
}   # fmt: skip


class Misfortunes:
    """Which of the messages that come suffer what. One message suffers one thing, the first of those named."""

    def __init__(self, every: Sequence[tuple[SinkFault, int]]) -> None:
        """`every`: faults, each with how many messages there are to one that suffers it."""
        self._every = every
        self._received = 0
        self.befell: Counter[str] = Counter()      # by fault, how many messages

    def of_the_next(self) -> SinkFault | None:
        """Return what the message that has just come suffers; None: nothing."""
        self._received += 1
        for fault, every in self._every:
            if self._received % every == 0:
                self.befell[fault.name] += 1
                return fault
        return None


def misfortunes_of(notations: Iterable[str]) -> Misfortunes:
    """Read NAME=N, each. UserError."""
    every = []
    for notation in notations:
        name, equals, number = notation.partition("=")
        if name not in FAULTS:
            raise UserError(f"--fault {name}: a sink has no such fault; it has {', '.join(FAULTS)}")
        if equals and not (number.isascii() and number.isdigit() and int(number)):
            raise UserError(f"--fault {notation}: {name}=N does so to every N-th message, N from 1")
        every.append((FAULTS[name], int(number) if equals else 1))
    return Misfortunes(every)
