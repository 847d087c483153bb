"""Faults in DELE, RSET and NOOP (RFC 1939 §5), and in message-numbers (§4)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import COMMANDS, OK
from conformance.refserver.pop3_fault_kinds import Around, answers, clamps, ends_at, hears, without_argument
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, View

Then = Callable[[Pop3State, View, bytes], None]      # (session, its view, the command's argument)


def afterwards(verb: bytes, then: Then) -> Around:
    """Do what a command asks, and something else as well if it was done."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        if said == verb and response.startswith(b"+OK") and session.view is not None:
            then(session, session.view, argument)
        return response

    return around


def marked(view: View) -> list[int]:
    """Return the numbers that are marked as deleted."""
    present = {number for number, _ in view.present()}
    return [number for number, _ in enumerate(view.every(), 1) if number not in present]


def _keeps(kept: Callable[[list[int]], list[int]]) -> Around:
    """Return a RSET that leaves some marks."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        before = marked(session.view) if session.view is not None else []
        response = go_on()
        if verb == b"RSET" and session.view is not None:
            for number in kept(before):
                session.view.mark(number)
        return response

    return around


def _shifted(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Read a number as the place among what is left, whichever command it is given to but DELE."""
    number, space, rest = argument.partition(b" ")
    present = session.view.present() if session.view is not None else []
    if verb not in {b"RETR", b"LIST", b"UIDL", b"TOP"} or not number.isdigit() or not 0 < int(number) <= len(present):
        return go_on()
    place = present[int(number) - 1][0]
    return COMMANDS[verb].run(session, b"%d" % place + space + rest)


def _removes_at_once(session: Pop3State, view: View, argument: bytes) -> None:
    view.update()


