"""Faults in trace fields, and in what must be left alone beside them (RFC 5321 §4.4, §7.2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState

# What the server writes on top: Return-Path, then Received with its clauses, each on a line of its own.
_TOP: Final = re.compile(rb"\A(Return-Path: [^\r]*\r\n)(Received: [^\r]*(?:\r\n\t[^\r]*)*\r\n)", re.DOTALL)
_FIELD: Final = re.compile(rb"[^\r\n:]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
_OLD_RECEIVED: Final = re.compile(rb"(?i)received:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
_YEAR: Final = re.compile(rb"( [A-Z][a-z]{2} )\d\d(\d\d )")

_ADDRESSES: Final = (b"Cc:", b"Reply-To:", b"Sender:")

Change = Callable[[bytes], bytes]


def _parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return Return-Path, Received, and the message as it came."""
    found = _TOP.match(message)
    return (found[1], found[2], message[found.end():]) if found else (b"", b"", message)


def _received(change: Change) -> Change:
    """Return the function that changes the Received field of a message."""

    def stored(message: bytes) -> bytes:
        path, received, rest = _parts(message)
        return path + change(received) + rest

    return stored


def _replaced(pattern: bytes, by: bytes) -> Change:
    found = re.compile(pattern)
    return _received(lambda received: found.sub(by, received, count=1))


def _path(change: Change) -> Change:
    """Return the function that changes the Return-Path of a message."""

    def stored(message: bytes) -> bytes:
        path, received, rest = _parts(message)
        return change(path) + received + rest

    return stored


def _rest(change: Change) -> Change:
    """Return the function that changes the header that a message came with."""

    def stored(message: bytes) -> bytes:
        path, received, rest = _parts(message)
        header, end, body = rest.partition(b"\r\n\r\n")
        return path + received + change(header + b"\r\n")[:-2] + end + body

    return stored


def _received_below(message: bytes) -> bytes:
    path, received, rest = _parts(message)
    header, end, body = rest.partition(b"\r\n\r\n")
    return path + header + b"\r\n" + received[:-2] + end + body


def _path_below(message: bytes) -> bytes:
    path, received, rest = _parts(message)
    return received + path + rest


def _path_from_author(message: bytes) -> bytes:
    _, received, rest = _parts(message)
    author = re.search(rb"(?m)^From: (<[^>]*>)", rest)
    return b"Return-Path: " + (author[1] if author else b"<>") + b"\r\n" + received + rest


def _without_old(header: bytes) -> bytes:
    return _OLD_RECEIVED.sub(b"", header)


def _refolded(header: bytes) -> bytes:
    return _OLD_RECEIVED.sub(lambda found: re.sub(rb"\r\n[ \t]+|[ \t]+", b" ", found[0]), header)


def _turned_round(header: bytes) -> bytes:
    """Put the older Received fields in the order of their age."""
    old = [found[0] for found in _OLD_RECEIVED.finditer(header)]
    return _OLD_RECEIVED.sub(lambda _: old.pop(), header) if len(old) > 1 else header


def _unfolded(header: bytes) -> bytes:
    return b"".join(re.sub(rb"\r\n[ \t]+", b" ", field) for field in _FIELD.findall(header))


def _one_space(header: bytes) -> bytes:
    return re.sub(rb"(?m)^(X-[^:]*):[ ]*([^\r]*?)[ ]*\r", rb"\1: \2\r", header)


def _proper_case(header: bytes) -> bytes:
    return re.sub(rb"(?m)^([xX]-[a-zA-Z]+):", lambda found: found[1].title() + b":", header)


def _each_once(header: bytes) -> bytes:
    return re.sub(rb"X-Twice: 3\r\n", b"", header)


def _sorted(header: bytes) -> bytes:
    """Put the fields with addresses in the order of the alphabet, at the end."""
    fields = [found[0] for found in _FIELD.finditer(header)]
    addresses = sorted(field for field in fields if field.startswith(_ADDRESSES))
    return b"".join([field for field in fields if not field.startswith(_ADDRESSES)] + addresses)


def _cut(header: bytes) -> bytes:
    return re.sub(rb"(?m)^(X-Long: x{100})x+", rb"\1", header)


def _without_delivery_marks(header: bytes) -> bytes:
    return re.sub(rb"(?m)^(?:Delivered-To|X-Original-To):[^\r]*\r\n", b"", header)


def _mime_in_small_letters(header: bytes) -> bytes:
    return header.replace(b"charset=US-ASCII", b"charset=us-ascii")


def _makes_up_apparently_to(header: bytes) -> bytes:
    return header if re.search(rb"(?m)^To:", header) else header + b"Apparently-To: <user1@example.test>\r\n"


