"""The monitors over a load run: its connections, as they were overheard, held against the passive requirements."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

from conformance.monitors.follow import Conversation, Side
from conformance.monitors.follow_pop3 import Pop3Conversation
from conformance.monitors.monitor import Tally
from conformance.monitors.sessions import Banners
from conformance.monitors.watch import SmtpMemo, SmtpWatch
from conformance.monitors.watch_pop3 import Pop3Memo, Pop3Watch
from conformance.transcript import Transcript
from loadgen import endpoint
from loadgen.transport.overheard import Event, Happening
from reports.monitors import MonitorsResult

EVENTS_A_TURN: Final = 16            # half a millisecond at most
LINES_KEPT: Final = 40               # of a transcript: those before what it shows
_SIDES: Final = {
    Happening.SENT: Side.CLIENT, Happening.RECEIVED: Side.SERVER, Happening.TLS: Side.TLS,
    Happening.CLOSED: Side.CLOSED,
}   # fmt: skip
_NOTES: Final = {Happening.TLS: "TLS began", Happening.CLOSED: "the server closed"}
_SECRET: Final = re.compile(rb"^(PASS |AUTH \S+ |APOP \S+ )[^\r\n]+", re.IGNORECASE | re.MULTILINE)
_CHALLENGE: Final = re.compile(rb"^(?:334|\+(?: |\r))", re.MULTILINE)
_HIDDEN: Final = b"***"
E = TypeVar("E")


class Followed(Protocol[E]):
    """A conversation, and what was exchanged in it so far: exchanges come to the end of the list, and none goes."""

    exchanges: list[E]

    def hear(self, side: Side, octets: bytes = b"") -> None:
        """Take what happened next."""


class Counted(Protocol):
    """How much was overheard, and how much of it was judged."""

    @property
    def connections(self) -> int:
        """Return the number of connections."""

    @property
    def judged(self) -> int:
        """Return how many of them were judged."""

    @property
    def odd(self) -> int:
        """Return in how many not all went as hoped."""

    @property
    def odd_judged(self) -> int:
        """Return how many of those were judged."""


class Overheard:
    """What the monitors saw in the connections of one protocol."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.banners = Banners()
        self.replies = 0
        # Of the first departure of each requirement. Invariant: between turns, of each that the tally has as broken.
        self.evidence: dict[str, tuple[str, ...]] = {}
        self._smtp_memo, self._pop3_memo = SmtpMemo(), Pop3Memo()

    def judge(self, protocol: endpoint.Protocol, events: Sequence[Event]) -> Iterator[None]:
        """Judge one connection, EVENTS_A_TURN at a time."""
        if protocol == "pop3":
            see = Pop3Watch(tally=self.tally, memo=self._pop3_memo).see
            yield from self._followed(Pop3Conversation(), see, events)
        else:
            lmtp = protocol == "lmtp"
            watch = SmtpWatch(lmtp=lmtp, tally=self.tally, memo=self._smtp_memo)
            yield from self._followed(Conversation(lmtp=lmtp), watch.see, events)
            watch.end()
            self.banners.add(watch.steps)
        self._keep_evidence(events, len(events))

    def _followed(
        self, conversation: Followed[E], see: Callable[[E], None], events: Sequence[Event]
    ) -> Iterator[None]:
        exchanges, hear, seen = conversation.exchanges, conversation.hear, 0
        for number, (happening, octets) in enumerate(events, 1):
            hear(_SIDES[happening], octets)
            # The newest exchange is held back: only what comes after it tells whether the server closed behind it.
            if len(exchanges) - 1 > seen:
                for exchange in exchanges[seen:-1]:
                    see(exchange)
                seen = len(exchanges) - 1
                self._keep_evidence(events, number)
            if number % EVENTS_A_TURN == 0:
                yield
        for exchange in exchanges[seen:]:
            see(exchange)
        self.replies += len(exchanges)

    def _keep_evidence(self, events: Sequence[Event], until: int) -> None:
        """Keep what had been said when a requirement was broken that had never been before."""
        if len(self.tally.broken) > len(self.evidence):
            lines = tuple(_lines(events[:until]))
            self.evidence = dict.fromkeys(self.tally.broken, lines) | self.evidence

    def of_all(self) -> Tally:
        """Return all looks, those at the run as a whole among them."""
        tally = Tally()
        tally.merge(self.tally)
        for look in self.banners.look():
            tally.add(look)
        return tally

    def merge(self, other: "Overheard") -> None:
        """Add what was seen in another process."""
        self.tally.merge(other.tally)
        self.banners.merge(other.banners)
        self.replies += other.replies
        self.evidence = other.evidence | self.evidence


class LoadMonitors:
    """What the monitors saw in a load, by protocol. A value: it crosses processes, and merges."""

    def __init__(self) -> None:
        self.overheard: dict[endpoint.Protocol, Overheard] = {}

    def judge(self, protocol: endpoint.Protocol, events: Sequence[Event]) -> Iterator[None]:
        """Judge one connection. Yields between its parts, each a millisecond of work at most."""
        overheard = self.overheard.get(protocol)
        if overheard is None:
            overheard = self.overheard[protocol] = Overheard()
        return overheard.judge(protocol, events)

    def merge(self, other: "LoadMonitors") -> None:
        """Add what was seen in another process."""
        for protocol, overheard in other.overheard.items():
            self.overheard.setdefault(protocol, Overheard()).merge(overheard)

    def result(self, heard: Counted) -> MonitorsResult:
        """Return the document's section."""
        from conformance.departures import departures  # noqa: PLC0415  the catalogue is not for workers

        tallies = {protocol: overheard.of_all() for protocol, overheard in self.overheard.items()}
        seen = {protocol: (tally, self.overheard[protocol].evidence) for protocol, tally in tallies.items()}
        return MonitorsResult(
            connections=heard.connections,
            judged=heard.judged,
            odd=heard.odd,
            odd_judged=heard.odd_judged,
            replies=sum(overheard.replies for overheard in self.overheard.values()),
            requirements=len(set().union(*(tally.looked for tally in tallies.values()))),
            departures=departures(seen),
        )


def _lines(events: Sequence[Event]) -> list[str]:
    """Return the end of a conversation for people, without what nobody may read."""
    transcript, challenged = Transcript(), False
    for happening, octets in events:
        match happening:
            case Happening.SENT:
                shown = _SECRET.sub(rb"\1" + _HIDDEN, octets)
                transcript.sent(_HIDDEN + b"\r\n" if challenged else shown, 0.0)
                challenged = False
            case Happening.RECEIVED:
                transcript.received(octets, 0.0)
                challenged = _CHALLENGE.search(octets) is not None
            case _:
                transcript.note(_NOTES[happening], 0.0)
    lines = list(transcript.lines())
    return lines if len(lines) <= LINES_KEPT else ["…", *lines[-LINES_KEPT:]]
