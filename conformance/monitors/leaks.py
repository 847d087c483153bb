"""What no reply should tell a stranger: the insides of the program and of its machine."""

import re
from functools import lru_cache
from typing import Final

from conformance.monitors.exchange import Exchange, SmtpState
from conformance.monitors.grammar import allows_utf8, any_reply
from conformance.monitors.monitor import Monitor
from loadgen.wire.printable import printable

SMTPUTF8: Final = "SMTPUTF8"
_STACK_TRACE: Final = re.compile(
    rb"Traceback \(most recent call|File \"[^\"]+\", line \d|\bat [\w.$]+\([\w.]+:\d+\)|Exception in thread"
    rb"|goroutine \d+ \[|\bpanicked at |Segmentation fault|\.(?:py|java|go|rb|php|rs|cc?|cpp):\d+\b"
)
# A path of the machine's own, not of a URL: nothing that could be a host name stands before it.
_PATH: Final = re.compile(
    rb"(?<![\w./:])(?:/(?:usr|var|home|etc|opt|tmp|root|srv|lib|run|mnt|proc)/[\w./-]*\w|[A-Z]:\\[\w\\.-]+)"
)


@lru_cache(maxsize=128)
def suspects(octets: bytes) -> bool:
    """Say whether something looks like a stack trace or a path, and is a leak unless the client has said it.

    To be asked of short replies: these are remembered.
    """
    return _STACK_TRACE.search(octets) is not None or _PATH.search(octets) is not None


def leaks(exchange: Exchange, state: SmtpState) -> str | None:
    """Neither NUL, nor a stack trace, nor a path that the client has not said itself."""
    if exchange.reply is None:
        return None
    octets = exchange.reply.octets
    if b"\x00" in octets:
        return f'NUL in "{printable(octets, 120)}"'
    trace = _STACK_TRACE.search(octets)
    if trace is not None and not _said(trace[0], exchange, state):
        return f'"{printable(trace[0], 120)}"'
    paths = (found[0] for found in _PATH.finditer(octets))
    return next((f'"{printable(path, 120)}"' for path in paths if not _said(path, exchange, state)), None)


def _said(octets: bytes, exchange: Exchange, state: SmtpState) -> bool:
    return any(octets in said for said in (exchange.command, *state.said))


def sends_no_utf8(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether a server that knows SMTPUTF8 answers a client that has not asked for it."""
    return exchange.reply is not None and state.offers(SMTPUTF8) and not allows_utf8(exchange, state)


def utf8_unasked(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 6531 §3.7.4: UTF-8 comes only to those who said they can take it."""
    if exchange.reply is None or exchange.reply.octets.isascii():
        return None
    return f'"{printable(exchange.reply.octets, 120)}"'


MONITORS: Final = (
    Monitor("core.leak-octets", any_reply, leaks),
    Monitor("smtp.utf8.replies-ascii", sends_no_utf8, utf8_unasked),
)
