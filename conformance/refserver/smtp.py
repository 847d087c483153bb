"""The SMTP and LMTP server machine (RFC 5321, RFC 2033): octets in, replies out.

What is permitted when stands in `smtp_commands.COMMANDS`, verb × state. What has a way of reading of its own (mail
data, chunks, an AUTH exchange) replaces the reading of commands until it is over.
"""

from collections.abc import Callable, Mapping
from typing import Final

from conformance.refserver import replies
from conformance.refserver.behaviour import Extension
from conformance.refserver.fault import Fault, apply_incoming, apply_outgoing, run_around
from conformance.refserver.lines import EndlessLine, LineReader, LineTooLong
from conformance.refserver.replies import Reply
from conformance.refserver.session import After, Service
from conformance.refserver.smtp_auth import end_exchange, sasl_response
from conformance.refserver.smtp_commands import COMMANDS, Command
from conformance.refserver.smtp_state import HELLO_VERBS, SMTP, Dialect, Reading, SmtpState, State

_DRIP_OCTETS: Final = 16      # so little of a line at a time is no progress


class SmtpSession:
    """One SMTP or LMTP session. See `session.Session` for what the methods promise."""

    __slots__ = ("_errors", "_faults", "_lines", "_service", "_session", "_verb", "pause_s", "progress")

    def __init__(self, service: Service, dialect: Dialect, peer: str | None, cipher: str | None = None) -> None:
        """`peer` is the client's address literal, None over a unix socket; `cipher` is set under implicit TLS."""
        self.pause_s = 0.0
        self.progress = 0
        self._service = service
        self._session = SmtpState(service, dialect, peer, cipher)
        self._lines = LineReader(service.limits.endless_line_octets, lf_ends=service.behaviour.lf_ends_lines)
        self._errors = 0
        self._faults = service.behaviour.faults
        self._verb = b""             # what the next reply answers, as `Fault.outgoing` names it

    @property
    def after(self) -> After:
        """See Session."""
        return self._session.after

    @property
    def more(self) -> bool:
        """See Session. Replies are short: whatever one read asks for is sent at once."""
        return False

    @property
    def faults(self) -> tuple[Fault, ...]:
        """See Session."""
        return self._faults

    @property
    def idle_s(self) -> float:
        """See Session."""
        seconds = self._service.limits.smtp_idle_s
        for fault in self._faults:
            if fault.idle_s is not None:
                seconds = fault.idle_s
            if fault.patience_s is not None:
                seconds = fault.patience_s(self._session, seconds)
        return seconds

    def greeting(self) -> bytes:
        """See Session (RFC 5321 §3.1)."""
        behaviour = self._service.behaviour
        protocol = "ESMTP" if self._session.dialect is SMTP else "LMTP"
        refusal = behaviour.refuses_service
        text = f"{protocol} {behaviour.greeting_text}" if refusal is None else "takes no mail"
        octets = f"{refusal or 220} {behaviour.host_name} {text}\r\n".encode("ascii")
        return apply_outgoing(behaviour.faults, self._session, b"", octets)

    def receive(self, octets: bytes) -> bytes:
        """See Session. The replies to one batch of pipelined commands are one batch too (RFC 2920 §3.2)."""
        self.pause_s = 0.0
        if self._faults:
            octets = apply_incoming(self._faults, self._session, octets)
        self._lines.feed(octets)
        answers = []
        session = self._session
        while session.after is After.GO_ON:
            try:
                answer = _READERS[session.reading](self)
            except LineTooLong:
                self._verb = b"?"
                answer = self._line_too_long()
            except EndlessLine:
                self._verb = b"?"
                answer = self._say(replies.NEVER_ENDING_LINE)
            if answer is None:
                break
            answers.append(answer)
        if session.after is not After.GO_ON:
            self._lines.clear()      # what came behind STARTTLS is nobody's command (RFC 3207 §4.2)
        return b"".join(answers)

    def tls_started(self, cipher: str) -> bytes:
        """See Session."""
        self._session.begin(cipher)
        return b"".join([fault.in_tls for fault in self._faults])

    def timed_out(self) -> bytes:
        """See Session (RFC 5321 §3.8)."""
        return self._say(replies.IDLE)

    def shutting_down(self) -> bytes:
        """See Session (RFC 5321 §3.8)."""
        return self._say(replies.SHUTTING_DOWN)

    def closed(self) -> None:
        """See Session. A transaction that was not answered never was (RFC 5321 §4.1.1.10)."""
        for fault in self._faults:
            if fault.gone is not None:
                fault.gone(self._session)
        self._session.forget_transaction()

    # Readers: each returns what to send, or None when it needs more octets to go on.

    def _read_command(self) -> bytes | None:
        line = self._lines.next_line(self._service.limits.smtp_line_octets)
        if line is None:
            return None
        self.progress += 1
        self._verb = b"?"
        if b"\n" in line or b"\r" in line:
            return self._say(replies.BARE_CR_OR_LF)
        verb, _, argument = line.rstrip(b" \t").partition(b" ")
        self._verb = verb = verb.upper()
        if self._faults:
            reply = run_around(self._faults, self._session, verb, argument, lambda: self._obey(verb, argument))
        else:
            reply = self._obey(verb, argument)
        return b"" if reply is None else self._say(reply)

    def _obey(self, verb: bytes, argument: bytes) -> Reply | None:
        """Do what a command says if it may be said now; return the reply, None if that comes later."""
        command = COMMANDS.get(verb)
        if self._service.behaviour.refuses_service is not None and verb != b"QUIT":
            return replies.NO_SERVICE
        if command is None or (verb in HELLO_VERBS and verb not in self._session.dialect.hello_verbs):
            return replies.UNKNOWN_COMMAND
        refusal = self._objection(verb, command, argument)
        return command.run(self._session, argument) if refusal is None else refusal

    def _objection(self, verb: bytes, command: Command, argument: bytes) -> Reply | None:
        if command.extension is not None and command.extension not in self._session.available():
            return replies.NOT_IMPLEMENTED
        if argument and not command.takes_argument:
            return replies.NO_ARGUMENT_ALLOWED
        if self._session.state not in command.permitted:
            return replies.OUT_OF_ORDER
        if command.of_users and self._session.must_log_in():
            return replies.LOGIN_REQUIRED
        if verb == b"MAIL" and self._session.mails >= self._service.limits.mails:
            return replies.TOO_MANY_MAILS
        return None

    def _read_mail_data(self) -> bytes | None:
        reader = self._session.data
        assert reader is not None
        octets = self._lines.take()
        if len(octets) > _DRIP_OCTETS or b"\n" in octets:
            self.progress += len(octets)
        if not reader.feed(octets):
            return None
        self._lines.feed(reader.rest)
        return self._finish(reader.content())

    def _read_chunk(self) -> bytes | None:
        session = self._session
        chunks = session.chunks
        assert chunks is not None
        octets = self._lines.take(chunks.wanted)
        self.progress += len(octets)
        chunks.feed(octets)
        if chunks.wanted:
            return None
        session.reading = Reading.COMMAND
        if session.state is not State.CHUNKS:      # refused from the start; only now may commands follow
            session.chunks = None
            if session.chunk_is_last and session.dialect.reply_per_recipient and session.state is State.MAIL:
                session.forget_transaction()
                return b""       # nobody was named whom a reply could be for (RFC 2033 §4.3)
            return self._say(replies.OUT_OF_ORDER)
        if session.chunk_is_last:
            return self._finish(None if chunks.overflowed else chunks.content())
        if chunks.overflowed:
            session.forget_transaction()
            return self._say(replies.MESSAGE_TOO_BIG)
        return self._say(replies.CHUNK_TAKEN)

    def _read_sasl_response(self) -> bytes | None:
        line = self._lines.next_line(self._service.limits.sasl_line_octets)
        if line is None:
            return None
        self.progress += 1
        return self._say(sasl_response(self._session, line))

    def _finish(self, content: bytes | None) -> bytes:
        """End the transaction with the replies its mail data are owed; None stands for too much of them."""
        session = self._session
        transaction = session.transaction
        assert transaction is not None
        session.reading = Reading.COMMAND
        session.forget_transaction()
        self._verb = b"BDAT" if self._verb == b"BDAT" else b"."
        each = session.dialect.reply_per_recipient
        for fault in self._faults:
            if fault.content is not None and content is not None:
                content = fault.content(session, content)
        if content is None:
            final = [replies.MESSAGE_TOO_BIG] * (len(transaction.recipients) if each else 1)
        else:
            final = transaction.deliver(content, session.client, self._service, session.dialect.name, each=each)
            self.pause_s = max(self.pause_s, self._service.work_s())
        for fault in self._faults:
            if fault.final is not None:
                final = fault.final(session, transaction, final)
        self._errors = 0
        return b"".join([self._say(reply) for reply in final])

    def _line_too_long(self) -> bytes:
        self.progress += 1
        if self._session.reading is Reading.SASL_RESPONSE:
            end_exchange(self._session)
        return self._say(replies.LINE_TOO_LONG)

    def _say(self, reply: Reply) -> bytes:
        octets = reply.octets if Extension.ENHANCED_STATUS_CODES in self._service.behaviour.extensions else reply.bare
        if reply.code == 421:
            self._session.after = After.CLOSE
        elif reply.code >= 500:
            self._errors += 1
            if self._errors >= self._service.limits.errors:
                return octets + self._say(replies.TOO_MANY_ERRORS)
        return self._say_faultily(octets) if self._faults else octets

    def _say_faultily(self, octets: bytes) -> bytes:
        for fault in self._faults:
            if fault.pause_s is not None:
                self.pause_s += fault.pause_s(self._session, self._verb, octets)
        return apply_outgoing(self._faults, self._session, self._verb, octets)


_READERS: Final[Mapping[Reading, Callable[[SmtpSession], bytes | None]]] = {
    Reading.COMMAND: SmtpSession._read_command,
    Reading.MAIL_DATA: SmtpSession._read_mail_data,
    Reading.CHUNK: SmtpSession._read_chunk,
    Reading.SASL_RESPONSE: SmtpSession._read_sasl_response,
}
