"""Reading back what was delivered: one maildrop, shared by all the cases, whose messages are told apart by token."""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeVar

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.errors import TransportError, TransportTimeout
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3 import Pop3Client
from loadgen.wire.pop3_commands import Pass, Pop3Command, Pop3Quit, Retr, Stls, Uidl, User
from loadgen.wire.response import Response, parse_uidl

FIRST_PAUSE_S: Final = 0.05          # between two looks; each is half as long again as the last
LONGEST_PAUSE_S: Final = 1.0
SEARCHED_OCTETS: Final = 256 * 1024  # of each message: a token stands in the header, or soon behind it
ATTEMPTS: Final = 2                  # at a message that cannot be read, each in a session of its own
T = TypeVar("T")


class MailboxTrouble(Exception):
    """The maildrop could not be read; the message is one sentence."""


class MailboxSilence(MailboxTrouble):
    """It could not be read because an answer did not come, or did not end, in time."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a look into a maildrop came to, by key."""

    messages: Mapping[bytes, bytes]
    refused: frozenset[bytes] = frozenset()                             # just now: another look may get them
    unreadable: Mapping[bytes, str] = field(default_factory=dict)       # not to be tried again; and why, for people


class Reader(Protocol):
    """Fetches what is new in a maildrop."""

    async def keys(self) -> frozenset[bytes]:
        """Return the keys of all that lies there. Raises MailboxTrouble."""

    async def fetch(self, known: frozenset[bytes]) -> Fetched:
        """Return the messages whose keys are not known yet. Raises MailboxTrouble."""


class Mailbox:
    """One maildrop. One task at a time looks into it: POP3's lock is exclusive (RFC 1939 §4)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._messages: dict[bytes, bytes] = {}
        self._unreadable: dict[bytes, str] = {}              # not tried again: each try may take its time
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

        Raises MailboxTrouble if the maildrop, or a message in it, cannot be read at the end of it.
        """
        return tuple((await self.find_by_key(token, count, within_s)).values())

    async def find_by_key(
        self, token: str, count: int, within_s: float, *, but: Callable[[bytes], bool] = lambda _: False
    ) -> dict[bytes, bytes]:
        """Return the same by key, which is a unique-id or a file's name, `but` for some messages."""
        deadline, pause_s = trio.current_time() + within_s, FIRST_PAUSE_S
        wanted = re.compile(re.escape(token).encode() + rb"(?![0-9a-z-])")
        found: dict[bytes, bytes] = {}
        searched = 0
        while True:
            trouble = await self._look()
            found |= {
                key: message for key, message in islice(self._messages.items(), searched, None)
                if wanted.search(message, 0, SEARCHED_OCTETS) and not but(message)
            }
            searched = len(self._messages)
            late = trio.current_time() >= deadline
            if len(found) >= count or (late and trouble is None):
                return found
            if late and trouble is not None:
                raise trouble
            await trio.sleep(min(pause_s, max(0.0, deadline - trio.current_time())))
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    @asynccontextmanager
    async def left_alone(self) -> AsyncIterator[None]:
        """Keep everybody from looking while the block runs: POP3 lets one session in at a time."""
        async with self._looking:
            yield

    async def _look(self) -> MailboxTrouble | None:
        """See what is new, or wait for a look that began after this one was asked for."""
        asked = self._looks
        async with self._looking:
            if self._looks == asked:
                self._looks += 1
                self._trouble = MailboxTrouble("the maildrop was not read to its end")      # true if this is cancelled
                try:
                    known = self._before.union(self._messages, self._unreadable)
                    fetched = await self._reader.fetch(known)
                    self._messages.update(fetched.messages)
                    self._unreadable.update(fetched.unreadable)
                    why = [*self._unreadable.values(), *("RETR was refused" for _ in fetched.refused)]
                    self._trouble = MailboxTrouble(f"a message cannot be read: {why[0]}") if why else None
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

    async def fetch(self, known: frozenset[bytes]) -> Fetched:
        """See Reader. A file is known by its unique name; its line ends are made CRLF, as POP3 would."""
        return Fetched(await trio.to_thread.run_sync(self._fetch, known))

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
        return frozenset(await self._in_a_session(self._list))

    async def fetch(self, known: frozenset[bytes]) -> Fetched:
        """See Reader. A message is known by its unique-id.

        One whose octets are not followed by what should follow ends the session; the others are read in another.
        """
        fetching = _Fetching(known)
        while True:
            try:
                await self._in_a_session(partial(self._fetch, fetching))
            except MailboxTrouble as trouble:
                if not fetching.is_to_blame(trouble):
                    raise
            else:
                return Fetched(fetching.messages, frozenset(fetching.refused), fetching.unreadable)

    async def _in_a_session(self, work: Callable[["_Asking"], Awaitable[T]]) -> T:
        """Log in, do some work, and leave. Raises MailboxTrouble."""
        try:
            async with await self.dial(self.endpoint, self._deadline()) as transport:
                if self.endpoint.implicit_tls:
                    await transport.start_tls(self.tls, self.endpoint.host, self._deadline())
                asking = _Asking(transport, self._deadline)
                await self._log_in(asking)
                done = await work(asking)
                with contextlib.suppress(TransportError, RemoteProtocolError):      # all has been read
                    await asking.ask(Pop3Quit())
                return done
        except TransportTimeout as error:
            raise MailboxSilence(f"the maildrop cannot be read by POP3: {error}") from None
        except (TransportError, RemoteProtocolError) as error:
            raise MailboxTrouble(f"the maildrop cannot be read by POP3: {error}") from None

    async def _log_in(self, asking: "_Asking") -> None:
        await asking.must(None)
        try:
            await asking.must(User(self.login))
        except MailboxTrouble:
            await asking.must(Stls())
            asking.client.tls_started()
            await asking.transport.start_tls(self.tls, self.endpoint.host, self._deadline())
            await asking.must(User(self.login))
        await asking.must(Pass(self.password))

    async def _list(self, asking: "_Asking") -> list[bytes]:
        return [key for _, key in _told_apart(parse_uidl(await asking.must(Uidl())))]

    async def _fetch(self, fetching: "_Fetching", asking: "_Asking") -> None:
        for number, key in _told_apart(parse_uidl(await asking.must(Uidl()))):
            if fetching.wants(key):
                fetching.asked = key
                response = await asking.ask(Retr(number))
                fetching.take(key, response)
        fetching.asked = None

    def _deadline(self) -> float:
        return trio.current_time() + self.reply_s


