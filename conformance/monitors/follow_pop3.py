"""Which command does a response answer? Told from what both sides of a recorded POP3 conversation said.

Commands are answered in order (RFC 1939 §3, RFC 2449 §6.6). Where input is no plain command line, or something comes
that nobody can account for, the rest of the conversation is left out: what is not understood is not judged.
"""

import re
from collections import deque
from typing import Final

from conformance.monitors.exchange import Asked
from conformance.monitors.follow import Side
from conformance.monitors.pop3_exchange import MULTI_LINE, Pop3Exchange, read_line
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.response import ResponseReader

_LINE: Final = re.compile(rb"[^\r\n\x00]{1,8190}\r\n")
_SINGLE_LINE: Final = frozenset({
    "USER", "PASS", "APOP", "AUTH", "STLS", "QUIT", "STAT", "DELE", "RSET", "NOOP", "UTF8",
})
_KNOWN: Final = _SINGLE_LINE | MULTI_LINE | {"LANG"}
# What is said unasked by a server that leaves, for which the RFC has no form.
_FAREWELL: Final = re.compile(rb"-ERR[^\r\n]*\r\n")


class Pop3Conversation:
    """A conversation so far, and its exchanges. Nothing is raised."""

    def __init__(self) -> None:
        self.exchanges: list[Pop3Exchange] = []
        self._asked: deque[tuple[Asked, bytes, bool]] = deque([(Asked.GREETING, b"", False)])     # as in Pop3Exchange
        self._reader = ResponseReader()
        self._came = bytearray()             # not yet taken as part of a response
        self._input = bytearray()
        self._waits = False                  # for the answer to AUTH or STLS: how to read on hangs on it
        self._responds = False               # the next line is a response to a challenge
        self._tls = False
        self._lost = False

    def hear(self, side: Side, octets: bytes = b"") -> None:
        """Take what happened next."""
        if self._lost:
            return
        match side:
            case Side.CLIENT:
                self._see_what_is_left()
                self._input += octets
                self._read_on()
            case Side.SERVER:
                self._reader.feed(octets)
                self._came += octets
                self._answered()
            case Side.TLS:                   # what was said before is forgotten (RFC 2595 §4)
                self._tls, self._waits = True, False
                self._input.clear()
                self._came.clear()
                self._reader = ResponseReader()
            case Side.CLOSED:
                self._see_what_is_left(closed=True)
                self._lost = True

    def _read_on(self) -> None:
        while self._input and not self._waits and not self._lost:
            end = self._input.find(b"\n") + 1
            if not end:
                return
            line = bytes(self._input[:end])
            if _LINE.fullmatch(line) is None:
                self._lost = True
                return
            del self._input[:end]
            asked = Asked.RESPONSE if self._responds else Asked.COMMAND
            self._asked.append((asked, line[:-2], self._tls))
            self._waits = self._responds or read_line(asked, line[:-2]).verb in {"AUTH", "STLS"}

    def _answered(self) -> None:
        while self._asked and not self._lost:
            asked, line, tls = self._asked[0]
            said = read_line(asked, line)
            lines = said.wants_lines or (said.verb == "LANG" and not said.argument)
            try:
                response = self._reader.next_response(multi_line=lines)
            except RemoteProtocolError:
                self.exchanges.append(Pop3Exchange(None, asked, line, tls, rest=bytes(self._came)))
                self._lost = True
                return
            if response is None:
                return
            del self._came[: response.octets_received]
            self._asked.popleft()
            self.exchanges.append(Pop3Exchange(response, asked, line, tls))
            if response.ok and said.verb and said.verb not in _KNOWN:
                self._lost = True            # lines may follow, or not
                return
            self._responds = response.continues
            if said.verb == "STLS" and response.ok:
                return                       # nothing is read before the handshake is done
            if not self._asked:
                self._waits = False
                self._read_on()

    def _see_what_is_left(self, *, closed: bool = False) -> None:
        """Note what came behind the newest response, where nothing else was asked; or what came in place of one."""
        pending = bytes(self._came)
        if self._asked:
            if closed and pending:
                self.exchanges.append(Pop3Exchange(None, *self._asked[0], rest=pending))
            return
        if self.exchanges and self.exchanges[-1].extra is None and not self._waits:
            # What is no farewell after all is the answer to what is asked next, and that one's answer is left over.
            if pending and _FAREWELL.fullmatch(pending):
                return
            newest = self.exchanges[-1]
            self.exchanges[-1] = Pop3Exchange(newest.response, newest.asked, newest.command, newest.tls, pending)
            self._lost = bool(pending)
