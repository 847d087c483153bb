"""How sessions reach one protocol of the server under test: made once, before the run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from typing import Protocol as Shape

import trio

from loadgen.endpoint import Endpoint, Protocol
from loadgen.session.phases import LimitsByPhase, PhaseNames, Stages
from loadgen.session.pop3_stages import Pop3Stages
from loadgen.transport.addresses import Address
from loadgen.transport.connect import connect_clear
from loadgen.transport.conversation import Noted
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.native_connection import NativeWay, native_way
from loadgen.transport.overheard import Recording
from loadgen.transport.readiness import TRIO_READINESS, Readiness
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext

if TYPE_CHECKING:
    from loadgen.transport.native import Lanes

HELLO_NAME = "mailproof.invalid"      # RFC 2606: no host has it, and no server can mistake it for its own


def over_the_network(route: "Route", arrival: int, deadline: float) -> Awaitable[Transport]:
    """Connect in clear text, from the source address whose turn it is; TLS comes as a phase of its own."""
    return connect_clear(
        route.endpoint, deadline=deadline, source=route.source(arrival), addresses=route.addresses,
        readiness=route.readiness, receive_buffer_octets=route.receive_buffer_octets,
    )


class Listener(Shape):
    """Whoever hears what is said on a route's connections."""

    @property
    def wants_more(self) -> bool:
        """Say whether a session is to be heard though all may go as hoped."""

    def recording(self, protocol: Protocol) -> Recording:
        """Return the recording of a new connection."""

    def listening_to(
        self, transport: Transport, protocol: Protocol, recording: Recording | None = None
    ) -> Transport:
        """Return a transport that is listened to, in the place of a new one. `recording` has begun before it."""

    def was_noted(self, noted: Sequence[Noted] | None, recording: Recording | None, *, connected: bool) -> None:
        """Take what was noted of a connection that is over, if it was made; None: nobody wanted it."""

    def were_tallied(self, connections: int) -> None:
        """Count connections that were made, and tallied; what was noted of some is not counted again."""


@dataclass(frozen=True, slots=True)
class Route:
    """One protocol of the server under test: where it is, how TLS is done, how long each phase may take."""

    endpoint: Endpoint
    limits: PhaseLimits
    tls: TlsContext | None = None              # None: clear text
    server_name: str | None = None             # the name the certificate must be for; None: the endpoint's host
    sources: tuple[str, ...] = ()              # source addresses, taken in turn; empty: the system's choice
    addresses: tuple[Address, ...] | None = None   # resolved once; None: resolved at each connect
    mail_domain: str | None = None             # whose MX the endpoint is; None: the scenario named it
    hello_name: str = HELLO_NAME
    readiness: Readiness = TRIO_READINESS      # how a session waits for its socket: one for all those of a trio run
    verified: bool = True                      # what comes out of the maildrops is held against what was sent
    receive_buffer_octets: int | None = None   # of each connection; None: the system's choice
    segment_octets: int | None = None          # the most that is written at once; None: as much as there is
    listener: Listener | None = None           # hears what both sides say; None: nobody does
    dial: Callable[["Route", int, float], Awaitable[Transport]] = over_the_network    # tests: memory streams
    phase_names: PhaseNames = field(init=False, repr=False, compare=False)
    phase_limits_s: LimitsByPhase = field(init=False, repr=False, compare=False)
    stages: Stages | None = field(init=False, repr=False, compare=False)           # None: another protocol's
    pop3_stages: Pop3Stages | None = field(init=False, repr=False, compare=False)  # likewise
    native_way: NativeWay | None = field(init=False, repr=False, compare=False)    # None: native lanes cannot

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase_names", PhaseNames(self.endpoint.protocol))
        object.__setattr__(self, "phase_limits_s", LimitsByPhase(self.endpoint.protocol, self.limits))
        named = self.phase_names, self.phase_limits_s
        object.__setattr__(self, "stages", Stages(*named) if self.endpoint.protocol == "smtp" else None)
        object.__setattr__(self, "pop3_stages", Pop3Stages(*named) if self.endpoint.protocol == "pop3" else None)
        simple = (
            self.dial is over_the_network and self.tls is None
            and self.receive_buffer_octets is None and self.segment_octets is None
        )
        connecting = self.phase_names["connect"], self.phase_limits_s["connect"]
        way = native_way(self.addresses or (), self.sources, *connecting) if simple else None
        object.__setattr__(self, "native_way", way)

    def with_dial(self, dial: "Callable[[Route, int, float], Awaitable[Transport]]") -> "Route":
        """Return this route, with another way to connect."""
        return replace(self, dial=dial)

    def source(self, arrival: int) -> str | None:
        """Return the source address whose turn it is; None: the system's choice."""
        return self.sources[arrival % len(self.sources)] if self.sources else None

    def native_lanes(self) -> "Lanes | None":
        """Return the native lanes, if sessions can go by them; None: they go the ordinary way."""
        return None if self.native_way is None else self.readiness.lanes

    @property
    def upgrades(self) -> bool:
        """Say whether TLS begins inside the session, by STARTTLS or STLS."""
        return self.tls is not None and not self.endpoint.implicit_tls

    def deadline(self, phase: str) -> float:
        """Return the instant (trio's clock) by which a phase that begins now must have ended."""
        return trio.current_time() + self.phase_limits_s[phase]
