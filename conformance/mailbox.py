"""Reading back what was delivered: one maildrop, shared by all the cases, whose messages are told apart by token."""

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
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

    async def keys(self) -> frozenset[bytes]:
        """Return the keys of all that lies there. Raises MailboxTrouble."""

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """Return the messages whose keys are not known yet. Raises MailboxTrouble."""


class Mailbox:
    """One maildrop. One task at a time looks into it: POP3's lock is exclusive (RFC 1939 §4)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._messages: dict[bytes, bytes] = {}
        self._looking = trio.Lock()
        self._looks = 0                    # begun so far
        self._trouble: MailboxTrouble | None = None          # of the last of them
        self._before: frozenset[bytes] = frozenset()         # what lay there before the run, and is not looked at

    async def pass_over_what_is_there(self) -> None:
        """Leave aside what lay there before any case sent mail: a maildrop in use may hold very much."""
        with contextlib.suppress(MailboxTrouble):       # then it shows when a case looks for its mail
            self._before = await self._reader.keys()

    async def find(self, token: str, count: int, within_s: float) -> tuple[bytes, ...]:
        """Return the messages in which a token stands: when there are so many, or all when the time is over.

        Raises MailboxTrouble if the maildrop cannot be read at the end of it.
        """
        deadline, pause_s = trio.current_time() + within_s, FIRST_PAUSE_S
        wanted = re.compile(re.escape(token).encode() + rb"(?![0-9a-z-])")
        found: list[bytes] = []
        searched = 0
        while True:
            trouble = await self._look()
            found += [message for message in islice(self._messages.values(), searched, None) if wanted.search(message)]
            searched = len(self._messages)
            late = trio.current_time() >= deadline
            if len(found) >= count or (late and trouble is None):
                return tuple(found)
            if late and trouble is not None:
                raise trouble
            await trio.sleep(min(pause_s, max(0.0, deadline - trio.current_time())))
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    async def _look(self) -> MailboxTrouble | None:
        """See what is new, or wait for a look that began after this one was asked for."""
        asked = self._looks
        async with self._looking:
            if self._looks == asked:
                self._looks += 1
                self._trouble = MailboxTrouble("the maildrop was not read to its end")      # true if this is cancelled
                try:
                    self._messages.update(await self._reader.fetch(frozenset(self._messages) | self._before))
                    self._trouble = None
                except MailboxTrouble as trouble:
                    self._trouble = trouble
            return self._trouble


@dataclass(frozen=True, slots=True)
class MaildirReader:
    """Reads a Maildir in place."""

    path: Path

    async def keys(self) -> frozenset[bytes]:
        """See Reader."""
        return frozenset(await trio.to_thread.run_sync(self._paths))

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """See Reader. A file is known by its unique name; its line ends are made CRLF, as POP3 would."""
        return await trio.to_thread.run_sync(self._fetch, known)

    def _fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        try:
            return {
                key: re.sub(rb"(?<!\r)\n", b"\r\n", path.read_bytes())
                for key, path in self._paths().items() if key not in known
            }  # fmt: skip
        except OSError as exc:
            raise MailboxTrouble(f"the Maildir {self.path} cannot be read: {exc.strerror}") from None

    def _paths(self) -> dict[bytes, Path]:
        try:
            paths = [path for directory in ("new", "cur") for path in (self.path / directory).iterdir()]
        except OSError as exc:
            raise MailboxTrouble(f"the Maildir {self.path} cannot be read: {exc.strerror}") from None
        return {path.name.partition(":")[0].encode(): path for path in paths}


@dataclass(frozen=True, slots=True)
class Pop3Reader:
    """Reads a maildrop by POP3, each time in a session of its own, and deletes nothing."""

    endpoint: Endpoint
    login: str
    password: str
    dial: Callable[[Endpoint, float], Awaitable[Transport]]
    tls: TlsContext
    reply_s: float

    async def keys(self) -> frozenset[bytes]:
        """See Reader."""
        return frozenset(await self._read(lambda _: False))

    async def fetch(self, known: frozenset[bytes]) -> dict[bytes, bytes]:
        """See Reader. A message is known by its unique-id."""
        messages = await self._read(lambda key: key not in known)
        return {key: message for key, message in messages.items() if key not in known}

    async def _read(self, wanted: Callable[[bytes], bool]) -> dict[bytes, bytes]:
        """Return all that lies there by unique-id; empty what is not wanted."""
        try:
            async with await self.dial(self.endpoint, self._deadline()) as transport:
                if self.endpoint.implicit_tls:
                    await transport.start_tls(self.tls, self.endpoint.host, self._deadline())
                return await self._session(transport, wanted)
        except (TransportError, RemoteProtocolError) as error:
            raise MailboxTrouble(f"the maildrop cannot be read by POP3: {error}") from None

    async def _session(self, transport: Transport, wanted: Callable[[bytes], bool]) -> dict[bytes, bytes]:
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
        listed = parse_uidl(await ask(Uidl()))
        messages = {key: (await ask(Retr(number))).body or b"" if wanted(key) else b"" for number, key in listed}
        await ask(Pop3Quit())
        return messages

    def _deadline(self) -> float:
        return trio.current_time() + self.reply_s
