"""The reference server's machines behind memory streams: a whole target in virtual time, no socket and no thread."""

import itertools
import tomllib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import trio
import trio.testing

from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.directory import Directory, accounts_by_pattern
from conformance.refserver.listener.conversation import Conversation, StartTls
from conformance.refserver.maildrop import MemoryStore, NotStored
from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.session import Service, Session
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import LMTP, SMTP
from loadgen.endpoint import Protocol, parse_endpoint
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from loadgen.session.route import Route
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext

URLS: dict[Protocol, str] = {
    "smtp": "smtp://127.0.0.1:2525", "lmtp": "lmtp://127.0.0.1:2424", "pop3": "pop3://127.0.0.1:2110",
}  # fmt: skip
Serve = Callable[[trio.abc.Stream], Awaitable[None]]


class Tapped(trio.abc.Stream):
    """A stream that notes what is sent through it, takes its time, and gives nothing out while the server stalls."""

    def __init__(
        self, stream: trio.abc.Stream, sent: bytearray, stall: tuple[float, float], latency_s: float = 0.0
    ) -> None:
        self._stream = stream
        self._sent = sent
        self._stall = stall
        self._latency_s = latency_s

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)
        self._sent += data

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        octets = bytes(await self._stream.receive_some(max_bytes))
        if self._latency_s:
            await trio.sleep(self._latency_s)
        if self._stall[0] <= trio.current_time() < self._stall[1]:
            await trio.sleep_until(self._stall[1])
        return octets

    async def aclose(self) -> None:
        await self._stream.aclose()


Dial = Callable[[Route, int, float], Awaitable[Transport]]


def route_to(protocol: Protocol, dial: Dial, tls: TlsContext | None = None) -> Route:
    """Return a route whose connections are made by `dial`."""
    return Route(parse_endpoint(URLS[protocol]), PhaseLimits(), tls=tls, dial=dial)


def served_by(serve: Serve, nursery: trio.Nursery, protocol: Protocol, tls: TlsContext | None = None) -> Route:
    """Return a route to a server that plays `serve` on every connection."""

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(serve, theirs)
        return Transport.over(ours, peer="the server", host="mail.example.test")

    return route_to(protocol, dial, tls)


class Drops(MemoryStore):
    """Maildrops that count what was put into them."""

    taken = 0

    def deliver(self, names: Iterable[str], message: bytes) -> NotStored | None:
        each = list(names)
        refused = super().deliver(each, message)
        self.taken += len(each) if refused is None else 0
        return refused


@dataclass
class House:
    """A reference server with some accounts, and what each arrival sent to it."""

    nursery: trio.Nursery
    accounts: int = 10
    stall: tuple[float, float] = (0.0, 0.0)           # between these instants it answers nobody
    latency_s: float = 0.0                            # before anything it says is read
    start_tls: StartTls | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    sent: defaultdict[tuple[str, int], bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    drops: Drops = field(init=False)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        directory = Directory(["example.test"], accounts_by_pattern("user{n}@example.test", self.accounts, "secret{n}"))
        count, limits = itertools.count(1), Limits()
        self.drops = Drops("g", maildrop_octets_max=limits.maildrop_octets, octets_max=limits.memory_octets)
        self.service = Service(
            self.behaviour, limits, directory, self.drops, wall_clock=lambda: 0.0, token=lambda: f"t{next(count):06}",
            tls_available=self.start_tls is not None, clock=trio.current_time,
        )

    def routes(self, tls: TlsContext | None = None) -> dict[Protocol, Route]:
        """Return a route to each protocol."""
        return {protocol: self.route(protocol, tls) for protocol in URLS}

    def route(self, protocol: Protocol, tls: TlsContext | None = None) -> Route:
        """Return the route to one protocol."""

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            ours, theirs = trio.testing.memory_stream_pair()
            conversation = Conversation(theirs, self._session(protocol), self.start_tls)
            self.nursery.start_soon(conversation.run)
            tapped = Tapped(ours, self.sent[protocol, arrival], self.stall, self.latency_s)
            return Transport.over(tapped, host="mail.example.test")

        return route_to(protocol, dial, tls)

    def _session(self, protocol: Protocol) -> Session:
        match protocol:
            case "smtp":
                return SmtpSession(self.service, SMTP, "[192.0.2.7]", None)
            case "lmtp":
                return SmtpSession(self.service, LMTP, None, None)
            case "pop3":
                return Pop3Session(self.service, None)


def scenario_of(text: str, *, head: str = 'target = "embedded"') -> Scenario:
    """Return a scenario; what every one needs is filled in."""
    whole = f'{head}\n[scenario]\nname = "staged"\nseed = 7\n[accounts]\ncount = 10\n{text}'
    return scenario_from(tomllib.loads(whole), name="staged", directory=Path(), environ={})
