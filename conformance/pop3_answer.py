"""What a POP3 server did when it was its turn: a response, the end of the connection, or nothing."""

from dataclasses import dataclass
from typing import Final

from conformance.answer import Answer, Ended
from conformance.judgement import Judgement, declined, satisfied, undetermined, violated
from loadgen.wire.printable import printable
from loadgen.wire.response import Response

# What a server says when it cannot just now, whatever it was asked (RFC 2449 §8.1, RFC 3206 §3).
_NOT_NOW: Final = (b"SYS", b"IN-USE", b"LOGIN-DELAY")
NEEDS_UTF8: Final = b"UTF8"      # … and what it says of mail in UTF-8 to who has not said UTF8 (RFC 6856 §5)


@dataclass(frozen=True, slots=True)
class Pop3Answer:
    """What came. Invariant: exactly one of `response` and `ended` is set."""

    response: Response | None = None
    octets: bytes = b""          # of the response as it came: its status line, and its lines with their stuffing
    ended: Ended | None = None
    waited_s: float = 0.0
    detail: str = ""             # of `ended`: printable

    @classmethod
    def none(cls, how: Answer, detail: str = "") -> "Pop3Answer":
        """Return that no response came, and how."""
        return cls(ended=how.ended, waited_s=how.waited_s, detail=detail or how.detail)

    @property
    def ok(self) -> bool:
        """Say whether it is +OK."""
        return self.response is not None and self.response.ok

    @property
    def err(self) -> bool:
        """Say whether it is -ERR."""
        return self.response is not None and not self.response.ok and not self.response.continues

    @property
    def continues(self) -> bool:
        """Say whether it is a challenge of AUTH (RFC 5034 §4)."""
        return self.response is not None and self.response.continues

    @property
    def code(self) -> bytes:
        """Return the response code in upper case, without its brackets; b"" without one (RFC 2449 §8)."""
        return b"" if self.response is None or self.response.code is None else self.response.code.upper()

    @property
    def not_now(self) -> bool:
        """Say whether it is a refusal for reasons of the moment, or of one message only: nothing follows from it."""
        return self.err and self.code.startswith((*_NOT_NOW, NEEDS_UTF8))

    @property
    def text(self) -> bytes:
        """Return what stands behind the indicator; b"" without a response."""
        return b"" if self.response is None else self.response.text

    @property
    def body(self) -> bytes:
        """Return the content of a multi-line response, unstuffed; b"" without one."""
        return (self.response.body if self.response is not None else None) or b""

    @property
    def lines(self) -> tuple[bytes, ...]:
        """Return the lines of a multi-line response, unstuffed and without their endings."""
        return tuple(self.body.removesuffix(b"\r\n").split(b"\r\n")) if self.body else ()

    @property
    def stuffed(self) -> bytes:
        """Return a multi-line response's lines as they came: stuffed, and with the line that ends them."""
        return self.octets.partition(b"\n")[2]

    @property
    def closed(self) -> bool:
        """Say whether the server ended the connection instead of answering."""
        return self.ended in {Ended.CLOSED, Ended.RESET}

    @property
    def silent(self) -> bool:
        """Say whether nothing came in the time given."""
        return self.ended is Ended.SILENT

    def matches(self, *wanted: str) -> bool:
        """Say whether it is one of some indicators: "+OK", "-ERR", "+"."""
        if self.response is None:
            return False
        return ("+" if self.continues else "+OK" if self.ok else "-ERR") in wanted

    def __str__(self) -> str:
        """Return it for people: the status line, and how many lines follow."""
        if self.response is None:
            return str(Answer(ended=self.ended, waited_s=self.waited_s, detail=self.detail))
        status = printable(self.octets.partition(b"\n")[0].removesuffix(b"\r"), 200)
        return status if self.response.body is None else f"{status} and {len(self.lines)} lines"

    def expect(self, *wanted: str, lawful: tuple[str, ...] = (), to: str = "") -> Judgement:
        """Judge it as the answer a requirement is about.

        `wanted` are the indicators that satisfy; `lawful` those which the RFC leaves open beside them. A refusal for
        reasons of the moment, or an answer that never came, tells nothing; anything else violates. `to` names what was
        asked.
        """
        asked = f" to {to}" if to else ""
        expected = f"{' or '.join(wanted)}{asked}"
        got = f"{self}{asked}"
        if self.matches(*wanted):
            return satisfied(got, expected)
        if self.matches(*lawful):
            return declined(got, expected)
        if self.response is None or self.not_now:
            return undetermined(got, expected)
        return violated(got, expected)

    def expect_open(self, *wanted: str, to: str = "") -> Judgement:
        """Judge it as the sign that the session is still there: a response (+OK unless said), not its end."""
        if self.closed:
            return violated(f"{self} instead of answering {to}".rstrip(), f"an answer to {to}".rstrip())
        return self.expect(*(wanted or ("+OK",)), to=to)
