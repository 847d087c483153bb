"""Faults in 8BITMIME (RFC 6152)."""

import re
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, hears
from conformance.refserver.mail_data import header_section
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State

_LINE_OCTETS: Final = 990
_LONG: Final = re.compile(rb"(?=[^\r\n]*[\x80-\xff])([^\r\n]{%d})(?=[^\r\n])" % _LINE_OCTETS)


def _after_helo(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take BODY after HELO as after EHLO."""
    if verb != b"MAIL" or session.state is not State.READY or session.client.extended:
        return go_on()
    return COMMANDS[b"MAIL"].run(session, argument.replace(b" BODY=8BITMIME", b""))


def _unlisted(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"250-8BITMIME\r\n", b"")


def _has_a_parameter(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"8BITMIME\r\n", b"8BITMIME 1\r\n")


def _without_high_bits(session: SmtpState, content: bytes) -> bytes:
    return bytes(octet & 0x7F for octet in content)


def _with_question_marks(session: SmtpState, content: bytes) -> bytes:
    return bytes(octet if octet < 0x80 else 0x3F for octet in content)


def _as_utf8(session: SmtpState, content: bytes) -> bytes:
    return content.decode("iso-8859-1").encode()


def _dot_lost(session: SmtpState, content: bytes) -> bytes:
    return content.replace(b"\r\n.\xc3", b"\r\n\xc3")


def _split(session: SmtpState, content: bytes) -> bytes:
    head = header_section(content)
    return head + _LONG.sub(rb"\1\r\n", content[len(head):])


def _no_long_lines(session: SmtpState, content: bytes) -> bytes:
    """Spoil, so that it is refused, what has a long line of eight bits."""
    return content + b"\n" if _LONG.search(content) else content


def _refused_if(pattern: bytes) -> Around:
    return answers(b"MAIL", 555, lambda session, argument: re.search(pattern, argument) is not None)


FAULTS: Final = (
    Fault("8bit-unlisted", "8BITMIME is not listed, and BODY is taken", outgoing=_unlisted),
    Fault("8bit-parameter", "8BITMIME has a parameter", outgoing=_has_a_parameter),
    Fault("8bit-refused", "BODY=8BITMIME is refused", around=_refused_if(rb"BODY=8BITMIME\Z")),
    Fault("7bit-refused", "BODY=7BIT is refused", around=_refused_if(rb"BODY=7BIT\Z")),
    Fault("8bit-body-capital", "BODY must be written in capitals", around=_refused_if(rb"body=|Body=")),
    Fault("8bit-value-capital", "its value must be written in capitals", around=_refused_if(rb"=8bit|=8Bit")),
    Fault("8bit-any-value", "BODY takes any value", around=hears(b"MAIL", rb" BODY=(9BIT|8BIT|7BIT,8BITMIME)\Z", b"")),
    Fault("8bit-longer-value", "BODY takes what begins like a value", around=hears(b"MAIL", rb"(?<=MIME)X\Z", b"")),
    Fault("8bit-no-value", "BODY needs no value", around=hears(b"MAIL", rb" BODY=?\Z", b"")),
    Fault("8bit-twice", "BODY may come twice", around=hears(b"MAIL", rb" BODY=[78A-Z]+(?= BODY=)", b"")),
    Fault("8bit-after-helo", "BODY is taken after HELO", around=_after_helo),
    Fault("8bit-before-size", "nothing may follow BODY", around=_refused_if(rb"BODY=\S+ ")),
    Fault("8bit-after-size", "BODY must come first", around=_refused_if(rb" \S+ BODY=")),
    Fault("8bit-cleared", "the eighth bit is cleared", content=_without_high_bits),
    Fault("8bit-question-marks", "octets above 127 become question marks", content=_with_question_marks),
    Fault("8bit-recoded", "every text is made UTF-8, whatever it was", content=_as_utf8),
    Fault("8bit-split", "long lines of eight bits are split", content=_split),
    Fault("8bit-short-lines", "long lines of eight bits are refused", content=_no_long_lines),
    Fault("8bit-dot", "a dot before an octet above 127 is taken away", content=_dot_lost),
)  # fmt: skip
