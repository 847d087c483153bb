"""Faults in UTF-8 and languages in POP3 (RFC 6856)."""

import re
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_capa import adds
from conformance.refserver.mail_data import header_section
from conformance.refserver.pop3_commands import COMMANDS, OK
from conformance.refserver.pop3_fault_kinds import (
    Around,
    answers,
    changes,
    holds,
    logged_in,
    with_argument,
    without_argument,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.pop3_utf8 import surrogate_of
from conformance.refserver.session import After

_ENGLISH: Final = b"+OK en English it is\r\n"


def _ignores_argument(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    wanted = verb == b"UTF8" and argument and session.state is State.AUTHORIZATION
    return COMMANDS[b"UTF8"].run(session, b"") if wanted else go_on()


def _names_in_ascii(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    return b"-ERR No such user\r\n" if verb == b"USER" and not argument.isascii() else go_on()


def _names_need_utf8(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    odd = verb == b"USER" and not argument.isascii() and not session.utf8
    return b"-ERR Say UTF8 first\r\n" if odd else go_on()


def _dies_on_odd_octets(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    try:
        argument.decode("utf-8")
    except UnicodeDecodeError:
        session.after = After.CLOSE
        return b""
    return go_on()


def _drops_odd_octets(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Decode a password as far as it goes."""
    if verb != b"PASS" or session.state is not State.AUTHORIZATION:
        return go_on()
    return COMMANDS[b"PASS"].run(session, argument.decode("utf-8", "ignore").encode())


def _lets_odd_names_in(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take a name that is no UTF-8 for the first user's."""
    if verb in {b"USER", b"PASS"}:
        account = session.service.directory.account("user1")
        try:
            argument.decode("utf-8")
        except UnicodeDecodeError:
            session.memory["odd"] = True
            return OK
        if verb == b"PASS" and session.memory.pop("odd", False) and account is not None and session.view is None:
            session.log_in(account)
            return OK
    return go_on()


def _gives_all(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Give mail in UTF-8 to everybody."""
    before, session.utf8 = session.utf8, True
    response = go_on()
    session.utf8 = before if verb != b"UTF8" else session.utf8
    return response


def _rewrites_all(session: Pop3State, content: bytes) -> bytes:
    return surrogate_of(content)


def _rewrites_badly(session: Pop3State, content: bytes) -> bytes:
    """Rewrite mail in UTF-8, of which LIST does not know."""
    return content if session.memory.get("said") else surrogate_of(content)


def _notes_utf8(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"UTF8":
        session.memory["said"] = True
    return _gives_all(session, verb, argument, go_on)


def _strips(session: Pop3State, content: bytes) -> bytes:
    """Give headers in ASCII, with question marks for what is not."""
    header = header_section(content)
    return re.sub(rb"[\x80-\xff]", b"?", header) + content[len(header):]


def _changes_language(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Speak otherwise once a language was asked for that nobody speaks."""
    if verb == b"LANG" and octets.startswith(b"-ERR"):
        session.memory["lost"] = True
        return octets
    return b"-ERR Unbekannt\r\n" if octets.startswith(b"-ERR") and session.memory.get("lost") else octets


def _forgets_utf8(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    session.utf8 = False
    return response


def _lang(octets: bytes) -> Around:
    return answers(b"LANG", octets, without_argument)


def _fault(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    _fault("pop3-utf8-odd-argument", "the tag UTF8 has another argument", adds(b"UTF8 PASS")),
    _fault("pop3-utf8-takes-argument", "UTF8 takes an argument", _ignores_argument),
    _fault("pop3-utf8-deaf", "UTF8 is answered with +OK, and forgotten", _forgets_utf8),
    _fault("pop3-utf8-after-login", "UTF8 is taken after the login", answers(b"UTF8", OK, logged_in)),
    _fault("pop3-utf8-names-in-ascii", "user names in UTF-8 are refused", _names_in_ascii),
    _fault("pop3-utf8-names-need-utf8", "user names in UTF-8 need UTF8 to be said", _names_need_utf8),
    _fault("pop3-utf8-dies-on-odd-octets", "octets that are no UTF-8 end the session", _dies_on_odd_octets),
    _fault("pop3-utf8-drops-odd-octets", "octets in a password that are no UTF-8 are dropped", _drops_odd_octets),
    _fault("pop3-utf8-lets-odd-names-in", "a name that is no UTF-8 is somebody's", _lets_odd_names_in),
    _fault("pop3-utf8-raw-for-all", "a header in UTF-8 is given to everybody", _gives_all),
    _fault("pop3-utf8-other-code", "what needs UTF8 is refused with another code",
           changes(b"RETR", lambda response: response.replace(b"[UTF8]", b"[X-NO]"))),
    _fault("pop3-utf8-no-code", "what needs UTF8 is refused without a code",
           changes(b"RETR", lambda response: response.replace(b"[UTF8] ", b""))),
    Fault("pop3-utf8-rewritten-for-all", "a header in UTF-8 is rewritten, whoever asks",
          pop3=Pop3Points(content=_rewrites_all)),
    Fault("pop3-utf8-question-marks", "headers have question marks for what is not ASCII",
          pop3=Pop3Points(content=_strips)),
    Fault("pop3-utf8-size-of-the-other", "LIST gives the size of what was sent, not of what is given",
          pop3=Pop3Points(around=_notes_utf8, content=_rewrites_badly)),
    _fault("pop3-utf8-top-raw", "TOP gives a header in UTF-8 to everybody",
           lambda session, verb, argument, go_on: _gives_all(session, verb, argument, go_on)
           if verb == b"TOP" else go_on()),
    _fault("lang-no-tags", "LANG lists descriptions without tags", _lang(b"+OK\r\n English\r\n.\r\n")),
    _fault("lang-odd-tags", "LANG lists tags with underscores", _lang(b"+OK\r\nen_GB English\r\n.\r\n")),
    _fault("lang-one-line", "LANG is answered in one line", _lang(b"+OK en English\r\n")),
    _fault("lang-no-end", "LANG's list has no line with a dot", _lang(b"+OK\r\nen English\r\n")),
    _fault("lang-listed-refused", "a language that is listed is refused",
           answers(b"LANG", b"-ERR No\r\n", with_argument)),
    _fault("lang-untold", "LANG does not say which language it is",
           answers(b"LANG", b"+OK English it is\r\n", holds(rb"\A(?:en|\*)\Z"))),
    _fault("lang-minds-case", "tags must be in lower case", answers(b"LANG", b"-ERR No\r\n", holds(rb"(?-i:E)"))),
    _fault("lang-knows-all", "every language is spoken", answers(b"LANG", _ENGLISH, holds(rb"mail|none"))),
    Fault("lang-lost", "a language that nobody speaks changes the words",
          pop3=Pop3Points(outgoing=_changes_language)),
    _fault("lang-before-login-only", "LANG is refused after the login", answers(b"LANG", b"-ERR Now?\r\n", logged_in)),
)
