"""The client's side of a POP3 session, sans I/O: what may be said, what is owed, what it means."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.pop3_commands import Capa, Pop3Command, Pop3Quit, Pop3RawLine
from loadgen.wire.pop3_table import (
    GREETING,
    RULES,
    STATES,
    Pop3Phase,
    Pop3State,
    Rule,
    Step,
    lines_follow,
    pop3_phase_of,
)
from loadgen.wire.response import (
    Response,
    ResponseReader,
    parse_capabilities,
    parse_scan_listing,
    parse_stat,
    parse_uidl,
)

__all__ = [
    "Pop3Answer",
    "Pop3Client",
    "Pop3Phase",
    "Pop3State",
    "Response",
    "parse_capabilities",
    "parse_scan_listing",
    "parse_stat",
    "parse_uidl",
    "pop3_phase_of",
    "timestamp_in",
]

# timestamp = msg-id of RFC 822: "<" local-part "@" domain ">"   (RFC 1939 §7)
_TIMESTAMP: Final = re.compile(rb"<[^<>@\x00- \x7f-\xff]+@[^<>@\x00- \x7f-\xff]+>")

_NO_CAPABILITIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


def timestamp_in(text: bytes) -> bytes | None:
    """Return the timestamp in a greeting's text, its angle brackets included; None: there is no APOP (RFC 1939 §7)."""
    found = _TIMESTAMP.search(text)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Pop3Answer:
    """A response and what it answers."""

    command: Pop3Command | None  # None: the greeting, or a -ERR nobody asked for
    response: Response


