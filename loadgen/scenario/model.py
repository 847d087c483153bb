"""The vocabulary of a scenario file, as frozen structs; what they say of themselves is in the JSON Schema."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from loadgen.endpoint import Endpoint, MailDomain, Protocol
from loadgen.scenario.arrivals import Arrivals
from loadgen.scenario.content import Content
from loadgen.scenario.crash import Crash
from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.quantities import Duration, Size
from loadgen.scenario.retry import Retry
from loadgen.scenario.server import EMBEDDED, ServerUrl
from loadgen.scenario.sessions import OtherSession
from loadgen.scenario.sources import expanded
from loadgen.scenario.table import Table, default, says
from loadgen.scenario.words import AnyAuth, MailAuth, MaildropAuth, MailPipelining, Name, Pipelining, Weight
from reports.gate import Gate

__all__ = [
    "EMBEDDED_TARGET", "About", "Accounts", "AnyAuth", "ClosedLoad", "Crash", "Delivery", "IdleHold", "Ledger",
    "Limits", "LmtpDeliver", "Load", "MailAuth", "MaildropAuth", "OpenLoad", "OtherSession", "Pipelining",
    "Pop3Retrieve", "Retry", "Scenario", "Session", "SmtpDeliver", "Target",
]   # fmt: skip


class About(Table, frozen=True, kw_only=True):
    """What the scenario is called, and the seed everything random in it comes from."""

    name: Annotated[str, says("Shown at the head of the report."), Meta(min_length=1, max_length=100)]
    seed: Annotated[int, says("Same seed: same arrivals, same plans, same octets."), Meta(ge=0)] = 1
    description: Annotated[str, says("What question the scenario answers.")] = ""
    preset: Annotated[
        str | None, says("Gates that are known by a name, beside those of the file: specmail2001.")
    ] = None


class Target(Table, frozen=True, kw_only=True):
    """The server under test: where each protocol listens, and what may be reached at all."""

    smtp: Annotated[ServerUrl | None, says("smtp, smtps or smtp+unix URL, mx:DOMAIN, or embedded.")] = None
    lmtp: Annotated[ServerUrl | None, says("lmtp or lmtp+unix URL, or embedded.")] = None
    pop3: Annotated[ServerUrl | None, says("pop3 or pop3s URL, or embedded.")] = None
    tls: Annotated[
        Literal["none", "starttls", "implicit"],
        says("A server without STARTTLS fails the precondition: no silent fall-back."),
    ] = "none"
    ca_file: Annotated[str | None, says("PEM file to trust, not the system's store.")] = None
    verify: Annotated[bool, says("false accepts any certificate; the report says so.")] = True
    server_name: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        says("Name the certificate must carry; default: the URL's host."),
    ] = None
    permitted_hosts: Annotated[
        tuple[str, ...], says("Hosts beyond loopback which this scenario may load.")
    ] = ()
    source_addresses: Annotated[
        tuple[str, ...], says("Local addresses to connect from, in turn: each one, a range A-B or a network.")
    ] = ()
    nameservers: Annotated[
        tuple[str, ...], says("Whom to ask where an mx: domain's mail goes, ADDRESS[:PORT]; default: the system's.")
    ] = ()
    segment_octets: Annotated[
        Annotated[int, Meta(ge=1, le=1_048_576)] | None,
        says("The most that is written at once, each time in a segment of its own; default: as much as there is."),
    ] = None
    profile: Annotated[
        Literal["rfc1090"] | None,
        says("rfc1090: SMTP as over X.25; fills in limits, segment_octets and retry where they are left out."),
    ] = None
    store: Annotated[
        Literal["memory", "maildir"],
        says("Where the embedded server keeps mail: Maildirs in a directory of the run outlive a crash of it."),
    ] = "memory"
    variants: Annotated[
        tuple[str, ...], says('What the embedded server lawfully does otherwise, as serve --variant: "greylisting=5s".')
    ] = ()

    def url(self, protocol: Protocol) -> ServerUrl | None:
        """Return where a protocol's server is: a URL, embedded, or None when the scenario names none."""
        match protocol:
            case "smtp":
                return self.smtp
            case "lmtp":
                return self.lmtp
            case "pop3":
                return self.pop3

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the addresses to connect from, ranges and networks written out."""
        return tuple([address for notation in self.source_addresses for address in expanded(notation)])

    @property
    def embedded(self) -> tuple[Protocol, ...]:
        """Return the protocols the embedded reference server is wanted for."""
        protocols: tuple[Protocol, ...] = ("smtp", "lmtp", "pop3")
        return tuple(p for p in protocols if (url := self.url(p)) is not None and url.endpoint is None)

    @property
    def endpoints(self) -> dict[Protocol, Endpoint | MailDomain]:
        """Return where each protocol's server is, if it already runs, or whose MX says so."""
        protocols: tuple[Protocol, ...] = ("smtp", "lmtp", "pop3")
        urls = {p: url for p in protocols if (url := self.url(p)) is not None}
        return {p: url.endpoint for p, url in urls.items() if url.endpoint is not None}


