"""Faults in RETR (RFC 1939 §5), and in the stuffing of what it gives (§3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import COMMANDS
from conformance.refserver.pop3_fault_kinds import Around, answers, clamps, ends_at, hears, without_argument
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

Change = Callable[[bytes], bytes]


def lines_of(verb: bytes, change: Change) -> Pop3Points:
    """Change what a command gives, stuffed and ended."""
    return Pop3Points(around=_noting, lines=lambda session, octets: (
        change(octets) if session.memory.get("verb") == verb else octets
    ))  # fmt: skip


def content_of(verb: bytes, change: Change) -> Pop3Points:
    """Change what a command gives, before it is stuffed."""
    return Pop3Points(around=_noting, content=lambda session, octets: (
        change(octets) if session.memory.get("verb") == verb else octets
    ))  # fmt: skip


def _noting(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    session.memory["verb"] = verb
    return go_on()


def in_body(change: Change) -> Change:
    """Change what stands behind the header only."""

    def changed(octets: bytes) -> bytes:
        header, empty, body = octets.partition(b"\r\n\r\n")
        return header + empty + change(body)

    return changed


def _unstuffed(block: bytes) -> bytes:
    return block.replace(b"\r\n..", b"\r\n.")


def _stuffs_behind_spaces(block: bytes) -> bytes:
    return block.replace(b"\r\n .", b"\r\n ..")


def unstuffed_at(octets: int) -> Change:
    """Return a block in which a dot that begins a buffer is not stuffed: its line began in the buffer before."""

    def changed(block: bytes) -> bytes:
        plain = block[:-3].replace(b"\r\n..", b"\r\n.")
        at_edges = {at for at in range(octets, len(plain), octets) if plain[at - 2:at + 1] == b"\r\n."}
        pieces, last = [], 0
        for found in re.finditer(rb"(?<=\r\n)\.", plain):
            pieces.append(plain[last:found.start()] + (b"" if found.start() in at_edges else b"."))
            last = found.start()
        return b"".join(pieces) + plain[last:] + block[-3:]

    return changed


def _doubled_at(octets: int) -> Change:
    """Return a block in which a dot that begins a buffer is stuffed, whether it begins a line or not."""

    def changed(block: bytes) -> bytes:
        places = [at for at in range(octets, len(block) - 3, octets) if block[at:at + 1] == b"."]
        for at in reversed(places):
            block = block[:at] + b"." + block[at:]
        return block

    return changed


def _with_status(session: Pop3State, octets: bytes) -> bytes:
    seen = session.memory.setdefault("seen", set())
    known = octets in seen
    seen.add(octets)
    return b"Status: RO\r\n" + octets if known else octets


def _gives_deleted(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb != b"RETR" or session.view is None or session.view.get(argument) is not None:
        return go_on()
    marked = [number for number, _ in enumerate(session.view.every(), 1) if session.view.get(b"%d" % number) is None]
    session.view.unmark_all()
    response = go_on()
    for number in marked:
        session.view.mark(number)
    return response


def _deletes(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb == b"RETR" and response.startswith(b"+OK") and session.view is not None:
        session.view.mark(int(argument))
    return response


def _deletes_at_the_end(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"QUIT" and session.view is not None:
        for number in session.memory.get("given", ()):
            session.view.mark(number)
    response = go_on()
    if verb == b"RETR" and response.startswith(b"+OK"):
        session.memory.setdefault("given", set()).add(int(argument))
    return response


def _retr(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


def _sent(name: str, does: str, change: Change) -> Fault:
    return Fault(name, does, pop3=lines_of(b"RETR", change))


def _read(name: str, does: str, change: Change) -> Fault:
    return Fault(name, does, pop3=content_of(b"RETR", change))


FAULTS: Final = (
    _retr("retr-refused", "RETR is refused.", answers(b"RETR", b"-ERR It cannot be read\r\n")),
    _sent("retr-never-ends", "RETR ends without the dot.", lambda block: block.removesuffix(b".\r\n")),
    _sent("retr-ends-twice", "RETR ends with two lines of a dot.", lambda block: block + b".\r\n"),
    _read("retr-without-header", "RETR gives the body alone.", lambda content: content.partition(b"\r\n\r\n")[2]),
    _read("retr-without-last-line", "RETR loses the last line.",
          lambda content: content[:content.rstrip(b"\r\n").rfind(b"\r\n") + 2]),
    _read("retr-trims", "RETR trims the ends of lines.", lambda content: re.sub(rb"[ .]+(?=\r\n)", b"", content)),
    _sent("retr-ends-inside-a-line", "RETR ends a message with a dot on its last line.",
          lambda block: block.removesuffix(b"\r\n.\r\n") + b".\r\n"),
    Fault("retr-marks-as-read", "RETR adds a field to what was given before.", pop3=Pop3Points(content=_with_status)),
    _retr("retr-once", "RETR deletes what it gives.", _deletes),
    _retr("retr-deletes-at-the-end", "What RETR gave is gone after QUIT.", _deletes_at_the_end),
    _retr("retr-gives-deleted", "RETR gives deleted messages.", _gives_deleted),
    _retr("retr-clamps", "RETR with too large a number gives the last message.", clamps(b"RETR")),
    _retr("retr-zero-is-first", "RETR 0 gives the first message.", hears(b"RETR", rb"\A0\Z", b"1")),
    _retr("retr-ignores-signs", "RETR does not look at a sign.", hears(b"RETR", rb"\A[-+]", b"")),
    _retr("retr-words-are-first", "RETR takes a word for the first message.", hears(b"RETR", rb"\A[a-z]+\Z", b"1")),
    _retr("retr-reads-digits", "RETR reads a number as far as there are digits.",
          hears(b"RETR", rb"\A([1-9][0-9]*)[^0-9 ].*", rb"\1")),
    _retr("retr-reads-hexadecimal", "RETR takes hexadecimal numbers.", hears(b"RETR", rb"\A0x", b"")),
    _retr("retr-wraps-at-32-bits", "RETR reads numbers modulo 2**32.", hears(b"RETR", rb"\A4294967297\Z", b"1")),
    _retr("retr-wraps-at-64-bits", "RETR reads numbers modulo 2**64.",
          hears(b"RETR", rb"\A18446744073709551617\Z", b"1")),
    _retr("retr-huge-is-the-end", "RETR with a number too long for it ends the session without a word.",
          ends_at(b"RETR", lambda session, argument: len(argument) > 15)),
    _retr("retr-ignores-more", "RETR does not look at a second argument.", hears(b"RETR", rb" .*", b"")),
    _retr("retr-alone-is-first", "RETR without a number gives the first message.",
          lambda session, verb, argument, go_on: (
              COMMANDS[b"RETR"].run(session, b"1")
              if verb == b"RETR" and without_argument(session, argument) and session.view is not None else go_on()
          )),
    _sent("retr-unstuffed", "RETR stuffs no dot.", _unstuffed),
    _sent("retr-stuffs-lone-dots", "RETR stuffs a dot only if it is alone on its line.",
          lambda block: re.sub(rb"\r\n\.(\.[^\r])", rb"\r\n\1", block)),
    _sent("retr-stuffs-no-lone-dot", "RETR stuffs no dot that is alone on its line.",
          lambda block: block.replace(b"\r\n..\r\n", b"\r\n.\r\n")),
    _sent("retr-first-line-unstuffed", "RETR does not stuff the first line of a body.",
          lambda block: block.replace(b"\r\n\r\n..", b"\r\n\r\n.", 1)),
    _sent("retr-last-line-unstuffed", "RETR does not stuff a dot that is the last line.",
          lambda block: block.replace(b"\r\n..\r\n.\r\n", b"\r\n.\r\n.\r\n") if block.endswith(b"\r\n..\r\n.\r\n")
          else block),
    _read("retr-swallows-a-last-dot", "RETR takes a dot that is the last line for the end, and keeps it to itself.",
          lambda content: content.removesuffix(b".\r\n") if content.endswith(b"\r\n.\r\n") else content),
    _sent("retr-two-dots-are-enough", "RETR stuffs no line that begins with two dots.",
          lambda block: block.replace(b"\r\n...", b"\r\n..")),
    _sent("retr-stuffs-behind-spaces", "RETR stuffs dots behind a space.", _stuffs_behind_spaces),
    _read("retr-doubles-dots", "RETR doubles every dot that ends a line.",
          in_body(lambda body: re.sub(rb"(?<=[^\r\n.])\.(?=\r\n)", b"..", body))),
    _sent("retr-edge-of-1024", "RETR does not stuff a dot that begins a buffer of 1,024 octets.", unstuffed_at(1024)),
    _sent("retr-edge-of-1023", "RETR does not stuff a dot that begins a buffer of 1,023 octets.", unstuffed_at(1023)),
    _sent("retr-edge-of-4095", "RETR does not stuff a dot that begins a buffer of 4,095 octets.", unstuffed_at(4095)),
    _sent("retr-edge-of-4096", "RETR does not stuff a dot that begins a buffer of 4,096 octets.", unstuffed_at(4096)),
    _sent("retr-edge-of-8192", "RETR does not stuff a dot that begins a buffer of 8,192 octets.", unstuffed_at(8192)),
    _sent("retr-doubled-at-4096", "RETR doubles a dot that begins a buffer of 4,096 octets.", _doubled_at(4096)),
    _read("retr-cuts-at-64-kib", "RETR gives 64 KiB of a message at most.", lambda content: (
        content if len(content) <= 1 << 16 else content[:content.rfind(b"\r\n", 0, 1 << 16) + 2]
    )),
)  # fmt: skip
