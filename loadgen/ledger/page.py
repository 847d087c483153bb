"""A page of the ledger: what one session sent and what it found, as a value that can be appended to a file."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from loadgen.session.trace import Offered, Retrieved, Trace, Word

LENGTH_OCTETS: Final = 4


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What one session leaves for the ledger. Its instants are on the `clock_ns` of the process that wrote it."""

    intended_ns: int            # when the schedule wanted the session; from the run's start
    begun: list[Offered]
    words: list[Word]
    dots: dict[int, int]
    retrieved: list[Retrieved]
    looked: str | None          # the maildrop that was read from end to end; None: none was
    look_ns: int                # when the session began that did: what came later it need not have seen


def page_of(trace: Trace, intended_ns: int = 0, looked: str | None = None, look_ns: int = 0) -> Page | None:
    """Return the page of one session; None if there is nothing to enter."""
    if not (trace.begun or trace.retrieved or looked is not None):
        return None
    return Page(intended_ns, trace.begun, trace.words, trace.dots, trace.retrieved, looked, look_ns)


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Page)


def encoded(page: Page) -> bytes:
    """Return a page as it is appended to a file: its length, and itself."""
    octets = _ENCODER.encode(page)
    return len(octets).to_bytes(LENGTH_OCTETS, "big") + octets


def pages_in(stream: BinaryIO) -> Iterator[Page]:
    """Yield the pages of a file in their order. Of one that was cut short the last page is left out."""
    while len(head := stream.read(LENGTH_OCTETS)) == LENGTH_OCTETS:
        length = int.from_bytes(head, "big")
        octets = stream.read(length)
        if len(octets) < length:
            return
        yield _DECODER.decode(octets)
