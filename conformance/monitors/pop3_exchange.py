"""A POP3 exchange: one response, what it answers, and how the session stood."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from conformance.monitors.exchange import NO_COMMAND, Asked
from loadgen.wire.response import Response

# What is answered with lines; LIST and UIDL only where no number is given.
MULTI_LINE: Final = frozenset({"LIST", "RETR", "UIDL", "TOP", "CAPA"})
_ONE_OR_ALL: Final = frozenset({"LIST", "UIDL"})


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
    verb: str = field(init=False, repr=False, compare=False)         # its keyword, in upper case; or NO_COMMAND
    ok: bool = field(init=False, repr=False, compare=False)          # the response is +OK

    def __post_init__(self) -> None:
        object.__setattr__(self, "verb", read_line(self.asked, self.command).verb)
        object.__setattr__(self, "ok", self.response is not None and self.response.ok)

    @property
    def argument(self) -> bytes:
        """Return what follows the keyword and its space."""
        return read_line(self.asked, self.command).argument

    @property
    def wants_lines(self) -> bool:
        """Say whether a +OK is followed by lines (RFC 1939 §5, §7, RFC 2449 §5)."""
        return read_line(self.asked, self.command).wants_lines

    @property
    def body_lines(self) -> tuple[bytes, ...]:
        """Return the lines that follow, without endings and unstuffed; none if there are none."""
        body = self.response.body if self.response is not None else None
        return tuple(body.removesuffix(b"\r\n").split(b"\r\n")) if body else ()


class Line(NamedTuple):
    """What we said, read on its own."""

    verb: str
    argument: bytes
    wants_lines: bool


@lru_cache(maxsize=16)      # asked when it is said, when its response is there, and when that is known to be all
def read_line(asked: Asked, line: bytes) -> Line:
    """Read a command line, or what else was said; nothing at all before the greeting."""
    word, _, argument = line.partition(b" ")
    if asked is not Asked.COMMAND:
        return Line(NO_COMMAND, argument, wants_lines=False)
    verb = word.upper().decode("ascii", "backslashreplace")
    return Line(verb, argument, verb in MULTI_LINE and not (argument and verb in _ONE_OR_ALL))


class Pop3State(NamedTuple):
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
                state = self._replace(tags=frozenset(tags))
            case "UTF8" | "LANG" if exchange.ok:
                state = self._replace(utf8=True)
            case "USER":
                state = self._replace(names=(*self.names[-3:], exchange.argument))
            case "PASS":
                state = self._replace(passwords=(*self.passwords[-3:], exchange.argument))
            case "STLS" if exchange.ok:
                state = Pop3State()
        return state
