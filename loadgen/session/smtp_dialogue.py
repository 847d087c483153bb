"""One SMTP or LMTP dialogue: commands out, replies in, each phase timed into the trace.

The order of a session stands in `deliver.py` and `hold.py`; this is the part they share:
opening (connect, greeting, TLS, EHLO, AUTH), asking, and leaving.
"""

from collections.abc import Callable, Sequence
from typing import Final

import trio

from loadgen.clock import clock_ns
from loadgen.session.dialogue import Dialogue
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.errors import TransportTimeout
from loadgen.wire.commands import (
    Auth,
    AuthResponse,
    Bdat,
    Ehlo,
    Helo,
    Lhlo,
    MailData,
    Noop,
    Quit,
    SmtpCommand,
    StartTls,
)
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.reply import Reply, ReplyClass
from loadgen.wire.sasl import Mechanism, decode_challenge
from loadgen.wire.smtp import LMTP, SMTP, Phase, SmtpClient

SHUTTING_DOWN: Final = 421                     # RFC 5321 §3.8: may answer any command, and ends the session
WITHOUT_EXTENSIONS: Final = frozenset({500, 502})   # "command not recognized", RFC 5321 §3.2; 550 is a policy
END_OF_MAIL_DATA: Final = b".\r\n"
END_SECTION: Final = "RFC 5321 §4.1.1.4"
BLOCK_OCTETS: Final = 131_072                  # of mail data per send, each under its own limit: §4.5.3.2.5

_CLOSED: Final = Phase.CLOSED
_GO_ON: Final = ReplyClass.POSITIVE_INTERMEDIATE
_QUIT: Final = Quit()
Heed = Callable[[Reply, str | None], None]     # a reply to mail data, and whose it is in LMTP (None: everybody's)


