"""A case's end of a POP3 connection: what comes is taken as responses (RFC 1939 §3)."""

import re
from contextlib import AsyncExitStack
from typing import Final

import trio

from conformance.answer import Answer, Ended
from conformance.connection import Connection
from conformance.pop3_answer import Pop3Answer
from conformance.room import resting
from conformance.subject import Subject
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.printable import printable
from loadgen.wire.response import ResponseReader

# What is answered with lines, if with +OK: RFC 1939 §5 and §7, RFC 2449 §5, RFC 6856 §3.2.
_MULTI_LINE: Final = re.compile(rb"(?:(?:LIST|UIDL|LANG|CAPA)|(?:RETR|TOP) .*)", re.IGNORECASE | re.DOTALL)


class Pop3Connection(Connection):
    """One connection to a server of POP3."""

    def __init__(self, subject: Subject, stack: AsyncExitStack, name: str) -> None:
        super().__init__(subject, stack, name)
        self._came = bytearray()             # not yet taken as part of a response
        self._reader = ResponseReader()      # has been fed all of it

    async def ask(self, command: bytes, *, multi_line: bool | None = None) -> Pop3Answer:
        """Send one command line and return what comes of it. `multi_line`: lines follow a +OK; None: by the command."""
        await self.send(command + b"\r\n")
        return await self.answer(multi_line=wants_lines(command) if multi_line is None else multi_line)

    async def answer(self, within_s: float | None = None, *, multi_line: bool = False) -> Pop3Answer:
        """Return what the server does next, waiting as long as for any response if not told otherwise."""
        if within_s is None:
            return await self._answer(self.subject.reply_s, multi_line=multi_line)
        async with resting():
            return await self._answer(within_s, multi_line=multi_line)

    async def answer_or_silence(self) -> Pop3Answer:
        """Return what the server does next; silent once it has said nothing long enough to prove it, at its pace."""
        return await self.answer(self.subject.quiet_s)

    @property
    def pending(self) -> bytes:
        """Return the octets that have come and are part of no response taken yet."""
        return bytes(self._came)

    async def hear(self, within_s: float) -> int:
        """Take in what comes next as part of a later answer, and return how many octets; 0 if nothing comes."""
        async with resting():
            more = await self.more(trio.current_time(), within_s)
        if isinstance(more, Answer):
            return 0
        self._came += more
        self._reader.feed(more)
        return len(more)

    def forget_what_came(self) -> None:
        """See Connection."""
        self._came.clear()
        self._reader = ResponseReader()

    async def _answer(self, limit_s: float, *, multi_line: bool) -> Pop3Answer:
        await self._connected()              # it is no part of the wait
        began_s = trio.current_time()
        while True:
            try:
                response = self._reader.next_response(multi_line=multi_line)
            except RemoteProtocolError as error:
                return Pop3Answer(ended=Ended.UNREADABLE, detail=f"{error.why}: {printable(error.octets, 200)}")
            if response is not None:
                octets = bytes(self._came[: response.octets_received])
                del self._came[: response.octets_received]
                self.transcript.waits.append(trio.current_time() - began_s)
                return Pop3Answer(response, octets, waited_s=self.transcript.waits[-1])
            more = await self.more(began_s, limit_s)
            if isinstance(more, Answer):
                self._reader = ResponseReader()      # whoever asks again may expect something else
                self._reader.feed(self.pending)
                return Pop3Answer.none(more, printable(self.pending, 200))
            self._came += more
            self._reader.feed(more)


def wants_lines(command: bytes) -> bool:
    """Say whether a +OK to a command is followed by lines.

    >>> wants_lines(b"LIST"), wants_lines(b"LIST 1"), wants_lines(b"top 1 0")
    (True, False, True)
    """
    return _MULTI_LINE.fullmatch(command) is not None
