"""The header of a message as it was stored: its fields, those that are new, and what a Received field says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.judgement import NotApplicable, Undetermined
from conformance.peer import SmtpPeer
from conformance.trace.header import RECEIVED
from conformance.trace.header import header_of as fields_of
from conformance.trace.received import Received, received
from conformance.trace.tokens import without_comments
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

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
    return Header(tuple(field.octets for field in fields_of(message)))


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
    """A Received field that the server wrote."""

    octets: bytes              # the whole field
    field: Received

    @property
    def origin(self) -> bytes:
        """Return all between "from" and "by", comments and all; b"" if there is no from."""
        return self.field.clause(b"from").text

    @property
    def by(self) -> bytes:
        """Return the host; b"" if there is none."""
        return self.field.by

    @property
    def date(self) -> bytes:
        """Return what stands behind the last semicolon, without comments; b"" if there is none."""
        return b" ".join(without_comments(self.field.date).split()) if self.field.semicolon else b""

    def clause(self, keyword: bytes) -> bytes:
        """Return the word behind a keyword: `with`, `for`, `id`; b"" if there is none."""
        return self.field.clause(keyword).value

    def __str__(self) -> str:
        """Return it for people."""
        return printable(b" ".join(self.octets.split()))


def stamp_of(field: bytes) -> Stamp:
    """Read a Received field, whatever is wrong with it."""
    return Stamp(field, received(field.partition(b":")[2]))


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
