"""A case's end of an SMTP or LMTP connection: what comes is taken as replies (RFC 5321 §4.2)."""

from contextlib import AsyncExitStack
from dataclasses import replace

import trio

from conformance.answer import Answer, Ended
from conformance.connection import Connection
from conformance.room import resting
from conformance.subject import Subject
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.printable import printable
from loadgen.wire.reply import ReplyReader


class SmtpConnection(Connection):
    """One connection to a server of SMTP or LMTP."""

    def __init__(self, subject: Subject, stack: AsyncExitStack, name: str) -> None:
        super().__init__(subject, stack, name)
        self._replies = ReplyReader()

    async def ask(self, command: bytes) -> Answer:
        """Send one command line and return what comes of it."""
        await self.send(command + b"\r\n")
        return await self.answer()

    async def answer(self, within_s: float | None = None) -> Answer:
        """Return what the server does next, waiting as long as for any reply if not told otherwise."""
        if within_s is None:
            return await self._answer(self.subject.reply_s if self.transcript.turns else self.subject.greeting_s)
        async with resting():
            return await self._answer(within_s)

    async def answer_or_silence(self) -> Answer:
        """Return what the server does next; silent once it has said nothing long enough to prove it, at its pace."""
        return await self.answer(self.subject.quiet_s)

    @property
    def pending(self) -> bytes:
        """Return the octets that have come and are part of no reply taken yet."""
        return self._replies.pending

    def forget_what_came(self) -> None:
        """See Connection."""
        self._replies = ReplyReader()

    async def _answer(self, limit_s: float) -> Answer:
        await self._connected()          # it is no part of the wait
        began_s = trio.current_time()
        while True:
            try:
                if (reply := self._replies.next_reply()) is not None:
                    self.transcript.waits.append(trio.current_time() - began_s)
                    return Answer(reply, waited_s=self.transcript.waits[-1])
            except RemoteProtocolError as error:
                return Answer(ended=Ended.UNREADABLE, detail=f"{error.why}: {printable(error.octets)}")
            more = await self.more(began_s, limit_s)
            if isinstance(more, Answer):
                return replace(more, detail=printable(self.pending)) if more.silent else more
            self._replies.feed(more)
