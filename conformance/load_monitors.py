"""The monitors over a load run: its connections, as they were overheard, held against the passive requirements."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from conformance.monitors.exchange import Exchange
from conformance.monitors.follow import Conversation, Side
from conformance.monitors.follow_pop3 import Pop3Conversation
from conformance.monitors.monitor import Tally
from conformance.monitors.sessions import Banners
from conformance.monitors.watch import SmtpWatch
from conformance.monitors.watch_pop3 import Pop3Watch
from conformance.transcript import Transcript
from loadgen import endpoint
from loadgen.transport.overheard import Event, Happening
from reports.monitors import MonitorsResult

EXCHANGES_A_TURN: Final = 8          # half a millisecond
LINES_KEPT: Final = 40               # of a transcript: those before what it shows
_SIDES: Final = {
    Happening.SENT: Side.CLIENT, Happening.RECEIVED: Side.SERVER, Happening.TLS: Side.TLS,
    Happening.CLOSED: Side.CLOSED,
}   # fmt: skip
_NOTES: Final = {Happening.TLS: "TLS began", Happening.CLOSED: "the server closed"}
_SECRET: Final = re.compile(rb"^(PASS |AUTH \S+ |APOP \S+ )[^\r\n]+", re.IGNORECASE | re.MULTILINE)
_CHALLENGE: Final = re.compile(rb"^(?:334|\+(?: |\r))", re.MULTILINE)
_HIDDEN: Final = b"***"


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
        self.evidence: dict[str, tuple[str, ...]] = {}       # of the first departure of each requirement

    def judge(self, protocol: endpoint.Protocol, events: Sequence[Event]) -> Iterator[None]:
        """Judge one connection, EXCHANGES_A_TURN at a time."""
        watched = _pop3(events) if protocol == "pop3" else _smtp(events, self.banners, lmtp=protocol == "lmtp")
        known = set(self.evidence)
        for number, (tally, replies, until) in enumerate(watched, 1):
            self.replies += replies
            for requirement in tally.broken.keys() - known:
                known.add(requirement)
                self.evidence[requirement] = tuple(_lines(events[:until]))
            if number % EXCHANGES_A_TURN == 0:
                yield
        self.tally.merge(tally)

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
        return self.overheard.setdefault(protocol, Overheard()).judge(protocol, events)

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


def _smtp(events: Sequence[Event], banners: Banners, *, lmtp: bool) -> Iterator[tuple[Tally, int, int]]:
    """Give the tally after each event, with how many replies it brought."""
    conversation, watch = Conversation(lmtp=lmtp), SmtpWatch(lmtp=lmtp)
    # The newest exchange is held back: only what comes after it tells whether the server closed behind it.
    seen = 0
    for number, (happening, octets) in enumerate(events, 1):
        conversation.hear(_SIDES[happening], octets)
        ready = conversation.exchanges[seen:-1]
        seen += len(ready)
        yield _see_all(watch, ready), len(ready), number
    ready = conversation.exchanges[seen:]
    _see_all(watch, ready)
    watch.end()
    banners.add(watch.steps)
    yield watch.tally, len(ready), len(events)


def _see_all(watch: SmtpWatch, exchanges: Sequence[Exchange]) -> Tally:
    for exchange in exchanges:
        watch.see(exchange)
    return watch.tally


def _pop3(events: Sequence[Event]) -> Iterator[tuple[Tally, int, int]]:
    conversation, watch = Pop3Conversation(), Pop3Watch()
    seen = 0
    for number, (happening, octets) in enumerate(events, 1):
        conversation.hear(_SIDES[happening], octets)
        ready = conversation.exchanges[seen:-1]
        seen += len(ready)
        for exchange in ready:
            watch.see(exchange)
        yield watch.tally, len(ready), number
    ready = conversation.exchanges[seen:]
    for exchange in ready:
        watch.see(exchange)
    yield watch.tally, len(ready), len(events)


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
