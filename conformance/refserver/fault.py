"""A fault: one departure from the RFCs that the reference server can be told to make, for cases to be proved on.

A fault changes what the server does at one of the points below, never what a case is told. What it leaves alone stays
lawful, so a fault breaks what it is named after and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.refserver.pop3_points import LAWFUL, Pop3Points
from conformance.refserver.replies import Reply

if TYPE_CHECKING:
    from conformance.refserver.directory import Directory
    from conformance.refserver.relay import Outgoing
    from conformance.refserver.sasl import Exchange
    from conformance.refserver.smtp_state import SmtpState
    from conformance.refserver.transaction import Transaction

GoOn = Callable[[], Reply | None]      # the command's lawful way; None: the reply comes later, or never


@dataclass(frozen=True, slots=True)
class Fault:
    """One departure. Each point is None where the server stays lawful."""

    name: str
    does: str                                   # the departure, one sentence
    # What becomes of a command line: (session, verb in upper case, argument, its lawful way) -> the reply.
    # Verbs that nobody knows come here too; lines with a bare CR or LF, or too long, do not.
    around: "Callable[[SmtpState, bytes, bytes, GoOn], Reply | None] | None" = None
    # What becomes of a reply on its way out: (session, verb it answers, octets) -> octets. The greeting answers b"",
    # mail data b".", a chunk b"BDAT", a line that is no command b"?".
    outgoing: "Callable[[SmtpState, bytes, bytes], bytes] | None" = None
    # What becomes of octets on their way in, as they came off the wire: (session, octets) -> octets.
    incoming: "Callable[[SmtpState, bytes], bytes] | None" = None
    ends_of_data: tuple[bytes, ...] = ()        # what else ends mail data, besides CRLF.CRLF
    # What becomes of mail data once they are in and the dots undone: (session, content) -> content; None: too much.
    content: "Callable[[SmtpState, bytes], bytes | None] | None" = None
    # What becomes of the replies to mail data, once the message is stored or refused:
    # (session, transaction that is over, replies) -> replies.
    final: "Callable[[SmtpState, Transaction, list[Reply]], list[Reply]] | None" = None
    # What becomes of a message, trace fields and all, on its way into the maildrops.
    stored: Callable[[bytes], bytes] | None = None
    # What becomes of a report of delivery: all that is sent in its place.
    reports: "Callable[[Outgoing], Sequence[Outgoing]] | None" = None
    # What becomes of a message as it goes to the next hop: its mail data, stuffed and ended.
    relayed: Callable[[bytes], bytes] | None = None
    pretends: frozenset[bytes] = frozenset()    # keywords taken for offered by every next hop
    insists: frozenset[bytes] = frozenset()     # keywords that a next hop must offer, or nothing is sent on
    # What becomes of MAIL and RCPT as they are said to the next hop.
    said_on: Callable[[bytes], bytes] | None = None
    # What becomes of a notice of failure: (the message that failed, its notice) -> what is sent. The lawful notice for
    # the null reverse-path is None.
    bounced: "Callable[[Outgoing, Outgoing | None], Outgoing | None] | None" = None
    copies: int = 1                             # of every message that go into each maildrop
    # How long a reply is held back, in seconds: (session, verb it answers, octets) -> seconds.
    pause_s: "Callable[[SmtpState, bytes, bytes], float] | None" = None
    in_tls: bytes = b""                         # what is said unasked once TLS has begun
    # What is said to the first octets where TLS should begin, in place of a handshake; None: it goes on.
    instead_of_tls: Callable[[bytes], bytes | None] | None = None
    cuts_tls: bool = False                      # ends TLS without a word
    outstays: bool = False                      # keeps a connection that the client has ended
    idle_s: float | None = None                 # how long a silent client is waited for; None: as long as is lawful
    # The same, by where the session is: (session, the lawful time) -> seconds.
    patience_s: "Callable[[SmtpState, float], float] | None" = None
    # What takes the place of a SASL mechanism: (directory, unrepeated timestamp) -> exchange.
    exchanges: "Mapping[str, Callable[[Directory, bytes], Exchange]]" = field(default_factory=dict)
    # What is done when the connection is gone, before the transaction is forgotten.
    gone: "Callable[[SmtpState], None] | None" = None
    pop3: Pop3Points = LAWFUL                   # the points of a POP3 session


def apply_outgoing(faults: tuple[Fault, ...], session: "SmtpState", verb: bytes, octets: bytes) -> bytes:
    """Return a reply as the faults send it."""
    for fault in faults:
        if fault.outgoing is not None:
            octets = fault.outgoing(session, verb, octets)
    return octets


def apply_incoming(faults: tuple[Fault, ...], session: "SmtpState", octets: bytes) -> bytes:
    """Return octets as the faults hear them."""
    for fault in faults:
        if fault.incoming is not None:
            octets = fault.incoming(session, octets)
    return octets


def run_around(
    faults: tuple[Fault, ...], session: "SmtpState", verb: bytes, argument: bytes, lawful: GoOn
) -> Reply | None:
    """Run a command through the faults that change it, the first of them outermost."""
    for fault in reversed(faults):
        if fault.around is not None:
            lawful = _wrapped(fault.around, session, verb, argument, lawful)
    return lawful()


def _wrapped(
    around: "Callable[[SmtpState, bytes, bytes, GoOn], Reply | None]",
    session: "SmtpState", verb: bytes, argument: bytes, lawful: GoOn,
) -> GoOn:  # fmt: skip
    return lambda: around(session, verb, argument, lawful)


def instead_of_tls(faults: tuple[Fault, ...]) -> Callable[[bytes], bytes | None] | None:
    """Return what is said by a faulty server in place of a handshake; None: nothing is."""
    points = [fault.instead_of_tls for fault in faults if fault.instead_of_tls is not None]
    if not points:
        return None
    return lambda first: next((said for point in points if (said := point(first)) is not None), None)
