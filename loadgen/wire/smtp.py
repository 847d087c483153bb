"""The client's side of an SMTP or LMTP session, sans I/O: what may be said, what is owed, what it means."""

from collections import deque
from typing import Final, NamedTuple

from loadgen.wire.commands import Helo, RawLine, Rcpt, SmtpCommand
from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.extensions import NO_EXTENSIONS, Extensions, parse_extensions
from loadgen.wire.reply import Reply, ReplyClass, ReplyReader
from loadgen.wire.smtp_table import DIALECTS, FINAL, LMTP, NEXT, RULES, SMTP, STAY, Dialect, Phase, Rule, phase_of

__all__ = ["DIALECTS", "LMTP", "SMTP", "Answer", "Dialect", "Phase", "SmtpClient", "phase_of"]


# A StrEnum's member costs more to look up by its name than most of what is done with it here.
_AUTH, _BODY, _EHLO, _MAIL, _RAW, _RCPT = Phase.AUTH, Phase.BODY, Phase.EHLO, Phase.MAIL, Phase.RAW, Phase.RCPT
_GREETING, _CHUNK, _RSET = Phase.GREETING, Phase.CHUNK, Phase.RSET
_FIRST: Final[tuple[tuple[SmtpCommand | None, Phase], ...]] = ((None, Phase.GREETING),)
_TELLING: Final = frozenset({_GREETING, _EHLO, _AUTH, _RCPT, _RSET})  # their replies tell more than the next state
_YES: Final = ReplyClass.POSITIVE_COMPLETION


class Answer(NamedTuple):
    """A reply and what it answers."""

    command: SmtpCommand | None  # None: the greeting, or a 421 nobody asked for
    reply: Reply
    recipient: str | None = None  # LMTP's replies to mail data: whose (RFC 2033 §4.2)


