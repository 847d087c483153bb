"""Faults in TOP (RFC 1939 §7)."""

import re
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_retr import Change, content_of, lines_of, unstuffed_at
from conformance.refserver.pop3_commands import COMMANDS
from conformance.refserver.pop3_fault_kinds import Around, answers, clamps, ends_at, hears
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State


def _more_lines(more: int) -> Around:
    """Give so many lines more than were asked for."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        number, _, lines = argument.partition(b" ")
        if verb != b"TOP" or not lines.isdigit() or session.view is None:
            return go_on()
        return COMMANDS[b"TOP"].run(session, b"%b %d" % (number, max(0, int(lines) + more)))

    return around


def _counts_header_lines(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    number, _, lines = argument.partition(b" ")
    found = session.view.get(number) if session.view is not None else None
    if verb != b"TOP" or not lines.isdigit() or found is None or session.view is None:
        return go_on()
    header = (session.view.read(found[1]) or b"").partition(b"\r\n\r\n")[0].count(b"\r\n") + 2
    return COMMANDS[b"TOP"].run(session, b"%b %d" % (number, max(0, int(lines) - header)))


def _counts_octets(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    number, _, lines = argument.partition(b" ")
    if verb != b"TOP" or not lines.isdigit() or session.view is None:
        return go_on()
    response = COMMANDS[b"TOP"].run(session, number + b" 99999")
    if session.body is not None:
        header, empty, rest = b"".join(session.body).partition(b"\r\n\r\n")
        cut = rest.removesuffix(b".\r\n")[: int(lines)]
        session.body = iter([header + empty + cut + (b"\r\n" if cut and not cut.endswith(b"\r\n") else b"") + b".\r\n"])
    return response


def _refuses_more(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    number, _, lines = argument.partition(b" ")
    found = session.view.get(number) if session.view is not None else None
    if verb == b"TOP" and lines.isdigit() and found is not None and session.view is not None:
        body = (session.view.read(found[1]) or b"").partition(b"\r\n\r\n")[2]
        if int(lines) > body.count(b"\r\n"):
            return b"-ERR There are not so many lines\r\n"
    return go_on()


def _deletes(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb == b"TOP" and response.startswith(b"+OK") and session.view is not None:
        session.view.mark(int(argument.partition(b" ")[0]))
    return response


def _gives_deleted(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    number = argument.partition(b" ")[0]
    if verb != b"TOP" or session.view is None or session.view.get(number) is not None or not number.isdigit():
        return go_on()
    marked = [at for at, _ in enumerate(session.view.every(), 1) if session.view.get(b"%d" % at) is None]
    session.view.unmark_all()
    response = go_on()
    for at in marked:
        session.view.mark(at)
    return response


def _without_the_empty_line(content: bytes) -> bytes:
    return content.removesuffix(b"\r\n") if content.endswith(b"\r\n\r\n") else content


def _waits_for_a_body(session: Pop3State, octets: bytes) -> bytes:
    return octets.removesuffix(b".\r\n") if octets.endswith(b"\r\n\r\n.\r\n") else octets


def _top(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


def _sent(name: str, does: str, change: Change) -> Fault:
    return Fault(name, does, pop3=lines_of(b"TOP", change))


FAULTS: Final = (
    _top("top-refused", "TOP is listed, and refused.", answers(b"TOP", b"-ERR Not here\r\n")),
    _top("top-one-line-more", "TOP gives a line more than it is asked for.", _more_lines(1)),
    _top("top-one-line-less", "TOP gives a line less than it is asked for.", _more_lines(-1)),
    _top("top-counts-header-lines", "TOP counts the lines of the header, and gives all of them.", _counts_header_lines),
    _top("top-counts-octets", "TOP counts octets, not lines.", _counts_octets),
    _top("top-gives-everything", "TOP gives the whole message, whatever it is asked for.",
         hears(b"TOP", rb" [0-9]+\Z", b" 99999")),
    _top("top-refuses-more", "TOP refuses more lines than there are.", _refuses_more),
    _top("top-reads-16-bits", "TOP reads the number of lines modulo 2**16.", hears(b"TOP", rb" 65539\Z", b" 3")),
    _top("top-reads-31-bits", "TOP takes 2**31 - 1 lines for none.", hears(b"TOP", rb" 2147483647\Z", b" 0")),
    _top("top-huge-is-none", "TOP takes a number of lines that is too long for none.",
         hears(b"TOP", rb" [0-9]{15,}\Z", b" 0")),
    Fault("top-drops-the-empty-line", "TOP of no lines leaves the empty line out.",
          pop3=content_of(b"TOP", _without_the_empty_line)),
    Fault("top-drops-fields", "TOP leaves out where a message was received.",
          pop3=content_of(b"TOP", lambda content: re.sub(rb"\AReceived:[^\n]*\n(?:[ \t][^\n]*\n)*", b"", re.sub(
              rb"\AReturn-Path:[^\n]*\n", b"", content)))),
    _sent("top-unstuffed", "TOP stuffs no dot.", lambda block: block.replace(b"\r\n..", b"\r\n.")),
    _sent("top-stuffs-lone-dots", "TOP stuffs a dot only if it is alone on its line.",
          lambda block: re.sub(rb"\r\n\.(\.[^\r])", rb"\r\n\1", block)),
    _sent("top-stuffs-twice", "TOP stuffs dots twice.", lambda block: block.replace(b"\r\n..", b"\r\n...")),
    _sent("top-edge-of-4096", "TOP does not stuff a dot that begins a buffer of 4,096 octets.", unstuffed_at(4096)),
    _top("top-needs-no-count", "TOP without a number of lines gives the header.", hears(b"TOP", rb"\A1\Z", b"1 0")),
    _top("top-ignores-signs", "TOP does not look at the sign of a number of lines.", hears(b"TOP", rb" -", b" ")),
    _top("top-words-are-none", "TOP takes a word for no lines.", hears(b"TOP", rb" [a-z]+\Z", b" 0")),
    _top("top-reads-digits", "TOP reads a number of lines as far as there are digits.",
         hears(b"TOP", rb"( [0-9]+)[^0-9].*", rb"\1")),
    _top("top-zero-is-first", "TOP of 0 gives the first message.", hears(b"TOP", rb"\A0 ", b"1 ")),
    _top("top-clamps", "TOP with too large a number gives the last message.", clamps(b"TOP")),
    _top("top-of-negative", "TOP does not look at the sign of a message-number.", hears(b"TOP", rb"\A-", b"")),
    _top("top-of-words", "TOP takes a word for the first message.", hears(b"TOP", rb"\A[a-z]+ ", b"1 ")),
    _top("top-of-digits", "TOP reads a message-number as far as there are digits.",
         hears(b"TOP", rb"\A([1-9][0-9]*)[^0-9 ]\S*", rb"\1")),
    _top("top-of-hexadecimal", "TOP takes hexadecimal message-numbers.", hears(b"TOP", rb"\A0x", b"")),
    _top("top-wraps-at-32-bits", "TOP reads message-numbers modulo 2**32.", hears(b"TOP", rb"\A4294967297 ", b"1 ")),
    _top("top-wraps-at-64-bits", "TOP reads message-numbers modulo 2**64.",
         hears(b"TOP", rb"\A18446744073709551617 ", b"1 ")),
    _top("top-huge-is-the-end", "TOP with a message-number too long for it ends the session without a word.",
         ends_at(b"TOP", lambda session, argument: len(argument.partition(b" ")[0]) > 15)),
    _top("top-gives-deleted", "TOP gives deleted messages.", _gives_deleted),
    _top("top-deletes", "TOP deletes what it gives a part of.", _deletes),
    Fault("top-waits-for-a-body", "TOP of a header alone never ends.", pop3=Pop3Points(lines=_waits_for_a_body)),
)  # fmt: skip