EMBEDDED_TARGET: Final = Target(
    smtp=ServerUrl.parse(EMBEDDED), lmtp=ServerUrl.parse(EMBEDDED), pop3=ServerUrl.parse(EMBEDDED)
)


class Accounts(Table, frozen=True, kw_only=True):
    """The maildrops sent to and read from: numbered from 1 by a pattern, or listed in a CSV file."""

    pattern: Annotated[str, says("Address; {n} is the number.")] = "user{n}@example.test"
    login: Annotated[
        str | None, says("Login name, with {n}, {local}, {address}; default: the address.")
    ] = None
    count: Annotated[int, says("How many the pattern makes."), Meta(ge=1, le=10_000_000)] = 100
    password: Annotated[
        str, says("With {n}; or env:NAME, from the environment. Never reported.")
    ] = "secret{n}"   # noqa: S105  the reference server's default, no secret
    file: Annotated[
        str | None, says("CSV file of address,login,password, instead of the others.")
    ] = None


# More than a timer's or a busy second's doing, and long enough to hide what it was to measure.
PAUSE_MAX: Final = "200ms"
PauseMax = Annotated[
    Duration, says("A generator that stands still this long voids the run; wider, the report says so.")
]


class OpenLoad(Table, frozen=True, kw_only=True, tag_field="model", tag="open"):
    """Arrivals that do not wait for the server: sessions start on schedule, however many are in flight."""

    arrivals: Annotated[tuple[Arrivals, ...], says("One after the other."), Meta(min_length=1)]
    in_flight_max: Annotated[
        int, says("Past it an arrival is dropped, and counted."), Meta(ge=1, le=1_000_000)
    ] = 4000
    warm_up: Annotated[
        Duration, says("First part of the schedule; run and counted, but no gate looks at it.")
    ] = default(Duration, "0s")
    drain: Annotated[
        Duration, says("How long sessions in flight may take to end after the schedule has.")
    ] = default(Duration, "30s")
    pause_max: PauseMax = default(Duration, PAUSE_MAX)


class ClosedLoad(
    Table, frozen=True, kw_only=True, tag_field="model", tag="closed", rename={"duration": "for"}
):
    """A fixed population: a virtual user's next session starts when its last has ended, after think time."""

    virtual_users: Annotated[int, says("The population."), Meta(ge=1, le=1_000_000)]
    think: Annotated[Durations, says("Pause between a user's sessions.")] = default(Durations, "0s")
    ramp: Annotated[
        Duration, says("The users' first sessions start evenly over this long; 0s: all at once.")
    ] = default(Duration, "0s")
    maildrop: Annotated[
        Literal["dealt", "own"],
        says("dealt: the accounts in turn, session by session. own: user u keeps account u, modulo their number."),
    ] = "dealt"
    sessions: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None, says("End after this many; this or for.")
    ] = None
    duration: Annotated[
        Duration | None, says("Start none after this long; this or sessions.")
    ] = None
    warm_up: Annotated[
        Duration, says("First part of the run; counted, but no gate looks at it.")
    ] = default(Duration, "0s")
    drain: Annotated[
        Duration, says("How long sessions in flight may take to end after the last has started.")
    ] = default(Duration, "30s")
    pause_max: PauseMax = default(Duration, PAUSE_MAX)


Load = OpenLoad | ClosedLoad


class _Delivery(Table, frozen=True, kw_only=True, tag_field="kind"):
    """Sessions that hand over mail."""

    name: Name = None
    weight: Weight = 1.0
    messages: Annotated[Counts, says("Mail transactions in one session.")] = default(Counts, 1)
    recipients: Annotated[Counts, says("Different recipients of one message.")] = default(Counts, 1)
    bcc: Annotated[
        Counts, says("That many more, who are in RCPT and in no header field; the others are in To and Cc.")
    ] = default(Counts, 0)
    size: Annotated[
        Sizes, says("Octets of one message, headers included; more if attachments need more, and none of a corpus.")
    ] = default(Sizes, "4 KiB")
    content: Annotated[
        Content, says("What messages are made of. Without 8BITMIME or SMTPUTF8 what needs it is not sent, and fails.")
    ] = default(Content, "text")
    reverse_path: Annotated[
        str, says('Address in MAIL FROM; "" is the null reverse-path (RFC 5321 §4.5.5).')
    ] = "load@example.test"
    pipelining: Annotated[
        MailPipelining,
        says(
            "Send envelope commands together where offered (RFC 2920); across-messages: the next envelope goes in one "
            "write with the end of the mail data before it, too."
        ),
    ] = "never"
    chunking: Annotated[
        Pipelining, says("Send mail data by BDAT where CHUNKING is offered (RFC 3030), else by DATA.")
    ] = "never"
    chunk: Annotated[Size, says("Octets of one BDAT chunk.")] = default(Size, "64 KiB")
    auth: Annotated[MailAuth, says("SASL mechanism, with one of the accounts.")] = "none"
    retry: Annotated[
        Retry | None, says("Try again what was put off, as a mail system does; {} takes the defaults.")
    ] = None


