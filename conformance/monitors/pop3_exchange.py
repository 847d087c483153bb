"""A POP3 exchange: one response, what it answers, and how the session stood."""

from dataclasses import dataclass, replace
from typing import Final

from conformance.monitors.exchange import Asked
from loadgen.wire.response import Response

# What is answered with lines; LIST and UIDL only where no number is given.
MULTI_LINE: Final = frozenset({"LIST", "RETR", "UIDL", "TOP", "CAPA"})


@dataclass(frozen=True, slots=True)
class Pop3Exchange:
    """One response and its occasion. MAIL_DATA is not asked in POP3.

    `extra` is what came behind the response before anything else was asked; None: nobody waited to see. `rest` is what
    came and was no response: all of it when `response` is None, else what stood there when the server closed.
    """

    response: Response | None
    asked: Asked = Asked.UNKNOWN
    command: bytes = b""            # the command line, or the line of an AUTH exchange, without its CRLF
    tls: bool = False
    extra: bytes | None = None
    rest: bytes = b""

    @property
    def verb(self) -> str:
        """Return the command's keyword in upper case; empty if it does not answer a command."""
        if self.asked is not Asked.COMMAND:
            return ""
        return self.command.partition(b" ")[0].upper().decode("ascii", "backslashreplace")

    @property
    def argument(self) -> bytes:
        """Return what follows the keyword and its space."""
        return self.command.partition(b" ")[2]

    @property
    def ok(self) -> bool:
        """Say whether the response is +OK."""
        return self.response is not None and self.response.ok

    @property
    def wants_lines(self) -> bool:
        """Say whether a +OK is followed by lines (RFC 1939 §5, §7, RFC 2449 §5)."""
        return self.verb in MULTI_LINE and (self.verb not in {"LIST", "UIDL"} or not self.argument)

    @property
    def body_lines(self) -> tuple[bytes, ...]:
        """Return the lines that follow, without endings and unstuffed; none if there are none."""
        body = self.response.body if self.response is not None else None
        return tuple(body.removesuffix(b"\r\n").split(b"\r\n")) if body else ()


@dataclass(frozen=True, slots=True)
class Pop3State:
    """What a session has come to, as far as the monitors need it."""

    tags: frozenset[str] | None = None      # of the newest CAPA; None: CAPA was not answered with +OK
    utf8: bool = False                      # UTF8 or LANG was answered with +OK (RFC 6856 §2, §3)
    names: tuple[bytes, ...] = ()           # user names given
    passwords: tuple[bytes, ...] = ()

    def after(self, exchange: Pop3Exchange) -> "Pop3State":
        """Return how the session stands once this exchange is over."""
        state = self
        match exchange.verb:
            case "CAPA" if exchange.ok:
                tags = (line.split(b" ")[0].upper().decode("ascii", "backslashreplace") for line in exchange.body_lines)
                state = replace(self, tags=frozenset(tags))
            case "UTF8" | "LANG" if exchange.ok:
                state = replace(self, utf8=True)
            case "USER":
                state = replace(self, names=(*self.names[-3:], exchange.argument))
            case "PASS":
                state = replace(self, passwords=(*self.passwords[-3:], exchange.argument))
            case "STLS" if exchange.ok:
                state = Pop3State()
        return state
