"""A connection to the next hop: what is said there, line by line."""

from typing import Final

import trio

_PENDING_OCTETS_MAX: Final = 64 * 1024


class Broken(Exception):
    """The next hop went away, or says what is no reply."""


class NextHop:
    """A server that mail is sent on to. Raises Broken, and what the stream raises."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._pending = b""
        self.name = b""                             # what it calls itself in its reply to EHLO
        self.offers: frozenset[bytes] = frozenset()     # keywords of that reply

    async def ehlo(self, host_name: bytes) -> None:
        """Say EHLO and note what is offered."""
        await self._stream.send_all(b"EHLO " + host_name + b"\r\n")
        first, *others = [line[4:] for line in await self._lines()]
        self.name = first.partition(b" ")[0]
        self.offers = frozenset(line.partition(b" ")[0].upper() for line in others)

    async def ask(self, command: bytes) -> bytes:
        """Say a command and return the last line of its reply."""
        return await self.say(command + b"\r\n")

    async def say(self, octets: bytes) -> bytes:
        """Send octets and return the last line of the next reply."""
        await self._stream.send_all(octets)
        return await self.reply()

    async def reply(self) -> bytes:
        """Return the last line of the next reply."""
        return (await self._lines())[-1]

    async def _lines(self) -> list[bytes]:
        lines = [await self._line()]
        while lines[-1][3:4] == b"-":
            lines.append(await self._line())
        return lines

    async def _line(self) -> bytes:
        while b"\r\n" not in self._pending:
            octets = await self._stream.receive_some()
            if not octets or len(self._pending) > _PENDING_OCTETS_MAX:
                raise Broken("the connection ended")
            self._pending += bytes(octets)
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line
