"""Faults in STLS: what is offered, what outlives the handshake, and who is let in (RFC 2595 §4)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_capa import adds, drops
from conformance.refserver.pop3_commands import OK
from conformance.refserver.pop3_fault_kinds import answers, ends_at, logged_in, with_argument
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.session import After


def _in_tls(session: Pop3State, argument: bytes) -> bool:
    return session.cipher is not None


def _takes_an_argument(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb != b"STLS" or not argument or session.cipher is not None:
        return go_on()
    session.after = After.START_TLS
    return OK


def _promises_only(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Answer STLS with +OK, and go on in clear text."""
    response = go_on()
    if verb == b"STLS" and session.after is After.START_TLS:
        session.after = After.GO_ON
        session.memory["promised"] = True
    return response


def _hears_no_handshake(session: Pop3State, octets: bytes) -> bytes:
    return b"" if session.memory.get("promised") and octets.startswith(b"\x16") else octets


def _keeps_name(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let USER of clear text count inside TLS."""
    response = go_on()
    if verb == b"USER" and session.cipher is None:
        session.memory["name"] = argument
    return response


def _brings_name_back(session: Pop3State, octets: bytes) -> bytes:
    if session.cipher is not None and session.user is None:
        session.user = session.memory.pop("name", None)
    return octets


def _keeps_input(pattern: bytes) -> Callable[[Pop3State, bytes], bytes]:
    """Return the function that keeps what fits behind STLS, and takes it for said inside TLS."""
    found = re.compile(pattern, re.DOTALL)

    def incoming(session: Pop3State, octets: bytes) -> bytes:
        if session.cipher is not None:
            return bytes(session.memory.pop("kept", b"") + octets)
        if match := found.search(octets):
            session.memory["kept"] = match[1]
        return octets

    return incoming


def _lets_in(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take a handshake for a login."""
    unasked = verb == b"STAT" and session.cipher is not None and session.state is State.AUTHORIZATION
    return b"+OK 0 0\r\n" if unasked else go_on()


def _takes_passwords(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"USER" and session.state is State.AUTHORIZATION:
        session.user = argument
        return OK
    return go_on()


def _takes_plain(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"CAPA":
        return re.sub(rb"\r\nSASL [^\r]*", b"\r\nSASL PLAIN CRAM-MD5", go_on())
    account = session.service.directory.account("user1")
    if verb == b"AUTH" and argument.startswith(b"PLAIN ") and session.cipher is None and account is not None:
        session.log_in(account)
        return OK
    return go_on()


def _deletes_when_gone(session: Pop3State) -> None:
    """Remove what is marked though nobody said QUIT: inside TLS only."""
    if session.view is not None and session.cipher is not None:
        session.view.update()


_REPLIES: Final = (b"NOOP", b"CAPA", b"USER", b"\r\n")


def _replies_in_clear(first: bytes) -> bytes | None:
    return b"-ERR Not in this state\r\n" if first.startswith(_REPLIES) else None


FAULTS: Final = (
    Fault("stls-refused", "STLS is listed, and refused", pop3=Pop3Points(around=answers(b"STLS", b"-ERR No\r\n"))),
    Fault("stls-second-greeting", "the handshake is followed by a greeting", in_tls=b"+OK mail.example.test ready\r\n"),
    Fault("stls-unlisted", "STLS is not listed", pop3=Pop3Points(around=drops(b"STLS"))),
    Fault("stls-without-capa", "there is STLS, and no CAPA",
          pop3=Pop3Points(around=answers(b"CAPA", b"-ERR Command not recognized\r\n"))),
    Fault("stls-after-login", "STLS is taken after the login",
          pop3=Pop3Points(around=answers(b"STLS", OK, logged_in))),
    Fault("stls-still-listed", "STLS is listed inside TLS", pop3=Pop3Points(around=adds(b"STLS", when=_in_tls))),
    Fault("stls-twice", "STLS is taken inside TLS", pop3=Pop3Points(around=answers(b"STLS", OK, _in_tls))),
    Fault("stls-with-argument", "STLS takes an argument", pop3=Pop3Points(around=_takes_an_argument)),
    Fault("stls-dies-of-argument", "STLS with an argument ends the session",
          pop3=Pop3Points(around=ends_at(b"STLS", with_argument))),
    Fault("stls-keeps-name", "USER of clear text counts inside TLS",
          pop3=Pop3Points(around=_keeps_name, incoming=_brings_name_back)),
    Fault("stls-keeps-input", "what came behind STLS is run in TLS",
          pop3=Pop3Points(incoming=_keeps_input(rb"STLS\r\n(.+)"))),
    Fault("stls-keeps-half-a-line", "half a line behind STLS is kept",
          pop3=Pop3Points(incoming=_keeps_input(rb"STLS\r\n(?:.*\r\n)?([^\r\n]+)\Z"))),
    Fault("stls-no-capa-in-tls", "CAPA is refused inside TLS",
          pop3=Pop3Points(around=answers(b"CAPA", b"-ERR You had it\r\n", _in_tls))),
    Fault("stls-silent-capa-in-tls", "CAPA goes unanswered inside TLS",
          pop3=Pop3Points(around=answers(b"CAPA", b"", _in_tls))),
    Fault("stls-promised", "after +OK it goes on in clear text",
          pop3=Pop3Points(around=_promises_only, incoming=_hears_no_handshake)),
    Fault("stls-replies-in-clear", "clear text is answered where TLS should be", instead_of_tls=_replies_in_clear),
    Fault("stls-is-a-login", "a handshake lets in", pop3=Pop3Points(around=_lets_in)),
    Fault("stls-cut-deletes", "a connection that is cut inside TLS deletes what was marked",
          pop3=Pop3Points(gone=_deletes_when_gone)),
    Fault("stls-passwords-in-clear", "USER and PASS are taken in clear text", pop3=Pop3Points(around=_takes_passwords)),
    Fault("stls-plain-in-clear", "PLAIN is listed and taken in clear text", pop3=Pop3Points(around=_takes_plain)),
    Fault("stls-no-plain", "PLAIN is not listed inside TLS", pop3=Pop3Points(around=adds(b"SASL CRAM-MD5"))),
)  # fmt: skip
