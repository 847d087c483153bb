"""The order of SMTP as tables: which command may come when, and what each answer to it permits next.

Two rules for editing: a missing cell is the error (never add one to be kind to a server; add a vector first),
and a row says what the RFC says, not what the machine finds handy.

A `Phase` names a row twice over. As the state of a session it is what comes next: in MAIL a transaction may
begin, in RCPT one is open, in BODY the mail data is due. As the phase of a reply it is what that reply
answers: BODY's is the one after the final dot. So the names of timings, of states and of rows are one set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loadgen.wire.commands import (
    Auth,
    AuthCancel,
    AuthResponse,
    Bdat,
    Data,
    Ehlo,
    Etrn,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    MailData,
    Noop,
    Quit,
    RawLine,
    Rcpt,
    Rset,
    SmtpCommand,
    StartTls,
    Vrfy,
)
from loadgen.wire.reply import ReplyClass


class Phase(StrEnum):
    """Where a session is, and what a reply answers."""

    GREETING = "greeting"
    EHLO = "ehlo"  # HELO and LHLO too
    TLS = "tls"  # as a state: 220 was said, the handshake is due
    AUTH = "auth"  # as a state: 334 was said, a response is due
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # as a state: 354 was said, the mail data is due
    CHUNK = "chunk"  # a BDAT with more to follow
    LAST_CHUNK = "last-chunk"  # BDAT LAST, which ends the mail data as the final dot does
    RSET = "rset"  # as a state: a transaction failed half-way, and only RSET (or EHLO) makes it definite
    NOOP = "noop"
    ENQUIRY = "enquiry"  # VRFY, EXPN, HELP, ETRN
    RAW = "raw"  # what was sent past the machine
    QUIT = "quit"
    CLOSED = "closed"  # nothing more may be sent


@dataclass(frozen=True, slots=True)
class Dialect:
    """What LMTP does differently, as a value: the verb it greets with, and who answers for the mail data."""

    name: str
    hello_verbs: tuple[str, ...]  # the preferred one first
    reply_per_recipient: bool

    @property
    def hello(self) -> str:
        """Return the verb that asks for extensions."""
        return self.hello_verbs[0]

    def hello_command(self, name: str) -> Ehlo | Lhlo:
        """Return the greeting that asks for extensions."""
        return Lhlo(name) if self.hello == Lhlo.verb else Ehlo(name)


SMTP: Final = Dialect("smtp", ("EHLO", "HELO"), reply_per_recipient=False)  # RFC 5321
LMTP: Final = Dialect("lmtp", ("LHLO",), reply_per_recipient=True)  # RFC 2033 §4.1, §4.2
DIALECTS: Final[Mapping[str, Dialect]] = {dialect.name: dialect for dialect in (SMTP, LMTP)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One command's row."""

    phase: Phase  # of its reply
    permitted_in: frozenset[Phase]
    ends_group: bool  # nothing may be pipelined behind it until it is answered (RFC 2920 §3.1)
    needs_recipient: bool  # with none accepted the server must refuse it (RFC 5321 §3.3)
    conditional: bool  # the state alone does not tell whether it is permitted, or what its reply's phase is


def _row(phase: Phase, *permitted_in: Phase, ends_group: bool = False, needs_recipient: bool = False) -> Rule:
    conditional = needs_recipient or phase in {Phase.EHLO, Phase.AUTH, Phase.RAW}
    return Rule(phase, frozenset(permitted_in), ends_group, needs_recipient, conditional)


_OPEN: Final = (Phase.MAIL, Phase.RCPT, Phase.CHUNK, Phase.RSET)  # after EHLO, between commands
_ANY: Final = (Phase.EHLO, *_OPEN)  # between commands (RFC 5321 §4.1.4: these need no EHLO first)

