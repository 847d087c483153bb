"""UTF-8 in POP3 (RFC 6856): the commands UTF8 and LANG, and what a session without UTF8 gets of mail in UTF-8."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Final

from conformance.refserver.behaviour import Capability
from conformance.refserver.mail_data import header_section
from conformance.refserver.pop3_state import Pop3State

SPEAKS_UTF8: Final = b"+OK UTF-8 it is\r\n"
NEEDS_UTF8: Final = b"-ERR [UTF8] The header is in UTF-8: say UTF8 before logging in\r\n"
LANGUAGES: Final = b"+OK\r\nen English\r\n.\r\n"
SPEAKS_ENGLISH: Final = b"+OK en English it is\r\n"
NO_SUCH_LANGUAGE: Final = b"-ERR That language is not spoken here\r\n"
UNKNOWN_COMMAND: Final = b"-ERR Command not recognized\r\n"
_WORD_OCTETS: Final = 42                 # an encoded word has 75 characters at most (RFC 2047 §2)
_FIELD: Final = re.compile(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")


def utf8(session: Pop3State, argument: bytes) -> bytes:
    """UTF8 (RFC 6856 §2.1)."""
    if Capability.UTF8 not in session.service.behaviour.capabilities:
        return UNKNOWN_COMMAND
    session.utf8 = True
    return SPEAKS_UTF8


def lang(session: Pop3State, argument: bytes) -> bytes:
    """LANG [range] (RFC 6856 §3.2): English is all there is."""
    if Capability.LANG not in session.service.behaviour.capabilities:
        return UNKNOWN_COMMAND
    if not argument:
        return LANGUAGES
    return SPEAKS_ENGLISH if argument.lower() in {b"en", b"*"} else NO_SUCH_LANGUAGE


def is_kept_back(session: Pop3State, message: bytes) -> bool:
    """Say whether a message may not be given to this session as it is (RFC 6856 §2.1)."""
    if session.utf8 or Capability.UTF8 not in session.service.behaviour.capabilities:
        return False
    return not header_section(message).isascii()


def shown_to(session: Pop3State) -> Callable[[bytes], bytes] | None:
    """Return what becomes of each message before this session sees it; None: nothing."""
    return surrogate_of if session.service.behaviour.surrogates and not session.utf8 else None


def surrogate_of(message: bytes) -> bytes:
    """Return a message with header fields in UTF-8 as encoded words, under a name that says so (RFC 6857)."""
    header = header_section(message)
    return _FIELD.sub(lambda field: _downgraded(field[0]), header) + message[len(header):]


def _downgraded(field: bytes) -> bytes:
    if field.isascii():
        return field
    name, _, value = field.partition(b":")
    octets = re.sub(rb"\r\n(?=[ \t])", b"", value.strip())
    words = [b"=?UTF-8?B?%b?=" % b64encode(octets[at:at + _WORD_OCTETS]) for at in range(0, len(octets), _WORD_OCTETS)]
    ascii_name = bytes(octet for octet in name if octet < 0x80)
    return b"Downgraded-" + ascii_name + b": " + b"\r\n ".join(words) + b"\r\n"