def _told_apart(listed: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Give a listing with keys that are unique: copies of one message may share their unique-id (RFC 1939 §7)."""
    seen: Counter[bytes] = Counter()
    for number, unique_id in listed:
        seen[unique_id] += 1
        yield number, unique_id if seen[unique_id] == 1 else b"%b %d" % (unique_id, seen[unique_id])


@dataclass(slots=True)
class _Asking:
    """One POP3 session, from the greeting on."""

    transport: Transport
    deadline: Callable[[], float]
    client: Pop3Client = field(default_factory=Pop3Client)

    async def ask(self, command: Pop3Command | None) -> Response:
        if command is not None:
            await self.transport.send(self.client.send(command), self.deadline())
        while (answer := self.client.next_answer()) is None:
            self.client.receive(await self.transport.receive(self.deadline()))
        return answer.response

    async def must(self, command: Pop3Command | None) -> Response:
        response = await self.ask(command)
        if not response.ok:
            word = "its greeting" if command is None else command.verb
            raise MailboxTrouble(f"the maildrop cannot be read by POP3: {word} was refused")
        return response


class _Fetching:
    """What one look has come to so far, over one session or several."""

    def __init__(self, known: frozenset[bytes]) -> None:
        self.messages: dict[bytes, bytes] = {}
        self.refused: set[bytes] = set()
        self.unreadable: dict[bytes, str] = {}
        self.asked: bytes | None = None              # what RETR was last said for
        self._known = known
        self._failed: Counter[bytes] = Counter()

    def wants(self, key: bytes) -> bool:
        done = (self._known, self.messages, self.refused, self.unreadable)
        return not any(key in keys for keys in done)

    def take(self, key: bytes, response: Response) -> None:
        if response.ok:
            self.messages[key] = response.body or b""
        else:
            self.refused.add(key)

    def is_to_blame(self, trouble: MailboxTrouble) -> bool:
        """Say whether it was a message that ended a session, its own or the one before; then the others can go on."""
        key, self.asked = self.asked, None
        if key is None:
            return False
        self._failed[key] += 1
        if isinstance(trouble, MailboxSilence) or self._failed[key] >= ATTEMPTS:
            self.unreadable[key] = str(trouble)
        return True
