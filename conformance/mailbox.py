"""Reading back what was delivered: one maildrop, shared by all the cases, whose messages are told apart by token."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.errors import TransportError
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3 import Pop3Client
from loadgen.wire.pop3_commands import Pass, Pop3Command, Pop3Quit, Retr, Stls, Uidl, User
from loadgen.wire.response import Response, parse_uidl

FIRST_PAUSE_S: Final = 0.05          # between two looks; each is half as long again as the last
LONGEST_PAUSE_S: Final = 1.0


class MailboxTrouble(Exception):
    """The maildrop could not be read; the message is one sentence."""


class Reader(Protocol):
    """Fetches what is new in a maildrop."""

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """Return the messages whose keys are not known yet. Raises MailboxTrouble."""


class Mailbox:
    """One maildrop. One task at a time looks into it: POP3's lock is exclusive (RFC 1939 §4)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._messages: dict[bytes, bytes] = {}
        self._looking = trio.Lock()

    async def find(self, token: str, count: int, within_s: float) -> tuple[bytes, ...]:
        """Return the messages in which a token stands: when there are so many, or all when the time is over.

        Raises MailboxTrouble if the maildrop cannot be read at the end of it.
        """
        deadline, pause_s = trio.current_time() + within_s, FIRST_PAUSE_S
        wanted = re.compile(re.escape(token).encode() + rb"(?![0-9a-z-])")
        while True:
            trouble = await self._look()
            found = tuple(message for message in self._messages.values() if wanted.search(message))
            late = trio.current_time() >= deadline
            if len(found) >= count or (late and trouble is None):
                return found
            if late and trouble is not None:
                raise trouble
            await trio.sleep(min(pause_s, max(0.0, deadline - trio.current_time())))
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    async def _look(self) -> MailboxTrouble | None:
        async with self._looking:
            try:
                self._messages.update(await self._reader.fetch(frozenset(self._messages)))
            except MailboxTrouble as trouble:
                return trouble
        return None


@dataclass(frozen=True, slots=True)
class MaildirReader:
    """Reads a Maildir in place."""

    path: Path

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """See Reader. A file is known by its unique name; its line ends are made CRLF, as POP3 would."""
        return await trio.to_thread.run_sync(self._fetch, known)

    def _fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        messages = {}
        try:
            for directory in ("new", "cur"):
                for path in (self.path / directory).iterdir():
                    key = path.name.partition(":")[0].encode()
                    if key not in known:
                        messages[key] = re.sub(rb"(?<!\r)\n", b"\r\n", path.read_bytes())
        except OSError as exc:
            raise MailboxTrouble(f"the Maildir {self.path} cannot be read: {exc.strerror}") from None
        return messages


@dataclass(frozen=True, slots=True)
class Pop3Reader:
    """Reads a maildrop by POP3, each time in a session of its own, and deletes nothing."""

    endpoint: Endpoint
    login: str
    password: str
    dial: Callable[[Endpoint, float], Awaitable[Transport]]
    tls: TlsContext
    reply_s: float

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """See Reader. A message is known by its unique-id."""
        try:
            async with await self.dial(self.endpoint, self._deadline()) as transport:
                if self.endpoint.implicit_tls:
                    await transport.start_tls(self.tls, self.endpoint.host, self._deadline())
                return await self._session(transport, known)
        except (TransportError, RemoteProtocolError) as error:
            raise MailboxTrouble(f"the maildrop cannot be read by POP3: {error}") from None

    async def _session(self, transport: Transport, known: frozenset[bytes]) -> dict[bytes, bytes]:
        client = Pop3Client()

        async def ask(command: Pop3Command | None) -> Response:
            if command is not None:
                await transport.send(client.send(command), self._deadline())
            while (answer := client.next_answer()) is None:
                client.receive(await transport.receive(self._deadline()))
            if not answer.response.ok:
                word = "its greeting" if command is None else command.verb
                raise MailboxTrouble(f"the maildrop cannot be read by POP3: {word} was refused")
            return answer.response

        await ask(None)
        try:
            await ask(User(self.login))
        except MailboxTrouble:
            await ask(Stls())
            client.tls_started()
            await transport.start_tls(self.tls, self.endpoint.host, self._deadline())
            await ask(User(self.login))
        await ask(Pass(self.password))
        new = [(number, key) for number, key in parse_uidl(await ask(Uidl())) if key not in known]
        messages = {key: (await ask(Retr(number))).body or b"" for number, key in new}
        await ask(Pop3Quit())
        return messages

    def _deadline(self) -> float:
        return trio.current_time() + self.reply_s
