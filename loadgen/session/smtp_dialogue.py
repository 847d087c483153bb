"""One SMTP or LMTP dialogue: commands out, replies in, each phase timed into the trace.

The order of a session stands in `deliver.py` and `hold.py`; this is the part they share:
opening (connect, greeting, TLS, EHLO, AUTH), asking, and leaving.
"""

from collections.abc import Sequence

from loadgen.session.dialogue import Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.wire.commands import (
    Auth,
    AuthResponse,
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
from loadgen.wire.smtp import LMTP, SMTP, Answer, SmtpClient


class SmtpDialogue(Dialogue):
    """Speak SMTP, or LMTP where the route leads to an LMTP server."""

    def __init__(self, route: Route, trace: Trace, arrival: int) -> None:
        super().__init__(route, trace, arrival)
        self.client = SmtpClient(LMTP if route.endpoint.protocol == "lmtp" else SMTP)

    async def open(self, login: Mechanism | None = None) -> None:
        """Greet, begin TLS if the route says so, introduce ourselves, and log in if asked.

        Raises Refused where the server does not grant it, and RemoteProtocolError if it does not
        offer what the route or the login needs: never does a session go on in clear text, or
        without its login, unsaid.
        """
        await self._greeting()
        await self._hello()
        if self.route.upgrades:
            await self._start_tls()
            await self._hello()
        if login is not None:
            await self._log_in(login)

    async def ask(self, phase: str, command: SmtpCommand) -> Reply:
        """Send one command and return its reply, whatever it says; the phase is timed."""
        started_ns, deadline = self._begin(phase)
        answer = await self._exchange(command, deadline)
        self._end(phase, started_ns)
        self._keep(phase, answer.reply)
        return answer.reply

    async def ask_all(self, commands: Sequence[tuple[str, SmtpCommand]]) -> list[Reply]:
        """Send commands in one write and return their replies in order (RFC 2920 §3.1).

        Each phase counts from the one write to its own reply.
        """
        started_ns, deadline = self._begin(commands[0][0])
        await self.transport.send(b"".join([self.client.send(command) for _, command in commands]), deadline)
        replies = []
        for phase, _ in commands:
            self.trace.phase = self.name_of(phase)
            answer = await self._answer(self.route.deadline(phase))
            self._end(phase, started_ns)
            self._keep(phase, answer.reply)
            replies.append(answer.reply)
        return replies

    async def send_mail_data(self, octets: bytes) -> list[Answer]:
        """Send the mail data and return every reply to the final dot: one, or one per recipient (RFC 2033 §4.2).

        `octets` are stuffed and end with CRLF.CRLF. The phase `body` counts from the first octet to the
        last of the replies.
        """
        started_ns, _ = self._begin("body")
        await self.transport.send(self.client.send(MailData(octets)), self.route.deadline("block"))
        answers = []
        while self.client.owed:
            answers.append(await self._answer(self.route.deadline("body")))
            self._keep("body", answers[-1].reply)
        self._end("body", started_ns)
        return answers

    async def noop(self) -> None:
        """Ask for nothing, and be told so (RFC 5321 §4.1.1.9)."""
        reply = await self.ask("noop", Noop())
        if reply.reply_class is not ReplyClass.POSITIVE_COMPLETION:
            raise self.refusal("noop", reply)

    async def quit(self) -> None:
        """Say goodbye and wait for the answer, if the server is still there to give it."""
        if self.client.permits(Quit()):
            await self.ask("quit", Quit())

    async def _greeting(self) -> None:
        started_ns, deadline = self._begin("greeting")
        answer = await self._answer(deadline)
        self._end("greeting", started_ns)
        self._require("greeting", answer.reply)

    async def _hello(self) -> None:
        name = self.route.hello_name
        if self.client.dialect is LMTP:
            self._require("ehlo", await self.ask("ehlo", Lhlo(name)), kept=True)
            return
        reply = await self.ask("ehlo", Ehlo(name))
        if reply.reply_class is ReplyClass.PERMANENT_NEGATIVE and not self.route.upgrades:
            reply = await self.ask("ehlo", Helo(name))      # a server without extensions: RFC 5321 §3.2
        self._require("ehlo", reply, kept=True)

    async def _start_tls(self) -> None:
        if not self.client.extensions.starttls:
            raise RemoteProtocolError("STARTTLS is not offered", octets=b"", section="RFC 3207 §4")
        started_ns, deadline = self._begin("tls")
        answer = await self._exchange(StartTls(), deadline)
        self._require("tls", answer.reply)
        self.client.tls_started()
        await self._handshake(deadline)
        self._end("tls", started_ns)

    async def _log_in(self, login: Mechanism) -> None:
        if login.name not in self.client.extensions.auth:
            raise RemoteProtocolError(f"AUTH {login.name} is not offered", octets=b"", section="RFC 4954 §3")
        started_ns, deadline = self._begin("auth")
        answer = await self._exchange(Auth(login.name, login.initial()), deadline)
        while answer.reply.code == 334:
            response = AuthResponse(login.answer(decode_challenge(answer.reply.text)))
            answer = await self._exchange(response, deadline)
        self._end("auth", started_ns)
        self._require("auth", answer.reply)

    async def _exchange(self, command: SmtpCommand, deadline: float) -> Answer:
        await self.transport.send(self.client.send(command), deadline)
        return await self._answer(deadline)

    async def _answer(self, deadline: float) -> Answer:
        while (answer := self.client.next_answer()) is None:
            self.client.receive(await self.transport.receive(deadline))
        return answer

    def _keep(self, phase: str, reply: Reply) -> None:
        name = self.name_of(phase)
        self.trace.replies.append((name, str(reply.code), str(reply.enhanced) if reply.enhanced else None))
        for deviation in reply.deviations:
            self.trace.deviations.append((name, deviation, reply.octets))

    def _require(self, phase: str, reply: Reply, *, kept: bool = False) -> None:
        """Go on only with a 2yz reply; keep it in the trace unless `ask` has done so."""
        if not kept:
            self._keep(phase, reply)
        if reply.reply_class is not ReplyClass.POSITIVE_COMPLETION:
            raise self.refusal(phase, reply)

    def refusal(self, phase: str, reply: Reply) -> Refused:
        """Return the refusal that a negative reply in a phase amounts to."""
        return Refused(self.name_of(phase), str(reply.code))