class Pop3Client:
    """One session. Feed it what was received, take the answers; ask it for octets to send.

    Several sends before their answers are pipelined, which only the PIPELINING capability permits (RFC 2449
    §6.6); a command is permitted if it is after every outstanding one has been answered +OK. After
    RemoteProtocolError, end of file or the answer to QUIT the state is CLOSED. A body above `limit_octets` is
    a RemoteProtocolError.
    """

    __slots__ = (
        "_ahead",
        "_group_ended",
        "_outstanding",
        "_phase",
        "_reader",
        "_step",
        "capabilities",
        "greeting",
        "timestamp",
    )

    def __init__(self, *, limit_octets: int = 64 << 20) -> None:
        self.greeting: Response | None = None
        self.timestamp: bytes | None = None  # of the greeting, its angle brackets included, for APOP
        self.capabilities: Mapping[str, tuple[str, ...]] = _NO_CAPABILITIES  # of the last CAPA
        self._reader = ResponseReader(limit_octets)
        # Invariant: the step all answers so far have led to; what is outstanding has not moved it.
        self._step = Step.GREETING
        # Invariant: one entry per response owed, oldest first.
        self._outstanding: deque[tuple[Pop3Command | None, Rule]] = deque([(None, GREETING)])
        self._group_ended = True  # says whether the newest outstanding command ends its group
        # The step there will be if every outstanding command is answered +OK; None: to be worked out.
        self._ahead: Step | None = None
        self._phase = Pop3Phase.GREETING

    @property
    def state(self) -> Pop3State:
        """Return where the session is. UPDATE begins when QUIT is all that is owed (RFC 1939 §6)."""
        if self._step is Step.TRANSACTION and self._outstanding and isinstance(self._outstanding[0][0], Pop3Quit):
            return Pop3State.UPDATE
        return STATES[self._step]

    @property
    def phase(self) -> Pop3Phase:
        """Return the phase of the next response owed, or, with none owed, of the last one."""
        return self._outstanding[0][1].phase if self._outstanding else self._phase

    @property
    def unread(self) -> bool:
        """Say whether something was received that is part of no response taken yet."""
        return self._reader.has_pending

    @property
    def owed(self) -> int:
        """Return how many responses are still owed."""
        return len(self._outstanding)

    def permits(self, command: Pop3Command) -> bool:
        """Say whether the command may be sent now, behind what is outstanding."""
        rule = RULES[type(command)]
        if not self._outstanding or isinstance(command, Pop3RawLine):
            return self._step in rule.permitted_in
        if self._group_ended or "PIPELINING" not in self.capabilities:
            return False
        return self._look_ahead() in rule.permitted_in

    def send(self, command: Pop3Command) -> bytes:
        """Return the octets to send, and note what responses they are owed.

        Raises LocalProtocolError if the command is not permitted or not sendable, and then nothing has
        changed. Raises RemoteProtocolError if the server has already said something this would take for its
        answer.
        """
        if not self.permits(command):
            raise LocalProtocolError(f"{type(command).__name__} is not permitted in step {self._step}")
        octets = command.to_bytes()
        if not self._outstanding:
            self._refuse_unasked()
            self._ahead = None
        rule = RULES[type(command)]
        if isinstance(command, Pop3RawLine):
            self._outstanding.extend([(command, rule)] * command.responses)
            if command.responses:
                self._group_ended = False
            return octets
        if self._ahead is not None and rule.after_ok is not None:
            self._ahead = rule.after_ok
        self._outstanding.append((command, rule))
        self._group_ended = rule.ends_group
        return octets

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""
        self._reader.feed(octets)

    def next_answer(self) -> Pop3Answer | None:
        """Take the next response with what it answers, or None until more is received. Raises as `hear` does."""
        command = self._outstanding[0][0] if self._outstanding else None
        response = self.hear()
        return None if response is None else Pop3Answer(command, response)

    def hear(self, octets: bytes = b"") -> Response | None:
        """Take in what was received, if anything; take the next response, or None until more is received.

        Raises RemoteProtocolError on a challenge outside AUTH, on a response that nothing is owed, and on
        octets that cannot be framed. A -ERR that nothing is owed is the server hanging up (as practice has
        it): CLOSED.
        """
        if octets:
            self._reader.feed(octets)
        command, rule = self._outstanding[0] if self._outstanding else (None, GREETING)
        try:
            response = self._reader.next_response(multi_line=lines_follow(command, rule))
        except RemoteProtocolError:
            self._close()
            raise
        if response is None:
            return None
        if not self._outstanding:
            self._close()
            if not response.ok and not response.continues:
                return response
            raise RemoteProtocolError("a response nothing is owed", octets=response.text[:512], section="RFC 1939 §3")
        self._settle(command, rule, response)
        return response

    def receive_eof(self) -> None:
        """Note that the server closed. Raises RemoteProtocolError if it did so amid a response."""
        cut, pending = self._reader.has_pending, self._reader.pending
        self._close()
        if cut:
            raise RemoteProtocolError(
                "the connection closed amid a response", octets=pending[:512], section="RFC 1939 §3", cut=True
            )

    def tls_started(self) -> None:
        """Note that the handshake is done: what was learnt in the clear is forgotten (RFC 2595 §4).

        Raises RemoteProtocolError if octets in the clear came behind the +OK: they would be read as if they
        had been protected. LocalProtocolError if no STLS was accepted.
        """
        if self._step is not Step.TLS:
            raise LocalProtocolError(f"TLS cannot start in step {self._step}")
        self._refuse_unasked()
        self._step = Step.NAMELESS
        self.capabilities = _NO_CAPABILITIES

    def _look_ahead(self) -> Step:
        if self._ahead is None:
            ahead = self._step
            for _, rule in self._outstanding:
                if rule.after_ok is not None and ahead in rule.permitted_in:
                    ahead = rule.after_ok
            self._ahead = ahead
        return self._ahead

    def _settle(self, command: Pop3Command | None, rule: Rule, response: Response) -> None:
        """Apply one row of the table."""
        self._outstanding.popleft()
        self._phase = rule.phase
        if response.continues:
            if rule.phase is not Pop3Phase.AUTH and rule.phase is not Pop3Phase.RAW:
                self._close()
                raise RemoteProtocolError("a challenge outside AUTH", octets=response.text[:512], section="RFC 5034 §4")
            after: Step | None = Step.CHALLENGED
        else:
            after = rule.after_ok if response.ok else rule.after_err
        if command is None:
            self.greeting = response
            self.timestamp = timestamp_in(response.text)
        elif isinstance(command, Capa) and response.ok:
            self.capabilities = parse_capabilities(response)
        if after is not None:
            self._step = after
        if not response.ok or not self._outstanding:
            self._ahead = None

    def _close(self) -> None:
        self._step = Step.CLOSED
        self._outstanding.clear()
        self._ahead = None

    def _refuse_unasked(self) -> None:
        if self._reader.has_pending:
            pending = self._reader.pending
            self._close()
            raise RemoteProtocolError(
                "the server spoke before it was spoken to", octets=pending[:512], section="RFC 1939 §3"
            )
