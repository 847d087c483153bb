"""A virtual user whose sessions go in series has no task until something is otherwise; the books are as ever."""

from dataclasses import dataclass, field

import pytest
import trio

from loadgen.engine import shard as sharding
from loadgen.engine.closed_loop import User, closed_loop
from loadgen.session.outcome import OutcomeKind
from tests.engine.series_stage import ended, play, told, unverified
from tests.engine.test_circles import circles_found
from tests.engine.test_series import BACK_TO_BACK, Server, Session
from tests.session.native_stage import needs_native

pytestmark = needs_native
SENTENCE = "the session took longer than its limit"


@dataclass
class Moody(Server):
    """A server that may be pleased with everybody, silent to one recipient at a command, and call the load off."""

    pleased: bool = False

    silent_to: str = ""
    at: str = ""
    calls_off_after: int | None = None         # so many connections are over
    load: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Hold one session."""
        if self.calls_off_after is not None and len(self.said) >= self.calls_off_after:
            self.load.cancel()
        await super().serve(stream)

    def answer(self, session: Session, line: str) -> list[bytes]:
        said = super().answer(session, line.replace("user", "friend") if self.pleased else line)
        if line[:4] == self.at and self.silent_to in session.named:
            session.over = False
            return []
        return said


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[User]:
    """Return the users that had a task."""
    had: list[User] = []
    run = User.run

    async def noted(user: User, *args: object) -> None:
        had.append(user)
        await run(user, *args)    # type: ignore[arg-type]

    monkeypatch.setattr(User, "run", noted)
    return had


@pytest.mark.parametrize("users", [1, 7, 60])
def test_a_user_whose_sessions_all_go_as_hoped_has_no_task(users: int, tasks: list[User]) -> None:
    played = play(unverified(BACK_TO_BACK.format(users=users)), Moody(pleased=True))
    told(played)
    assert ended(played) == {OutcomeKind.ACCEPTED: 60}
    assert tasks == []


def test_a_user_has_one_task_from_the_first_session_that_is_otherwise(tasks: list[User]) -> None:
    played = play(unverified(BACK_TO_BACK.format(users=5)), Server())
    told(played)
    assert ended(played)[OutcomeKind.REFUSED] > 5
    assert 0 < len(tasks) == len(set(tasks)) <= 5


def test_a_user_who_thinks_between_sessions_does_so_in_a_task(tasks: list[User]) -> None:
    thinking = BACK_TO_BACK.format(users=4).replace("sessions = 60", 'sessions = 12\nthink = "1ms"')
    played = play(unverified(thinking), Moody(pleased=True))
    told(played)
    assert ended(played) == {OutcomeKind.ACCEPTED: 12}
    assert len(tasks) == len(set(tasks)) == 4


@pytest.mark.parametrize(("at", "silent_to"), [("DATA", "user4"), ("QUIT", "user1")], ids=["led", "gone over"])
def test_a_session_is_cut_when_it_has_had_its_time_whoever_leads_it(at: str, silent_to: str) -> None:
    text = BACK_TO_BACK.format(users=3) + '[limits]\nsession = "200ms"\n'
    played = play(unverified(text), Moody(silent_to=silent_to, at=at))
    told(played)
    cut = ended(played)[OutcomeKind.TIMED_OUT]
    assert played.books.recorder.failures[f"smtp.{at.lower()}", SENTENCE] == cut > 3
    assert ended(played).total() == 60


@pytest.mark.parametrize("after", [0, 1, 5, 20])
@pytest.mark.parametrize("pleased", [True, False])
def test_cancelled_anywhere_the_books_balance(monkeypatch: pytest.MonkeyPatch, after: int, pleased: bool) -> None:
    server = Moody(pleased=pleased, calls_off_after=after)

    async def cancellable(*args: object, **kwargs: object) -> None:
        with server.load:
            await closed_loop(*args, **kwargs)     # type: ignore[arg-type]

    monkeypatch.setattr(sharding, "closed_loop", cancellable)
    text = BACK_TO_BACK.format(users=8).replace("sessions = 60", "sessions = 100000")
    played = play(unverified(text), server)
    told(played)
    assert server.load.cancelled_caught
    kinds = ended(played)
    assert 0 < kinds[OutcomeKind.INTERRUPTED] <= 8
    assert kinds.total() == played.books.recorder.arrived >= after


@pytest.mark.parametrize("server", [
    Moody(pleased=True), Moody(), Moody(closes_at="RCPT"), Moody(silent_to="user4", at="DATA"),
    Moody(silent_to="user1", at="QUIT"),
], ids=["as hoped", "refusals", "closing", "silence", "silence after a refusal"])   # fmt: skip
def test_series_leave_no_circle_however_they_end(server: Moody) -> None:
    text = BACK_TO_BACK.format(users=6) + '[limits]\nsession = "100ms"\n'
    with circles_found() as found:
        played = play(unverified(text), server)
    assert found == {}
    assert ended(played).total() == 60
