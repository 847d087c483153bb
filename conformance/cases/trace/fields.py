"""The header of a message as it was stored: its fields, those that are new, and what a Received field says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.judgement import NotApplicable, Undetermined
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

_FIELD: Final = re.compile(rb"([^\r\n:]+):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
RECEIVED: Final = b"received"
RETURN_PATH: Final = b"return-path"


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a message in their order, as octets, folding and all."""

    fields: tuple[bytes, ...]

    def named(self, name: bytes) -> list[bytes]:
        """Return the fields of a name, given in lower case."""
        return [field for field in self.fields if name_of(field) == name]

    def new(self, sent: Sequence[bytes]) -> list[bytes]:
        """Return the fields above the first of those that were sent."""
        kept = set(sent)
        first = next((at for at, field in enumerate(self.fields) if field in kept), len(self.fields))
        return list(self.fields[:first])


def name_of(field: bytes) -> bytes:
    """Return a field's name in lower case."""
    return field.partition(b":")[0].rstrip(b" \t").lower()


def header_of(message: bytes) -> Header:
    """Return a message's header."""
    section = message.partition(b"\r\n\r\n")[0] + b"\r\n"
    return Header(tuple(found[0] for found in _FIELD.finditer(section)))


async def store(peer: SmtpPeer, message: bytes) -> Header:
    """Send a message where MAIL and RCPT were taken; return its header as it lies in the maildrop."""
    await peer.control(b"DATA", "354")
    await peer.send(stuff(message))
    peer.must(await peer.answer(), to=b"the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return header_of(arrived[0])


def ours(message: bytes) -> list[bytes]:
    """Return the fields of a message as we made it."""
    return list(header_of(message).fields)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a Received field says (RFC 5321 §4.4), clause by clause; comments are part of the first two only."""

    octets: bytes              # the whole field
    origin: bytes              # all between "from" and "by", comments and all
    by: bytes                  # the host; b"" if there is none
    clauses: bytes             # all behind the host, without comments, up to the semicolon
    date: bytes                # behind the last semicolon; b"" if there is none

    def clause(self, keyword: bytes) -> bytes:
        """Return the word behind a keyword: `with`, `for`, `id`; b"" if there is none."""
        found = re.search(rb"(?i)(?:^|\s)" + keyword + rb"\s+(\S+)", self.clauses)
        return found[1] if found else b""

    def __str__(self) -> str:
        """Return it for people."""
        return printable(b" ".join(self.octets.split()))


def stamp_of(field: bytes) -> Stamp:
    """Read a Received field, whatever is wrong with it."""
    value = b" ".join(field.partition(b":")[2].split())
    bare = without_comments(value)
    body, semicolon, date = bare.rpartition(b";")
    if not semicolon:
        body, date = bare, b""
    by = re.search(rb"(?i)(?:^|\s)by\s+(\S+)", body)
    end_of_origin = re.search(rb"(?i)\sby\s", value)
    origin = value[: end_of_origin.start()] if end_of_origin else value
    has_from = re.match(rb"(?i)from\s+\S", bare) is not None
    return Stamp(
        field,
        origin.partition(b" ")[2] if has_from else b"",
        by[1].rstrip(b";") if by else b"",
        body[by.end():] if by else body,
        date.strip(),
    )


def without_comments(value: bytes) -> bytes:
    """Return a field's value without its comments, nested ones too (RFC 5322 §3.2.2)."""
    before = None
    while before != value:
        before, value = value, re.sub(rb"\((?:[^()\\]|\\.)*\)", b" ", value)
    return value


async def stamped(peer: SmtpPeer, message: bytes | None = None) -> Stamp:
    """Send a message where MAIL and RCPT were taken; return the Received field with which the server took it from us.

    Of several new ones that is the lowest: those above it are of hops behind.
    """
    message = peer.message() if message is None else message
    header = await store(peer, message)
    new = [field for field in header.new(ours(message)) if name_of(field) == RECEIVED]
    if not new:
        raise Undetermined("no Received field was put on top: trace.received.added looks into that")
    return stamp_of(new[-1])


def may_look(peer: SmtpPeer) -> None:
    """Go on only where trace fields are not left out on purpose."""
    if peer.subject.declared.claims.no_trace_fields:
        raise NotApplicable("trace fields are left out on purpose (claims.no_trace_fields)")
