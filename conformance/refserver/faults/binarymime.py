"""Faults in BINARYMIME (RFC 3030 §3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers
from conformance.refserver.mail_data import header_section
from conformance.refserver.parameters import BINARYMIME
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Transaction

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_HIGH: Final = bytes(octet & 0x7F for octet in range(256))


def _announced(session: SmtpState, argument: bytes) -> bool:
    return b"BODY=BINARYMIME" in argument.upper()


def _announced_in_lower_case(session: SmtpState, argument: bytes) -> bool:
    return b"body=binarymime" in argument


def _data_all_the_same(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    binary = session.transaction is not None and session.transaction.parameters.body == BINARYMIME
    return replies.SEND_MAIL_DATA if verb == b"DATA" and session.state is State.RCPT and binary else reply


def _with_parameter(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"BINARYMIME\r\n", b"BINARYMIME 1\r\n") if verb in {b"EHLO", b"LHLO"} else octets


def _in_body(change: Callable[[bytes], bytes]) -> Callable[[SmtpState, bytes], bytes]:
    """Change the body of every message."""

    def content(session: SmtpState, octets: bytes) -> bytes:
        head = header_section(octets)
        return head + change(octets[len(head):])

    return content


def _notes_binary(session: SmtpState, content: bytes) -> bytes:
    session.memory["binary"] = b"encoding: binary" in header_section(content).lower()
    return content


def _believes_the_field(session: SmtpState, transaction: Transaction, final: list[Reply]) -> list[Reply]:
    unannounced = session.memory.get("binary") and transaction.parameters.body != BINARYMIME
    return [replies.BARE_CR_OR_LF_IN_DATA] * len(final) if unannounced else final


FAULTS: Final = (
    Fault("binary-parameter", "BINARYMIME has a parameter", outgoing=_with_parameter),
    Fault("binary-refused", "BODY=BINARYMIME is refused", around=answers(b"MAIL", 555, _announced)),
    Fault("binary-in-capitals", "BODY=BINARYMIME is known in capitals only",
          around=answers(b"MAIL", 501, _announced_in_lower_case)),
    Fault("binary-by-data", "DATA goes on for a binary body", around=_data_all_the_same),
    Fault("binary-loses-nul", "NUL is taken out of a body", content=_in_body(lambda body: body.replace(b"\0", b""))),
    Fault("binary-makes-lines", "a bare LF in a body becomes CRLF",
          content=_in_body(lambda body: _BARE_LF.sub(b"\r\n", body))),
    Fault("binary-loses-a-bit", "the eighth bit of a body is taken off",
          content=_in_body(lambda body: body.translate(_HIGH))),
    Fault("binary-unstuffed", "a dot at the start of a line in a body is taken away",
          content=_in_body(lambda body: body.replace(b"\r\n.", b"\r\n"))),
    Fault("binary-sent-on-raw", "binary bodies are sent on by DATA", pretends=frozenset({b"BINARYMIME"})),
    Fault("binary-by-the-field", "a header that says binary is refused unless MAIL announced it",
          content=_notes_binary, final=_believes_the_field),
)  # fmt: skip
