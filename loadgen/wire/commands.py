"""SMTP and LMTP commands as values. `to_bytes` is the one way onto the wire; no argument makes two."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import ClassVar, Final

from loadgen.wire.errors import LocalProtocolError

_ENDS_A_LINE: Final = re.compile(r"[\r\n\x00]")


def one_line(text: str) -> bytes:
    """Return the text as one CRLF-ended line in UTF-8 (RFC 6531 §3.3; ASCII stays ASCII).

    Raises LocalProtocolError on CR, LF or NUL: an address from a file must not smuggle in a command of its
    own.
    """
    # isprintable() is one pass in C and true of nearly every command; the pattern decides about the rest.
    if not text.isprintable() and (found := _ENDS_A_LINE.search(text)):
        raise LocalProtocolError(f"a command holds {found[0]!r} at {found.start()}: CR, LF and NUL are never sent")
    try:
        return text.encode() + b"\r\n"
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"a command cannot be encoded as UTF-8: {exc.reason}") from exc


@dataclass(frozen=True, slots=True)
class Helo:
    """HELO (RFC 5321 §4.1.1.1)."""

    verb: ClassVar[str] = "HELO"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"HELO {self.name}")


@dataclass(frozen=True, slots=True)
class Ehlo:
    """EHLO (RFC 5321 §4.1.1.1)."""

    verb: ClassVar[str] = "EHLO"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"EHLO {self.name}")


@dataclass(frozen=True, slots=True)
class Lhlo:
    """LHLO, LMTP's only greeting (RFC 2033 §4.1)."""

    verb: ClassVar[str] = "LHLO"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"LHLO {self.name}")


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL, which begins a mail transaction (RFC 5321 §4.1.1.2). Empty, the reverse-path is the null one."""

    verb: ClassVar[str] = "MAIL"
    reverse_path: str
    parameters: tuple[str, ...] = ()  # "SIZE=1000", "BODY=8BITMIME"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        if self.parameters:
            return one_line(f"MAIL FROM:<{self.reverse_path}> {' '.join(self.parameters)}")
        return one_line(f"MAIL FROM:<{self.reverse_path}>")


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT, one recipient (RFC 5321 §4.1.1.3)."""

    verb: ClassVar[str] = "RCPT"
    forward_path: str
    parameters: tuple[str, ...] = ()  # "NOTIFY=NEVER"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        if self.parameters:
            return one_line(f"RCPT TO:<{self.forward_path}> {' '.join(self.parameters)}")
        return one_line(f"RCPT TO:<{self.forward_path}>")


@dataclass(frozen=True, slots=True)
class Data:
    """DATA (RFC 5321 §4.1.1.4). After 354 comes MailData."""

    verb: ClassVar[str] = "DATA"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"DATA\r\n"


@dataclass(frozen=True, slots=True)
class MailData:
    """Mail data, already stuffed and ended by CRLF.CRLF (`transparency.stuff` makes it; RFC 5321 §4.1.1.4).

    What was streamed before the last of it goes as `RawLine(octets, replies=0)`.
    """

    verb: ClassVar[str] = "."
    octets: bytes

    def to_bytes(self) -> bytes:
        """Return the octets. LocalProtocolError unless they end the mail data, at their end only."""
        octets = self.octets
        # The end is found once, at the end: earlier, the rest of the message would be read as commands. Searching
        # from the right is four times as fast.
        ended_early = octets.startswith(b".\r\n") or octets.rfind(b"\r\n.\r\n", 0, -3) >= 0
        if octets != b".\r\n" and (ended_early or not octets.endswith(b"\r\n.\r\n")):
            raise LocalProtocolError("mail data must end with CRLF.CRLF, and hold it nowhere else: stuff it first")
        return octets


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT, one chunk of the message, as it is (RFC 3030 §2)."""

    verb: ClassVar[str] = "BDAT"
    octets: bytes
    last: bool

    def to_bytes(self) -> bytes:
        """Return the command line and its chunk."""
        return b"BDAT %d%b\r\n%b" % (len(self.octets), b" LAST" if self.last else b"", self.octets)


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET, which aborts the mail transaction (RFC 5321 §4.1.1.5)."""

    verb: ClassVar[str] = "RSET"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"RSET\r\n"


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP (RFC 5321 §4.1.1.9)."""

    verb: ClassVar[str] = "NOOP"
    argument: str | None = None

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"NOOP\r\n" if self.argument is None else one_line(f"NOOP {self.argument}")


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT (RFC 5321 §4.1.1.10)."""

    verb: ClassVar[str] = "QUIT"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"QUIT\r\n"


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY (RFC 5321 §4.1.1.6)."""

    verb: ClassVar[str] = "VRFY"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"VRFY {self.name}")


@dataclass(frozen=True, slots=True)
class Expn:
    """EXPN (RFC 5321 §4.1.1.7)."""

    verb: ClassVar[str] = "EXPN"
    name: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"EXPN {self.name}")


@dataclass(frozen=True, slots=True)
class Help:
    """HELP (RFC 5321 §4.1.1.8)."""

    verb: ClassVar[str] = "HELP"
    topic: str | None = None

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"HELP\r\n" if self.topic is None else one_line(f"HELP {self.topic}")


@dataclass(frozen=True, slots=True)
class Etrn:
    """ETRN, which starts a queue run (RFC 1985 §5.1). `node` is a domain, "@domain" or "#queue"."""

    verb: ClassVar[str] = "ETRN"
    node: str

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return one_line(f"ETRN {self.node}")


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS (RFC 3207 §4)."""

    verb: ClassVar[str] = "STARTTLS"

    def to_bytes(self) -> bytes:
        """Return the command line."""
        return b"STARTTLS\r\n"


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (RFC 4954 §4). `initial` None waits for a challenge; an empty initial response goes as "="."""

    verb: ClassVar[str] = "AUTH"
    mechanism: str
    initial: bytes | None = field(default=None, repr=False)  # may hold a password

    def to_bytes(self) -> bytes:
        """Return the command line."""
        if self.initial is None:
            return one_line(f"AUTH {self.mechanism}")
        return one_line(f"AUTH {self.mechanism} {b64encode(self.initial).decode('ascii') or '='}")


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The answer to a challenge, in the clear here, base64 on the wire (RFC 4954 §4, RFC 5034 §4)."""

    verb: ClassVar[str] = ""
    octets: bytes = field(repr=False)  # may hold a password

    def to_bytes(self) -> bytes:
        """Return the response line; an empty response is an empty line."""
        return b64encode(self.octets) + b"\r\n"


@dataclass(frozen=True, slots=True)
class AuthCancel:
    """The cancellation of an exchange (RFC 4954 §4, RFC 5034 §4)."""

    verb: ClassVar[str] = "*"

    def to_bytes(self) -> bytes:
        """Return the line "*"."""
        return b"*\r\n"


@dataclass(frozen=True, slots=True)
class RawLine:
    """Any octets at all, to break the rules with. The machine takes no notice, save of the replies owed."""

    verb: ClassVar[str] = ""
    octets: bytes
    replies: int = 1  # how many this is expected to be answered with: none for a piece of mail data

    def to_bytes(self) -> bytes:
        """Return the octets, whatever they are."""
        return self.octets


SmtpCommand = (
    Helo
    | Ehlo
    | Lhlo
    | Mail
    | Rcpt
    | Data
    | MailData
    | Bdat
    | Rset
    | Noop
    | Quit
    | Vrfy
    | Expn
    | Help
    | Etrn
    | StartTls
    | Auth
    | AuthResponse
    | AuthCancel
    | RawLine
)
