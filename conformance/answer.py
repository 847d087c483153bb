"""What a server did when it was its turn: a reply, the end of the connection, or nothing."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from conformance.judgement import Judgement, declined, satisfied, undetermined, violated
from loadgen.wire.printable import printable
from loadgen.wire.reply import Reply

SHUTTING_DOWN: Final = 421       # RFC 5321 §3.8: may answer any command
NEEDS_LOGIN_OR_TLS: Final = 530  # RFC 3207 §4, RFC 4954 §6: may answer most of them


class Ended(StrEnum):
    """Why there is no reply."""

    CLOSED = auto()              # in good order, or by a reset: a close is a close
    RESET = auto()
    SILENT = auto()              # the time for an answer was over
    UNREADABLE = auto()          # no reply could be made out in what came
    TLS_BROKE = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. Invariant: exactly one of `reply` and `ended` is set."""

    reply: Reply | None = None
    ended: Ended | None = None
    waited_s: float = 0.0
    detail: str = ""             # of `ended`: printable

    @property
    def code(self) -> int:
        """Return the reply's code; 0 without a reply."""
        return self.reply.code if self.reply is not None else 0

    @property
    def yes(self) -> bool:
        """Say whether it is 2yz."""
        return self.code // 100 == 2

    @property
    def go_on(self) -> bool:
        """Say whether it is 3yz."""
        return self.code // 100 == 3

    @property
    def later(self) -> bool:
        """Say whether it is 4yz."""
        return self.code // 100 == 4

    @property
    def no(self) -> bool:
        """Say whether it is 5yz."""
        return self.code // 100 == 5

    @property
    def closed(self) -> bool:
        """Say whether the server ended the connection instead of answering."""
        return self.ended in {Ended.CLOSED, Ended.RESET}

    @property
    def silent(self) -> bool:
        """Say whether nothing came in the time given."""
        return self.ended is Ended.SILENT

    def matches(self, *wanted: str) -> bool:
        """Say whether it is one of some codes ("250") or classes ("5yz")."""
        digits = f"{self.code:03d}"
        return self.reply is not None and any(digits == want or want == f"{digits[0]}yz" for want in wanted)

    def __str__(self) -> str:
        """Return it for people."""
        if self.reply is not None:
            return printable(self.reply.octets.rstrip(b"\r\n"))
        return {
            Ended.CLOSED: "closed the connection",
            Ended.RESET: "reset the connection",
            Ended.SILENT: f"said nothing for {self.waited_s:.3g} s",
            Ended.UNREADABLE: f"sent what is no reply: {self.detail}",
            Ended.TLS_BROKE: f"broke TLS: {self.detail}",
            None: "",
        }[self.ended]

    def expect(self, *wanted: str, lawful: tuple[str, ...] = (), to: str = "") -> Judgement:
        """Judge it as the answer a requirement is about.

        `wanted` are codes and classes that satisfy; `lawful` those which the RFC leaves open beside them. A 4yz that
        is neither is a server which cannot just now, and tells nothing; no more does 530, or an answer that never came.
        Anything else violates. `to` names what was asked.
        """
        asked = f" to {to}" if to else ""
        expected = f"{' or '.join(wanted)}{asked}"
        got = f"{self}{asked}"
        if self.matches(*wanted):
            return satisfied(got, expected)
        if self.matches(*lawful):
            return declined(got, expected)
        if self.reply is None or self.later or self.code == NEEDS_LOGIN_OR_TLS:
            return undetermined(got, expected)
        return violated(got, expected)

    def expect_open(self, *wanted: str, to: str = "") -> Judgement:
        """Judge it as the sign that the connection is still there: a reply (2yz unless said), not its end."""
        if self.closed:
            return violated(f"{self} instead of answering {to}".rstrip(), f"an answer to {to}".rstrip())
        return self.expect(*(wanted or ("2yz",)), to=to)
