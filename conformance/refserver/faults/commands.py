"""Faults in how a command line is read (RFC 5321 §2.4, §4.1.1)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import Reading, SmtpState

Incoming = Callable[[SmtpState, bytes], bytes]


def _hears(pattern: bytes, by: bytes) -> Incoming:
    """Return the function that hears command lines otherwise than they were sent."""
    found = re.compile(pattern)
    return lambda session, octets: found.sub(by, octets) if session.reading is Reading.COMMAND else octets


def _instead(verb: bytes, code: int, *, closes: bool = False) -> Around:
    """Answer a verb, known or not, with a code of its own."""
    told = replies.reply(code, f"{code // 100}.0.0", "As told")

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb:
            return go_on()
        if closes:
            session.after = After.CLOSE
        return told

    return around


def _unknown(code: int) -> Around:
    """Answer verbs that nobody knows with a code of one's own."""
    told = replies.reply(code, f"{code // 100}.0.0", "As told")

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return told if said not in COMMANDS and said else go_on()

    return around


def _unknown_ends_transaction(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if said not in COMMANDS:
        session.forget_transaction()
    return reply


def _obeys_with_argument(verb: bytes) -> Around:
    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        command = COMMANDS[verb]
        if said == verb and argument and session.state in command.permitted:
            return command.run(session, b"")
        return go_on()

    return around


def _needs_whole_lines(session: SmtpState, octets: bytes) -> bytes:
    """Throw away a single octet that comes by itself, unless it ends a line."""
    return octets if len(octets) > 1 or octets == b"\n" else b""


def _hangs_up_on_nothing(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if not said:
        session.after = After.CLOSE
        return None
    return go_on()


_VERBS: Final = (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"NOOP", b"QUIT")
_PRIVATE: Final = (b"XCLIENT", b"XFORWARD", b"DEBUG", b"WIZ", b"XEXCH50")

FAULTS: Final = (
    Fault("verbs-in-capitals", "a verb must be in capitals", incoming=_hears(rb"\A([A-Z]*[a-z])", rb"?\1")),
    Fault("from-in-capitals", "FROM and TO must be in capitals", incoming=_hears(rb" (from|to):", rb" ?\1:")),
    Fault("keywords-in-capitals", "keywords must be in capitals", incoming=_hears(rb" body=", b" ?body=")),
    Fault("white-space-matters", "white space at the end is an argument", incoming=_hears(rb"[ \t]\r\n", b"?\r\n")),
    Fault("acts-early", "a command is run before its CRLF", incoming=_hears(rb"\ANOOP\Z", b"NOOP\r\n")),
    Fault("needs-whole-lines", "a line must come in one segment", incoming=_needs_whole_lines),
    Fault("unknown-502", "an unknown verb is answered 502", around=_unknown(502)),
    Fault("unknown-250", "an unknown verb is answered 250", around=_unknown(250)),
    Fault("unknown-ends-transaction", "an unknown verb clears the transaction", around=_unknown_ends_transaction),
    *(Fault(f"no-{verb.decode().lower()}", f"{verb.decode()} is answered 500", around=_instead(verb, 500))
      for verb in _VERBS),
    Fault("hangs-up-on-nothing", "an empty line ends the session", around=_hangs_up_on_nothing),
    Fault("drops-control-octets", "control octets in addresses are dropped", incoming=_hears(
        rb"(?<=us)[\x00\x07\x7f](?=er)", b"",
    )),
    Fault("takes-utf8", "UTF-8 in an address is taken for granted", incoming=_hears("grüße".encode(), b"user1")),
    Fault("data-with-argument", "DATA takes an argument", around=_obeys_with_argument(b"DATA")),
    Fault("rset-with-argument", "RSET takes an argument", around=_obeys_with_argument(b"RSET")),
    Fault("quit-with-argument", "QUIT takes an argument", around=_obeys_with_argument(b"QUIT")),
    Fault("turns", "TURN is taken", around=_instead(b"TURN", 250)),
    *(Fault(f"takes-{verb.decode().lower()}", f"{verb.decode()} is taken", around=_instead(verb, 250))
      for verb in (b"SEND", b"SOML", b"SAML", *_PRIVATE)),
    Fault("talks-http", "a request of HTTP is passed over", around=_instead(b"POST", 500)),
    Fault("loses-pipelined", "of commands in one segment the first is run", incoming=_hears(
        rb"\A(EHLO[^\r]*\r\n)NOOP\r\n", rb"\1",
    )),
)  # fmt: skip