class SmtpClient:
    """One session. Feed it what was received, take the answers; ask it for octets to send.

    It judges order and grouping, by smtp_table. It does not judge whether an extension was offered, save
    PIPELINING, without which a group may be lost. Several sends before their answers are a pipelined group
    (RFC 2920): a command is permitted if it is after every outstanding one has been answered as hoped.

    After RemoteProtocolError, 421, end of file or the answer to QUIT the phase is CLOSED and nothing is
    permitted.
    """

    __slots__ = (
        "_ahead",
        "_group_ended",
        "_outstanding",
        "_phase",
        "_reader",
        "_recipients",
        "_verdicts",
        "authenticated",
        "dialect",
        "extensions",
        "greeting",
        "recipient",
    )

    def __init__(self, dialect: Dialect = SMTP) -> None:
        self.dialect = dialect
        self.greeting: Reply | None = None
        self.extensions: Extensions = NO_EXTENSIONS  # of the last EHLO or LHLO accepted
        self.authenticated = False
        self.recipient: str | None = None  # whose the last reply was, of LMTP's to mail data (RFC 2033 §4.2)
        self._reader = ReplyReader()
        # Invariant: the state all answers so far have led to; what is outstanding has not moved it.
        self._phase = _GREETING
        # Invariant: the recipients accepted in the open transaction, in order; empty outside one.
        self._recipients: list[str] = []
        self._verdicts: list[ReplyClass] = []  # of an LMTP transaction's final replies so far, one per recipient
        # Invariant: one entry per reply owed, oldest first; an LMTP final dot's stays until all its replies
        # are in.
        self._outstanding: deque[tuple[SmtpCommand | None, Phase]] = deque(_FIRST)
        self._group_ended = True  # says whether the newest outstanding command ends its group
        # The state and recipients there will be if every outstanding command is answered as hoped; None: work
        # it out.
        self._ahead: tuple[Phase, int] | None = None

    @property
    def phase(self) -> Phase:
        """Return the phase of the next reply owed, or, with none owed, of the next command due."""
        return self._outstanding[0][1] if self._outstanding else self._phase

    @property
    def unread(self) -> bool:
        """Say whether something was received that is part of no reply taken yet."""
        return self._reader.has_pending

    @property
    def accepted_recipients(self) -> int:
        """Return how many recipients the open transaction has had accepted so far."""
        return len(self._recipients)

    @property
    def owed(self) -> int:
        """Return how many replies are still owed, if every outstanding command is answered as hoped."""
        if not self.dialect.reply_per_recipient:
            return len(self._outstanding)
        replies, recipients = 0, len(self._recipients)
        for _, phase in self._outstanding:
            replies += max(recipients, 1) if phase in FINAL else 1
            recipients = _hoped(phase, self._phase, recipients)[1]
        return replies - len(self._verdicts)

    def permits(self, command: SmtpCommand) -> bool:
        """Say whether the command may be sent now, behind what is outstanding."""
        rule = RULES[type(command)]
        if self._outstanding or rule.conditional:
            return self._permits(command, rule)
        return self._phase in rule.permitted_in

    def send(self, command: SmtpCommand) -> bytes:
        """Return the octets to send, and note what replies they are owed.

        Raises LocalProtocolError if the command is not permitted or not sendable, and then nothing has
        changed. Raises RemoteProtocolError if the server has already said something that this would take for
        its answer.
        """
        rule = RULES[type(command)]
        # The first three terms are the whole answer for a command that comes alone and has no condition of its own.
        if (
            self._outstanding or rule.conditional or self._phase not in rule.permitted_in
        ) and not self._permits(command, rule):
            raise LocalProtocolError(f"{type(command).__name__} is not permitted in phase {self.phase}")
        octets = command.to_bytes()
        if not self._outstanding:
            # 421 closes the session whatever it is taken to answer (RFC 5321 §3.8).
            if self._reader.has_pending and not self._reader.pending.startswith(b"421"):
                raise self._unasked()
            self._ahead = None
        phase = rule.phase
        if rule.conditional:
            if phase is _RAW:
                assert isinstance(command, RawLine)
                self._outstanding.extend([(command, phase)] * command.replies)
                if command.replies:
                    self._group_ended = False
                return octets
            if phase is _CHUNK:
                phase = phase_of(command)
        if phase is _BODY and self.dialect.reply_per_recipient and not self._recipients:
            # 354 without a recipient: the server should have said 503, and now owes as many replies as there
            # are recipients (RFC 2033 §4.2).
            self._phase = _MAIL
            return octets
        if self._ahead is not None:
            self._ahead = _hoped(phase, *self._ahead)
        self._outstanding.append((command, phase))
        self._group_ended = rule.ends_group
        return octets

    def _permits(self, command: SmtpCommand, rule: Rule) -> bool:
        if not self._outstanding or rule.phase is _RAW:
            phase, recipients = self._phase, len(self._recipients)
        elif self._group_ended or not self.extensions.pipelining:
            return False
        else:
            phase, recipients = self._look_ahead()
        if phase not in rule.permitted_in:
            return False
        if rule.needs_recipient:
            return recipients > 0 and not self._is_uncountable(rule)
        if rule.phase is _EHLO:
            return command.verb in self.dialect.hello_verbs
        return not (rule.phase is _AUTH and self.authenticated)  # once a session: RFC 4954 §4

    def receive(self, octets: bytes) -> None:
        """Take in what was received."""
        self._reader.feed(octets)

    def next_answer(self) -> Answer | None:
        """Take the next reply with what it answers, or None until more is received. Raises as `hear` does."""
        command = self._outstanding[0][0] if self._outstanding else None
        reply = self.hear()
        return None if reply is None else Answer(command, reply, self.recipient)

    def hear(self, octets: bytes = b"") -> Reply | None:
        """Take in what was received, if anything; take the next reply, or None until more is received.

        Raises RemoteProtocolError on a reply that no cell of the table has, on one that nothing is owed, and
        on octets that cannot be framed.
        """
        try:
            reply = self._reader.next_reply(octets)
        except RemoteProtocolError:
            self._close()
            raise
        if reply is None:
            return None
        self.recipient = None
        outstanding = self._outstanding
        if reply.code == 421 or not outstanding:
            return self._hear_the_end(reply)
        command, phase = outstanding[0]
        reply_class = reply.reply_class
        cells = NEXT[phase]
        if reply_class not in cells:
            raise self._refused(f"{reply.code} does not answer {phase}", reply, "RFC 5321 §4.3.2")
        after = cells[reply_class]
        if phase in FINAL:
            if self.dialect.reply_per_recipient and self._recipients:
                self.recipient = self._recipients[len(self._verdicts)]
                self._verdicts.append(reply_class)
                if len(self._verdicts) < len(self._recipients):
                    return reply
                after = cells[min(self._verdicts)]  # 2yz for any is responsibility taken (RFC 2033 §4.2)
            self._forget_transaction()
        elif phase in _TELLING:
            self._heed(command, phase, reply)
        outstanding.popleft()
        if after is not STAY and (phase is not _RSET or self._phase is not _EHLO):  # RSET does not replace EHLO
            self._phase = after
        if self._ahead is not None and (not reply.positive or not outstanding):
            self._ahead = None
        return reply

    def receive_eof(self) -> None:
        """Note that the server closed. Raises RemoteProtocolError if it did so amid a reply."""
        pending = self._reader.pending
        self._close()
        if pending:
            raise RemoteProtocolError(
                "the connection closed amid a reply", octets=pending[:512], section="RFC 5321 §4.2", cut=True
            )

    def tls_started(self) -> None:
        """Note that the handshake is done: what was learnt in the clear is forgotten, and EHLO is due again.

        Raises RemoteProtocolError if octets in the clear came behind the 220: they would be read as if they
        had been protected (RFC 3207 §4.2, §6). LocalProtocolError if no STARTTLS was accepted.
        """
        if self._phase is not Phase.TLS:
            raise LocalProtocolError(f"TLS cannot start in phase {self.phase}")
        if self._reader.has_pending:
            raise self._unasked()
        self._phase = Phase.EHLO
        self.extensions = NO_EXTENSIONS
        self.authenticated = False

    def _is_uncountable(self, rule: Rule) -> bool:
        """Say whether BDAT would come before LMTP's count of its replies is known.

        Behind recipients that may all be refused, BDAT LAST is owed none (RFC 2033 §4.3), and in practice one.
        """
        chunk = rule.phase is Phase.CHUNK and self.dialect.reply_per_recipient
        return chunk and any(phase is not Phase.CHUNK for _, phase in self._outstanding)

    def _look_ahead(self) -> tuple[Phase, int]:
        if self._ahead is None:
            ahead = (self._phase, len(self._recipients))
            for _, phase in self._outstanding:
                ahead = _hoped(phase, *ahead)
            self._ahead = ahead
        return self._ahead

    def _heed(self, command: SmtpCommand | None, phase: Phase, reply: Reply) -> None:
        """Keep what a reply tells beyond the state it leads to."""
        if phase is _GREETING:
            self.greeting = reply
        elif not reply.positive:
            return
        elif phase is _RCPT:
            if self._phase is not _RCPT:
                raise self._refused("a recipient accepted without a transaction", reply, "RFC 5321 §4.1.4")
            assert isinstance(command, Rcpt)
            self._recipients.append(command.forward_path)
        elif phase is _EHLO:
            self.extensions = NO_EXTENSIONS if isinstance(command, Helo) else parse_extensions(reply.texts)
            self._forget_transaction()
        elif phase is _AUTH:
            self.authenticated = True
        else:
            self._forget_transaction()

    def _hear_the_end(self, reply: Reply) -> Reply:
        """Close on a 421, which may answer anything and nothing (RFC 5321 §3.8), and on what nothing is owed."""
        if reply.code != 421:
            raise self._refused("a reply nothing is owed", reply, "RFC 5321 §4.2")
        phase = self._outstanding[0][1] if self._outstanding else self._phase
        if phase in FINAL and self.dialect.reply_per_recipient and self._recipients:
            self.recipient = self._recipients[len(self._verdicts)]
        if phase is _GREETING:
            self.greeting = reply
        self._close()
        return reply

    def _forget_transaction(self) -> None:
        if self._recipients:
            self._recipients = []
            self._verdicts = []

    def _close(self) -> None:
        self._phase = Phase.CLOSED
        self._outstanding.clear()
        self._ahead = None
        self._forget_transaction()

    def _refused(self, why: str, reply: Reply, section: str) -> RemoteProtocolError:
        self._close()
        return RemoteProtocolError(why, octets=reply.octets, section=section)

    def _unasked(self) -> RemoteProtocolError:
        pending = self._reader.pending
        self._close()
        return RemoteProtocolError(
            "the server spoke before it was spoken to", octets=pending[:512], section="RFC 5321 §2.1"
        )


def _hoped(phase: Phase, state: Phase, recipients: int) -> tuple[Phase, int]:
    """Return state and recipients after the hoped-for reply of a phase that does not end a group."""
    if phase is _RCPT:
        return state, recipients + 1
    after = NEXT[phase].get(_YES, STAY)
    if after is STAY or (phase is _RSET and state is _EHLO):
        return state, recipients
    return after, 0 if after is _MAIL else recipients
