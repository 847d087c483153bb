"""Answers read for themselves, whatever was said: for sessions whose order the scenario decides, not the protocol."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.reply import ReplyReader
from loadgen.wire.response import ResponseReader

TEXT_OCTETS_MAX: Final = 8192      # what a regular expression may be let loose on: the server wrote it
BEFORE_IT_WAS_SPOKEN_TO = "the server spoke before it was spoken to"


@dataclass(frozen=True, slots=True)
class Said:
    """One reply or response."""

    code: str                       # "250", "+OK"; "000": no reply code at all
    detail: str | None              # RFC 3463's "2.1.5", or RFC 2449's "IN-USE"
    text: bytes                     # every line without its code, joined by a line feed; its first TEXT_OCTETS_MAX
    body: bytes | None = None       # what followed a POP3 response's first line, unstuffed
    deviations: tuple[Deviation, ...] = ()

    @property
    def positive(self) -> bool:
        """Say whether it is 2yz or +OK."""
        return self.code == "+OK" or self.code.startswith("2")

    @property
    def negative(self) -> bool:
        """Say whether it is 4yz, 5yz or -ERR."""
        return self.code == "-ERR" or self.code.startswith(("4", "5"))


class Answers(ABC):
    """Take in octets, give out answers; no order is asked of either side."""

    @abstractmethod
    def receive(self, octets: bytes) -> None:
        """Take in what was received."""

    @abstractmethod
    def receive_eof(self) -> None:
        """Note that the server closed; RemoteProtocolError if it did so amid an answer."""

    @abstractmethod
    def refuse_unasked(self) -> None:
        """Raise RemoteProtocolError if anything is here before TLS that would be read as if it came under it."""

    @abstractmethod
    def next(self, *, lines: bool) -> Said | None:
        """Take the next answer, or None until more is received. `lines`: they follow the +OK."""


class SmtpAnswers(Answers):
    """Replies (RFC 5321 §4.2)."""

    def __init__(self) -> None:
        self._reader = ReplyReader()

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""
        self._reader.feed(octets)

    def receive_eof(self) -> None:
        """Note that the server closed; RemoteProtocolError if it did so amid a reply."""
        if pending := self._reader.pending:
            why = "the connection closed amid a reply"
            raise RemoteProtocolError(why, octets=pending[:512], section="RFC 5321 §4.2")

    def refuse_unasked(self) -> None:
        """Raise RemoteProtocolError if octets came behind the 220 to STARTTLS (RFC 3207 §4.2)."""
        if pending := self._reader.pending:
            raise RemoteProtocolError(BEFORE_IT_WAS_SPOKEN_TO, octets=pending[:512], section="RFC 3207 §4.2")

    def next(self, *, lines: bool) -> Said | None:
        """Take the next reply; it tells itself whether lines follow."""
        reply = self._reader.next_reply()
        if reply is None:
            return None
        detail = str(reply.enhanced) if reply.enhanced else None
        return Said(f"{reply.code:03d}", detail, b"\n".join(reply.texts)[:TEXT_OCTETS_MAX], deviations=reply.deviations)


class Pop3Answers(Answers):
    """Responses (RFC 1939 §3)."""

    def __init__(self) -> None:
        self._reader = ResponseReader()

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""
        self._reader.feed(octets)

    def receive_eof(self) -> None:
        """Note that the server closed; RemoteProtocolError if it did so amid a response."""
        if self._reader.has_pending:
            pending = self._reader.pending[:512]
            raise RemoteProtocolError("the connection closed amid a response", octets=pending, section="RFC 1939 §3")

    def refuse_unasked(self) -> None:
        """Raise RemoteProtocolError if octets came behind the +OK to STLS (RFC 2595 §4)."""
        if self._reader.has_pending:
            pending = self._reader.pending[:512]
            raise RemoteProtocolError(BEFORE_IT_WAS_SPOKEN_TO, octets=pending, section="RFC 2595 §4")

    def next(self, *, lines: bool) -> Said | None:
        """Take the next response, its lines included if there are to be any."""
        response = self._reader.next_response(multi_line=lines)
        if response is None:
            return None
        code = "+" if response.continues else "+OK" if response.ok else "-ERR"
        detail = None if response.code is None else response.code.decode("ascii")
        lines_of_it = (response.body or b"")[:TEXT_OCTETS_MAX].replace(b"\r\n", b"\n")
        text = response.text if response.body is None else response.text + b"\n" + lines_of_it
        return Said(code, detail, text[:TEXT_OCTETS_MAX], response.body, response.deviations)
