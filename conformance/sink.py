"""The sink: a server of ours to which the server under test is set to send on the mail of one domain.

It shows what leaves that server, octet for octet. Mail data end with CRLF.CRLF here and with nothing else; what it is
told it records, and it refuses only the recipients whose local-part says so, which makes mail undeliverable at will.
It speaks LMTP as well (RFC 2033): LHLO says so. Beside it a plain sink may stand, which offers no extensions.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from conformance.declared import SinkPlace
from reports.errors import UserError

REFUSED: Final = b"refused-"                   # begins the local-parts that are refused
_END: Final = b"\r\n.\r\n"
GREETING: Final = b"220 sink.mailproof.invalid ready\r\n"
NAME: Final = b"sink.mailproof.invalid"
OFFERS: Final = (b"8BITMIME", b"SMTPUTF8", b"DSN")
_DONE: Final = b"250 2.0.0 Done\r\n"
_UNKNOWN: Final = b"500 5.5.1 Unknown\r\n"
_REPLIES: Final = {
    b"HELO": b"250 sink.mailproof.invalid\r\n",
    b"DATA": b"354 Go on\r\n",
    b"RSET": _DONE,
    b"NOOP": _DONE,
    b"QUIT": b"221 2.0.0 Goodbye\r\n",
}
_FORGETTING: Final = frozenset({b"EHLO", b"HELO", b"LHLO", b"RSET"})
_PATH: Final = re.compile(rb"(?:FROM|TO):[ \t]*<([^>]*)>[ \t]*(.*)", re.IGNORECASE)
_MEMORY_OCTETS: Final = 64 * 1024 * 1024       # of one session; more is no mail of ours


@dataclass(frozen=True, slots=True)
class Transferred:
    """A message that came to the sink."""

    reverse_path: bytes                        # without brackets and parameters; b"" is the null one
    recipients: tuple[bytes, ...]
    mail_data: bytes                           # as sent, transparency and all; without the CRLF.CRLF
    mail_parameters: bytes = b""               # what MAIL said behind the path
    rcpt_parameters: tuple[bytes, ...] = ()    # and each RCPT

    @property
    def octets(self) -> bytes:
        """Return all that a mark can stand in."""
        return b"\n".join((self.reverse_path, *self.recipients, self.mail_data))

    def asked(self, keyword: bytes) -> bytes | None:
        """Return the value of a parameter of MAIL or of the first RCPT; b"" is one without value, None none at all."""
        for word in b" ".join((self.mail_parameters, *self.rcpt_parameters[:1])).split():
            name, _, value = word.partition(b"=")
            if name.upper() == keyword:
                return value
        return None


class SinkSession:
    """What is said in one connection: octets in, replies out."""

    def __init__(
        self,
        keep: Callable[[Transferred], bool | None],
        refuse: Callable[[bytes], None],
        offers: Sequence[bytes] = OFFERS,
    ) -> None:
        """`keep` is told of each message, and can say False: it is not answered; `refuse`, of each one refused."""
        self._keep = keep
        self._refuse = refuse
        first, *others = reversed([NAME, *offers])
        self._hello = b"".join(b"250-%s\r\n" % line for line in reversed(others)) + b"250 " + first + b"\r\n"
        self._pending = b""
        self._data: bytearray | None = None    # being read; it opens with the CRLF of the DATA line
        self._reverse_path: bytes | None = None
        self._mail_parameters = b""
        self._recipients: list[bytes] = []
        self._rcpt_parameters: list[bytes] = []
        self._per_recipient = False            # LMTP: RFC 2033 §4.2
        self.over = False

    def feed(self, octets: bytes) -> bytes:
        """Take octets, cut anywhere, and return what they are owed."""
        self._pending += octets
        replies = []
        while not self.over and (reply := self._next()) is not None:
            replies.append(reply)
        return b"".join(replies)

    def _next(self) -> bytes | None:
        if self._data is not None:
            return self._read_data(self._data)
        line, end, rest = self._pending.partition(b"\r\n")
        if not end:
            self.over = len(line) > _MEMORY_OCTETS
            return None
        self._pending = rest
        return self._obey(line)

    def _read_data(self, data: bytearray) -> bytes | None:
        searched = max(0, len(data) - len(_END))
        data += self._pending
        self._pending = b""
        end = data.find(_END, searched)
        if end < 0:
            self.over = len(data) > _MEMORY_OCTETS
            return None
        self._pending = bytes(data[end + len(_END):])
        assert self._reverse_path is not None
        answered = self._keep(
            Transferred(
                self._reverse_path, tuple(self._recipients), bytes(data[2:end]), self._mail_parameters,
                tuple(self._rcpt_parameters),
            )
        )  # fmt: skip
        answers = len(self._recipients) if self._per_recipient else 1
        self._forget()
        if answered is False:
            self.over = True
            return None
        return b"250 2.0.0 Taken\r\n" * answers

    def _forget(self) -> None:
        self._data, self._reverse_path, self._recipients = None, None, []
        self._mail_parameters, self._rcpt_parameters = b"", []

    def _obey(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb in {b"MAIL", b"RCPT"}:
            return self._take_path(verb, line)
        if verb == b"DATA" and self._recipients:
            self._data = bytearray(b"\r\n")
        elif verb in _FORGETTING:
            self._forget()
            self._per_recipient = verb == b"LHLO" or (verb == b"RSET" and self._per_recipient)
            if verb in {b"EHLO", b"LHLO"}:
                return self._hello
        elif verb == b"QUIT":
            self.over = True
        elif verb == b"DATA":
            return b"554 5.5.1 No recipient\r\n"
        return _REPLIES.get(verb, _UNKNOWN)

    def _take_path(self, verb: bytes, line: bytes) -> bytes:
        found = _PATH.search(line)
        if found is None:
            return b"501 5.5.4 No path\r\n"
        if verb == b"MAIL":
            self._forget()
            self._reverse_path, self._mail_parameters = found[1], found[2]
            return b"250 2.1.0 Taken\r\n"
        if self._reverse_path is None:
            return b"503 5.5.1 MAIL first\r\n"
        if found[1].rpartition(b":")[2].startswith(REFUSED):
            self._refuse(found[1])
            return b"550 5.1.1 Refused, as its name says\r\n"
        self._recipients.append(found[1])
        self._rcpt_parameters.append(found[2])
        return b"250 2.1.5 Taken\r\n"


async def talk(session: SinkSession, stream: trio.abc.Stream) -> None:
    """Hold a session with one client until either ends it. Raises nothing that a client can cause."""
    try:
        await stream.send_all(GREETING)
        while not session.over and (octets := await stream.receive_some()):
            if replies := session.feed(bytes(octets)):
                await stream.send_all(replies)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return
    finally:
        await trio.aclose_forcefully(stream)


class Sink:
    """All that has come, over any number of connections."""

    def __init__(self, domain: str, offers: Sequence[bytes] = OFFERS) -> None:
        self.domain = domain
        self.plain: Sink | None = None         # one more, that offers no extensions
        self._offers = offers
        self.transferred: list[Transferred] = []
        self.refused: list[bytes] = []         # recipients, in the order in which they were tried
        self._more = trio.Event()              # set, and replaced, whenever something comes

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Talk to one client until it leaves. Raises nothing that a client can cause."""
        await talk(SinkSession(self._keep, self._refuse, self._offers), stream)

    async def find(self, token: str, count: int, within_s: float) -> tuple[Transferred, ...]:
        """Return the messages in which a token stands: when there are so many, or all when the time is over."""
        wanted = re.compile(re.escape(token).encode() + rb"(?![0-9a-z-])", re.IGNORECASE)
        found: tuple[Transferred, ...] = ()
        with trio.move_on_after(within_s):
            while True:
                more = self._more
                found = tuple(one for one in self.transferred if wanted.search(one.octets))
                if len(found) >= count:
                    break
                await more.wait()
        return found

    async def has_refused(self, recipient: bytes, within_s: float) -> bool:
        """Say whether a recipient was tried, and refused, waiting for it so long."""
        with trio.move_on_after(within_s):
            while recipient not in self.refused:
                await self._more.wait()
        return recipient in self.refused

    def _keep(self, one: Transferred) -> None:
        self.transferred.append(one)
        self._tell()

    def _refuse(self, recipient: bytes) -> None:
        self.refused.append(recipient)
        self._tell()

    def _tell(self) -> None:
        self._more.set()
        self._more = trio.Event()


async def open_sink(place: SinkPlace, nursery: trio.Nursery) -> Sink:
    """Start a sink that listens where it was declared to. UserError if it cannot."""
    sink = Sink(place.domain)
    await _listen(sink, place.smtp, nursery)
    if place.plain is not None and place.plain_domain is not None:
        sink.plain = Sink(place.plain_domain, ())
        await _listen(sink.plain, place.plain, nursery)
    return sink


async def _listen(sink: Sink, where: str, nursery: trio.Nursery) -> None:
    host, _, port = where.rpartition(":")
    try:
        listeners = await trio.open_tcp_listeners(int(port), host=host)
    except (OSError, OverflowError) as error:
        raise UserError(f"no sink can listen on {where}: {error}") from None
    nursery.start_soon(trio.serve_listeners, sink.serve, listeners)