def _remembers(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Remember, for the fields that tell of them, who gets the message."""
    if verb == b"DATA" and session.transaction is not None:
        session.memory["to"] = b", ".join(b"<" + one.path.mailbox + b">" for one in session.transaction.recipients)
    return go_on()


def _says_to_whom(name: bytes) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that puts a field on top that has every recipient."""

    def content(session: SmtpState, octets: bytes) -> bytes:
        to = session.memory.get("to", b"")
        assert isinstance(to, bytes)
        return name + b": " + to + b"\r\n" + octets

    return content


def _for_all(message: bytes) -> bytes:
    """Have the Received field say of all recipients that it is for them."""
    path, received, rest = _parts(message)
    to, _, rest = rest.partition(b"\r\n")
    received = re.sub(rb"\r\n\tfor [^\r;]*", b"", received)
    return path + received.replace(b";", b"\r\n\tfor " + to.partition(b": ")[2] + b";", 1) + rest


def _keeps_return_path(session: SmtpState, content: bytes) -> bytes:
    """Hide a Return-Path that a message came with from what takes it off."""
    return re.sub(rb"(?mi)^return-path:", b"X-Return-Path:", content)


def _shows_return_path(message: bytes) -> bytes:
    return message.replace(b"\r\nX-Return-Path:", b"\r\nReturn-Path:")


def _believes_literals(received: bytes) -> bytes:
    return re.sub(rb"from (\[[^\]]*\]) \(\[[^\]]*\]\)", rb"from \1", received)


def _on_another_day(received: bytes) -> bytes:
    return re.sub(rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun),", lambda day: b"Tue," if day[1] == b"Mon" else b"Mon,", received)


FAULTS: Final = (
    Fault("trace-none", "no Received field is written", stored=_received(lambda received: b"")),
    Fault("trace-below", "Received is written below the header", stored=_received_below),
    Fault("trace-loses-older", "older Received fields are taken off", stored=_rest(_without_old)),
    Fault("trace-refolds-older", "older Received fields are folded anew", stored=_rest(_refolded)),
    Fault("trace-turns-older", "older Received fields are put in another order", stored=_rest(_turned_round)),
    Fault("trace-without-from", "Received has no from", stored=_replaced(rb" from [^\r]*\r\n\t", b" ")),
    Fault("trace-without-by", "Received has no by", stored=_replaced(rb"\tby \S+ with", b"\twith")),
    Fault("trace-by-a-number", "Received names the server by what is no name", stored=_replaced(
        rb"\tby \S+", b"\tby #17#",
    )),
    Fault("trace-without-date", "Received has no date", stored=_replaced(rb";\r\n\t[^\r]*", b"")),
    Fault("trace-date-unmarked", "no semicolon stands before the date", stored=_replaced(rb";\r\n\t", b"\r\n\t")),
    Fault("trace-wrong-weekday", "the day of the week is another", stored=_received(_on_another_day)),
    Fault("trace-two-digit-year", "the year has two digits", stored=_received(lambda line: _YEAR.sub(rb"\1\2", line))),
    Fault("trace-zone-name", "the zone is a name", stored=_replaced(rb" \+0000", b" GMT")),
    Fault("trace-unnamed-client", "the client's name is left out", stored=_replaced(rb"from \S+", b"from unknown")),
    Fault("trace-no-address", "the client's address is left out", stored=_replaced(rb" \(\[[^\]]*\]\)", b"")),
    Fault("trace-believes-literals", "a claimed address is taken for the true one", stored=_received(
        _believes_literals,
    )),
    Fault("trace-without-with", "Received has no with", stored=_replaced(rb" with \S+", b"")),
    Fault("trace-always-smtp", "Received always says SMTP", stored=_replaced(rb" with \S+", b" with SMTP")),
    Fault("trace-always-esmtp", "Received always says ESMTP", stored=_replaced(rb" with \S+", b" with ESMTP")),
    Fault("trace-tls-untold", "nothing is told of TLS but S", stored=_replaced(rb"\r\n\ttls [^\r;]*", b"")),
    Fault(
        "trace-for-all", "Received is for all recipients",
        around=_remembers, content=_says_to_whom(b"X"), stored=_for_all,
    ),
    Fault("trace-for-twice", "Received is for two, of whom one is nobody", stored=_replaced(
        rb"\r\n\tfor (<[^>]*>)", rb"\r\n\tfor \1,<other@example.test>",
    )),
    Fault(
        "trace-tells-envelope", "a field has every recipient",
        around=_remembers, content=_says_to_whom(b"X-Envelope-To"),
    ),
    Fault("trace-no-return-path", "no Return-Path is written", stored=_path(lambda path: b"")),
    Fault("trace-return-path-below", "Return-Path is written below Received", stored=_path_below),
    Fault("trace-return-path-of-author", "Return-Path has the author", stored=_path_from_author),
    Fault("trace-return-path-for-null", "Return-Path of a notice has a name", stored=_path(
        lambda path: path.replace(b"<>", b"<MAILER-DAEMON>"),
    )),
    Fault(
        "trace-return-path-kept", "a Return-Path that a message came with stays",
        content=_keeps_return_path, stored=_shows_return_path,
    ),
    Fault("header-unfolds", "fields are unfolded", stored=_rest(_unfolded)),
    Fault("header-one-space", "one space stands behind each name", stored=_rest(_one_space)),
    Fault("header-proper-case", "names of fields get capitals", stored=_rest(_proper_case)),
    Fault("header-each-once", "a field that comes twice is taken off", stored=_rest(_each_once)),
    Fault("header-sorts", "fields are put in another order", stored=_rest(_sorted)),
    Fault("header-cuts", "a long field is cut", stored=_rest(_cut)),
    Fault("header-delivered-to", "marks of other deliveries are taken off", stored=_rest(_without_delivery_marks)),
    Fault("header-mime", "parameters of Content-Type are written anew", stored=_rest(_mime_in_small_letters)),
    Fault("header-apparently-to", "Apparently-To is made up", stored=_rest(_makes_up_apparently_to)),
)  # fmt: skip
