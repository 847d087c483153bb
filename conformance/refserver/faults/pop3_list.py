"""Faults in LIST and in the sizes it gives (RFC 1939 §5, §11)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
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

_LINE: Final = re.compile(rb"(?m)^((?:\+OK )?)([0-9]+) ([0-9]+)(?=\r$)")
_FIRST_LINE: Final = re.compile(rb"(?m)^1 [0-9]+\r\n")
_LAST_LINE: Final = re.compile(rb"(?<=\n)[0-9]+ [0-9]+\r\n(?=\.\r\n\Z)")
_BUFFER_OCTETS: Final = 256


def sized(how: Callable[[bytes], int]) -> Around:
    """Return a LIST whose sizes come of what a message holds, in a way of their own."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        if verb != b"LIST" or (view := session.view) is None:
            return response

        def counted(found: re.Match[bytes]) -> bytes:
            content = view.read(view.every()[int(found[2]) - 1]) or b""
            return b"%b%b %d" % (found[1], found[2], how(content))

        return _LINE.sub(counted, response)

    return around


def relists(rewritten: Callable[[Pop3State, bytes], bytes]) -> Around:
    """Return a LIST, asked for all, that is given in another way."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        return rewritten(session, response) if verb == b"LIST" and not argument and session.view else response

    return around


def _listed_though_deleted(session: Pop3State, response: bytes) -> bytes:
    assert session.view is not None
    lines = [b"%d %d\r\n" % (number, one.octets) for number, one in enumerate(session.view.every(), 1)]
    return b"+OK\r\n" + b"".join(lines) + b".\r\n"


def _renumbered(session: Pop3State, response: bytes) -> bytes:
    assert session.view is not None
    lines = [b"%d %d\r\n" % (at, one.octets) for at, (_, one) in enumerate(session.view.present(), 1)]
    return b"+OK\r\n" + b"".join(lines) + b".\r\n"


def _deleted_too(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    every = session.view.every() if session.view else ()
    if verb == b"LIST" and response.startswith(b"-") and argument.isdigit() and 0 < int(argument) <= len(every):
        return b"+OK %b %d\r\n" % (argument, every[int(argument) - 1].octets)
    return response


def cut_short(response: bytes) -> bytes:
    """Return as many lines of a list as go into a small buffer, and its end."""
    if len(response) <= _BUFFER_OCTETS:
        return response
    return response[:response.rfind(b"\r\n", 0, _BUFFER_OCTETS) + 2] + b".\r\n"


def _list(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


def _lines(name: str, does: str, change: Callable[[bytes], bytes]) -> Fault:
    return _list(name, does, changes(b"LIST", change, without_argument))


def _one(name: str, does: str, change: Callable[[bytes], bytes]) -> Fault:
    return _list(name, does, changes(b"LIST", change, with_argument))


FAULTS: Final = (
    _lines("list-two-spaces", "LIST puts two spaces before a size.", lambda said: _LINE.sub(rb"\1\2  \3", said)),
    _lines("list-sizes-alone", "LIST leaves the numbers out.", lambda said: _LINE.sub(rb"\1\3", said)),
    _lines("list-without-last", "LIST leaves out the last message.", lambda said: _LAST_LINE.sub(b"", said)),
    _lines("list-from-zero", "LIST numbers from 0.",
           lambda said: _LINE.sub(lambda found: b"%b%d %b" % (found[1], int(found[2]) - 1, found[3]), said)),
    _lines("list-first-twice", "LIST gives the first message twice.",
           lambda said: _FIRST_LINE.sub(lambda found: found[0] * 2, said)),
    _lines("list-never-ends", "LIST ends without the dot.", lambda said: said.removesuffix(b".\r\n")),
    _lines("list-cuts-long-lists", "LIST gives 256 octets of a list at most.", cut_short),
    _lines("list-with-dates", "LIST gives a date behind a size.", lambda said: _LINE.sub(rb"\1\2 \3 today", said)),
    _one("list-one-with-dates", "LIST of one message gives a date behind its size.",
         lambda said: _LINE.sub(rb"\1\2 \3 today", said)),
    _one("list-one-size-alone", "LIST of one message leaves the number out.",
         lambda said: re.sub(rb"\A\+OK [0-9]+ ", b"+OK ", said)),
    _one("list-one-in-lines", "LIST of one message is a list of one line.",
         lambda said: b"+OK\r\n" + said.removeprefix(b"+OK ") + b".\r\n" if said.startswith(b"+OK") else said),
    _one("list-one-and-a-dot", "LIST of one message is followed by a dot.",
         lambda said: said + b".\r\n" if said.startswith(b"+OK") else said),
    _one("list-one-off-by-one", "LIST of one message counts an octet more.",
         lambda said: _LINE.sub(lambda found: b"%b%b %d" % (found[1], found[2], int(found[3]) + 1), said)),
    _list("list-ignores-numbers", "LIST gives all messages, whichever it is asked for.", hears(b"LIST", rb".+", b"")),
    _list("list-nothing-refused", "LIST of an empty maildrop is refused.",
          answers(b"LIST", b"-ERR Nothing there\r\n", of_nothing)),
    _list("list-nothing-no-end", "LIST of an empty maildrop is a line without the dot.",
          answers(b"LIST", b"+OK 0 messages\r\n", of_nothing)),
    _list("list-zero-is-first", "LIST 0 gives the first message.", hears(b"LIST", rb"\A0\Z", b"1")),
    _list("list-clamps", "LIST with too large a number gives the last message.", clamps(b"LIST")),
    _list("list-reads-odd-numbers-wrong", "LIST takes 01 and +1 for 2.", hears(b"LIST", rb"\A[0+]1\Z", b"2")),
    _list("list-ignores-signs", "LIST does not look at a sign.", hears(b"LIST", rb"\A[-+]", b"")),
    _list("list-words-are-first", "LIST takes a word for the first message.", hears(b"LIST", rb"\A[a-z]+\Z", b"1")),
    _list("list-reads-digits", "LIST reads a number as far as there are digits.",
          hears(b"LIST", rb"\A([1-9][0-9]*)[^0-9].*", rb"\1")),
    _list("list-reads-hexadecimal", "LIST takes hexadecimal numbers.", hears(b"LIST", rb"\A0x", b"")),
    _list("list-wraps-at-32-bits", "LIST reads numbers modulo 2**32.", hears(b"LIST", rb"\A4294967297\Z", b"1")),
    _list("list-wraps-at-64-bits", "LIST reads numbers modulo 2**64.",
          hears(b"LIST", rb"\A18446744073709551617\Z", b"1")),
    _list("list-huge-is-first", "LIST takes what is too long for a number as the first message.",
          hears(b"LIST", rb"\A9{12,}\Z", b"1")),
    _list("list-huge-is-the-end", "LIST with a number too long for it ends the session without a word.",
          ends_at(b"LIST", lambda session, argument: len(argument) > 15)),
    _list("list-one-deleted", "LIST gives a message that is deleted, if asked for it.", _deleted_too),
    _list("list-deleted", "LIST gives deleted messages as well.", relists(_listed_though_deleted)),
    _list("list-renumbers", "LIST numbers what is left anew.", relists(_renumbered)),
    _list("list-size-counts-lf", "LIST counts a CRLF as one octet.",
          sized(lambda content: len(content) - content.count(b"\r\n"))),
    _list("list-size-counts-stuffing", "LIST counts the dots that lines are stuffed with.",
          sized(lambda content: len(content) + content.count(b"\r\n."))),
    _list("list-size-counts-characters", "LIST counts characters.", sized(lambda content: len(content.decode()))),
    _list("list-size-counts-the-end", "LIST counts the line with the dot.", sized(lambda content: len(content) + 3)),
    _list("list-size-without-header", "LIST counts the body alone.",
          sized(lambda content: len(content.partition(b"\r\n\r\n")[2]))),
    _list("list-size-in-kilobytes", "LIST rounds sizes to kilobytes.",
          sized(lambda content: -(-len(content) // 1024) * 1024)),
    _list("list-size-of-folded-lines", "LIST counts a line of more than 512 octets as if it were two.",
          sized(lambda content: len(content) + 2 * sum(len(line) > 512 for line in content.split(b"\r\n")))),
)  # fmt: skip
