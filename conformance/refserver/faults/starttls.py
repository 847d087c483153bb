"""Faults in STARTTLS: what is offered, and what outlives the handshake (RFC 3207 §4)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, does_but_answers
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import SmtpState, State

_FULL_RECORD: Final = 16_384
_TLS_CLAUSE: Final = re.compile(rb"\r\n\ttls [A-Z0-9_]+")
_NEEDS_TLS: Final = replies.reply(530, "5.7.0", "Must issue a STARTTLS command first")


def _in_clear(session: SmtpState, argument: bytes) -> bool:
    return session.cipher is None


def _in_tls(session: SmtpState, argument: bytes) -> bool:
    return session.cipher is not None


def _lists(old: bytes, new: bytes, *, in_tls: bool) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that changes what EHLO lists, inside TLS or outside."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        here = (session.cipher is not None) is in_tls
        return octets.replace(old, new) if verb == b"EHLO" and here else octets

    return outgoing


def _takes_an_argument(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb != b"STARTTLS" or not argument or session.cipher is not None:
        return go_on()
    session.after = After.START_TLS
    return replies.READY_FOR_TLS


def _promises_only(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer STARTTLS 220, and go on in clear text."""
    reply = go_on()
    if reply is replies.READY_FOR_TLS:
        session.after = After.GO_ON
        session.memory["promised"] = True
    return reply


def _hears_no_handshake(session: SmtpState, octets: bytes) -> bytes:
    return b"" if session.memory.get("promised") and octets.startswith(b"\x16") else octets


def _hears_nothing(session: SmtpState, octets: bytes) -> bytes:
    return b"" if session.memory.get("promised") else octets


def _keeps_hello(session: SmtpState, octets: bytes) -> bytes:
    """Let the EHLO that was said in clear text stand."""
    if session.cipher is not None and session.memory.pop("starttls", None):
        session.state = State.READY
    return octets


def _notes_starttls(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    session.memory["starttls"] = verb == b"STARTTLS"
    return go_on()


def _carries(name: str) -> Around:
    """Let one thing that was known in clear text come back at the EHLO inside TLS."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == b"STARTTLS" and session.cipher is None:
            session.memory["clear"] = (session.state, getattr(session, name))
        reply = go_on()
        if verb == b"EHLO" and session.cipher is not None and "clear" in session.memory:
            kept = session.memory.pop("clear")
            assert isinstance(kept, tuple)
            setattr(session, name, kept[1])
            session.state = kept[0] if name == "transaction" else State.READY
        return reply

    return around


def _keeps_input(pattern: bytes) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that keeps what fits behind STARTTLS, and takes it for said inside TLS."""
    found = re.compile(pattern, re.DOTALL)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        if session.cipher is not None:
            kept = session.memory.pop("kept", b"")
            assert isinstance(kept, bytes)
            return kept + octets
        if match := found.search(octets):
            session.memory["kept"] = match[1]
        return octets

    return incoming


def _insists_even_on_leaving(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse MAIL in clear text, and then NOOP and QUIT as well."""
    if session.cipher is not None:
        return go_on()
    if verb == b"MAIL":
        session.memory["insists"] = True
    return _NEEDS_TLS if session.memory.get("insists") and verb in {b"MAIL", b"NOOP", b"QUIT"} else go_on()


def _external_for_everybody(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.AUTHENTICATED if verb == b"AUTH" and argument.startswith(b"EXTERNAL") else go_on()


def _loses(wanted: Callable[[bytes], bool]) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that loses the last octet of some records."""
    return lambda session, octets: octets[:-1] if session.cipher is not None and wanted(octets) else octets


FAULTS: Final = (
    Fault("tls-parameter", "the keyword STARTTLS has a parameter",
          outgoing=_lists(b"STARTTLS", b"STARTTLS REQUIRED", in_tls=False)),
    Fault("tls-221", "STARTTLS is answered 221", around=does_but_answers(b"STARTTLS", 221, _in_clear)),
    Fault("tls-refused", "STARTTLS is offered and refused", around=answers(b"STARTTLS", 554)),
    Fault("tls-with-argument", "STARTTLS takes an argument", around=_takes_an_argument),
    Fault("tls-promised", "after 220 it goes on in clear text", around=_promises_only, incoming=_hears_no_handshake),
    Fault("tls-deaf", "after 220 nothing is heard, for ever",
          around=_promises_only, incoming=_hears_nothing, idle_s=1e6),
    Fault("tls-readvertised", "STARTTLS is offered inside TLS",
          outgoing=_lists(b"250-8BITMIME", b"250-STARTTLS\r\n250-8BITMIME", in_tls=True)),
    Fault("tls-twice", "STARTTLS is answered 220 inside TLS", around=answers(b"STARTTLS", 220, _in_tls)),
    Fault("tls-no-second-ehlo", "EHLO is refused inside TLS", around=answers(b"EHLO", 503, _in_tls)),
    Fault("tls-second-greeting", "the handshake is followed by a greeting", in_tls=b"220 mail.example.test ready\r\n"),
    Fault("tls-keeps-hello", "EHLO counts inside TLS", around=_notes_starttls, incoming=_keeps_hello),
    Fault("tls-keeps-name", "the name of the first EHLO counts", around=_carries("client")),
    Fault("tls-keeps-envelope", "a transaction goes on inside TLS", around=_carries("transaction")),
    Fault("tls-keeps-login", "a login holds inside TLS", around=_carries("account")),
    Fault("tls-keeps-input", "what came behind STARTTLS is run in TLS", incoming=_keeps_input(rb"STARTTLS\r\n(.+)")),
    Fault("tls-keeps-half-a-line", "half a line behind STARTTLS is kept",
          incoming=_keeps_input(rb"STARTTLS\r\n(?:.*\r\n)?([^\r\n]+)\Z")),
    Fault("tls-public-530", "MAIL without TLS is refused", around=answers(b"MAIL", 530, _in_clear)),
    Fault("tls-insists-554", "who insists on TLS answers 554", around=answers(b"MAIL", 554, _in_clear)),
    Fault("tls-insists-on-all", "who insists on TLS refuses NOOP and QUIT", around=_insists_even_on_leaving),
    Fault("tls-passwords-in-clear", "PLAIN and LOGIN are offered without TLS",
          outgoing=_lists(b"AUTH CRAM-MD5", b"AUTH PLAIN LOGIN CRAM-MD5", in_tls=False)),
    Fault("tls-external", "EXTERNAL needs no certificate",
          outgoing=_lists(b"-AUTH ", b"-AUTH EXTERNAL ", in_tls=True), around=_external_for_everybody),
    Fault("tls-untold", "the trace field does not tell of TLS",
          stored=lambda message: message.replace(b" with ESMTPS", b" with ESMTP")),
    Fault("tls-suite-untold", "the trace field names no cipher suite",
          stored=lambda message: _TLS_CLAUSE.sub(b"", message)),
    Fault("tls-loses-lone-spaces", "a record that holds one space is lost", incoming=_loses(lambda o: o == b" ")),
    Fault("tls-loses-of-full-records", "the last octet of a full record is lost",
          incoming=_loses(lambda o: len(o) >= _FULL_RECORD)),
)  # fmt: skip
