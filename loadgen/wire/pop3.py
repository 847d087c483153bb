"""The client's side of a POP3 session, sans I/O: AUTHORIZATION, TRANSACTION, UPDATE as a table."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from loadgen.wire.commands import AuthCancel, AuthResponse
from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.pop3_commands import (
    Apop,
    Capa,
    Dele,
    List,
    Pass,
    Pop3Auth,
    Pop3Command,
    Pop3Noop,
    Pop3Quit,
    Pop3RawLine,
    Pop3Rset,
    Retr,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
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
    "Pop3State",
    "Response",
    "parse_capabilities",
    "parse_scan_listing",
    "parse_stat",
    "parse_uidl",
]


class Pop3State(StrEnum):
    """The states of RFC 1939 §3, in its capitals; in lower case what lies between and around them."""

    GREETING = "greeting"
    AUTHORIZATION = "AUTHORIZATION"
    NAMED = "named"  # AUTHORIZATION with USER accepted: PASS may come (RFC 1939 §7)
    CHALLENGED = "challenged"  # AUTHORIZATION amid AUTH: a response is due (RFC 5034 §4)
    TLS = "tls"  # AUTHORIZATION with STLS accepted: the handshake is due (RFC 2595 §4)
    TRANSACTION = "TRANSACTION"
    UPDATE = "UPDATE"  # QUIT was sent from TRANSACTION, its response is owed
    CLOSED = "closed"  # nothing more may be sent


@dataclass(frozen=True, slots=True)
class Rule:
    """One command's row."""

    permitted_in: frozenset[Pop3State]
    after_ok: Pop3State | None  # None: the state is as it was
    after_err: Pop3State | None
    multi_line: bool = False  # on +OK lines follow; LIST and UIDL: without an argument only
    ends_group: bool = False  # nothing may be pipelined behind it until it is answered


_GREETING: Final = frozenset({Pop3State.GREETING})
_AUTHORIZATION: Final = frozenset({Pop3State.AUTHORIZATION})
_NAMED: Final = frozenset({Pop3State.NAMED})
_CHALLENGED: Final = frozenset({Pop3State.CHALLENGED})
_TRANSACTION: Final = frozenset({Pop3State.TRANSACTION})
_EITHER: Final = frozenset({Pop3State.AUTHORIZATION, Pop3State.NAMED, Pop3State.TRANSACTION})
_A, _N, _T = Pop3State.AUTHORIZATION, Pop3State.NAMED, Pop3State.TRANSACTION
STAY: Final = None

GREETING: Final = Rule(_GREETING, _A, Pop3State.CLOSED, ends_group=True)  # RFC 1939 §4

RULES: Final[Mapping[type[Pop3Command], Rule]] = {
    # command     permitted in    after +OK, -ERR
    User: Rule(_AUTHORIZATION | _NAMED, _N, _A),
    Pass: Rule(_NAMED, _T, _A),  # immediately after a successful USER: RFC 1939 §7
    Apop: Rule(_AUTHORIZATION, _T, _A),
    Pop3Auth: Rule(_AUTHORIZATION, _T, _A, ends_group=True),
    AuthResponse: Rule(_CHALLENGED, _T, _A, ends_group=True),
    AuthCancel: Rule(_CHALLENGED, _T, _A, ends_group=True),
    Stls: Rule(_AUTHORIZATION, Pop3State.TLS, _A, ends_group=True),  # RFC 2595 §4
    Capa: Rule(_EITHER, STAY, STAY, multi_line=True),  # both states: RFC 2449 §5
    Stat: Rule(_TRANSACTION, STAY, STAY),
    List: Rule(_TRANSACTION, STAY, STAY, multi_line=True),
    Uidl: Rule(_TRANSACTION, STAY, STAY, multi_line=True),
    Retr: Rule(_TRANSACTION, STAY, STAY, multi_line=True),
    Top: Rule(_TRANSACTION, STAY, STAY, multi_line=True),
    Dele: Rule(_TRANSACTION, STAY, STAY),
    Pop3Noop: Rule(_TRANSACTION, STAY, STAY),
    Pop3Rset: Rule(_TRANSACTION, STAY, STAY),
    Pop3Quit: Rule(_EITHER, Pop3State.CLOSED, Pop3State.CLOSED, ends_group=True),  # UPDATE may fail: RFC 1939 §6
    Pop3RawLine: Rule(frozenset(Pop3State) - {Pop3State.CLOSED}, STAY, STAY),
}

# timestamp = msg-id of RFC 822: "<" local-part "@" domain ">"   (RFC 1939 §7)
_TIMESTAMP: Final = re.compile(rb"<[^<>@\x00- \x7f-\xff]+@[^<>@\x00- \x7f-\xff]+>")

