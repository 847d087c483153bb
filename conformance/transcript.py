"""The record of one conversation: every octet, who sent it and when. It is the evidence of a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from conformance.monitors.follow import Event, Side
from loadgen.wire.printable import printable

LINE_OCTETS_SHOWN: Final = 400
LINES_SHOWN: Final = 60              # of one turn: an endless EHLO needs no more to be believed


class Speaker(StrEnum):
    """Whose turn it is, as the RFCs' examples mark it."""

    CLIENT = "C"
    SERVER = "S"
    NOTE = "*"                       # what happened to the connection; no octets


_SIDES: Final = {Speaker.CLIENT: Side.CLIENT, Speaker.SERVER: Side.SERVER}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said without the other speaking in between."""

    speaker: Speaker
    at_s: float                      # since the conversation began
    octets: bytes
    means: Side | None = None        # what a note says to the monitors, if anything


@dataclass(slots=True)
class Transcript:
    """One connection's turns, in order. Invariant: the server's octets, joined, are the octets received."""

    name: str = ""                   # tells the connections of one case apart
    turns: list[Turn] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)         # for each reply, s
    silences: list[float] = field(default_factory=list)      # each wait that no reply ended, s
    aside: bool = False      # of another protocol than the one that is judged: evidence, and no monitor hears it
    mail_missed: bool = False                                # mail was looked for and had not come in time

    def sent(self, octets: bytes, at_s: float) -> None:
        """Note what we sent."""
        self.turns.append(Turn(Speaker.CLIENT, at_s, octets))

    def received(self, octets: bytes, at_s: float) -> None:
        """Note what the server sent."""
        self.turns.append(Turn(Speaker.SERVER, at_s, octets))

    def note(self, what: str, at_s: float, means: Side | None = None) -> None:
        """Note what happened to the connection."""
        self.turns.append(Turn(Speaker.NOTE, at_s, what.encode(), means))

    def events(self) -> Iterator[Event]:
        """Give the conversation for the monitors."""
        for turn in self.turns:
            if turn.speaker is not Speaker.NOTE:
                yield _SIDES[turn.speaker], turn.octets
            elif turn.means is not None:
                yield turn.means, b""

    def lines(self) -> Iterator[str]:
        """Give the conversation for people, a line for each line sent, hostile octets made safe.

        A line's own ending is shown only where it is not CRLF; a line that was not ended is marked.
        """
        for turn in self.turns:
            mark = f"{self.name}{turn.speaker.value}: "
            if turn.speaker is Speaker.NOTE:
                yield f"{mark}{printable(turn.octets)}"
                continue
            pieces = turn.octets.split(b"\r\n")
            last = pieces.pop()
            for piece in pieces[:LINES_SHOWN]:
                yield mark + printable(piece, LINE_OCTETS_SHOWN)
            if len(pieces) > LINES_SHOWN:
                yield f"{mark}[{len(pieces) - LINES_SHOWN} more lines]"
            if last:
                yield f"{mark}{printable(last, LINE_OCTETS_SHOWN)} [no CRLF]"
