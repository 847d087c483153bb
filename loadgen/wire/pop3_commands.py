"""POP3 commands as values. The answers to AUTH challenges are SMTP's: AuthResponse and AuthCancel."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import ClassVar

from loadgen.wire.commands import AuthCancel, AuthResponse, one_line


@dataclass(frozen=True, slots=True)
class User:
    """USER (RFC 1939 §7)."""

    verb: ClassVar[str] = "USER"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"USER {self.name}")


@dataclass(frozen=True, slots=True)
class Pass:
    """PASS (RFC 1939 §7). The secret may hold spaces."""

    verb: ClassVar[str] = "PASS"
    secret: str = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"PASS {self.secret}")


@dataclass(frozen=True, slots=True)
class Apop:
    """APOP (RFC 1939 §7). `sasl.apop_digest` makes the digest from the greeting's timestamp."""

    verb: ClassVar[str] = "APOP"
    name: str
    digest: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"APOP {self.name} {self.digest}")


@dataclass(frozen=True, slots=True)
class Pop3Auth:
    """AUTH (RFC 5034 §4). `initial` None waits for a challenge; an empty initial response goes as "="."""

    verb: ClassVar[str] = "AUTH"
    mechanism: str
    initial: bytes | None = field(default=None, repr=False)  # may hold a password

    def to_bytes(self) -> bytes:
        """Return the command line."""
        if self.initial is None:
            return one_line(f"AUTH {self.mechanism}")
        return one_line(f"AUTH {self.mechanism} {b64encode(self.initial).decode('ascii') or '='}")


@dataclass(frozen=True, slots=True)
class Stat:
    """STAT (RFC 1939 §5)."""

    verb: ClassVar[str] = "STAT"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"STAT\r\n"


@dataclass(frozen=True, slots=True)
class List:
    """LIST, of the maildrop or of one message (RFC 1939 §5)."""

    verb: ClassVar[str] = "LIST"
    number: int | None = None

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"LIST\r\n" if self.number is None else b"LIST %d\r\n" % self.number


@dataclass(frozen=True, slots=True)
class Uidl:
    """UIDL, of the maildrop or of one message (RFC 1939 §7)."""

    verb: ClassVar[str] = "UIDL"
    number: int | None = None

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"UIDL\r\n" if self.number is None else b"UIDL %d\r\n" % self.number


@dataclass(frozen=True, slots=True)
class Retr:
    """RETR (RFC 1939 §5)."""

    verb: ClassVar[str] = "RETR"
    number: int

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"RETR %d\r\n" % self.number


@dataclass(frozen=True, slots=True)
class Top:
    """TOP: the headers and so many lines of the body (RFC 1939 §7)."""

    verb: ClassVar[str] = "TOP"
    number: int
    lines: int

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"TOP %d %d\r\n" % (self.number, self.lines)


@dataclass(frozen=True, slots=True)
class Dele:
    """DELE (RFC 1939 §5)."""

    verb: ClassVar[str] = "DELE"
    number: int

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"DELE %d\r\n" % self.number


@dataclass(frozen=True, slots=True)
class Pop3Noop:
    """NOOP (RFC 1939 §5)."""

    verb: ClassVar[str] = "NOOP"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"NOOP\r\n"


@dataclass(frozen=True, slots=True)
class Pop3Rset:
    """RSET: unmark what was marked as deleted (RFC 1939 §5)."""

    verb: ClassVar[str] = "RSET"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"RSET\r\n"


@dataclass(frozen=True, slots=True)
class Capa:
    """CAPA (RFC 2449 §5)."""

    verb: ClassVar[str] = "CAPA"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"CAPA\r\n"


@dataclass(frozen=True, slots=True)
class Stls:
    """STLS (RFC 2595 §4)."""

    verb: ClassVar[str] = "STLS"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"STLS\r\n"


@dataclass(frozen=True, slots=True)
class Pop3Quit:
    """QUIT (RFC 1939 §4, §6)."""

    verb: ClassVar[str] = "QUIT"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"QUIT\r\n"


@dataclass(frozen=True, slots=True)
class Pop3RawLine:
    """Any octets at all, to break the rules with. The machine takes no notice, save of the responses owed."""

    verb: ClassVar[str] = ""
    octets: bytes
    responses: int = 1
    multi_line: bool = False  # says whether +OK is followed by lines

    def to_bytes(self) -> bytes:
        """Return the octets, whatever they are."""
        return self.octets


Pop3Command = (
    User
    | Pass
    | Apop
    | Pop3Auth
    | AuthResponse
    | AuthCancel
    | Stat
    | List
    | Uidl
    | Retr
    | Top
    | Dele
    | Pop3Noop
    | Pop3Rset
    | Capa
    | Stls
    | Pop3Quit
    | Pop3RawLine
)
