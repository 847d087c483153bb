"""An exchange: one reply, what it answers, and how the session stood. What the monitors look at."""

from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from loadgen.wire.reply import USUAL_OCTETS, Reply

SHUTTING_DOWN: Final = 421      # may answer any command, or none (RFC 5321 §3.8)
NO_COMMAND: Final = ""          # the verb of what answers no command
HELLO: Final = frozenset({"EHLO", "HELO", "LHLO"})


class Asked(StrEnum):
    """What a reply answers."""

    GREETING = auto()           # the connection
    COMMAND = auto()            # a command line
    MAIL_DATA = auto()          # the end of the mail data, by DATA or by BDAT
    RESPONSE = auto()           # a line of an AUTH exchange (RFC 4954 §4)
    UNKNOWN = auto()            # nobody can say: nothing was asked, or what was sent is no plain command line


@dataclass(frozen=True)
class Exchange:
    """One reply and its occasion. Without a reply, `rest` is all that came.

    Twenty monitors look at each: what most of them want is worked out once.
    """

    reply: Reply | None
    asked: Asked = Asked.UNKNOWN
    command: bytes = b""        # the command line, or the response, without its CRLF; b"" for the others
    tls: bool = False
    closed_after: bool | None = None     # the server closed, in good order, before anything else came; None: not known
    rest: bytes = b""           # what came after the reply and was no reply when the server closed in good order
    code: int = field(init=False, repr=False, compare=False)             # the reply's; 0 if there is none
    reply_class: int = field(init=False, repr=False, compare=False)      # the first digit of the code
    verb: str = field(init=False, repr=False, compare=False)             # the command's, in upper case; or NO_COMMAND
    texts: tuple[bytes, ...] = field(init=False, repr=False, compare=False)  # behind code and separator, line by line

    def __post_init__(self) -> None:
        put, reply = object.__setattr__, self.reply
        put(self, "code", reply.code if reply is not None else 0)
        put(self, "reply_class", self.code // 100)
        put(self, "texts", reply.texts if reply is not None else ())
        put(self, "verb", _verb_of(self.command) if self.asked is Asked.COMMAND else NO_COMMAND)

    @property
    def says_hello(self) -> bool:
        """Say whether it answers EHLO, HELO or LHLO."""
        return self.verb in HELLO

    @property
    def authenticates(self) -> bool:
        """Say whether it belongs to an AUTH exchange."""
        return self.asked is Asked.RESPONSE or self.verb == "AUTH"

    @cached_property
    def lines(self) -> tuple[bytes, ...]:
        """Return the reply's lines as they came, each with its ending."""
        octets = self.reply.octets if self.reply is not None else b""
        return tuple([line + b"\n" for line in octets.split(b"\n")[:-1]])


def _verb_of(command: bytes) -> str:
    return command.partition(b" ")[0].strip().upper().decode("ascii", "backslashreplace")


class SmtpState(NamedTuple):
    """What a session has come to, as far as the monitors need it. LMTP is a dialect: LHLO, a reply per recipient.

    A tuple, because one is made anew for nearly every reply.
    """

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
                return self._replace(greeting=exchange.reply)
            case Asked.UNKNOWN:
                return self._replace(utf8=self.utf8 or b"SMTPUTF8" in exchange.command.upper())
            case Asked.MAIL_DATA:        # of LMTP's replies to it the next may be yet to come
                return self if self.lmtp else self._replace(accepted=0)
            case Asked.COMMAND | Asked.RESPONSE:
                if exchange.reply_class != 2:
                    return self
                logs_in = exchange.code == 235 and exchange.authenticates
                return (self._replace(logged_in=True) if logs_in else self)._after_command(exchange)

    def _after_command(self, exchange: Exchange) -> "SmtpState":
        state = self
        match exchange.verb:
            case "EHLO" | "LHLO" | "HELO":
                offered = None if exchange.verb == "HELO" else keywords(exchange)
                state = self._replace(offered=offered, utf8=False, accepted=0, said=(exchange.command,))
            case "MAIL":
                utf8 = b"SMTPUTF8" in exchange.command.upper().split()
                state = self._replace(utf8=utf8, accepted=0, said=(*self.said[:1], exchange.command))
            case "RCPT":
                state = self._replace(accepted=self.accepted + 1)
            case "RSET":
                state = self._replace(utf8=False, accepted=0, said=self.said[:1])
            case "STARTTLS":     # nothing learnt before TLS counts any more (RFC 3207 §4.2)
                state = SmtpState(lmtp=self.lmtp, greeting=self.greeting)
        return state

    def offers(self, keyword: str) -> bool:
        """Say whether the newest EHLO offered an extension."""
        return self.offered is not None and keyword in self.offered


def keywords(exchange: Exchange) -> frozenset[str]:
    """Return the first word of each line of an EHLO reply but the first, in upper case."""
    usual = exchange.reply is not None and len(exchange.reply.octets) <= USUAL_OCTETS
    return (_keywords_memo if usual else _keywords)(exchange.texts)


def _keywords(texts: tuple[bytes, ...]) -> frozenset[str]:
    words = (text.partition(b" ")[0] for text in texts[1:])
    return frozenset(word.upper().decode("ascii", "backslashreplace") for word in words)


# A run's answers to EHLO are nearly all alike: a memo of a pure function over immutable values, and bounded.
_keywords_memo: Final = lru_cache(maxsize=64)(_keywords)
