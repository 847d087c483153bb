"""Faults in what becomes of octets between the end of mail data and RETR (RFC 5321 §4.5.2, RFC 1939 §3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.mail_data import header_section
from conformance.refserver.pop3_points import Pop3Points
from conformance.refserver.pop3_state import Pop3State

Change = Callable[[bytes], bytes]
_EDGE: Final = 4096


def stored_body(change: Change) -> Change:
    """Return the function that changes the body of a message as it is stored."""

    def stored(message: bytes) -> bytes:
        head = header_section(message)
        return head + b"\r\n" + change(message[len(head) + 2:])

    return stored


def replaced(pattern: bytes, by: bytes, count: int = 0) -> Change:
    """Return the function that replaces in a body whatever fits a pattern."""
    found = re.compile(pattern)
    return stored_body(lambda body: found.sub(by, body, count=count))


def _read(change: Change) -> Pop3Points:
    """Return the points of a POP3 server that gives messages, stuffed and ended, otherwise."""
    return Pop3Points(lines=lambda session, lines: change(lines))


def _given(change: Change) -> Pop3Points:
    """Return the points of a POP3 server that stuffs something else than what is stored."""

    def content(session: Pop3State, octets: bytes) -> bytes:
        return change(octets)

    return Pop3Points(content=content)


def _unstuffed(lines: bytes) -> bytes:
    return (b"\r\n" + lines[:-3]).replace(b"\r\n..", b"\r\n.")[2:] + lines[-3:]


def _without_first_line_dots(message: bytes) -> bytes:
    head = header_section(message)
    return head + b"\r\n" + message[len(head) + 2:].lstrip(b".")


def _very_first_dot_kept(session: object, content: bytes) -> bytes:
    return b"." + content if content.startswith(b".") else content


def _very_first_dot_lost(session: object, content: bytes) -> bytes:
    return content.removeprefix(b".")


def _around_edges(octets: bytes) -> bytes:
    """Lose a dot that begins a line near the edge of a buffer."""
    out = bytearray(octets)
    for edge in range(len(octets) // _EDGE * _EDGE, 0, -_EDGE):
        at = octets.find(b"\r\n.", edge - 8, edge + 8)
        if at > 0:
            del out[at + 2]
    return bytes(out)


def _at_edges(lines: bytes) -> bytes:
    """Forget to stuff a dot near the edge of a buffer."""
    out = bytearray(lines)
    for edge in range(len(lines) // _EDGE * _EDGE, 0, -_EDGE):
        at = lines.find(b"\r\n..", edge - 8, edge + 8)
        if at > 0:
            del out[at + 2]
    return bytes(out)


def _flipped(body: bytes) -> bytes:
    return body[:1500] + bytes([body[1500] ^ 0x01]) + body[1501:] if len(body) > 1501 else body


def _split_at(octets: int) -> Change:
    return replaced(rb"([^\r\n]{%d})(?=[^\r\n])" % octets, rb"\1!\r\n ")


def _cut_at_from(body: bytes) -> bytes:
    """Cut a body where an mbox would see the next message begin."""
    before, found, _ = (b"\r\n\r\n" + body).partition(b"\r\n\r\nFrom ")
    return before[4:] + b"\r\n" if found else body


def _squeezed(body: bytes) -> bytes:
    return re.sub(rb"[ \t]{2,}", b" ", body.expandtabs())


FAULTS: Final = (
    Fault("x-flips-a-bit", "one bit of a longer message changes", stored=stored_body(_flipped)),
    Fault("x-loses-a-line", "the tenth line is lost", stored=replaced(rb"\A((?:[^\r]*\r\n){9})[^\r]*\r\n", rb"\1")),
    Fault("x-appends-a-footer", "a footer is put behind every body", stored=stored_body(
        lambda body: body + b"-- \r\nchecked\r\n",
    )),
    Fault("x-undoes-dots-again", "stuffed dots are undone once more on the way to the maildrop", stored=replaced(
        rb"(?m)^\.", b"",
    )),
    Fault("x-stores-stuffed", "what is stored is stuffed, and RETR stuffs it again", stored=replaced(
        rb"(?m)^\.", b"..",
    )),
    Fault("x-retr-never-stuffs", "RETR stuffs nothing", pop3=_read(_unstuffed)),
    Fault("x-retr-stuffs-lone-dots", "RETR stuffs a line of one dot only", pop3=_read(
        lambda lines: re.sub(rb"(?m)^\.\.(?=[^\r])", b".", lines[:-3]) + lines[-3:],
    )),
    Fault("x-retr-stuffs-but-lone-dots", "RETR stuffs every line but that of one dot", pop3=_read(
        lambda lines: lines.replace(b"\r\n..\r\n", b"\r\n.\r\n"),
    )),
    Fault("x-first-dot", "the dot that begins a body is lost", stored=_without_first_line_dots),
    Fault("x-very-first-dot-kept", "the first line of all keeps its stuffing", content=_very_first_dot_kept),
    Fault("x-very-first-dot-lost", "the first line of all loses its dot", content=_very_first_dot_lost),
    Fault("x-edge-on-the-way-in", "a dot near the edge of a buffer is lost", stored=_around_edges),
    Fault("x-edge-on-the-way-out", "a dot near the edge of a buffer is not stuffed", pop3=_read(_at_edges)),
    Fault("x-splits-lines-at-990", "lines are split at 990 octets", stored=_split_at(990)),
    Fault("x-cuts-lines-at-997", "lines are cut at 997 octets", stored=replaced(rb"([^\r\n]{997})[^\r\n]*", rb"\1")),
    Fault("x-from-munged", "a line that begins with From is quoted", stored=replaced(rb"(?m)^From ", b">From ")),
    Fault("x-from-munged-again", "a line that begins with >From is quoted once more", stored=replaced(
        rb"(?m)^(>*From )", rb">\1",
    )),
    Fault("x-from-unquoted", "a line that begins with >From loses its sign", stored=replaced(
        rb"(?m)^>From ", b"From ",
    )),
    Fault("x-from-cuts", "a line that begins with From ends the message", stored=stored_body(_cut_at_from)),
    Fault("x-trims-lines", "spaces at the ends of lines are lost", stored=replaced(rb"[ \t]+(?=\r\n)", b"")),
    Fault("x-trims-tabs", "tabs at the ends of lines are lost", stored=replaced(rb"\t+(?=\r\n)", b"")),
    Fault("x-squeezes-spaces", "tabs become spaces, and many of them one", stored=stored_body(_squeezed)),
    Fault("x-joins-soft-breaks", "soft line breaks are undone", stored=replaced(rb"=\r\n", b"")),
    Fault("x-flows-text", "a signature's line loses its space", stored=replaced(rb"(?m)^-- \r$", b"--\r")),
    Fault("x-last-line-end", "the last line end of a body is lost", stored=stored_body(
        lambda body: body.removesuffix(b"\r\n") + b"\r\n" * (not body.endswith(b"\r\n\r\n")),
    )),
    Fault("x-trims-the-end", "empty lines at the end are lost", stored=replaced(rb"(?:\r\n){2,}\Z", b"\r\n")),
    Fault("x-trims-the-start", "empty lines at the start are lost", stored=stored_body(lambda body: body.lstrip())),
    Fault("x-joins-empty-lines", "several empty lines become one", stored=replaced(rb"(?:\r\n){3,}", b"\r\n\r\n")),
    Fault("x-retr-adds-a-line", "RETR puts an empty line behind every message", pop3=_given(
        lambda octets: octets + b"\r\n",
    )),
)  # fmt: skip
