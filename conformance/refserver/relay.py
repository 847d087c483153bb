"""Sending on: mail for the domains that are routed to a next hop, and what becomes of it when that refuses it.

The client's side is written out here, by the scenario of RFC 5321 §3.3 and nothing more. Where the next hop refuses a
recipient for good, the sender is told, from the null reverse-path, and never in answer to the null reverse-path (§6.1).
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import trio

from conformance.refserver.fault import Fault

ATTEMPTS: Final = 3                  # then it is given up: nobody waits for days on a test server
PAUSE_S: Final = 1.0
_ANSWER_S: Final = 30.0

Dial = Callable[[str], Awaitable[trio.abc.Stream]]         # raises OSError
Bounce = Callable[["Outgoing", list[tuple[bytes, bytes]]], None]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. Lines end with CRLF; nothing is stuffed yet."""

    reverse_path: bytes
    recipients: tuple[bytes, ...]
    message: bytes
    untold: frozenset[bytes] = frozenset()     # recipients of whose failure nobody is told: NOTIFY=NEVER (RFC 3461)


class Relay:
    """The queue of what goes out, and who takes it there."""

    def __init__(self, routes: Mapping[str, str], host_name: str, dial: Dial, faults: tuple[Fault, ...] = ()) -> None:
        """`routes` names the next hop of each domain, `dial` connects to one."""
        self._routes = {domain.lower(): hop for domain, hop in routes.items()}
        self._host_name = host_name.encode("ascii")
        self._dial = dial
        self._faults = faults
        self._sender, self._receiver = trio.open_memory_channel[Outgoing](math.inf)

    def routes(self, domain: str) -> bool:
        """Say whether mail for a domain is sent on."""
        return domain.lower() in self._routes

    def send(self, outgoing: Outgoing) -> None:
        """Queue a message for its recipients, all of routed domains."""
        self._sender.send_nowait(outgoing)

    async def run(self, bounce: Bounce) -> None:
        """Take what is queued to where it belongs, one after the other. Ends only by cancellation."""
        async for outgoing in self._receiver:
            by_hop: dict[str | None, list[bytes]] = {}
            for one in outgoing.recipients:
                hop = self._routes.get(one.rpartition(b"@")[2].decode("ascii").lower())
                by_hop.setdefault(hop, []).append(one)
            for hop, recipients in by_hop.items():
                failed = await self._attempt(hop, Outgoing(outgoing.reverse_path, tuple(recipients), outgoing.message))
                if failed:
                    bounce(outgoing, failed)

    async def _attempt(self, hop: str | None, outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
        """Return the recipients that the message did not reach, each with the reply or the trouble."""
        if hop is None:      # only a faulty server takes such mail
            return [(one, b"550 5.4.4 no route") for one in outgoing.recipients]
        trouble = b"450 4.4.1 no answer"
        for attempt in range(ATTEMPTS):
            await trio.sleep(PAUSE_S if attempt else 0)
            try:
                with trio.fail_after(_ANSWER_S):
                    async with await self._dial(hop) as stream:
                        return await self._transfer(_NextHop(stream), outgoing)
            except (OSError, trio.BrokenResourceError, trio.TooSlowError, _Broken) as error:
                trouble = b"450 4.4.1 " + str(error).encode("ascii", "replace")[:200]
        return [(one, trouble) for one in outgoing.recipients]

    async def _transfer(self, hop: "_NextHop", outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
        await hop.reply()
        await hop.ask(b"EHLO " + self._host_name)
        answer = await hop.ask(b"MAIL FROM:<" + outgoing.reverse_path + b">")
        if not answer.startswith(b"2"):
            return [(one, answer) for one in outgoing.recipients]
        failed = []
        for one in outgoing.recipients:
            answer = await hop.ask(b"RCPT TO:<" + one + b">")
            if not answer.startswith(b"2"):
                failed.append((one, answer))
        if len(failed) < len(outgoing.recipients):
            answer = await hop.ask(b"DATA")
            if answer.startswith(b"3"):
                answer = await hop.say(self._mail_data(outgoing.message))
            if not answer.startswith(b"2"):
                failed = [(one, answer) for one in outgoing.recipients]
        await hop.ask(b"QUIT")
        return failed

    def _mail_data(self, message: bytes) -> bytes:
        """Return a message as it goes over the wire (RFC 5321 §4.5.2)."""
        octets = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        for fault in self._faults:
            if fault.relayed is not None:
                octets = fault.relayed(octets)
        return octets


class _Broken(Exception):
    """The next hop went away, or says what is no reply."""


class _NextHop:
    """A connection to the next hop."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._pending = b""

    async def ask(self, command: bytes) -> bytes:
        return await self.say(command + b"\r\n")

    async def say(self, octets: bytes) -> bytes:
        await self._stream.send_all(octets)
        return await self.reply()

    async def reply(self) -> bytes:
        """Return the last line of the next reply."""
        while True:
            line = await self._line()
            if line[3:4] != b"-":
                return line

    async def _line(self) -> bytes:
        while b"\r\n" not in self._pending:
            octets = await self._stream.receive_some()
            if not octets or len(self._pending) > 64 * 1024:
                raise _Broken("the connection ended")
            self._pending += bytes(octets)
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line