RULES: Final[Mapping[type[SmtpCommand], Rule]] = {
    # command       its reply's phase  permitted in
    Helo: _row(Phase.EHLO, *_ANY, ends_group=True),
    Ehlo: _row(Phase.EHLO, *_ANY, ends_group=True),
    Lhlo: _row(Phase.EHLO, *_ANY, ends_group=True),
    StartTls: _row(Phase.TLS, Phase.MAIL, ends_group=True),  # RFC 3207 §4
    Auth: _row(Phase.AUTH, Phase.MAIL, ends_group=True),  # not in a transaction: RFC 4954 §4
    AuthResponse: _row(Phase.AUTH, Phase.AUTH, ends_group=True),
    AuthCancel: _row(Phase.AUTH, Phase.AUTH, ends_group=True),
    Mail: _row(Phase.MAIL, Phase.MAIL),  # never nested: RFC 5321 §4.1.4
    Rcpt: _row(Phase.RCPT, Phase.RCPT),
    Data: _row(Phase.DATA, Phase.RCPT, ends_group=True, needs_recipient=True),
    MailData: _row(Phase.BODY, Phase.BODY),  # may begin the next group: RFC 2920 §3.1
    # With LAST the reply's phase is LAST_CHUNK; never with DATA in one transaction: RFC 3030 §2.
    Bdat: _row(Phase.CHUNK, Phase.RCPT, Phase.CHUNK, needs_recipient=True),
    Rset: _row(Phase.RSET, *_ANY),
    Noop: _row(Phase.NOOP, *_ANY, ends_group=True),
    Vrfy: _row(Phase.ENQUIRY, *_ANY, ends_group=True),
    Expn: _row(Phase.ENQUIRY, *_ANY, ends_group=True),
    Help: _row(Phase.ENQUIRY, *_ANY, ends_group=True),
    Etrn: _row(Phase.ENQUIRY, Phase.MAIL, ends_group=True),  # not in a transaction: RFC 1985 §5
    Quit: _row(Phase.QUIT, Phase.QUIT, *_ANY, ends_group=True),
    RawLine: _row(Phase.RAW, *(phase for phase in Phase if phase is not Phase.CLOSED)),
}

STAY: Final = None  # the state is as it was

_YES: Final = ReplyClass.POSITIVE_COMPLETION
_GO_ON: Final = ReplyClass.POSITIVE_INTERMEDIATE
_LATER: Final = ReplyClass.TRANSIENT_NEGATIVE
_NO: Final = ReplyClass.PERMANENT_NEGATIVE

FINAL: Final = frozenset({Phase.BODY, Phase.LAST_CHUNK})  # what these answer ends the mail data

# 421 is handled before this table: it may answer any command (RFC 5321 §3.8). No cell: RemoteProtocolError.
NEXT: Final[Mapping[Phase, Mapping[ReplyClass, Phase | None]]] = {
    # reply's phase  (section)       after each class of reply the state is
    Phase.GREETING: {_YES: Phase.EHLO, _LATER: Phase.QUIT, _NO: Phase.QUIT},  # 554 refuses: §3.1
    Phase.EHLO: {_YES: Phase.MAIL, _LATER: STAY, _NO: STAY},  # "MUST stay in the same state": §4.1.1.1
    Phase.TLS: {_YES: Phase.TLS, _LATER: STAY, _NO: STAY},
    Phase.AUTH: {_YES: Phase.MAIL, _GO_ON: Phase.AUTH, _LATER: Phase.MAIL, _NO: Phase.MAIL},  # RFC 4954 §4
    Phase.MAIL: {_YES: Phase.RCPT, _LATER: STAY, _NO: STAY},
    Phase.RCPT: {_YES: STAY, _LATER: STAY, _NO: STAY},
    Phase.DATA: {_GO_ON: Phase.BODY, _LATER: Phase.RSET, _NO: Phase.RSET},
    Phase.BODY: {_YES: Phase.MAIL, _LATER: Phase.MAIL, _NO: Phase.MAIL},  # buffers cleared: §4.1.1.4
    Phase.CHUNK: {_YES: Phase.CHUNK, _LATER: Phase.RSET, _NO: Phase.RSET},  # RFC 3030 §2: the message failed,
    Phase.LAST_CHUNK: {_YES: Phase.MAIL, _LATER: Phase.RSET, _NO: Phase.RSET},  # and what is left is indeterminate
    Phase.RSET: {_YES: Phase.MAIL, _LATER: STAY, _NO: STAY},
    Phase.NOOP: {_YES: STAY, _LATER: STAY, _NO: STAY},
    Phase.ENQUIRY: {_YES: STAY, _LATER: STAY, _NO: STAY},
    Phase.RAW: {_YES: STAY, _GO_ON: STAY, _LATER: STAY, _NO: STAY},
    Phase.QUIT: {_YES: Phase.CLOSED, _LATER: Phase.CLOSED, _NO: Phase.CLOSED},
}


def phase_of(command: SmtpCommand) -> Phase:
    """Return the phase of the reply a command is owed: what it is timed and counted under."""
    if type(command) is Bdat and command.last:
        return Phase.LAST_CHUNK
    return RULES[type(command)].phase
