"""Which command does a reply answer? Told from what both sides of a recorded conversation said, as a server reads it.

A server takes its input in order, however it was sent: so what follows DATA, AUTH, STARTTLS or BDAT is read once
their reply is known. Where input is no plain command line, or a reply comes unasked, nobody can tell any more: from
there on every reply is Asked.UNKNOWN, and only the grammar is judged.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum, auto
from typing import Final

from conformance.monitors.exchange import SHUTTING_DOWN, Asked, Exchange, SmtpState
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.reply import Reply, ReplyReader

# A line of at most 512 octets (RFC 5321 §4.5.3.1.4); a longer one, an empty one, or one that holds a line ending of its
# own may be answered more than once, or not at all.
_PLAIN_COMMAND: Final = re.compile(rb"[^\r\n\x00]{1,510}\r\n")
_PLAIN_RESPONSE: Final = re.compile(rb"[^\r\n\x00]{0,12288}\r\n")     # RFC 4954 §4
_BDAT: Final = re.compile(rb"BDAT ([0-9]{1,18})( LAST)?", re.IGNORECASE)
_END_OF_MAIL_DATA: Final = b"\r\n.\r\n"
_LINE_OCTETS_MAX: Final = 12_290         # no line that has not ended is waited for any longer
_INPUT_KEPT: Final = 2048                # once nobody can tell any more
_WAITED_FOR: Final = {b"DATA", b"AUTH", b"STARTTLS"}     # what comes next depends on the reply


class Side(StrEnum):
    """Who did something in a conversation."""

    CLIENT = auto()          # octets sent
    SERVER = auto()          # octets received
    TLS = auto()             # the handshake is done; no octets
    CLOSED = auto()          # the server closed, in good order; no octets. A reset may have cost a reply: leave it out


Event = tuple[Side, bytes]


class _Mode(StrEnum):
    COMMANDS = auto()
    MAIL_DATA = auto()
    RESPONSE = auto()


class Conversation:
    """A conversation so far, and its exchanges by their replies. Nothing is raised: what is odd is UNKNOWN."""

    def __init__(self, *, lmtp: bool) -> None:
        self.exchanges: list[Exchange] = []
        self._state = SmtpState(lmtp=lmtp)
        self._asked: deque[tuple[Asked, bytes]] = deque([(Asked.GREETING, b"")])
        self._mode = _Mode.COMMANDS
        self._waits = False                  # the input is read on when nothing is left to be answered
        self._sure = True
        self._over = False                   # the mail data of the newest transaction have all been sent
        self._tls = False
        self._closed = False
        self._input = bytearray()
        self._replies: ReplyReader | None = ReplyReader()      # None: what came cannot be read as replies

    def hear(self, side: Side, octets: bytes = b"") -> None:
        """Take what happened next. What comes behind Side.CLOSED is left out."""
        if self._closed:
            return
        match side:
            case Side.CLIENT:
                self._input += octets if self._sure else octets[: max(0, _INPUT_KEPT - len(self._input))]
                self._read_on()
            case Side.SERVER:
                self._heard_from_the_server(octets)
            case Side.TLS:                   # what was said before is forgotten (RFC 3207 §4.2)
                self._tls, self._waits, self._mode = True, False, _Mode.COMMANDS
                self._input.clear()
                self._asked = deque(asked for asked in self._asked if asked[0] is Asked.GREETING)
                self._replies = ReplyReader()
            case Side.CLOSED:
                self._closed = True
                self._keep_the_rest()

    def _heard_from_the_server(self, octets: bytes) -> None:
        if self._replies is None:
            return
        try:
            reply = self._replies.next_reply(octets)
            while reply is not None:
                self._answered(reply)
                reply = self._replies.next_reply()
        except RemoteProtocolError:
            self._replies = None

    def _read_on(self) -> None:
        """Read the input as far as the server can have read it."""
        while self._sure and not self._waits and self._input:
            if not (self._end_of_mail_data() if self._mode is _Mode.MAIL_DATA else self._line()):
                return

    def _end_of_mail_data(self) -> bool:
        at = self._input.find(_END_OF_MAIL_DATA)
        if at == -1:
            del self._input[: 1 - len(_END_OF_MAIL_DATA)]      # searched once: a body may be long
            return False
        del self._input[: at + len(_END_OF_MAIL_DATA)]
        self._mode = _Mode.COMMANDS
        self._asked.extend([(Asked.MAIL_DATA, b"")] * (self._state.accepted if self._state.lmtp else 1))
        self._over = True
        return True

    def _line(self) -> bool:
        end = self._input.find(b"\n") + 1
        if not end:
            self._sure = len(self._input) <= _LINE_OCTETS_MAX
            return False
        line, command = bytes(self._input[:end]), bytes(self._input[: max(0, end - 2)])
        responds = self._mode is _Mode.RESPONSE
        if not (_PLAIN_RESPONSE if responds else _PLAIN_COMMAND).fullmatch(line):
            self._sure = False
            return False
        verb = command.partition(b" ")[0].upper()
        if verb == b"BDAT" and not responds:
            return self._chunk(end, command)
        del self._input[:end]
        self._mode = _Mode.COMMANDS
        self._asked.append((Asked.RESPONSE if responds else Asked.COMMAND, command))
        self._waits = responds or verb in _WAITED_FOR
        return True

    def _chunk(self, end: int, command: bytes) -> bool:
        """Take a BDAT with its octets: they follow at once, whatever the reply (RFC 3030 §2)."""
        chunk = _BDAT.fullmatch(command)
        if chunk is None:
            self._sure = False
            return False
        if self._asked:                      # LMTP's number of replies hangs on those to RCPT
            self._waits = True
            return False
        if len(self._input) < end + int(chunk[1]):
            return False
        del self._input[: end + int(chunk[1])]
        last, recipients = chunk[2] is not None, 0 if self._over else self._state.accepted
        self._over = self._over or last
        if last and recipients:
            self._asked.extend([(Asked.MAIL_DATA, b"")] * (recipients if self._state.lmtp else 1))
        else:
            self._sure = not (last and self._state.lmtp)       # nobody to answer for (RFC 2033 §4.3): a 503, or nothing
            self._asked.append((Asked.COMMAND if self._sure else Asked.UNKNOWN, command))
        return True

    def _answered(self, reply: Reply) -> None:
        if self._asked:
            asked, command = self._asked.popleft()
        else:
            asked, command = Asked.UNKNOWN, bytes(self._input[:_INPUT_KEPT])
            self._sure &= reply.code == SHUTTING_DOWN
        exchange = Exchange(reply, asked, command, tls=self._tls)
        self.exchanges.append(exchange)
        self._state = self._state.after(exchange)
        self._over = self._over and not (exchange.verb == "MAIL" and reply.code // 100 == 2)
        if exchange.verb == "BDAT" and reply.code >= 400:      # its octets may have been taken for commands
            self._sure = False
            self._asked = deque((Asked.UNKNOWN, command) for _, command in self._asked)
        if exchange.verb == "DATA" and reply.code == 354:
            self._mode = _Mode.MAIL_DATA
            self._input[:0] = b"\r\n"        # of DATA: an end may stand at the very start (RFC 5321 §4.1.1.4)
        elif exchange.authenticates and reply.code == 334:
            self._mode = _Mode.RESPONSE
        elif exchange.verb == "STARTTLS" and reply.code == 220:
            return                           # nothing is read before the handshake is done
        if not self._asked:
            self._waits = False
            self._read_on()

    def _keep_the_rest(self) -> None:
        rest = self._replies.pending if self._replies is not None else b""
        if self.exchanges:
            self.exchanges[-1] = replace(self.exchanges[-1], closed_after=True, rest=rest)
        elif rest:
            self.exchanges.append(Exchange(None, Asked.GREETING, rest=rest))


def exchanges_of(events: Iterable[Event], *, lmtp: bool = False) -> tuple[Exchange, ...]:
    """Return a conversation's exchanges, in the order of the replies."""
    conversation = Conversation(lmtp=lmtp)
    for side, octets in events:
        conversation.hear(side, octets)
    return tuple(conversation.exchanges)
