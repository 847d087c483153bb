"""An exchange: one reply, what it answers, and how the session stood. What the monitors look at."""

from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import cached_property
from typing import Final

from loadgen.wire.reply import Reply

SHUTTING_DOWN: Final = 421      # may answer any command, or none (RFC 5321 §3.8)


class Asked(StrEnum):
    """What a reply answers."""

    GREETING = auto()           # the connection
    COMMAND = auto()            # a command line
    MAIL_DATA = auto()          # the end of the mail data, by DATA or by BDAT
    RESPONSE = auto()           # a line of an AUTH exchange (RFC 4954 §4)
    UNKNOWN = auto()            # nobody can say: nothing was asked, or what was sent is no plain command line


@dataclass(frozen=True)
class Exchange:
    """One reply and its occasion. Without a reply, `rest` is all that came."""

    reply: Reply | None
    asked: Asked = Asked.UNKNOWN
    command: bytes = b""        # the command line, or the response, without its CRLF; b"" for the others
    tls: bool = False
    closed_after: bool | None = None     # the server closed, in good order, before anything else came; None: not known
    rest: bytes = b""           # what came after the reply and was no reply when the server closed in good order

    @property
    def code(self) -> int:
        """Return the reply code; 0 if there is none."""
        return self.reply.code if self.reply is not None else 0

    @property
    def reply_class(self) -> int:
        """Return the first digit of the reply code."""
        return self.code // 100

    @property
    def verb(self) -> str:
        """Return the command's verb in upper case; empty if it does not answer a command."""
        if self.asked is not Asked.COMMAND:
            return ""
        return self.command.partition(b" ")[0].strip().upper().decode("ascii", "backslashreplace")

    @property
    def says_hello(self) -> bool:
        """Say whether it answers EHLO, HELO or LHLO."""
        return self.verb in {"EHLO", "HELO", "LHLO"}

    @property
    def authenticates(self) -> bool:
        """Say whether it belongs to an AUTH exchange."""
        return self.asked is Asked.RESPONSE or self.verb == "AUTH"

    @cached_property
    def lines(self) -> tuple[bytes, ...]:
        """Return the reply's lines as they came, each with its ending."""
        octets = self.reply.octets if self.reply is not None else b""
        return tuple(line + b"\n" for line in octets.split(b"\n")[:-1])

    @cached_property
    def texts(self) -> tuple[bytes, ...]:
        """Return what stands behind code and separator, line by line."""
        return self.reply.texts if self.reply is not None else ()


@dataclass(frozen=True, slots=True)
class SmtpState:
    """What a session has come to, as far as the monitors need it. LMTP is a dialect: LHLO, a reply per recipient."""

    lmtp: bool = False
    greeting: Reply | None = None
    offered: frozenset[str] | None = None    # the keywords of the newest EHLO; None: no EHLO was answered with 250
    utf8: bool = False                       # the newest MAIL had the SMTPUTF8 parameter, or might have had
    accepted: int = 0                        # recipients of the open transaction
    logged_in: bool = False
    secrets: tuple[bytes, ...] = ()          # passwords we sent, and the base64 they travelled in
    said: tuple[bytes, ...] = ()             # our newest EHLO and MAIL: what the server may lawfully repeat to us

    def after(self, exchange: Exchange) -> "SmtpState":
        """Return how the session stands once this exchange is over."""
        match exchange.asked:
            case Asked.GREETING:
                return replace(self, greeting=exchange.reply)
            case Asked.UNKNOWN:
                return replace(self, utf8=self.utf8 or b"SMTPUTF8" in exchange.command.upper())
            case Asked.MAIL_DATA:        # of LMTP's replies to it the next may be yet to come
                return self if self.lmtp else replace(self, accepted=0)
            case Asked.COMMAND | Asked.RESPONSE:
                logged_in = self.logged_in or (exchange.authenticates and exchange.code == 235)
                state = replace(self, logged_in=logged_in)
                return state._after_command(exchange) if exchange.reply_class == 2 else state

    def _after_command(self, exchange: Exchange) -> "SmtpState":
        state = self
        match exchange.verb:
            case "EHLO" | "LHLO" | "HELO":
                offered = None if exchange.verb == "HELO" else keywords(exchange)
                state = replace(self, offered=offered, utf8=False, accepted=0, said=(exchange.command,))
            case "MAIL":
                utf8 = b"SMTPUTF8" in exchange.command.upper().split()
                state = replace(self, utf8=utf8, accepted=0, said=(*self.said[:1], exchange.command))
            case "RCPT":
                state = replace(self, accepted=self.accepted + 1)
            case "RSET":
                state = replace(self, utf8=False, accepted=0, said=self.said[:1])
            case "STARTTLS":     # nothing learnt before TLS counts any more (RFC 3207 §4.2)
                state = SmtpState(lmtp=self.lmtp, greeting=self.greeting)
        return state

    def offers(self, keyword: str) -> bool:
        """Say whether the newest EHLO offered an extension."""
        return self.offered is not None and keyword in self.offered


def keywords(exchange: Exchange) -> frozenset[str]:
    """Return the first word of each line of an EHLO reply but the first, in upper case."""
    words = (text.partition(b" ")[0] for text in exchange.texts[1:])
    return frozenset(word.upper().decode("ascii", "backslashreplace") for word in words)
