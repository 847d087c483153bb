"""The POP3 server machine (RFC 1939): octets in, responses out.

What is permitted when stands in `pop3_commands.COMMANDS`, keyword × state.
"""

from functools import partial
from typing import Final

from conformance.refserver import pop3_commands as commands
from conformance.refserver.fault import Fault
from conformance.refserver.lines import EndlessLine, LineReader, LineTooLong
from conformance.refserver.pop3_commands import COMMANDS, Argument
from conformance.refserver.pop3_points import LAWFUL, GoOn
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.session import After, Service

_BATCH_OCTETS: Final = 256 * 1024     # past it responses are sent before more commands are read


class Pop3Session:
    """One POP3 session. See `session.Session` for what the methods promise."""

    __slots__ = ("_errors", "_lines", "_points", "_service", "_session", "_verb", "more", "pause_s", "progress")

    def __init__(self, service: Service, cipher: str | None = None) -> None:
        """`cipher` is set under implicit TLS."""
        self.pause_s = 0.0
        self.progress = 0
        self.more = False
        self._points = [fault.pop3 for fault in service.behaviour.faults if fault.pop3 is not LAWFUL]
        self._verb = b""             # what the next response answers, as `Pop3Points.outgoing` names it
        self._service = service
        self._session = Pop3State(service, cipher)
        self._lines = LineReader(service.limits.endless_line_octets)
        self._errors = 0

    @property
    def after(self) -> After:
        """See Session."""
        return After.GO_ON if self.more else self._session.after

    @property
    def faults(self) -> tuple[Fault, ...]:
        """See Session."""
        return self._service.behaviour.faults

    @property
    def idle_s(self) -> float:
        """See Session (RFC 1939 §3: the autologout timer)."""
        faulty = [fault.idle_s for fault in self.faults if fault.idle_s is not None]
        idle_s = faulty[-1] if faulty else self._service.limits.pop3_idle_s
        for points in self._points:
            if points.patience_s is not None:
                idle_s = points.patience_s(self._session, idle_s)
        return idle_s

    def greeting(self) -> bytes:
        """See Session. A timestamp in it offers APOP (RFC 1939 §7)."""
        behaviour = self._service.behaviour
        text = f"+OK {behaviour.host_name} POP3 {behaviour.greeting_text}".encode("ascii")
        return self._say(b" ".join([text, self._session.timestamp]).rstrip() + b"\r\n")

    def receive(self, octets: bytes) -> bytes:
        """See Session. Pipelined commands (RFC 2449 §6.6) are answered in one batch."""
        self.pause_s = 0.0
        for points in self._points:
            if points.incoming is not None:
                octets = points.incoming(self._session, octets)
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
        return b"".join([fault.in_tls for fault in self.faults])

    def timed_out(self) -> bytes:
        """See Session. Autologout closes without a response and without an update (RFC 1939 §3)."""
        return b"".join([points.last_words for points in self._points])

    def shutting_down(self) -> bytes:
        """See Session. Nothing: a response nobody asked for would be taken for the next command's."""
        return b""

    def closed(self) -> None:
        """See Session. Whoever did not QUIT has removed nothing (RFC 1939 §6)."""
        for points in self._points:
            if points.gone is not None:
                points.gone(self._session)
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
                self._verb = b"+"
                return None if line is None else self._count(commands.sasl_response(session, line))
            line = self._lines.next_line(limits.pop3_line_octets)
            self._verb = b"?"
            return None if line is None else self._count(self._answer(line))
        except LineTooLong:
            session.exchange = None
            self._verb = b"?"
            return self._count(commands.LINE_TOO_LONG)
        except EndlessLine:
            session.after = After.CLOSE
            return commands.LINE_TOO_LONG

    def _answer(self, line: bytes) -> bytes:
        if b"\n" in line or b"\r" in line:
            return commands.BARE_CR_OR_LF
        keyword, space, argument = line.partition(b" ")
        self._verb = verb = keyword.upper()
        go_on: GoOn = partial(self._obey, verb, bool(space), argument)
        for points in reversed(self._points):
            if points.around is not None:
                go_on = partial(points.around, self._session, verb, argument, go_on)
        response = go_on()
        if verb == b"RETR" and response.startswith(b"+"):
            self.pause_s = max(self.pause_s, self._service.work_s())
        if verb != b"USER" or not response.startswith(b"+"):
            self._session.user = None
        return response

    def _obey(self, verb: bytes, space: bool, argument: bytes) -> bytes:
        command = COMMANDS.get(verb)
        if command is None:
            return commands.UNKNOWN_COMMAND
        if self._session.state not in command.permitted:
            return commands.WRONG_STATE
        if not _fits(command.argument, space, argument):
            return commands.SYNTAX
        return command.run(self._session, argument)

    def _count(self, response: bytes) -> bytes:
        self.progress += 1
        if response.startswith(b"-"):
            self._errors += 1
            if self._errors >= self._service.limits.errors:
                self._session.after = After.CLOSE
        else:
            self._errors = 0
        return self._say(response) if self._points else response

    def _say(self, response: bytes) -> bytes:
        """Return a response as the faults send it."""
        session = self._session
        for points in self._points:
            if points.pause_s is not None:
                self.pause_s += points.pause_s(session, self._verb, response)
            if points.outgoing is not None:
                response = points.outgoing(session, self._verb, response)
            if points.lines is not None and session.body is not None:
                session.body = iter([points.lines(session, b"".join(session.body))])
        return response


def _fits(wanted: Argument, space: bool, argument: bytes) -> bool:
    """Say whether an argument is there as it should be; a space with nothing behind it is none (RFC 1939 §3)."""
    if wanted is Argument.NONE:
        return not space
    if wanted is Argument.REQUIRED:
        return bool(argument)
    return bool(argument) or not space