class SmtpDialogue(Dialogue[SmtpCommand, Reply]):
    """Speak SMTP, or LMTP where the route leads to an LMTP server."""

    def __init__(self, route: Route, trace: Trace, arrival: int) -> None:
        self.client = SmtpClient(LMTP if route.endpoint.protocol == "lmtp" else SMTP)
        super().__init__(route, trace, arrival, self.client)

    @property
    def closed(self) -> bool:
        """Say whether the server has ended the session: by 421, or in its answer to QUIT."""
        return self.client.phase is _CLOSED

    async def open(self, login: Mechanism | None = None) -> None:
        """Greet, begin TLS if the route says so, introduce ourselves, and log in if asked.

        Raises Refused where the server does not grant it, and NotOffered if it does not offer what the
        route or the login needs: never does a session go on in clear text, or without its login, unsaid.
        """
        await self.greet()
        await self.hello()
        if self.route.upgrades:
            await self._start_tls()
            await self.hello()
        if login is not None:
            await self._log_in(login)

    async def ask_all(self, commands: Sequence[tuple[str, SmtpCommand]]) -> list[Reply]:
        """Send commands in one write and return their replies in order (RFC 2920 §3.1); none follow a 421.

        Each phase counts from the one write to its own reply.
        """
        started_ns, deadline = self._begin(commands[0][0])
        await self._say(b"".join([self.client.send(command) for _, command in commands]), deadline)
        return await self.answers_to(commands, started_ns)

    async def answers_to(self, commands: Sequence[tuple[str, SmtpCommand]], started_ns: int) -> list[Reply]:
        """Return the replies to commands that were sent in one write at an instant, in order; none follow a 421."""
        replies: list[Reply] = []
        for phase, _ in commands:
            if self.closed:
                break
            self.trace.phase = self.name_of(phase)
            replies.append(await self._answer(phase, self._by(phase)))
            self._end(phase, started_ns)
        return replies

    async def send_mail_data(
        self, octets: bytes, heed: Heed, behind: Sequence[tuple[str, SmtpCommand]] = ()
    ) -> int:
        """Send the mail data and read every reply to the final dot: one, or one per recipient (RFC 2033 §4.2).

        `octets` are stuffed and end with CRLF.CRLF. `heed` is called with each reply as soon as it has come:
        there may be no time to wait for the next. The phase `body` counts from the first octet to the last of
        the replies. Commands `behind` it go in one write with its end (RFC 2920 §3.1); returns when that began, ns,
        for `answers_to`.
        """
        started_ns, _ = self._begin("body")
        octets = self.client.send(MailData(octets))
        owed = self.client.owed
        if behind:
            octets += b"".join([self.client.send(command) for _, command in behind])
        last_ns, blocks = started_ns, blocks_of(octets)
        for number, block in enumerate(blocks, start=1):
            last_ns = clock_ns() if behind else started_ns
            if number == len(blocks):
                self.trace.dot_sent(self.now_ns())
            await self._say(block, self._by("block"))
        for _ in range(owed):
            if self.closed:
                break
            heed(await self._answer("body", self._by("body")), self.client.recipient)
        self._end("body", started_ns)
        return last_ns

    async def send_chunks(
        self, content: bytes, chunk_octets: int, last: Callable[[], None], heed: Heed
    ) -> Reply | None:
        """Send the message by BDAT (RFC 3030 §2), each chunk after the last one's reply.

        `last` is called before the chunk that ends the message; until then nothing can have been accepted.
        `heed` is called with each reply to that one, as by `send_mail_data`. Returns the reply to an earlier one
        if it was not taken: the message has failed, and the rest is not sent. The phase `body` counts from
        the first octet to the last of all replies.
        """
        started_ns, _ = self._begin("body")
        refusal = None
        for start in range(0, len(content), chunk_octets):
            end = start + chunk_octets
            if ends := end >= len(content):
                last()
                self.trace.dot_sent(self.now_ns())
            for block in blocks_of(self.client.send(Bdat(content[start:end], ends))):
                await self._say(block, self._by("block"))
            if not ends:
                reply = await self._answer("body", self._by("body"))
                if not reply.positive:
                    refusal = reply
                    break
        while refusal is None and self.client.owed:
            heed(await self._answer("body", self._by("body")), self.client.recipient)
        self._end("body", started_ns)
        return refusal

    async def dribble(
        self, octets: bytes, segment_octets: int, pause_s: float, last: Callable[[], None]
    ) -> tuple[Reply, bool]:
        """Send the mail data so many octets at a time; return the reply, and whether it came after all of them.

        A server that answers early is listened to: the rest is not sent. `last` is called before the segment
        that ends the mail data; until then nothing can have been accepted. The phase is not timed.
        """
        self._begin("body")
        octets = self.client.send(MailData(octets))
        for start in range(0, len(octets), segment_octets):
            if start and (early := await self._early(trio.current_time() + pause_s)) is not None:
                return early, False
            if start + segment_octets >= len(octets):
                last()
            await self._say(octets[start : start + segment_octets], self._by("block"))
        return await self._answer("body", self._by("body")), True

    async def break_off(self, octets: bytes, share: float) -> None:
        """Send that share of the mail data, but never its end, and reset the connection. The phase is not timed."""
        self._begin("body")
        octets = self.client.send(MailData(octets))
        end = int((len(octets) - len(END_OF_MAIL_DATA)) * share)
        for start in range(0, end, BLOCK_OCTETS):
            await self._say(octets[start : min(end, start + BLOCK_OCTETS)], self._by("block"))
        self.transport.abort()

    async def noop(self) -> None:
        """Ask for nothing, and be told so (RFC 5321 §4.1.1.9); Refused on anything else."""
        await self.require("noop", Noop())

    async def require(self, phase: str, command: SmtpCommand) -> None:
        """Send one command; raise Refused on any reply but 2yz."""
        self._require(phase, await self.ask(phase, command))

    async def quit(self) -> Refused | None:
        """Say goodbye if the server is still there, and return its refusal if it would not have it.

        221 and 421 come to the same: the session is over.
        """
        if not self.client.permits(_QUIT):
            return None
        reply = await self.ask("quit", _QUIT)
        gone = reply.code == SHUTTING_DOWN or reply.positive
        return None if gone else self.refusal("quit", reply)

    def refusal(self, phase: str, reply: Reply) -> Refused:
        """Return the refusal that a negative reply in a phase amounts to."""
        return Refused(self.name_of(phase), str(reply.code), reply.octets)

    async def _unasked(self, deadline: float) -> Refused:
        return self.refusal("noop", await self._answer("noop", deadline))

    async def _early(self, until: float) -> Reply | None:
        """Wait until an instant, or for what the server says to mail data that has not ended."""
        try:
            reply = await self._answer("body", until)
        except TransportTimeout:
            return None
        if reply.positive:
            raise RemoteProtocolError("mail data accepted before its end", octets=reply.octets, section=END_SECTION)
        return reply

    async def greet(self) -> None:
        """Wait for the greeting; raise Refused if it is none (RFC 5321 §3.1)."""
        started_ns, deadline = self._begin("greeting")
        reply = await self._answer("greeting", deadline)
        self._end("greeting", started_ns)
        self._require("greeting", reply)

    async def hello(self) -> None:
        """Introduce ourselves: EHLO, or HELO to a server of old (RFC 5321 §3.2), or LHLO; Refused if it is in vain."""
        name = self.route.hello_name
        lmtp = self.client.dialect is LMTP
        reply = await self.ask("ehlo", Lhlo(name) if lmtp else Ehlo(name))
        if reply.code in WITHOUT_EXTENSIONS and not lmtp and not self.route.upgrades:
            reply = await self.ask("ehlo", Helo(name))
        self._require("ehlo", reply)

    async def _start_tls(self) -> None:
        started_ns, deadline = self._begin("tls")
        if not self.client.extensions.starttls:
            raise NotOffered("STARTTLS", section="RFC 3207 §4")
        self._require("tls", await self.ask("tls", StartTls(), whole=False))
        self.client.tls_started()      # before the handshake: it looks for octets smuggled in behind the 220
        await self._handshake(deadline)
        self._end("tls", started_ns)

    async def _log_in(self, login: Mechanism) -> None:
        started_ns, _ = self._begin("auth")
        if login.name not in self.client.extensions.auth:
            raise NotOffered(f"AUTH {login.name}", section="RFC 4954 §3")
        reply = await self.ask("auth", Auth(login.name, login.initial()), whole=False)
        while reply.reply_class is _GO_ON:
            reply = await self.ask("auth", AuthResponse(login.answer(decode_challenge(reply.text))), whole=False)
        self._end("auth", started_ns)
        self._require("auth", reply)

    def _require(self, phase: str, reply: Reply) -> None:
        """Go on only with a 2yz reply."""
        if not reply.positive:
            raise self.refusal(phase, reply)


def blocks_of(octets: bytes) -> Sequence[bytes | memoryview]:
    """Return octets in blocks of BLOCK_OCTETS, without copying them."""
    if len(octets) <= BLOCK_OCTETS:
        return (octets,)
    view = memoryview(octets)
    return [view[start : start + BLOCK_OCTETS] for start in range(0, len(octets), BLOCK_OCTETS)]
