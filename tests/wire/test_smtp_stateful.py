"""The SMTP machine against a ten-line model of a server with one mail transaction, pipelined at will."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loadgen.wire.commands import Data, Ehlo, Mail, MailData, Noop, Rcpt, Rset, SmtpCommand
from loadgen.wire.smtp import LMTP, SMTP, Dialect, SmtpClient

EVERY: list[SmtpCommand] = [Mail("a"), Rcpt("b"), Data(), MailData(b"x\r\n.\r\n"), Rset(), Noop()]
CODES = {2: b"250", 4: b"450", 5: b"550"}


class Transaction:
    """What a server remembers: whether a transaction is open, who was accepted, whether mail data is due."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.open, self.recipients, self.data_due, self.failed = False, 0, False, False

    def replies(self, command: SmtpCommand, wish: int, dialect: Dialect) -> list[bytes]:
        """Answer one command as wished where the order permits, else 503."""
        match command:
            case Mail() if not self.open:
                self.open = wish == 2
            case Rcpt() if self.open and not self.failed:
                self.recipients += wish == 2
            case Data() if self.open and not self.failed and wish == 2 and (self.recipients or dialect is SMTP):
                self.data_due = True
                return [b"354"]
            case Data():
                self.failed = True
                return [CODES[max(wish, 4)]]
            case MailData():
                count = self.recipients if dialect is LMTP else 1
                self.clear()
                return [CODES[wish]] * count
            case Rset():
                self.clear()
                return [b"250"]
            case Noop():
                return [b"250"]
            case _:
                return [b"503"]
        return [CODES[wish]]


class SmtpMachine(RuleBasedStateMachine):
    """Send what the client permits, answer it some time later, and hold the client's view against the server's."""

    @initialize(pipelining=st.booleans(), dialect=st.sampled_from([SMTP, LMTP]))
    def greet(self, pipelining: bool, dialect: Dialect) -> None:
        self.client, self.server, self.dialect = SmtpClient(dialect), Transaction(), dialect
        self.on_the_way: deque[SmtpCommand] = deque()
        self.answered: list[SmtpCommand | None] = []
        self.due: list[SmtpCommand | None] = []
        self.client.receive(b"220 mx\r\n")
        self.client.next_answer()
        self.client.send(dialect.hello_command("c"))
        self.client.receive(b"250-mx\r\n250 " + (b"PIPELINING" if pipelining else b"SIZE") + b"\r\n")
        assert self.client.next_answer() is not None
        assert self.client.extensions.pipelining == pipelining

    @rule(command=st.sampled_from(EVERY))
    def send(self, command: SmtpCommand) -> None:
        if self.client.permits(command):
            assert self.client.send(command) == command.to_bytes()
            self.on_the_way.append(command)

    @precondition(lambda self: self.on_the_way)
    @rule(wish=st.sampled_from([2, 2, 2, 4, 5]), cut=st.integers(0, 8))
    def answer(self, wish: int, cut: int) -> None:
        command = self.on_the_way.popleft()
        for code in self.server.replies(command, wish, self.dialect):
            self.due.append(command)
            octets = code + b" text\r\n"
            for piece in (octets[:cut], octets[cut:]):
                self.client.receive(piece)
                while (answer := self.client.next_answer()) is not None:
                    self.answered.append(answer.command)

    @invariant()
    def every_reply_is_paired_with_the_command_it_answers(self) -> None:
        if hasattr(self, "client"):
            assert self.answered == self.due
            assert (self.client.owed == 0) == (not any(self.counts(command) for command in self.on_the_way))

    def counts(self, command: SmtpCommand) -> bool:
        """Say whether a reply is owed to it at all: not to the dot of an LMTP transaction without recipients."""
        return not isinstance(command, MailData) or self.dialect is SMTP or self.server.recipients > 0

    @invariant()
    def once_all_is_answered_client_and_server_agree(self) -> None:
        if hasattr(self, "client") and not self.on_the_way:
            server, client = self.server, self.client
            assert client.accepted_recipients == server.recipients
            assert client.permits(MailData(b".\r\n")) == server.data_due
            between = not server.data_due and not server.failed
            assert client.permits(Mail("a")) == (between and not server.open)
            assert client.permits(Rcpt("b")) == (between and server.open)
            assert client.permits(Data()) == (between and server.open and server.recipients > 0)
            assert client.permits(Rset()) == (not server.data_due)
            assert client.permits(Ehlo("c")) == (not server.data_due and self.dialect is SMTP)


SmtpMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestTheMachineAgreesWithAServer = SmtpMachine.TestCase
