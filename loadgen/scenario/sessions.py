"""The kinds of session that probe a server, or bother it lawfully: what they do to it shows in the others."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.quantities import Duration, Size
from loadgen.scenario.steps import StepsSession
from loadgen.scenario.table import Table, default, says
from loadgen.scenario.words import AnyAuth, MailAuth, MaildropAuth, Name, Weight

Octets = Annotated[int, Meta(ge=1, le=1_000_000)]
ReversePath = Annotated[str, says('Address in MAIL FROM; "" is the null reverse-path (RFC 5321 §4.5.5).')]
Login = Annotated[MailAuth, says("SASL mechanism, with one of the accounts.")]
MaildropLogin = Annotated[MaildropAuth, says("USER and PASS, APOP, or a SASL mechanism.")]
SilentAfter = Literal["connect", "greeting", "ehlo", "starttls"]


class SmtpProbe(Table, frozen=True, kw_only=True, tag_field="kind", tag="smtp-probe"):
    """Connect, EHLO, ask for next to nothing again and again, QUIT: what the server's command loop costs."""

    protocol: ClassVar[Literal["smtp"]] = "smtp"
    name: Name = None
    weight: Weight = 1.0
    loops: Annotated[Counts, says("How often all the commands are said.")] = default(Counts, 10)
    commands: Annotated[
        tuple[Literal["ehlo", "noop", "rset", "vrfy"], ...],
        says("What one loop says, in order. Any answer to VRFY is lawful (RFC 5321 §7.3)."),
        Meta(min_length=1),
    ] = ("noop", "rset", "vrfy")
    auth: Login = "none"


class RsetLoop(Table, frozen=True, kw_only=True, tag_field="kind", tag="rset-loop"):
    """Open a mail transaction and abort it with RSET, again and again (RFC 5321 §4.1.1.5); send no mail."""

    protocol: ClassVar[Literal["smtp"]] = "smtp"
    name: Name = None
    weight: Weight = 1.0
    loops: Annotated[Counts, says("Transactions in one session.")] = default(Counts, 10)
    recipients: Annotated[Counts, says("Different recipients of one transaction.")] = default(Counts, 1)
    reverse_path: ReversePath = "load@example.test"
    auth: Login = "none"


class AuthStorm(Table, frozen=True, kw_only=True, tag_field="kind", tag="auth-storm"):
    """Connect, log in, QUIT. A wrong password must be refused, a right one taken."""

    name: Name = None
    weight: Weight = 1.0
    protocol: Annotated[Literal["smtp", "pop3"], says("Where to log in.")] = "smtp"
    wrong: Annotated[float, says("Share of the sessions that come with a wrong password."), Meta(ge=0, le=1)] = 0.5
    auth: Annotated[MaildropAuth, says("SASL mechanism; in POP3 also user and apop.")] = "plain"


class SlowSender(Table, frozen=True, kw_only=True, tag_field="kind", tag="slow-sender"):
    """Deliver one message, its mail data dribbled. A server that gives it up before its end may do so."""

    protocol: ClassVar[Literal["smtp"]] = "smtp"
    name: Name = None
    weight: Weight = 1.0
    size: Annotated[Sizes, says("Octets of the message, headers included.")] = default(Sizes, "4 KiB")
    octets_per_s: Annotated[Octets, says("Pace of the mail data.")] = 100
    segment_octets: Annotated[Octets, says("Octets sent at once.")] = 10
    reverse_path: ReversePath = "load@example.test"
    auth: Login = "none"


class SlowReader(Table, frozen=True, kw_only=True, tag_field="kind", tag="slow-reader"):
    """Retrieve every message of one maildrop, or ask for many replies, and read what comes a few octets at a time."""

    name: Name = None
    weight: Weight = 1.0
    protocol: Annotated[
        Literal["pop3", "smtp"], says("pop3: RETR all there is. smtp: RSET again and again, pipelined where offered.")
    ] = "pop3"
    commands: Annotated[int, says("How many RSET; only in SMTP."), Meta(ge=1, le=100_000)] = 1000
    window: Annotated[
        Size, says("Octets of the receive buffer asked of the system: what the server can send ahead of the reading.")
    ] = default(Size, "4 KiB")
    read_octets: Annotated[Octets, says("Octets read at once.")] = 512
    pause: Annotated[Duration, says("Pause before each read.")] = default(Duration, "1s")
    auth: Annotated[AnyAuth, says("USER and PASS, APOP, or a SASL mechanism; in SMTP that, or none.")] = "user"


class HalfOpen(Table, frozen=True, kw_only=True, tag_field="kind", tag="half-open"):
    """Connect, come as far as it is told, hold the connection in silence, leave without QUIT."""

    auth: ClassVar[Literal["none"]] = "none"
    name: Name = None
    weight: Weight = 1.0
    protocol: Annotated[Literal["smtp", "pop3"], says("Where to stay.")] = "smtp"
    after: Annotated[
        SilentAfter,
        says(
            "When it falls silent. connect: at once, before the greeting, or with implicit TLS before the handshake; "
            "starttls: after the go-ahead, before the handshake; ehlo: only in SMTP."
        ),
    ] = "greeting"
    hold: Annotated[Durations, says("How long to stay, unless the server ends it.")] = default(Durations, "60s")


class ResetInData(Table, frozen=True, kw_only=True, tag_field="kind", tag="reset-in-data"):
    """Begin a message and reset the connection amid its mail data. Found in a maildrop, it is misdelivered."""

    protocol: ClassVar[Literal["smtp"]] = "smtp"
    name: Name = None
    weight: Weight = 1.0
    size: Annotated[Sizes, says("Octets the message would have.")] = default(Sizes, "4 KiB")
    sent: Annotated[float, says("Share of the mail data sent before the reset."), Meta(ge=0, le=1)] = 0.5
    reverse_path: ReversePath = "load@example.test"
    auth: Login = "none"


class Pop3Contend(Table, frozen=True, kw_only=True, tag_field="kind", tag="pop3-contend"):
    """Open a maildrop twice: the second must be kept out (RFC 1939 §4) until the first has left."""

    protocol: ClassVar[Literal["pop3"]] = "pop3"
    name: Name = None
    weight: Weight = 1.0
    auth: MaildropLogin = "user"


OtherSession = (
    SmtpProbe | RsetLoop | AuthStorm | SlowSender | SlowReader | HalfOpen | ResetInData | Pop3Contend | StepsSession
)
