"""One POP3 dialogue: commands out, responses in, each phase timed into the trace (RFC 1939).

The order of a session stands in `retrieve.py` and `hold.py`; this is the part they share.
"""

from collections.abc import Callable, Sequence

from loadgen.scenario.accounts import Account
from loadgen.session.dialogue import Dialogue
from loadgen.session.login import mechanism_for
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.errors import PeerClosed
from loadgen.wire.commands import AuthResponse
from loadgen.wire.pop3 import Pop3Client, Response
from loadgen.wire.pop3_commands import (
    Apop,
    Dele,
    Pass,
    Pop3Auth,
    Pop3Command,
    Pop3Noop,
    Pop3Quit,
    Retr,
    Stls,
    User,
)
from loadgen.wire.sasl import Mechanism, apop_digest, decode_challenge


class Pop3Dialogue(Dialogue[Pop3Command, Response]):
    """Speak POP3."""

    def __init__(self, route: Route, trace: Trace, arrival: int) -> None:
        self.client = Pop3Client()
        super().__init__(route, trace, arrival, self.client)

    async def open(self, account: Account | None, auth: str) -> None:
        """Greet, begin TLS if the route says so, and enter TRANSACTION.

        `auth` is `user` (USER and PASS), `apop`, the name of a SASL mechanism, or `none` to stay in
        AUTHORIZATION. Raises Refused where the server does not grant it, NotOffered where a greeting
        without a timestamp says that there is no APOP; never goes on in clear text unsaid.
        """
        await self.greet()
        if self.route.upgrades:
            await self._start_tls()
        if auth == "none":
            return
        started_ns, deadline = self._begin("auth")
        assert account is not None, "a plan that logs in has an account"
        response = await self._log_in(account, auth, deadline)
        self._end("auth", started_ns)
        self._require("auth", response)

    async def greet(self) -> None:
        """Wait for the greeting; raise Refused if it is none (RFC 1939 §4)."""
        started_ns, deadline = self._begin("greeting")
        response = await self._answer("greeting", deadline)
        self._end("greeting", started_ns)
        self._require("greeting", response)

    async def require(self, phase: str, command: Pop3Command) -> Response:
        """Send one command and return its +OK; raise Refused on -ERR."""
        response = await self.ask(phase, command)
        self._require(phase, response)
        return response

    async def require_all(
        self, phase: str, commands: Sequence[Retr | Dele], heed: Callable[[int, Response], None]
    ) -> None:
        """Send commands in one write (RFC 2449 §6.6), and call `heed` with the message-number and response of each +OK.

        All are read before the first -ERR, if there was one, raises Refused. Each phase counts from the one
        write to its own response: the transfer of what came before it is in it.
        """
        started_ns, deadline = self._begin(phase)
        await self._say(b"".join([self.client.send(command) for command in commands]), deadline)
        refusal = None
        for command in commands:
            try:
                response = await self._answer(phase, self._by(phase))
            except PeerClosed:
                if refusal is None:
                    raise
                break      # what it said before it left is why
            self._end(phase, started_ns)
            if response.ok:
                heed(command.number, response)
            elif refusal is None:
                refusal = self._refusal(phase, response)
        if refusal is not None:
            raise refusal

    async def noop(self) -> None:
        """Ask for nothing, and be told so (RFC 1939 §5)."""
        await self.require("noop", Pop3Noop())

    async def quit(self) -> Refused | None:
        """Enter UPDATE, or just leave from AUTHORIZATION, if the server is still there.

        Returns the refusal if there is one: messages marked deleted may then still be there (RFC 1939 §6).
        """
        if not self.client.permits(Pop3Quit()):
            return None
        response = await self.ask("quit", Pop3Quit())
        return None if response.ok else self._refusal("quit", response)

    async def see_off(self) -> Refused | None:
        """Say goodbye as `quit` does, and wait for the server to close: then the maildrop is free (RFC 1939 §6)."""
        refusal = await self.quit()
        _, deadline = self._begin("quit")
        while refusal is None:
            try:
                await self._listen(deadline)
            except PeerClosed:
                break
            self.client.next_answer()      # raises: nothing more is owed
        return refusal

    async def _unasked(self, deadline: float) -> Refused:
        return self._refusal("noop", await self._answer("noop", deadline))

    async def _start_tls(self) -> None:
        started_ns, deadline = self._begin("tls")
        self._require("tls", await self.ask("tls", Stls(), whole=False))
        self.client.tls_started()      # before the handshake: it looks for octets smuggled in behind the +OK
        await self._handshake(deadline)
        self._end("tls", started_ns)

    async def _log_in(self, account: Account, auth: str, deadline: float) -> Response:
        match auth:
            case "user":
                response = await self.ask("auth", User(account.login), whole=False)
                if not response.ok:
                    return response
                return await self.ask("auth", Pass(account.password), whole=False)
            case "apop":
                if self.client.timestamp is None:
                    raise NotOffered("APOP", section="RFC 1939 §7")
                digest = apop_digest(self.client.timestamp, account.password)
                return await self.ask("auth", Apop(account.login, digest), whole=False)
            case _:
                mechanism = mechanism_for(auth, account, self._arrival)
                assert mechanism is not None, auth
                return await self._sasl(mechanism, deadline)

    async def _sasl(self, login: Mechanism, deadline: float) -> Response:
        response = await self.ask("auth", Pop3Auth(login.name, login.initial()), whole=False)
        while response.continues:
            answer = AuthResponse(login.answer(decode_challenge(response.text)))
            response = await self.ask("auth", answer, whole=False)
        return response

    def _require(self, phase: str, response: Response) -> None:
        """Go on only with +OK."""
        if not response.ok:
            raise self._refusal(phase, response)

    def _refusal(self, phase: str, response: Response) -> Refused:
        code = f" [{response.code.decode('ascii')}]" if response.code is not None else ""
        return Refused(self.name_of(phase), f"-ERR{code}", b"-ERR " + response.text)

