"""How a session ended: exactly one Outcome per arrival that reached its instant."""

from dataclasses import dataclass
from enum import StrEnum

from loadgen.transport.errors import (
    ConnectRefused,
    LocalExhausted,
    PeerClosed,
    TransportError,
    TransportTimeout,
    Unreachable,
)
from loadgen.wire.errors import RemoteProtocolError


class OutcomeKind(StrEnum):
    """The six ways to end."""

    ACCEPTED = "accepted"          # every message was taken for somebody, and everything else was granted
    REFUSED = "refused"            # the server said 4yz, 5yz or -ERR
    FAILED = "failed"              # the network or the protocol broke, or what the session needs is not offered
    TIMED_OUT = "timed_out"        # a phase, or the whole session, outlived its limit
    DROPPED = "dropped"            # never started: the in-flight limit was reached
    INTERRUPTED = "interrupted"    # the run ended first


class Break(StrEnum):
    """How the network ended a session: what a server does that is not there, or is killed."""

    REFUSED = "refused"            # nobody listened
    CUT = "cut"                    # the connection ended, or no more came of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one session ended, where, and why if not as asked.

    `cause` is one sentence about the kind of trouble, without octets of the server's, so that
    equal troubles count together.
    """

    kind: OutcomeKind
    phase: str | None = None
    cause: str | None = None
    exhausted: bool = False      # this host ran out of something: no fault of the server's
    evidence: bytes = b""        # what the server said against it, or sent instead of protocol, as received
    broken: Break | None = None  # None: not by the network

    @classmethod
    def of_error(cls, error: TransportError | RemoteProtocolError, phase: str) -> "Outcome":
        """Turn what the network or the server did into a value."""
        if isinstance(error, RemoteProtocolError):
            cut = Break.CUT if error.cut else None
            return cls(OutcomeKind.FAILED, phase, f"{error.why} ({error.section})", evidence=error.octets, broken=cut)
        kind = OutcomeKind.TIMED_OUT if isinstance(error, TransportTimeout) else OutcomeKind.FAILED
        return cls(kind, phase, str(error), exhausted=isinstance(error, LocalExhausted), broken=_break_of(error))


def _break_of(error: TransportError) -> Break | None:
    match error:
        case ConnectRefused() | Unreachable():
            return Break.REFUSED
        case PeerClosed() | TransportTimeout():
            return Break.CUT
        case _:
            return None


ACCEPTED = Outcome(OutcomeKind.ACCEPTED)
DROPPED = Outcome(OutcomeKind.DROPPED)
INTERRUPTED = Outcome(OutcomeKind.INTERRUPTED)
