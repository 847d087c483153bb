"""The order of POP3 as a table: which command may come when, what permits what next, whether lines follow.

RFC 1939's three states are not enough to say what may come next: USER opens the way to PASS, AUTH to its
responses, STLS to the handshake. A `Step` is a state cut that fine; `STATES` says whose part it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loadgen.wire.commands import AuthCancel, AuthResponse
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


class Pop3State(StrEnum):
    """The states of RFC 1939 §3, in its capitals, and what lies before and after them."""

    GREETING = "greeting"
    AUTHORIZATION = "AUTHORIZATION"
    TRANSACTION = "TRANSACTION"
    UPDATE = "UPDATE"  # QUIT was sent from TRANSACTION, and its response is owed
    CLOSED = "closed"  # nothing more may be sent


class Step(StrEnum):
    """How far a session is within its state."""

    GREETING = "greeting"
    NAMELESS = "nameless"
    NAMED = "named"  # USER was accepted: PASS may come (RFC 1939 §7)
    CHALLENGED = "challenged"  # amid AUTH: a response is due (RFC 5034 §4)
    TLS = "tls"  # STLS was accepted: the handshake is due (RFC 2595 §4)
    TRANSACTION = "transaction"
    CLOSED = "closed"


STATES: Final[Mapping[Step, Pop3State]] = {
    Step.GREETING: Pop3State.GREETING,
    Step.NAMELESS: Pop3State.AUTHORIZATION,
    Step.NAMED: Pop3State.AUTHORIZATION,
    Step.CHALLENGED: Pop3State.AUTHORIZATION,
    Step.TLS: Pop3State.AUTHORIZATION,
    Step.TRANSACTION: Pop3State.TRANSACTION,
    Step.CLOSED: Pop3State.CLOSED,
}


class Pop3Phase(StrEnum):
    """What a response answers: what it is timed and counted under."""

    GREETING = "greeting"
    TLS = "tls"
    CAPA = "capa"
    AUTH = "auth"  # USER, PASS, APOP, AUTH and its responses
    STAT = "stat"
    LIST = "list"
    UIDL = "uidl"
    RETR = "retr"
    TOP = "top"
    DELE = "dele"
    NOOP = "noop"
    RSET = "rset"
    QUIT = "quit"
    RAW = "raw"  # what was sent past the machine


@dataclass(frozen=True, slots=True)
class Rule:
    """One command's row."""

    phase: Pop3Phase
    permitted_in: frozenset[Step]
    after_ok: Step | None  # STAY: the step is as it was
    after_err: Step | None
    multi_line: bool = False  # on +OK lines follow; after LIST and UIDL only without an argument
    ends_group: bool = False  # nothing may be pipelined behind it until it is answered


STAY: Final = None

_START: Final = frozenset({Step.NAMELESS})
_NAMED: Final = frozenset({Step.NAMED})
_CHALLENGED: Final = frozenset({Step.CHALLENGED})
_OPEN: Final = frozenset({Step.TRANSACTION})
_ANY: Final = _START | _NAMED | _OPEN
_N, _O, _C = Step.NAMELESS, Step.TRANSACTION, Step.CLOSED

GREETING: Final = Rule(Pop3Phase.GREETING, frozenset({Step.GREETING}), _N, _C, ends_group=True)  # RFC 1939 §4

RULES: Final[Mapping[type[Pop3Command], Rule]] = {
    # command          its response's phase  permitted in  after +OK, -ERR
    User: Rule(Pop3Phase.AUTH, _START | _NAMED, Step.NAMED, _N),
    Pass: Rule(Pop3Phase.AUTH, _NAMED, _O, _N),  # immediately after a successful USER: RFC 1939 §7
    Apop: Rule(Pop3Phase.AUTH, _START, _O, _N),
    Pop3Auth: Rule(Pop3Phase.AUTH, _START, _O, _N, ends_group=True),
    AuthResponse: Rule(Pop3Phase.AUTH, _CHALLENGED, _O, _N, ends_group=True),
    AuthCancel: Rule(Pop3Phase.AUTH, _CHALLENGED, _O, _N, ends_group=True),
    Stls: Rule(Pop3Phase.TLS, _START, Step.TLS, STAY, ends_group=True),  # RFC 2595 §4
    Capa: Rule(Pop3Phase.CAPA, _ANY, STAY, STAY, multi_line=True),  # in both states: RFC 2449 §5
    Stat: Rule(Pop3Phase.STAT, _OPEN, STAY, STAY),
    List: Rule(Pop3Phase.LIST, _OPEN, STAY, STAY, multi_line=True),
    Uidl: Rule(Pop3Phase.UIDL, _OPEN, STAY, STAY, multi_line=True),
    Retr: Rule(Pop3Phase.RETR, _OPEN, STAY, STAY, multi_line=True),
    Top: Rule(Pop3Phase.TOP, _OPEN, STAY, STAY, multi_line=True),
    Dele: Rule(Pop3Phase.DELE, _OPEN, STAY, STAY),
    Pop3Noop: Rule(Pop3Phase.NOOP, _OPEN, STAY, STAY),
    Pop3Rset: Rule(Pop3Phase.RSET, _OPEN, STAY, STAY),
    Pop3Quit: Rule(Pop3Phase.QUIT, _ANY, _C, _C, ends_group=True),  # the update may fail: RFC 1939 §6
    Pop3RawLine: Rule(Pop3Phase.RAW, frozenset(Step) - {_C}, STAY, STAY),
}


def pop3_phase_of(command: Pop3Command) -> Pop3Phase:
    """Return the phase of the response a command is owed."""
    return RULES[type(command)].phase


def lines_follow(command: Pop3Command | None, rule: Rule) -> bool:
    """Say whether lines follow the +OK to this command (None: the greeting). No response says so itself."""
    if rule.multi_line:
        return not isinstance(command, List | Uidl) or command.number is None
    return isinstance(command, Pop3RawLine) and command.multi_line
