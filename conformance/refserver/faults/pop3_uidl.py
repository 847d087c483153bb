"""Faults in UIDL, and in the unique-ids that it gives (RFC 1939 §7)."""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_list import cut_short
from conformance.refserver.maildrop import Listed
from conformance.refserver.pop3_fault_kinds import (
    Around,
    answers,
    changes,
    clamps,
    ends_at,
    hears,
    of_nothing,
    with_argument,
    without_argument,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

IdOf = Callable[[Pop3State, int, Listed], bytes]

_LINE: Final = re.compile(rb"(?m)^((?:\+OK )?)([0-9]+) ([!-~]+)(?=\r$)")
_LAST_LINE: Final = re.compile(rb"(?<=\n)[0-9]+ [!-~]+\r\n(?=\.\r\n\Z)")


def _identified(how: IdOf) -> Around:
    """Return a UIDL that gives other unique-ids."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        view = session.view
        if verb != b"UIDL" or view is None:
            return response
        return _LINE.sub(lambda found: b"%b%b %b" % (
            found[1], found[2], how(session, int(found[2]), view.every()[int(found[2]) - 1])
        ), response)  # fmt: skip

    return around


def _own(_session: Pop3State, _number: int, message: Listed) -> bytes:
    return message.unique_id.encode()


def _count_of(session: Pop3State, what: str) -> int:
    """Return what was counted of this session's maildrop, in all sessions."""
    counted: dict[object, int] = session.service.memory.setdefault(what, {})
    return counted.get(_place(session), 0)


def _count(session: Pop3State, what: str) -> None:
    session.service.memory.setdefault(what, {})[_place(session)] = _count_of(session, what) + 1


def _place(session: Pop3State) -> object:
    """Return what tells this session's maildrop from others, even once QUIT has let go of it."""
    if session.view is not None:
        session.memory["place"] = id(session.view.maildrop)
    return session.memory.get("place")


def _with_count_of(what: str) -> IdOf:
    """Return ids that change with something that is counted."""
    return lambda session, number, message: b"%b.%d" % (_own(session, number, message), _count_of(session, what))


def _of_restarts(session: Pop3State, number: int, message: Listed) -> bytes:
    return b"%b.%d" % (_own(session, number, message), session.service.memory.get("restarts", 0))


def _hash_of_body(session: Pop3State, number: int, message: Listed) -> bytes:
    content = (session.view.read(message) if session.view is not None else None) or b""
    return hashlib.sha1(content.partition(b"\r\n\r\n")[2], usedforsecurity=False).hexdigest().encode()


def _repeated(session: Pop3State, number: int, message: Listed) -> bytes:
    first = session.view.every()[(number - 1) % 30] if session.view is not None else message
    return first.unique_id.encode()


def _counts(what: str, verb: bytes) -> Pop3Points:
    """Count in which sessions a command was said, and give ids that show it in the next one."""
    listed = _identified(_with_count_of(what))

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        _place(session)
        response = listed(session, said, argument, go_on)
        if said == verb and response.startswith(b"+OK"):
            session.memory["counted"] = True
        return response

    def gone(session: Pop3State) -> None:
        if session.memory.get("counted"):
            _count(session, what)

    return Pop3Points(around=around, gone=gone)


def _dropped(session: Pop3State) -> None:
    if session.view is not None:             # QUIT has let go of it
        _count(session, "drops")


def _renews_at_delete(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"QUIT" and session.view is not None and len(session.view.present()) < len(session.view.every()):
        _count(session, "removals")
    return _identified(_with_count_of("removals"))(session, verb, argument, go_on)


def _deleted_too(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    every = session.view.every() if session.view else ()
    if verb == b"UIDL" and response.startswith(b"-") and argument.isdigit() and 0 < int(argument) <= len(every):
        return b"+OK %b %b\r\n" % (argument, every[int(argument) - 1].unique_id.encode())
    return response


def _lists(numbered: Callable[[Pop3State], list[tuple[int, Listed]]]) -> Around:
    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        if verb != b"UIDL" or argument or session.view is None:
            return response
        lines = [b"%d %b\r\n" % (number, one.unique_id.encode()) for number, one in numbered(session)]
        return b"+OK\r\n" + b"".join(lines) + b".\r\n"

    return around


def _every(session: Pop3State) -> list[tuple[int, Listed]]:
    return [] if session.view is None else list(enumerate(session.view.every(), 1))


def _anew(session: Pop3State) -> list[tuple[int, Listed]]:
    present = [] if session.view is None else session.view.present()
    return [(at, message) for at, (_, message) in enumerate(present, 1)]


def _uidl(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


def _ids(name: str, does: str, how: IdOf) -> Fault:
    return _uidl(name, does, _identified(how))


def _lines(name: str, does: str, change: Callable[[bytes], bytes]) -> Fault:
    return _uidl(name, does, changes(b"UIDL", change, without_argument))


def _one(name: str, does: str, change: Callable[[bytes], bytes]) -> Fault:
    return _uidl(name, does, changes(b"UIDL", change, with_argument))


FAULTS: Final = (
    _uidl("uidl-refused", "UIDL is listed, and refused.", answers(b"UIDL", b"-ERR Not here\r\n")),
    _lines("uidl-two-spaces", "UIDL puts two spaces before an id.", lambda said: _LINE.sub(rb"\1\2  \3", said)),
    _lines("uidl-ids-alone", "UIDL leaves the numbers out.", lambda said: _LINE.sub(rb"\1\3", said)),
    _lines("uidl-without-last", "UIDL leaves out the last message.", lambda said: _LAST_LINE.sub(b"", said)),
    _lines("uidl-never-ends", "UIDL ends without the dot.", lambda said: said.removesuffix(b".\r\n")),
    _lines("uidl-with-sizes", "UIDL gives a size behind an id.", lambda said: _LINE.sub(rb"\1\2 \3 100", said)),
    _lines("uidl-cuts-long-lists", "UIDL gives 256 octets of a list at most.", cut_short),
    _one("uidl-one-with-sizes", "UIDL of one message gives a size behind its id.",
         lambda said: _LINE.sub(rb"\1\2 \3 100", said)),
    _one("uidl-one-id-alone", "UIDL of one message leaves the number out.",
         lambda said: re.sub(rb"\A\+OK [0-9]+ ", b"+OK ", said)),
    _one("uidl-one-in-lines", "UIDL of one message is a list of one line.",
         lambda said: b"+OK\r\n" + said.removeprefix(b"+OK ") + b".\r\n" if said.startswith(b"+OK") else said),
    _one("uidl-one-and-a-dot", "UIDL of one message is followed by a dot.",
         lambda said: said + b".\r\n" if said.startswith(b"+OK") else said),
    _one("uidl-one-otherwise", "UIDL of one message gives another id than UIDL of all.",
         lambda said: _LINE.sub(rb"\1\2 x\3", said)),
    _uidl("uidl-ignores-numbers", "UIDL gives all messages, whichever it is asked for.", hears(b"UIDL", rb".+", b"")),
    _uidl("uidl-nothing-refused", "UIDL of an empty maildrop is refused.",
          answers(b"UIDL", b"-ERR Nothing there\r\n", of_nothing)),
    _uidl("uidl-nothing-no-end", "UIDL of an empty maildrop is a line without the dot.",
          answers(b"UIDL", b"+OK 0 messages\r\n", of_nothing)),
    _uidl("uidl-zero-is-first", "UIDL 0 gives the first message.", hears(b"UIDL", rb"\A0\Z", b"1")),
    _uidl("uidl-clamps", "UIDL with too large a number gives the last message.", clamps(b"UIDL")),
    _uidl("uidl-ignores-signs", "UIDL does not look at a sign.", hears(b"UIDL", rb"\A[-+]", b"")),
    _uidl("uidl-words-are-first", "UIDL takes a word for the first message.", hears(b"UIDL", rb"\A[a-z]+\Z", b"1")),
    _uidl("uidl-reads-digits", "UIDL reads a number as far as there are digits.",
          hears(b"UIDL", rb"\A([1-9][0-9]*)[^0-9].*", rb"\1")),
    _uidl("uidl-reads-hexadecimal", "UIDL takes hexadecimal numbers.", hears(b"UIDL", rb"\A0x", b"")),
    _uidl("uidl-wraps-at-32-bits", "UIDL reads numbers modulo 2**32.", hears(b"UIDL", rb"\A4294967297\Z", b"1")),
    _uidl("uidl-wraps-at-64-bits", "UIDL reads numbers modulo 2**64.",
          hears(b"UIDL", rb"\A18446744073709551617\Z", b"1")),
    _uidl("uidl-huge-is-the-end", "UIDL with a number too long for it ends the session without a word.",
          ends_at(b"UIDL", lambda session, argument: len(argument) > 15)),
    _uidl("uidl-one-deleted", "UIDL gives a message that is deleted, if asked for it.", _deleted_too),
    _uidl("uidl-deleted", "UIDL gives deleted messages as well.", _lists(_every)),
    _uidl("uidl-renumbers", "UIDL numbers what is left anew.", _lists(_anew)),
    _ids("uidl-of-71-octets", "Unique-ids have 71 octets.", lambda session, number, one: _own(session, number, one)
         .rjust(71, b"0")),
    _ids("uidl-with-a-space", "Unique-ids hold a space.",
         lambda session, number, one: b"id " + _own(session, number, one)),
    _ids("uidl-not-ascii", "Unique-ids are not ASCII.",
         lambda session, number, one: b"\xc3\xa4" + _own(session, number, one)),
    _ids("uidl-empty", "The first message has an empty unique-id.",
         lambda session, number, one: b"" if number == 1 else _own(session, number, one)),
    _ids("uidl-all-the-same", "All messages have the same unique-id.", lambda session, number, one: b"same"),
    _ids("uidl-of-the-body", "A unique-id is a hash of the body.", _hash_of_body),
    _ids("uidl-repeats", "Unique-ids repeat after thirty messages.", _repeated),
    _ids("uidl-is-the-number", "A unique-id is the message's number.", lambda session, number, one: b"%d" % number),
    Fault("uidl-of-the-session", "Unique-ids are other ones in each session.",
          pop3=_counts("sessions", b"QUIT")),
    Fault("uidl-of-what-was-read", "Unique-ids change when messages are read.",
          pop3=_counts("readings", b"RETR")),
    Fault("uidl-changes-at-a-drop", "Unique-ids change when a session is broken off.",
          pop3=Pop3Points(around=_identified(_with_count_of("drops")), gone=_dropped)),
    Fault("uidl-changes-at-restart", "Unique-ids change when the server is restarted.",
          pop3=Pop3Points(around=_identified(_of_restarts))),
    _uidl("uidl-changes-at-delete", "Unique-ids change when a message is removed.", _renews_at_delete),
)  # fmt: skip
