"""Maildrops against a model of ten lines, through both protocols: deliver, dele, rset, quit, drop, lock."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from conformance.refserver.maildir import MaildirStore
from conformance.refserver.maildrop import MaildropStore, MemoryStore
from conformance.refserver.pop3 import Pop3Session
from tests.refserver.bench import make_bench


class Model:
    """What a maildrop must be: what was delivered and not removed, in order; a view that only its session moves."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.view: list[bytes] = []
        self.marked: set[int] = set()

    def end(self, *, update: bool) -> None:
        gone = [self.view[n - 1] for n in self.marked] if update else []
        self.kept = [content for content in self.kept if content not in gone]
        self.view, self.marked = [], set()


class MaildropMachine(RuleBasedStateMachine):
    """Every message differs, so content identifies it."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = make_bench(maildrops=self.make_store())
        self.model = Model()
        self.session: Pop3Session | None = None
        self.count = 0

    def make_store(self) -> MaildropStore:
        raise NotImplementedError

    @property
    def open_session(self) -> Pop3Session:
        assert self.session is not None, "a rule's precondition"
        return self.session

    @rule()
    def deliver(self) -> None:
        self.count += 1
        content = b"N: %d\r\n\r\n.\r\n" % self.count
        self.bench.deliver(content, 1)
        self.model.kept.append(content)

    @precondition(lambda self: self.session is None)
    @rule()
    def log_in(self) -> None:
        self.session = self.bench.pop3(1)
        self.model.view = list(self.model.kept)

    @precondition(lambda self: self.session is not None)
    @rule()
    def a_second_session_is_refused(self) -> None:
        second = self.bench.pop3()
        assert b"[IN-USE]" in second.receive(b"USER user1\r\nPASS secret1\r\n")
        second.closed()

    @precondition(lambda self: self.session is not None)
    @rule(number=st.integers(0, 6))
    def dele(self, number: int) -> None:
        present = 1 <= number <= len(self.model.view) and number not in self.model.marked
        assert self.open_session.receive(b"DELE %d\r\n" % number).startswith(b"+OK") is present
        self.model.marked |= {number} if present else set()

    @precondition(lambda self: self.session is not None)
    @rule(number=st.integers(0, 6))
    def retr(self, number: int) -> None:
        present = 1 <= number <= len(self.model.view) and number not in self.model.marked
        response = self.open_session.receive(b"RETR %d\r\n" % number)
        assert response.startswith(b"+OK") is present
        if present:
            sent = response.partition(b" +0000\r\n")[2].removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            assert sent == self.model.view[number - 1]

    @precondition(lambda self: self.session is not None)
    @rule()
    def rset(self) -> None:
        assert self.open_session.receive(b"RSET\r\n") == b"+OK\r\n"
        self.model.marked = set()

    @precondition(lambda self: self.session is not None)
    @rule()
    def quit(self) -> None:
        assert self.open_session.receive(b"QUIT\r\n") == b"+OK\r\n"
        self._end(update=True)

    @precondition(lambda self: self.session is not None)
    @rule()
    def drop(self) -> None:
        self._end(update=False)

    @precondition(lambda self: self.session is not None)
    @rule()
    def time_out(self) -> None:
        assert self.open_session.timed_out() == b""
        self._end(update=False)

    def _end(self, *, update: bool) -> None:
        self.open_session.closed()
        self.session = None
        self.model.end(update=update)

    @invariant()
    def the_maildrop_holds_what_the_model_holds(self) -> None:
        assert self.bench.contents() == self.model.kept

    @invariant()
    def the_session_lists_what_it_has_not_marked(self) -> None:
        if self.session is not None:
            listed = [int(line.split()[0]) for line in self.open_session.receive(b"LIST\r\n").split(b"\r\n")[1:-2]]
            assert listed == [n for n in range(1, len(self.model.view) + 1) if n not in self.model.marked]


@pytest.mark.parametrize("kind", ["memory", "maildir"])
def test_a_maildrop_behaves_as_the_model_says(kind: str) -> None:
    with TemporaryDirectory() as root:
        roots = iter(range(10**9))

        class Machine(MaildropMachine):
            def make_store(self) -> MaildropStore:
                if kind == "memory":
                    return MemoryStore("g", maildrop_octets_max=10**6, octets_max=10**6)
                return MaildirStore(Path(root) / str(next(roots)), "mail.example.test", maildrop_octets_max=10**6)

        case = Machine.TestCase
        case.settings = settings(max_examples=40 if kind == "memory" else 8, stateful_step_count=25, deadline=None)
        case("runTest").runTest()
