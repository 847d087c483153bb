"""Faults in what is taken for a command, and in which state (RFC 1939 §3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import COMMANDS, OK, UNKNOWN_COMMAND, WRONG_STATE, Argument
from conformance.refserver.pop3_fault_kinds import (
    Around,
    When,
    always,
    answers,
    before_login,
    hears,
    holds,
    logged_in,
    without_argument,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.session import After

_NO_LINES: Final = b"+OK\r\n.\r\n"
_NOT_UPPER: Final = re.compile(rb"(?m)^(?![A-Z]+\b)([A-Za-z]{3,4})(?=[ \r])")


def _unknown(octets: bytes, when: When = always, *, closes: bool = False) -> Around:
    """Answer otherwise what nobody knows."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if verb in COMMANDS or not when(session, argument):
            return go_on()
        if closes:
            session.after = After.CLOSE
        return octets

    return around


def _only(octets: bytes, *verbs: bytes) -> Around:
    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return octets if verb in verbs else go_on()

    return around


def _lacks(verb: bytes) -> Around:
    """Have no such command, and say nothing to who asks for it."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if said == verb:
            return b""
        response = go_on()
        return response.replace(verb + b"\r\n", b"") if said == b"CAPA" else response

    return around


def _takes_unlisted_stls(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"STLS":
        return OK
    response = go_on()
    return response.replace(b"STLS\r\n", b"") if verb == b"CAPA" else response


def _in_any_state(*verbs: bytes, octets: bytes) -> Around:
    """Answer commands before login as if there were a maildrop, and nothing in it."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return octets if verb in verbs and session.state is State.AUTHORIZATION else go_on()

    return around


def _opened_by(event: Callable[[bytes, bytes], bool]) -> Pop3Points:
    """Take STAT once something has happened that is no login: (verb, response)."""

    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        if event(verb, octets):
            session.memory["opened"] = True
        return octets

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return b"+OK 0 0\r\n" if verb == b"STAT" and session.memory.get("opened") and session.view is None else go_on()

    return Pop3Points(around=around, outgoing=outgoing)


