"""Faults in POP3's AUTH: mechanisms, challenges, base64, and lines that are no responses (RFC 5034)."""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Final

from conformance.refserver.directory import Account, Directory
from conformance.refserver.failed import Failed
from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import BAD_SASL_OCTETS, CANCELLED, LINE_TOO_LONG, OK, UNKNOWN_MECHANISM
from conformance.refserver.pop3_fault_kinds import Around, answers, changes, ends_at, logged_in
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.sasl import CramMd5, Plain
from conformance.refserver.session import After

Outgoing = Callable[[Pop3State, bytes, bytes], bytes]
Incoming = Callable[[Pop3State, bytes], bytes]
_LOGGED_IN: Final = b"+OK Logged in\r\n"


class _Refusing:
    """Lets nobody in."""

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        return b"" if initial is None else Failed.CREDENTIALS

    def answer(self, response: bytes) -> bytes | Account | Failed:
        return Failed.CREDENTIALS


class _AskingAgain(Plain):
    """Takes no initial response, and asks for it."""

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        return b""


class _CramIgnoring(CramMd5):
    """Goes on after an initial response."""

    def begin(self, initial: bytes | None) -> bytes | Account | Failed:
        return super().begin(None)


def _no_initial_response(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    return b"-ERR No initial response, please\r\n" if verb == b"AUTH" and b" " in argument else go_on()


def _only_with_initial_response(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    alone = verb == b"AUTH" and argument and b" " not in argument and session.state is State.AUTHORIZATION
    return BAD_SASL_OCTETS if alone else go_on()


def _knows_no(mechanism: bytes) -> Around:
    return answers(b"AUTH", UNKNOWN_MECHANISM, lambda session, argument: argument.upper().startswith(mechanism))


def _challenge(new: bytes) -> Outgoing:
    return lambda session, verb, octets: new if octets == b"+ \r\n" else octets


def _cancel(new: bytes, *, closes: bool = False) -> Outgoing:
    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        if octets != CANCELLED:
            return octets
        if closes:
            session.after = After.CLOSE
        return new

    return outgoing


def _decodes(how: Callable[[bytes], bytes]) -> Incoming:
    """Return the function that changes a response to a challenge before it is decoded."""
    return lambda session, octets: (
        how(octets.removesuffix(b"\r\n")) + b"\r\n" if session.exchange is not None and octets != b"*\r\n" else octets
    )


def _without_noise(octets: bytes) -> bytes:
    return re.sub(rb"[^A-Za-z0-9+/=]", b"", octets)


def _without_leading_pads(octets: bytes) -> bytes:
    return octets.lstrip(b"=") or octets


def _piece_by_piece(octets: bytes) -> bytes:
    pieces = re.findall(rb"[A-Za-z0-9+/]+={0,2}", octets)
    try:
        return binascii.b2a_base64(b"".join(b64decode(piece) for piece in pieces), newline=False)
    except binascii.Error:
        return octets


def _takes_anything(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    return _LOGGED_IN if octets == BAD_SASL_OCTETS and verb == b"+" else octets


def _asks_again(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Answer what is no base64 by another challenge."""
    return b"+ \r\n" if octets == BAD_SASL_OCTETS else octets


def _takes_equals(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    account = session.service.directory.account("user1")
    if verb == b"AUTH" and argument == b"PLAIN =" and account is not None:
        session.log_in(account)
        return _LOGGED_IN
    return go_on()


def _lists_external(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Know EXTERNAL, and nothing of "="."""
    if verb == b"CAPA":
        return re.sub(rb"\r\nSASL ", b"\r\nSASL EXTERNAL ", go_on())
    if verb == b"AUTH" and argument.upper() == b"EXTERNAL":
        session.exchange = _Refusing()
        return b"+ \r\n"
    return BAD_SASL_OCTETS if verb == b"AUTH" and argument.upper().startswith(b"EXTERNAL ") else go_on()


def _again(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let AUTH begin anew after a login."""
    if verb == b"AUTH" and session.state is State.TRANSACTION and argument:
        return b"+ \r\n" if b" " not in argument else _LOGGED_IN
    return go_on()


def _one_chance(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse every login once one has failed."""
    if verb in {b"USER", b"AUTH"} and session.failed_logins:
        return b"-ERR You had your chance\r\n"
    return go_on()


def _forgets_users(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    return b"-ERR Use AUTH\r\n" if verb == b"USER" and session.failed_logins else go_on()


def _opens_anyway(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Be logged in after a login that failed."""
    failed = session.failed_logins or session.memory.get("cancelled")
    return b"+OK 0 0\r\n" if verb == b"STAT" and session.state is State.AUTHORIZATION and failed else go_on()


def _notes_cancel(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    session.memory["cancelled"] = session.memory.get("cancelled") or octets == CANCELLED
    return octets


def _cut(at: int, *, command: bool) -> Incoming:
    """Return the function that takes a long line for two: an AUTH command, or a response."""

    def incoming(session: Pop3State, octets: bytes) -> bytes:
        long = len(octets) > at and octets.count(b"\n") == 1
        due = octets.startswith(b"AUTH ") if command else session.exchange is not None
        return octets[: at - 2] + b"\r\n" + octets[at - 2:] if long and due else octets

    return incoming


def _hangs_up_on_long(session: Pop3State, octets: bytes) -> bytes:
    if session.exchange is not None and len(octets) > 512:
        session.after = After.CLOSE
        return b""
    return octets


def _runs(*verbs: bytes) -> Incoming:
    """Return the function that ends an exchange by a command, and runs that."""

    def incoming(session: Pop3State, octets: bytes) -> bytes:
        if session.exchange is not None and octets.rstrip(b"\r\n") in verbs:
            session.exchange = None
        return octets

    return incoming


def _is_unknown(session: Pop3State, argument: bytes) -> bool:
    return argument.startswith(b"X-MAILPROOF")


def _fault(
    name: str, does: str, around: Around | None = None, outgoing: Outgoing | None = None,
    incoming: Incoming | None = None,
) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around, outgoing=outgoing, incoming=incoming))


def _plain(directory: Directory, timestamp: bytes) -> _Refusing:
    return _Refusing()


FAULTS: Final = (
    _fault("pop3-auth-unknown-cram", "CRAM-MD5 is listed, and unknown", _knows_no(b"CRAM-MD5")),
    _fault("pop3-auth-cram-in-clear-only", "CRAM-MD5 is listed, and unknown inside TLS",
           lambda session, verb, argument, go_on: UNKNOWN_MECHANISM
           if verb == b"AUTH" and argument.startswith(b"CRAM") and session.cipher is not None else go_on()),
    Fault("pop3-plain-refuses", "PLAIN lets nobody in", exchanges={"PLAIN": _plain}),
    Fault("pop3-login-refuses", "LOGIN lets nobody in", exchanges={"LOGIN": _plain}),
    Fault("pop3-cram-refuses", "CRAM-MD5 lets nobody in", exchanges={"CRAM-MD5": _plain}),
    Fault("pop3-scram-refuses", "SCRAM-SHA-256 lets nobody in", exchanges={"SCRAM-SHA-256": _plain}),
    _fault("pop3-auth-no-initial-response", "an initial response is refused", _no_initial_response),
    _fault("pop3-auth-wants-initial-response", "AUTH without a response is refused", _only_with_initial_response),
    _fault("pop3-auth-asks-in-words", "the empty challenge has words", outgoing=_challenge(b"+ R28gb24=\r\n")),
    _fault("pop3-auth-bare-plus", "the empty challenge has no space", outgoing=_challenge(b"+\r\n")),
    _fault("pop3-auth-cancel-ok", "* is answered with +OK", outgoing=_cancel(b"+OK Cancelled\r\n")),
    _fault("pop3-auth-cancel-closes", "* ends the session", outgoing=_cancel(CANCELLED, closes=True)),
    _fault("pop3-auth-cancel-drops", "* ends the session without an answer", outgoing=_cancel(b"", closes=True)),
    _fault("pop3-auth-skips-noise", "what is no base64 is skipped", incoming=_decodes(_without_noise)),
    _fault("pop3-auth-skips-pads", "pads in front are skipped", incoming=_decodes(_without_leading_pads)),
    _fault("pop3-auth-in-pieces", "base64 may come in pieces", incoming=_decodes(_piece_by_piece)),
    _fault("pop3-auth-takes-anything", "what is no base64 is answered with +OK", outgoing=_takes_anything),
    _fault("pop3-auth-asks-again", "what is no base64 is asked for again", outgoing=_asks_again),
    Fault("pop3-cram-initial", "CRAM-MD5 goes on after an initial response", exchanges={"CRAM-MD5": _CramIgnoring}),
    _fault("pop3-auth-equals-lets-in", "= lets in", _takes_equals),
    Fault("pop3-auth-equals-is-nothing", "= is taken for no response", exchanges={"PLAIN": lambda directory, timestamp:
          _AskingAgain(directory)}),
    _fault("pop3-auth-equals-is-no-base64", "= is refused as bad base64", _lists_external),
    _fault("pop3-auth-knows-all", "any mechanism is begun", answers(b"AUTH", b"+ \r\n", _is_unknown)),
    _fault("pop3-auth-lets-unknown-in", "an unknown mechanism is answered with +OK",
           answers(b"AUTH", OK, _is_unknown)),
    _fault("pop3-auth-dies-of-unknown", "an unknown mechanism ends the session", ends_at(b"AUTH", _is_unknown)),
    _fault("pop3-auth-again", "AUTH may be said again", _again),
    _fault("pop3-auth-one-chance", "after a wrong password every login is refused", _one_chance),
    _fault("pop3-auth-forgets-users", "after a failed AUTH USER is refused", _forgets_users),
    _fault("pop3-auth-opens-anyway", "a failed AUTH opens the maildrop", _opens_anyway, _notes_cancel),
    _fault("pop3-auth-cut-255", "an AUTH command is cut at 255 octets", incoming=_cut(255, command=True)),
    _fault("pop3-auth-cut-512", "a response is cut at 512 octets", incoming=_cut(512, command=False)),
    _fault("pop3-auth-cut-4000", "a response is cut at 4,000 octets", incoming=_cut(4000, command=False)),
    _fault("pop3-auth-hangs-up-on-512", "a response of more than 512 octets ends the session",
           incoming=_hangs_up_on_long),
    _fault("pop3-auth-never-full", "a line that is too long is answered by a challenge",
           outgoing=lambda session, verb, octets: b"+ \r\n" if octets == LINE_TOO_LONG else octets),
    _fault("pop3-auth-runs-quit", "QUIT ends an exchange, and is obeyed", incoming=_runs(b"QUIT")),
    _fault("pop3-auth-runs-commands", "a command ends an exchange, and is run",
           incoming=_runs(b"QUIT", b"CAPA", b"AUTH PLAIN")),
    _fault("pop3-auth-noop", "NOOP is answered amid an exchange", incoming=_runs(b"NOOP"), outgoing=lambda s, v, o: (
        OK if v == b"NOOP" and s.state is State.AUTHORIZATION else o)),
    _fault("pop3-auth-takes-sasl-back", "SASL is not listed after a login",
           changes(b"CAPA", lambda response: re.sub(rb"\r\nSASL [^\r]*", b"", response), logged_in)),
    _fault("pop3-auth-server-data", "success says something in base64", outgoing=lambda session, verb, octets: (
        b"+OK dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9\r\n" if octets == OK and verb == b"+" else octets)),
)  # fmt: skip
