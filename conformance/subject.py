"""The server under test as every case sees it: where it is, what was declared, what was found out first."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from conformance import x25
from conformance.declared import Declared
from conformance.mailbox import Mailbox
from conformance.maildrops import Maildrops
from conformance.pressure import Pressure
from conformance.restart import run_command
from conformance.sink import Sink
from conformance.transcript import Transcript
from loadgen.endpoint import Endpoint
from loadgen.transport.connect import connect
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext, TlsFacts, TlsPolicy, make_client_context
from loadgen.wire.extensions import Extensions

LOW_LIMIT_OCTETS: Final = 4 * 1024 * 1024      # a limit up to here is low: a message above it is soon sent
SUBMISSION_PORTS: Final = frozenset({465, 587})
QUIET_PER_LATENCY: Final = 20      # silence is believed after so many times this server's usual answer

Spared = Literal["any", "all"]     # no message may be deleted, or not all of them
SPARED: Final[tuple[Spared | None, ...]] = ("any", "all", None)        # in turns, where nobody hands in mail

Overhear = Callable[[str, Sequence[Transcript]], Awaitable[None]]       # a case's id, and its conversations
Dial = Callable[[Endpoint, float], Awaitable[Transport]]


async def over_the_network(endpoint: Endpoint, deadline: float) -> Transport:
    """Connect; implicit TLS begins later, as part of the greeting."""
    return await connect(replace(endpoint, implicit_tls=False), deadline=deadline)


Capabilities = Mapping[str, tuple[str, ...]]          # parameters by tag in upper case (RFC 2449 §5)


@dataclass(frozen=True, slots=True)
class Pop3Found:
    """What the sounding found out about a server of POP3."""

    capabilities: Capabilities | None = None         # before login, in clear text if it is not forbidden; None: no CAPA
    capabilities_in_tls: Capabilities | None = None  # None: no TLS to be had, or no CAPA
    has_tls: bool = False                            # it could be had
    timestamp: bytes = b""                           # of the greeting: it offers APOP; b"": none
    way_in: str | None = None                        # how one logs in, of conformance.pop3_login.WAYS; None: nobody can
    messages: int = 0                                # in the first maildrop


@dataclass(frozen=True, slots=True)
class Found:
    """What the sounding found out, so that no case has to."""

    greeting: bytes = b""
    unwelcome: str = ""                              # what came instead of a greeting of 220: no session can be had
    extensions: Extensions | None = None             # None: EHLO was refused
    extensions_in_tls: Extensions | None = None      # None: no TLS to be had
    hello_name: str = "mailproof.invalid"
    sender: str | None = None                        # a reverse-path that is taken; "" is the null one; None: none is
    recipients: tuple[str, ...] = ()                 # taken, in clear text and without a login unless declared so
    rejected: tuple[str, ...] = ()                   # refused, as declared
    latency_s: float = 0.0                           # the median of its answers to NOOP
    slowest_s: float = 0.0                           # the longest of the answers seen, to errors too
    tls: TlsFacts | None = None                      # of a handshake; None: none was had
    pop3: Pop3Found = Pop3Found()

    @property
    def offers_tls(self) -> bool:
        """Say whether TLS is offered; whether it can be had as well is another question."""
        offers = self.extensions_in_tls is not None or (self.extensions is not None and self.extensions.starttls)
        return offers or self.pop3.has_tls or "STLS" in (self.pop3.capabilities or {})

    @property
    def expires_at_once(self) -> bool:
        """Say whether EXPIRE 0 is listed: what RETR gave may be deleted (RFC 2449 §6.7)."""
        listed = (self.pop3.capabilities or {}, self.pop3.capabilities_in_tls or {})
        return any(tags.get("EXPIRE", ())[:1] == ("0",) for tags in listed)

    @property
    def keywords(self) -> frozenset[str]:
        """Return every extension or capability that is offered, in clear text or in TLS."""
        smtp = [offer.keywords for offer in (self.extensions, self.extensions_in_tls) if offer is not None]
        pop3 = [tags for tags in (self.pop3.capabilities, self.pop3.capabilities_in_tls) if tags is not None]
        return frozenset(keyword for keywords in (*smtp, *pop3) for keyword in keywords)


async def _nobody_listens(_case_id: str, _transcripts: Sequence[Transcript]) -> None:
    """Let what was said go unheard."""


@dataclass(slots=True)
class Subject:
    """One endpoint of the server under test."""

    endpoint: Endpoint
    declared: Declared
    run_token: str                                   # tells this run's mail from that of every other
    found: Found = field(default_factory=Found)
    # Read back what was delivered, by address; "" is whatever stands in for one that was declared.
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    maildrops: Maildrops = field(default_factory=lambda: Maildrops(()))      # that cases may read by POP3
    reader: "Subject | None" = None                  # where its mail is read by POP3, if that is judged with it
    deliverer: "Subject | None" = None               # of a reader: where mail for its maildrops is handed in
    spared: Spared | None = None                     # of the mail: cases that need it have not been asked yet
    sink: Sink | None = None                         # where the server sends on one domain's mail; None: nowhere
    dial: Dial = over_the_network
    run_command: Callable[[str], Awaitable[str | None]] = run_command      # of the operator's; returns how it failed
    overhear: Overhear = _nobody_listens             # is given what every case said and heard
    x25: bool = False                                # asked as over X.25: its timers, and packets (RFC 1090)
    tls: TlsContext = field(default_factory=lambda: make_client_context(TlsPolicy(verify=False)))
    pressure: Pressure | None = None                 # a load goes on beside the cases; None: none does

    @property
    def mailbox(self) -> Mailbox | None:
        """Return what reads back the mail for the address that cases usually send to; None: nothing does.

        Where none was declared as accepted, postmaster stands in, and only the operator knows who reads his mail.
        """
        stands_in = [""] if self.declared.claims.postmaster_is_read else []
        usual = (*self.found.recipients[:1], *stands_in)
        return next((self.mailboxes[one] for one in usual if one in self.mailboxes), None)

    @property
    def is_lmtp(self) -> bool:
        """Say whether it speaks LMTP (RFC 2033)."""
        return self.endpoint.protocol == "lmtp"

    @property
    def is_pop3(self) -> bool:
        """Say whether it speaks POP3 (RFC 1939)."""
        return self.endpoint.protocol == "pop3"

    @property
    def is_submission(self) -> bool:
        """Say whether it is for submission (RFC 6409): by what was declared, or by its port."""
        submits = self.declared.claims.submission or self.declared.session.login
        return submits or self.endpoint.port in SUBMISSION_PORTS

    @property
    def call_s(self) -> float:
        """Return how long a connection is waited for."""
        return x25.CALL_S if self.x25 else self.reply_s

    @property
    def greeting_s(self) -> float:
        """Return how long the first words on a connection are waited for."""
        return x25.GREETING_S if self.x25 else self.reply_s

    @property
    def reply_s(self) -> float:
        """Return how long an answer is waited for."""
        return x25.REPLY_S if self.x25 else self.declared.timers.reply

    @property
    def low_limit(self) -> int | None:
        """Return the limit on the size of a message if it is declared, or offered and low."""
        declared = self.declared.claims.message_octets_max
        offered = self.found.extensions.size if self.found.extensions is not None else None
        return offered if declared is None and offered and offered <= LOW_LIMIT_OCTETS else declared

    @property
    def quiet_s(self) -> float:
        """Return how long a silence has to last before it is one, by this server's own pace: now, if it is loaded."""
        latency_s, slowest_s = self.found.latency_s, self.found.slowest_s
        if self.pressure is not None:
            latency_s = max(latency_s, self.pressure.median_s)
            slowest_s = max(slowest_s, self.pressure.recent_slowest_s)
        return max(self.declared.timers.quiet, QUIET_PER_LATENCY * latency_s, 3 * slowest_s)
