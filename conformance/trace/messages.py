"""The messages in a file: one as it is, or those of an mbox (RFC 4155)."""

import re
from collections.abc import Iterator
from typing import Final

_BEGINS: Final = re.compile(rb"^From [^\n]*\n(?=[!-9;-~]+[ \t]*:|>From )", re.MULTILINE)


def messages_in(octets: bytes) -> Iterator[bytes]:
    """Yield the messages of an mbox, or the one message that this is.

    In an mbox a line that begins with "From " starts a message at the top, or behind an empty line and above a header.
    """
    if not octets.startswith(b"From "):
        yield octets
        return
    starts = [found for found in _BEGINS.finditer(octets) if _may_begin(octets, found.start())]
    for at, found in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(octets)
        yield octets[found.end():end]


def _may_begin(octets: bytes, at: int) -> bool:
    return at == 0 or octets[max(0, at - 2):at] == b"\n\n" or octets[max(0, at - 4):at] == b"\r\n\r\n"