_NO_CAPABILITIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


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
        "_reader",
        "_state",
        "capabilities",
        "greeting",
        "timestamp",
    )

    def __init__(self, *, limit_octets: int = 64 << 20) -> None:
        self.greeting: Response | None = None
        self.timestamp: bytes | None = None  # of the greeting, its angle brackets included, for APOP
        self.capabilities: Mapping[str, tuple[str, ...]] = _NO_CAPABILITIES  # of the last CAPA
        self._reader = ResponseReader(limit_octets)
        # Invariant: the state all answers so far have led to; what is outstanding has not moved it, save
        # QUIT.
        self._state = Pop3State.GREETING
        # Invariant: one entry per response owed, oldest first.
        self._outstanding: deque[tuple[Pop3Command | None, Rule]] = deque([(None, GREETING)])
        self._group_ended = True  # says whether the newest outstanding command ends its group
        self._ahead: Pop3State | None = None  # the state if all that is outstanding is answered +OK; None: work it out

    @property
    def state(self) -> Pop3State:
        """Return where the session is."""
        return self._state

    @property
    def owed(self) -> int:
        """Return how many responses are still owed."""
        return len(self._outstanding)

    def permits(self, command: Pop3Command) -> bool:
        """Say whether the command may be sent now, behind what is outstanding."""
        rule = RULES[type(command)]
        if not self._outstanding or isinstance(command, Pop3RawLine):
            return self._state in rule.permitted_in
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
            raise LocalProtocolError(f"{type(command).__name__} is not permitted in state {self._state}")
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
        if isinstance(command, Pop3Quit) and not self._outstanding and self._state is Pop3State.TRANSACTION:
            self._state = Pop3State.UPDATE
        if self._ahead is not None and rule.after_ok is not None:
            self._ahead = rule.after_ok
        self._outstanding.append((command, rule))
        self._group_ended = rule.ends_group
        return octets

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""
        self._reader.feed(octets)

    def next_answer(self) -> Pop3Answer | None:
        """Take the next response with what it answers, or None until more is received.

        Raises RemoteProtocolError on a challenge outside AUTH, on a response that nothing is owed, and on
        octets that cannot be framed. A -ERR that nothing is owed is the server hanging up (as practice has
        it): CLOSED.
        """
        command, rule = self._outstanding[0] if self._outstanding else (None, GREETING)
        try:
            response = self._reader.next_response(multi_line=_lines_follow(command, rule))
        except RemoteProtocolError:
            self._close()
            raise
        if response is None:
            return None
        if not self._outstanding:
            self._close()
            if not response.ok and not response.continues:
                return Pop3Answer(None, response)
            raise RemoteProtocolError("a response nothing is owed", octets=response.text[:512], section="RFC 1939 §3")
        self._settle(command, rule, response)
        return Pop3Answer(command, response)

    def receive_eof(self) -> None:
        """Note that the server closed. Raises RemoteProtocolError if it did so amid a response."""
        cut, pending = self._reader.has_pending, self._reader.pending
        self._close()
        if cut:
            raise RemoteProtocolError(
                "the connection closed amid a response", octets=pending[:512], section="RFC 1939 §3"
            )

    def tls_started(self) -> None:
        """Note that the handshake is done: what was learnt in the clear is forgotten (RFC 2595 §4).

        Raises RemoteProtocolError if octets in the clear came behind the +OK: they would be read as if they
        had been protected. LocalProtocolError if no STLS was accepted.
        """
        if self._state is not Pop3State.TLS:
            raise LocalProtocolError(f"TLS cannot start in state {self._state}")
        self._refuse_unasked()
        self._state = Pop3State.AUTHORIZATION
        self.capabilities = _NO_CAPABILITIES

    def _look_ahead(self) -> Pop3State:
        if self._ahead is None:
            ahead = self._state
            for _, rule in self._outstanding:
                ahead = rule.after_ok or ahead
            self._ahead = ahead
        return self._ahead

    def _settle(self, command: Pop3Command | None, rule: Rule, response: Response) -> None:
        """Apply one row of the table."""
        self._outstanding.popleft()
        if response.continues:
            if not isinstance(command, Pop3Auth | AuthResponse | Pop3RawLine):
                self._close()
                raise RemoteProtocolError("a challenge outside AUTH", octets=response.text[:512], section="RFC 5034 §4")
            after: Pop3State | None = Pop3State.CHALLENGED
        else:
            after = rule.after_ok if response.ok else rule.after_err
        if command is None:
            self.greeting = response
            found = _TIMESTAMP.search(response.text)
            self.timestamp = found[0] if found else None
        elif isinstance(command, Capa) and response.ok:
            self.capabilities = parse_capabilities(response)
        if after is not None:
            self._state = after
        if not response.ok or not self._outstanding:
            self._ahead = None
        if self._outstanding and isinstance(self._outstanding[0][0], Pop3Quit) and self._state is _T:
            self._state = Pop3State.UPDATE

    def _close(self) -> None:
        self._state = Pop3State.CLOSED
        self._outstanding.clear()
        self._ahead = None

    def _refuse_unasked(self) -> None:
        if not self._reader.has_pending:
            return
        pending = self._reader.pending
        if pending.startswith(b"-ERR") and self._state is not Pop3State.TLS:  # it hangs up, whatever it is taken for
            return
        self._close()
        raise RemoteProtocolError(
            "the server spoke before it was spoken to", octets=pending[:512], section="RFC 1939 §3"
        )


def _lines_follow(command: Pop3Command | None, rule: Rule) -> bool:
    """Say whether lines follow the +OK to this command: the response itself does not."""
    if isinstance(command, List | Uidl):
        return command.number is None
    if isinstance(command, Pop3RawLine):
        return command.multi_line
    return rule.multi_line