def _takes_marked(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb == b"DELE" and session.view is not None and argument in {b"%d" % one for one in marked(session.view)}:
        return OK
    return response


def _marks_another(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse what is no number, and mark the first message all the same."""
    response = go_on()
    if verb == b"DELE" and response.startswith(b"-") and session.view is not None:
        session.view.mark(1)
    return response


def _marks_alone(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"DELE" and without_argument(session, argument) and session.view is not None:
        return COMMANDS[b"DELE"].run(session, b"1")
    return go_on()


def _update_in_spite(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let RSET take the marks off, and remove at QUIT what was ever marked."""
    if verb == b"QUIT" and session.view is not None:
        for number in session.memory.get("ever", ()):
            session.view.mark(number)
    response = go_on()
    if verb == b"DELE" and response.startswith(b"+OK"):
        session.memory.setdefault("ever", set()).add(int(argument))
    return response


def _marks_for_good(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    reset = session.memory.setdefault("reset", set())
    if verb == b"DELE" and argument in reset:
        return b"-ERR Deleted already\r\n"
    if verb == b"RSET" and session.view is not None:
        reset.update(b"%d" % number for number in marked(session.view))
    return go_on()


def _numbers_on(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Number from where the last session's numbers began, leaving gaps for what it removed."""
    of_all = session.service.memory
    removed = session.memory.setdefault("removed", of_all.setdefault("removed", 0))      # others may remove meanwhile
    if verb == b"QUIT" and session.view is not None:
        of_all["removed"] += len(marked(session.view))
    response = go_on()
    if verb != b"LIST" or argument:
        return response
    return re.sub(rb"(?m)^([0-9]+)(?= [0-9]+\r$)", lambda found: b"%d" % (int(found[1]) + removed), response)


def _sees_arrivals(newest_first: bool) -> Around:
    """Return a session that takes in what is delivered meanwhile."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if verb in {b"STAT", b"LIST"} and session.view is not None and not marked(session.view):
            session.view = session.view.anew(newest_first=newest_first)
        return go_on()

    return around


def _dele(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    _dele("dele-refused", "DELE is refused.", answers(b"DELE", b"-ERR This maildrop is not yours to change\r\n")),
    _dele("dele-last-refused", "DELE of the last message is refused.",
          answers(b"DELE", b"-ERR No such message\r\n", lambda session, argument: (
              session.view is not None and argument == b"%d" % len(session.view.every())
          ))),
    _dele("dele-takes-marked", "DELE of a marked message is answered with +OK.", _takes_marked),
    _dele("dele-removes-at-once", "DELE removes a message before QUIT.", afterwards(b"DELE", _removes_at_once)),
    _dele("dele-shifts-numbers", "What is behind a deleted message moves up by one.", _shifted),
    _dele("dele-clamps", "DELE with too large a number deletes the last message.", clamps(b"DELE")),
    _dele("dele-zero-is-first", "DELE 0 deletes the first message.", hears(b"DELE", rb"\A0\Z", b"1")),
    _dele("dele-zero-is-nothing", "DELE 0 is answered with +OK, and deletes nothing.",
          answers(b"DELE", OK, lambda session, argument: argument == b"0")),
    _dele("dele-ignores-signs", "DELE does not look at a sign.", hears(b"DELE", rb"\A[-+]", b"")),
    _dele("dele-words-are-first", "DELE takes a word for the first message.", hears(b"DELE", rb"\A[a-z]+\Z", b"1")),
    _dele("dele-reads-digits", "DELE reads a number as far as there are digits.",
          hears(b"DELE", rb"\A([1-9][0-9]*)[^0-9 ].*", rb"\1")),
    _dele("dele-reads-hexadecimal", "DELE takes hexadecimal numbers.", hears(b"DELE", rb"\A0x", b"")),
    _dele("dele-wraps-at-32-bits", "DELE reads numbers modulo 2**32.", hears(b"DELE", rb"\A4294967297\Z", b"1")),
    _dele("dele-wraps-at-64-bits", "DELE reads numbers modulo 2**64.",
          hears(b"DELE", rb"\A18446744073709551617\Z", b"1")),
    _dele("dele-huge-is-the-end", "DELE with a number too long for it ends the session without a word.",
          ends_at(b"DELE", lambda session, argument: len(argument) > 15)),
    _dele("dele-ignores-more", "DELE does not look at a second argument.", hears(b"DELE", rb" .*", b"")),
    _dele("dele-alone-is-first", "DELE without a number deletes the first message.", _marks_alone),
    _dele("dele-refuses-and-marks", "DELE marks the first message when it refuses another.", _marks_another),
    _dele("rset-refused", "RSET is refused.", answers(b"RSET", b"-ERR Nothing to do\r\n")),
    _dele("rset-refused-without-marks", "RSET is refused where nothing is marked.",
          answers(b"RSET", b"-ERR Nothing is marked\r\n", lambda session, argument: (
              session.view is not None and not marked(session.view)
          ))),
    _dele("rset-does-nothing", "RSET takes no mark off.", answers(b"RSET", OK)),
    _dele("rset-keeps-the-first", "RSET takes all marks off but that of the first message.",
          _keeps(lambda before: before[:1])),
    _dele("rset-keeps-the-last", "RSET takes off only the newest mark.", _keeps(lambda before: before[:-1])),
    _dele("rset-is-forgotten", "What was ever marked is removed at QUIT, RSET or not.", _update_in_spite),
    _dele("rset-marks-for-good", "What RSET took the mark off cannot be marked again.",
          _marks_for_good),
    _dele("noop-refused", "NOOP is refused.", answers(b"NOOP", b"-ERR Nothing to do\r\n")),
    _dele("noop-unmarks", "NOOP takes all marks off.", afterwards(b"NOOP", lambda session, view, _: view.unmark_all())),
    _dele("numbers-go-on", "A new session numbers as if what is gone were still there.", _numbers_on),
    _dele("arrivals-are-appended", "What is delivered during a session is appended to it.", _sees_arrivals(False)),
    _dele("arrivals-come-first", "What is delivered during a session becomes number 1.", _sees_arrivals(True)),
)  # fmt: skip
