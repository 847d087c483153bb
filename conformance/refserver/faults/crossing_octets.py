"""Faults in what becomes of octets that are no plain ASCII, of the header, and of what comes in parts."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.faults.crossing_content import replaced, stored_body
from conformance.refserver.mail_data import header_section
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import Reading, SmtpState

Change = Callable[[bytes], bytes]
# What the server writes on top: Return-Path, and Received with its clauses.
_TOP: Final = re.compile(rb"\AReturn-Path: [^\r]*\r\nReceived: [^\r]*(?:\r\n\t[^\r]*)*\r\n")
MARK: Final = b"X-Mailproof-Case:"         # behind it come the fields that a case is about
_FIELD: Final = re.compile(rb"[^\r\n:]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
_ENCODING: Final = re.compile(rb"(?im)^content-transfer-encoding:[ \t]*(base64|quoted-printable)[^\r]*")


def _header(change: Change) -> Change:
    """Return the function that changes the header that a message came with."""

    def stored(message: bytes) -> bytes:
        top = _TOP.match(message)
        at = top.end() if top else 0
        head = header_section(message[at:])
        return message[:at] + change(head) + message[at + len(head):]

    return stored


def _fields(pattern: bytes, by: bytes) -> Change:
    """Return the function that replaces in a header whatever fits a pattern."""
    found = re.compile(pattern)
    return _header(lambda head: found.sub(by, head))


def _each_name_once(last: bool) -> Change:
    """Return the function that keeps of the fields of one name the first, or the last."""

    def change(head: bytes) -> bytes:
        kept: dict[bytes, bytes] = {}
        for field in _fields_of(head):
            name = field.partition(b":")[0].lower()
            if last or name not in kept:
                kept[name] = field
        return b"".join(kept.values())

    return _header(change)


def _merged(head: bytes) -> bytes:
    """Put the fields of one name into the first of them."""
    kept: dict[bytes, bytes] = {}
    for field in _fields_of(head):
        name = field.partition(b":")[0].lower()
        more = b",\r\n\t" + field.partition(b":")[2].strip() + b"\r\n"
        kept[name] = kept[name][:-2] + more if name in kept else field
    return b"".join(kept.values())


def _fields_of(head: bytes) -> list[bytes]:
    return [found[0] for found in _FIELD.finditer(head)]


def _sorted(head: bytes) -> bytes:
    """Sort the fields below those that every message has."""
    above, mark, below = head.partition(MARK)
    first, *others = _fields_of(mark + below) or [b""]
    return above + first + b"".join(sorted(others))


def _proper_case(head: bytes) -> bytes:
    return re.sub(rb"(?m)^([xX]-[^\s:]+):", lambda found: found[1].title() + b":", head)


def _unfolded(head: bytes) -> bytes:
    return re.sub(rb"\r\n[ \t]+", b" ", head)


def _one_space(head: bytes) -> bytes:
    return re.sub(rb"(?m)^([^\s:]+):[ \t]*([^\r]*?)[ \t]*\r$", rb"\1: \2\r", head)


def _long_lines_cut(head: bytes) -> bytes:
    return re.sub(rb"(?m)^([^\r]{900})[^\r]*", rb"\1", head)


def _encoded(message: bytes) -> bytes:
    """Encode a body anew, whether or not it has to be."""
    head = header_section(message)
    if b"MIME-Version" not in head or b"multipart/" in head:
        return message
    encoded = b64encode(message[len(head) + 2:])
    head = re.sub(rb"(?im)^content-transfer-encoding:[^\r]*\r\n", b"", head)
    lines = b"".join(encoded[at:at + 76] + b"\r\n" for at in range(0, len(encoded), 76))
    return head + b"Content-Transfer-Encoding: BASE64\r\n\r\n" + lines


def _tidied(message: bytes) -> bytes:
    """Write what is said to be encoded in lines of 76 octets, and without what is no part of the code."""
    head = header_section(message)
    found = _ENCODING.search(head)
    if found is None:
        return message
    body = message[len(head) + 2:]
    if found[1].lower() == b"base64":
        body = re.sub(rb"[^A-Za-z0-9+/=\r\n]", b"", body)
        body = re.sub(rb"([^\r\n]{76})(?=[^\r\n])", rb"\1\r\n", body)
    else:
        body = re.sub(rb"=([0-9a-f]{2})", lambda hexed: hexed[0].upper(), body)
        body = re.sub(rb"([^\r\n]{75})(?=[^\r\n]{2})", rb"\1=\r\n", body)
    return head + b"\r\n" + body


def _ended(message: bytes) -> bytes:
    """Put the last boundary behind a multipart message that lacks it."""
    found = re.search(rb'boundary="?([^"\r\n;]+)', header_section(message))
    return message if found is None or b"--" + found[1] + b"--" in message else message + b"--" + found[1] + b"--\r\n"


def _eighth_bit(octets: bytes) -> bytes:
    return bytes(octet & 0x7F for octet in octets)


def _as_utf8(body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode()


def _from_latin1(octets: bytes) -> bytes:
    return octets if octets.isascii() else octets.decode("latin-1").encode()


def _lines_of_python(body: bytes) -> bytes:
    """Make a line end of everything that some library takes for one."""
    return re.sub(rb"[\x0b\x0c\x1c-\x1e\x85]", b"\r\n", body)


def _nul_ends_line(body: bytes) -> bytes:
    return re.sub(rb"\0[^\r]*", b"", body)


def _nul_ends(message: bytes) -> bytes:
    return message.partition(b"\0")[0] + b"\r\n" if b"\0" in message else message


def _nul_ends_header_line(head: bytes) -> bytes:
    return head.partition(b"\0")[0] + b"\r\n" if b"\0" in head else head


def _in_chunks(change: Change) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that changes what came by BDAT."""
    return lambda session, content: change(content) if session.memory.get("by") == b"BDAT" else content


