"""The POP3 server machine (RFC 1939): octets in, responses out.

What is permitted when stands in `pop3_commands.COMMANDS`, keyword × state.
"""

from typing import Final

from conformance.refserver import pop3_commands as commands
from conformance.refserver.fault import Fault
from conformance.refserver.lines import EndlessLine, LineReader, LineTooLong
from conformance.refserver.pop3_commands import COMMANDS, Argument
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.session import After, Service

_BATCH_OCTETS: Final = 256 * 1024     # past it responses are sent before more commands are read


class Pop3Session:
    """One POP3 session. See `session.Session` for what the methods promise."""

    __slots__ = ("_errors", "_lines", "_service", "_session", "more", "progress")

    def __init__(self, service: Service, cipher: str | None = None) -> None:
        """`cipher` is set under implicit TLS."""
        self.progress = 0
        self.more = False
        self._service = service
        self._session = Pop3State(service, cipher)
        self._lines = LineReader(service.limits.endless_line_octets)
        self._errors = 0

    @property
    def after(self) -> After:
        """See Session."""
        return After.GO_ON if self.more else self._session.after

    @property
    def pause_s(self) -> float:
        """See Session."""
        return 0.0

    @property
    def faults(self) -> tuple[Fault, ...]:
        """See Session."""
        return self._service.behaviour.faults

    @property
    def idle_s(self) -> float:
        """See Session (RFC 1939 §3: the autologout timer)."""
        return self._service.limits.pop3_idle_s

    def greeting(self) -> bytes:
        """See Session. A timestamp in it offers APOP (RFC 1939 §7)."""
        behaviour = self._service.behaviour
        text = f"+OK {behaviour.host_name} POP3 {behaviour.greeting_text}".encode("ascii")
        return b" ".join([text, self._session.timestamp]).rstrip() + b"\r\n"

    def receive(self, octets: bytes) -> bytes:
        """See Session. Pipelined commands (RFC 2449 §6.6) are answered in one batch."""
        self._lines.feed(octets)
        answers: list[bytes] = []
        waiting = 0
        session = self._session
        self.more = False
        while session.after is After.GO_ON or session.body is not None:
            answer = self._next_octets()
            if answer is None:
                break
            answers.append(answer)
            waiting += len(answer)
            if waiting >= _BATCH_OCTETS:
                self.more = True
                break
        if self.after is not After.GO_ON:
            self._lines.clear()      # plain text behind STLS is nobody's command (RFC 2595 §4)
        return b"".join(answers)

    def tls_started(self, cipher: str) -> bytes:
        """See Session."""
        self._session.begin(cipher)
        return b""

    def timed_out(self) -> bytes:
        """See Session. Autologout closes without a response and without an update (RFC 1939 §3)."""
        return b""

    def shutting_down(self) -> bytes:
        """See Session. Nothing: a response nobody asked for would be taken for the next command's."""
        return b""

    def closed(self) -> None:
        """See Session. Whoever did not QUIT has removed nothing (RFC 1939 §6)."""
        self._session.let_go()

    def _next_octets(self) -> bytes | None:
        session = self._session
        if session.body is not None:
            piece = next(session.body, None)
            if piece is not None:
                self.progress += 1
                return piece
            session.body = None
        limits = self._service.limits
        try:
            if session.exchange is not None:
                line = self._lines.next_line(limits.sasl_line_octets)
                return None if line is None else self._count(commands.sasl_response(session, line))
            line = self._lines.next_line(limits.pop3_line_octets)
            return None if line is None else self._count(self._answer(line))
        except LineTooLong:
            session.exchange = None
            return self._count(commands.LINE_TOO_LONG)
        except EndlessLine:
            session.after = After.CLOSE
            return commands.LINE_TOO_LONG

    def _answer(self, line: bytes) -> bytes:
        if b"\n" in line or b"\r" in line:
            return commands.BARE_CR_OR_LF
        session = self._session
        keyword, space, argument = line.partition(b" ")
        command = COMMANDS.get(keyword.upper())
        if command is None:
            response = commands.UNKNOWN_COMMAND
        elif session.state not in command.permitted:
            response = commands.WRONG_STATE
        elif not _fits(command.argument, bool(space), argument):
            response = commands.SYNTAX
        else:
            response = command.run(session, argument)
        if command is not COMMANDS[b"USER"]:
            session.user = None
        return response

    def _count(self, response: bytes) -> bytes:
        self.progress += 1
        if response.startswith(b"-"):
            self._errors += 1
            if self._errors >= self._service.limits.errors:
                self._session.after = After.CLOSE
        else:
            self._errors = 0
        return response


def _fits(wanted: Argument, space: bool, argument: bytes) -> bool:
    """Say whether an argument is there as it should be; a space with nothing behind it is none (RFC 1939 §3)."""
    if wanted is Argument.NONE:
        return not space
    if wanted is Argument.REQUIRED:
        return bool(argument)
    return bool(argument) or not space
