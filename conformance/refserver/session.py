"""What a protocol machine shows to whoever moves its octets, and what all machines of one server share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.directory import Directory
from conformance.refserver.fault import Fault
from conformance.refserver.greylist import Greylist
from conformance.refserver.maildrop import MaildropStore
from conformance.refserver.relay import Relay
from conformance.refserver.trace import DateStamp
from conformance.refserver.trouble import Trouble
from conformance.refserver.workers import Workers


class After(Enum):
    """What the connection owes once the octets returned have been sent."""

    GO_ON = auto()
    START_TLS = auto()      # hand-shake, then `tls_started`
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Service:
    """What every session of one server shares."""

    behaviour: Behaviour
    limits: Limits
    directory: Directory
    maildrops: MaildropStore
    wall_clock: Callable[[], float]        # seconds since the epoch, for trace fields and timestamps
    token: Callable[[], str]               # unguessable letters and digits, never twice the same
    tls_available: bool = False
    clock: Callable[[], float] = time.monotonic      # seconds; only differences mean anything
    greylist: Greylist = field(default_factory=Greylist)
    trouble: Trouble = field(default_factory=Trouble)
    workers: Workers = field(default_factory=Workers)
    date: DateStamp = field(default_factory=DateStamp)
    memory: dict[str, Any] = field(default_factory=dict)     # what faults know of all sessions; nobody else looks
    relay: Relay | None = None             # sends on what is for routed domains, for who is logged in; None: nothing

    def work_s(self) -> float:
        """Return in how many seconds a message that is to be taken or given out now is done with."""
        work = self.behaviour.work
        return self.workers.take(work, self.clock()) if work.service_s else 0.0

    def timestamp(self) -> bytes:
        """Return a new `<random.time@host>` (RFC 1939 §7, RFC 2195 §2)."""
        return f"<{self.token()}.{int(self.wall_clock())}@{self.behaviour.host_name}>".encode("ascii")


class Session(Protocol):
    """A machine: octets in, octets out, synchronous, no socket and no clock of its own."""

    @property
    def after(self) -> After:
        """What is to happen when the last octets returned have been sent."""

    @property
    def more(self) -> bool:
        """Whether the last call stopped early because it had much to send: send it, then call receive(b"")."""

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the octets that the last call returned are sent: for work, or a fault's dawdling."""

    @property
    def idle_s(self) -> float:
        """Seconds without progress after which `timed_out` is due."""

    @property
    def progress(self) -> int:
        """Counts whole commands and octets of mail data: a peer that only drips makes none."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults of the server, for whoever moves its octets; none: it is lawful."""

    def greeting(self) -> bytes:
        """Return what the server says first."""

    def receive(self, octets: bytes) -> bytes:
        """Take octets, cut anywhere, and return what they are owed."""

    def tls_started(self, cipher: str) -> bytes:
        """Begin anew inside TLS: everything known before it is forgotten (RFC 3207 §4.2, RFC 2595 §4).

        Returns what is said first: nothing, for there is no second greeting.
        """

    def timed_out(self) -> bytes:
        """Return the last words after too long a silence; often none."""

    def shutting_down(self) -> bytes:
        """Return the last words of a server that stops."""

    def closed(self) -> None:
        """Let go of everything: the connection is gone, whoever ended it."""