def _remembers_the_way(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb in {b"DATA", b"BDAT"}:
        session.memory["by"] = verb
    return go_on()


def _in_tls(session: SmtpState, content: bytes) -> bytes:
    return content.replace(b"~\t", b"~") if session.client.cipher is not None else content


def _in_pieces_of(octets: int) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that loses a sign in pieces of one size, and in no other."""

    def incoming(session: SmtpState, came: bytes) -> bytes:
        if session.reading is not Reading.MAIL_DATA or len(came) != octets:
            return came
        return came.replace(b"~", b"")

    return incoming


FAULTS: Final = (
    Fault("x-drops-the-eighth-bit", "octets above 127 lose their highest bit", stored=_eighth_bit),
    Fault("x-wants-utf8", "what is no UTF-8 is replaced", stored=stored_body(_as_utf8)),
    Fault("x-from-latin-1", "every octet above 127 is taken for Latin-1, and written as UTF-8", stored=_from_latin1),
    Fault("x-questions-utf8", "octets above 127 become question marks", stored=lambda message: re.sub(
        rb"[\x80-\xff]", b"?", message,
    )),
    Fault("x-lines-of-python", "other controls end lines too", stored=stored_body(_lines_of_python)),
    Fault("x-trims-controls", "controls at the ends of lines are lost", stored=replaced(
        rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]+(?=\r\n)", b"",
    )),
    Fault("x-escape-is-lost", "ESC, and what it begins, is lost", stored=replaced(rb"\x1b.?", b"")),
    Fault("x-substitute-ends", "SUB ends the message", stored=stored_body(
        lambda body: body.partition(b"\x1a")[0] + b"\r\n" * (b"\x1a" in body),
    )),
    Fault("x-nul-ends-lines", "NUL ends a line", stored=stored_body(_nul_ends_line)),
    Fault("x-nul-ends-all", "NUL ends a message", stored=_nul_ends),
    Fault("x-nul-ends-headers", "NUL ends a header", stored=_header(_nul_ends_header_line)),
    Fault("x-loses-long-lines", "of lines above 998 octets the rest is lost", stored=replaced(
        rb"([^\r\n]{998})[^\r\n]+", rb"\1",
    )),
    Fault("x-unfolds", "fields are unfolded", stored=_header(_unfolded)),
    Fault("x-one-space", "one space stands behind each name, none at the end", stored=_header(_one_space)),
    Fault("x-loses-empty-fields", "fields without a value are lost", stored=_fields(
        rb"(?m)^[^\s:]+:[ \t]*\r\n(?![ \t])", b"",
    )),
    Fault("x-proper-case", "names of fields get capitals", stored=_header(_proper_case)),
    Fault("x-sorts-fields", "fields are sorted", stored=_header(_sorted)),
    Fault("x-cuts-long-fields", "lines of the header are cut at 900 octets", stored=_header(_long_lines_cut)),
    Fault("x-small-domains", "domains in the header are written small", stored=_fields(rb"ELSEWHERE", b"elsewhere")),
    Fault("x-loses-comments", "comments in the header are lost", stored=_fields(rb" \([^()\r]*\)", b"")),
    Fault("x-writes-dates-anew", "years in the header get four digits", stored=_fields(rb"1 Jan 26", b"01 Jan 2026")),
    Fault("x-joins-names-and-colons", "no space stands before a colon", stored=_fields(rb"(?m)^([^\s:]+) +:", rb"\1:")),
    Fault("x-loses-loop-marks", "marks of lists and loops are lost", stored=_fields(
        rb"(?m)^(?:X-Loop|Precedence|List-Id):[^\r]*\r\n", b"",
    )),
    Fault("x-own-message-id", "every message gets an identity of the server's", stored=_fields(
        rb"(?m)^Message-ID:[^\r]*", b"Message-ID: <own@mail.example.test>",
    )),
    Fault("x-tags-subjects", "subjects are tagged", stored=_fields(rb"(?m)^Subject: ", b"Subject: [EXTERNAL] ")),
    Fault("x-keeps-last-fields", "of fields of one name the last is kept", stored=_each_name_once(last=True)),
    Fault("x-keeps-first-fields", "of fields of one name the first is kept", stored=_each_name_once(last=False)),
    Fault("x-merges-fields", "fields of one name become one", stored=_header(_merged)),
    Fault("x-encodes-anew", "bodies are encoded in base64", stored=_encoded),
    Fault("x-tidies-codes", "what is encoded is written in shorter lines", stored=_tidied),
    Fault("x-ends-multiparts", "a multipart message gets the last boundary that it lacks", stored=_ended),
    Fault("x-unquotes-boundaries", "boundaries lose their quotes", stored=_fields(
        rb'boundary="([^"]*)"', rb"boundary=\1",
    )),
    Fault("x-loses-epilogues", "what follows the last boundary is lost", stored=replaced(rb"An epilogue\.\r\n", b"")),
    Fault("x-unstuffs-chunks", "dots in chunks are undone", around=_remembers_the_way, content=_in_chunks(
        lambda content: content.replace(b"\r\n.", b"\r\n"),
    )),
    Fault("x-ends-chunks-at-dots", "a dot alone ends chunks", around=_remembers_the_way, content=_in_chunks(
        lambda content: content.partition(b"\r\n.\r\n")[0] + b"\r\n",
    )),
    Fault("x-otherwise-in-tls", "inside TLS a tab is lost", content=_in_tls),
    *(Fault(f"x-pieces-of-{n}", f"in pieces of {n} octets a sign is lost", incoming=_in_pieces_of(n)) for n in (
        1, 7, 1460, 65_536,
    )),
    Fault("x-cuts-at-64k", "a body is cut at 64 KiB", stored=stored_body(
        lambda body: body if len(body) <= 65_536 else body[:65_536].rpartition(b"\r\n")[0] + b"\r\n",
    )),
)  # fmt: skip