def _lists_all(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take LIST and UIDL with a word for LIST and UIDL."""
    if verb in {b"LIST", b"UIDL"} and argument and not argument[:1].isdigit() and session.view is not None:
        return COMMANDS[verb].run(session, b"")
    return go_on()


def _takes_the_first(verb: bytes) -> Around:
    """Take a command without a number for one about the first message."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if said != verb or argument or session.view is None:
            return go_on()
        return COMMANDS[verb].run(session, b"1 0" if verb == b"TOP" else b"1")

    return around


def _shortest(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take the beginning of a keyword for it."""
    if verb in COMMANDS or not verb:
        return go_on()
    found = [keyword for keyword in COMMANDS if keyword.startswith(verb)]
    return _run(session, found[0], argument) if found else go_on()


def _longest(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take what begins with a keyword for it, and look no further than its fourth letter."""
    if verb in COMMANDS:
        return go_on()
    found = [keyword for keyword in COMMANDS if verb.startswith(keyword)]
    return _run(session, found[0], argument or verb[len(found[0]):]) if found else go_on()


def _run(session: Pop3State, verb: bytes, argument: bytes) -> bytes:
    command = COMMANDS[verb]
    if session.state not in command.permitted:
        return WRONG_STATE
    heard = argument if argument[:1].isdigit() or b"@" in argument else b""
    if command.argument is Argument.REQUIRED and not heard:
        return UNKNOWN_COMMAND
    return command.run(session, b"" if command.argument is Argument.NONE else heard)


def _ignores_arguments(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    command = COMMANDS.get(verb)
    if command is None or session.state not in command.permitted or verb in {b"USER", b"PASS", b"APOP", b"AUTH"}:
        return go_on()
    wanted = 0 if command.argument is Argument.NONE else 2 if verb == b"TOP" else 1
    words = argument.split(b" ")
    if len(words) <= wanted or not argument:
        return go_on()
    return command.run(session, b" ".join(words[:wanted]))


def _tells_case(session: Pop3State, octets: bytes) -> bytes:
    """Know keywords in upper case only."""
    return octets if session.exchange is not None else _NOT_UPPER.sub(rb"X-\1", octets)


def _tells_mixed_case(session: Pop3State, octets: bytes) -> bytes:
    """Know keywords in upper case and in lower case only."""
    if session.exchange is not None:
        return octets
    return _NOT_UPPER.sub(lambda found: found[0] if found[0].islower() else b"X-" + found[0], octets)


def _fault(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    Fault("pop3-case-matters", "Keywords are known in upper case only.", pop3=Pop3Points(incoming=_tells_case)),
    Fault("pop3-mixed-case-unknown", "Keywords in mixed case are unknown.",
          pop3=Pop3Points(incoming=_tells_mixed_case)),
    _fault("pop3-unknown-taken", "What nobody knows is answered +OK.", _unknown(OK)),
    _fault("pop3-unknown-taken-inside", "What nobody knows is answered +OK after login.", _unknown(OK, logged_in)),
    _fault("pop3-unknown-unanswered", "What nobody knows is not answered.", _unknown(b"")),
    _fault("pop3-unknown-ends", "What nobody knows ends the session, without an answer.", _unknown(b"", closes=True)),
    _fault("pop3-unlisted-stls", "STLS is answered +OK where CAPA does not list it.", _takes_unlisted_stls),
    _fault("pop3-top-unanswered", "TOP is unknown, and not answered.", _lacks(b"TOP")),
    _fault("pop3-uidl-unanswered", "UIDL is unknown, and not answered.", _lacks(b"UIDL")),
    _fault("pop3-optional-taken", "UTF8 and LANG are answered +OK, and do nothing.", _only(OK, b"UTF8", b"LANG")),
    _fault("pop3-optional-unanswered", "UTF8 and LANG are not answered.", _only(b"", b"UTF8", b"LANG")),
    _fault("pop3-any-mechanism", "AUTH begins with any mechanism.", answers(b"AUTH", b"+ \r\n", holds(rb"^X-"))),
    _fault("pop3-retr-of-anything", "RETR of a word gives the first message.", hears(b"RETR", rb"^[^0-9].*", b"1")),
    _fault("pop3-retr-needs-no-number", "RETR alone gives the first message.", _takes_the_first(b"RETR")),
    _fault("pop3-dele-of-anything", "DELE of a word deletes the first message.", hears(b"DELE", rb"^[^0-9].*", b"1")),
    _fault("pop3-dele-needs-no-number", "DELE alone deletes the first message.", _takes_the_first(b"DELE")),
    _fault("pop3-lists-whatever", "LIST and UIDL of a word list everything.", _lists_all),
    _fault("pop3-top-needs-no-number", "TOP alone gives the header of the first message.", _takes_the_first(b"TOP")),
    _fault("pop3-top-needs-no-lines", "TOP without a number of lines means none.",
           hears(b"TOP", rb"^(\d+)$", rb"\1 0")),
    _fault("pop3-top-of-anything", "TOP of a word means the first message.", hears(b"TOP", rb"^[a-z]+ ", b"1 ")),
    _fault("pop3-top-of-odd-lines", "TOP takes any word for a number of lines.",
           hears(b"TOP", rb" (?![0-9]+$).*", b" 0")),
    _fault("pop3-stat-before-login", "STAT is answered before login.", _in_any_state(b"STAT", octets=b"+OK 0 0\r\n")),
    _fault("pop3-lists-before-login", "LIST and UIDL are answered before login.",
           _in_any_state(b"LIST", b"UIDL", octets=_NO_LINES)),
    _fault("pop3-retr-before-login", "RETR and TOP give an empty message before login.",
           _in_any_state(b"RETR", b"TOP", octets=b"+OK\r\n\r\n.\r\n")),
    _fault("pop3-marks-before-login", "DELE and RSET are answered +OK before login.",
           _in_any_state(b"DELE", b"RSET", octets=OK)),
    _fault("pop3-state-unanswered", "STAT before login is not answered.", _in_any_state(b"STAT", octets=b"")),
    Fault("pop3-user-opens", "After USER a maildrop can be asked about.",
          pop3=_opened_by(lambda verb, response: verb == b"USER" and response.startswith(b"+OK"))),
    Fault("pop3-failure-opens", "After a wrong password a maildrop can be asked about.",
          pop3=_opened_by(lambda verb, response: verb == b"PASS" and response.startswith(b"-ERR"))),
    Fault("pop3-cancelling-opens", "After AUTH was cancelled a maildrop can be asked about.",
          pop3=_opened_by(lambda verb, response: verb == b"+" and response.startswith(b"-ERR"))),
    _fault("pop3-user-again", "USER is taken after login.", answers(b"USER", OK, logged_in)),
    _fault("pop3-pass-again", "PASS is taken after login.", answers(b"PASS", OK, logged_in)),
    _fault("pop3-apop-again", "APOP is taken after login.", answers(b"APOP", OK, logged_in)),
    _fault("pop3-auth-when-logged-in", "AUTH begins after login.", answers(b"AUTH", b"+ \r\n", logged_in)),
    _fault("pop3-noop-everywhere", "NOOP is answered +OK before login.", answers(b"NOOP", OK, before_login)),
    _fault("pop3-abbreviated", "The beginning of a keyword is taken for it.", _shortest),
    _fault("pop3-beginnings", "What begins with a keyword is taken for it.", _longest),
    _fault("pop3-arguments-ignored", "Arguments that a command does not take are ignored.", _ignores_arguments),
    _fault("pop3-user-of-nobody", "USER without a name is answered +OK.", answers(b"USER", OK, without_argument)),
)  # fmt: skip