class SmtpDeliver(_Delivery, frozen=True, kw_only=True, tag="smtp-deliver"):
    """Connect, EHLO, deliver messages, QUIT (RFC 5321)."""


class LmtpDeliver(_Delivery, frozen=True, kw_only=True, tag="lmtp-deliver"):
    """The same over LMTP: LHLO, and one reply for each recipient after the final dot (RFC 2033)."""


class Pop3Retrieve(Table, frozen=True, kw_only=True, tag_field="kind", tag="pop3-retrieve"):
    """Log in, retrieve every message of one maildrop, QUIT (RFC 1939)."""

    name: Name = None
    weight: Weight = 1.0
    delete: Annotated[bool, says("DELE each message after its RETR.")] = False
    pipelining: Annotated[
        Pipelining, says("Ask CAPA, and say RETR and DELE in groups where PIPELINING is offered (RFC 2449 §6.6).")
    ] = "never"
    auth: Annotated[MaildropAuth, says("USER and PASS, APOP, or a SASL mechanism.")] = "user"


class IdleHold(Table, frozen=True, kw_only=True, tag_field="kind", tag="idle-hold"):
    """Connect, stay for a while saying NOOP now and then, QUIT."""

    name: Name = None
    weight: Weight = 1.0
    protocol: Annotated[Literal["smtp", "pop3"], says("Where to stay.")] = "smtp"
    hold: Annotated[Durations, says("How long to stay.")] = default(Durations, "20s")
    noop_every: Annotated[
        Duration | None, says("Say NOOP this often; in POP3 only after login (RFC 1939 §5).")
    ] = None
    auth: Annotated[AnyAuth, says("Log in; in POP3 that locks the maildrop.")] = "none"


Session = SmtpDeliver | LmtpDeliver | Pop3Retrieve | IdleHold | OtherSession
Delivery = SmtpDeliver | LmtpDeliver


class Limits(Table, frozen=True, kw_only=True):
    """The longest wait in each phase. What is left out keeps its default (RFC 5321 §4.5.3.2)."""

    connect: Duration | None = None
    greeting: Duration | None = None
    tls: Duration | None = None
    ehlo: Duration | None = None
    auth: Duration | None = None
    mail: Duration | None = None
    rcpt: Duration | None = None
    data: Duration | None = None
    block: Annotated[Duration | None, says("Each block of mail data.")] = None
    body: Annotated[Duration | None, says("The reply to the final dot.")] = None
    rset: Duration | None = None
    noop: Duration | None = None
    quit: Duration | None = None
    pop3: Annotated[Duration | None, says("Each POP3 response after the greeting.")] = None
    session: Annotated[Duration, says("A whole session.")] = default(Duration, "10m")


class Ledger(Table, frozen=True, kw_only=True):
    """The books of the mail itself."""

    verify: Annotated[
        bool, says("Every accepted message must come out of a maildrop exactly once, unchanged.")
    ] = False
    maildir: Annotated[
        str | None,
        says("Read the maildrops there and not by POP3: one Maildir for each account, {address}, {local}, {domain}."),
    ] = None
    sink: Annotated[
        str | None, says("Read what a sink has written there and not by POP3: mailproof sink --keep FILE.")
    ] = None
    settle: Annotated[
        Duration, says("How long after the run a message may take to reach its maildrop.")
    ] = default(Duration, "10s")

    @property
    def reads_pop3(self) -> bool:
        """Say whether the maildrops are read by POP3."""
        return self.verify and self.maildir is None and self.sink is None


class Scenario(Table, frozen=True, kw_only=True):
    """A whole scenario file. Times are durations ("30s"), sizes octets ("4 KiB"), rates per second."""

    about: Annotated[About, says("Name and seed.")] = msgspec.field(name="scenario")
    target: Target = msgspec.field(default_factory=lambda: EMBEDDED_TARGET)
    accounts: Accounts = Accounts()
    load: Load
    sessions: Annotated[
        tuple[Session, ...], says("The kinds of session, each with its weight."), Meta(min_length=1)
    ] = msgspec.field(name="session")
    limits: Limits = msgspec.field(default_factory=Limits)
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    crash: Annotated[Crash | None, says("The server is killed and started again amid the load.")] = None
    gates: Annotated[tuple[Gate, ...], says("What must hold.")] = msgspec.field(
        name="gate", default=()
    )
