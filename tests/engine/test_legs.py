"""Long sessions have legs: the books are the same, and what is kept of a session is its opening and one leg."""

from collections.abc import Mapping

import pytest

from loadgen.endpoint import Protocol
from loadgen.engine import shard as sharding
from loadgen.engine.recorder import Recorder
from loadgen.engine.series import SessionsInSeries, sessions_in_series
from loadgen.engine.window import Window
from loadgen.message.compose import Composer
from loadgen.session import plain_delivery
from loadgen.session.outcome import OutcomeKind
from loadgen.session.route import Route
from loadgen.transport.conversation import Conversation, Rehearsal
from loadgen.transport.stream import Transport
from tests.engine.series_stage import both_ways, ended, play, told, unverified
from tests.engine.test_series import BACK_TO_BACK, OPEN, Server, Session
from tests.session.native_stage import needs_native

pytestmark = needs_native
IN_LEGS = BACK_TO_BACK.replace("[1, 3]", "[1, 5]")
IN_LEGS_OPEN = OPEN.replace("[1, 3]", "[1, 5]")
ONE_SESSION = BACK_TO_BACK.format(users=1).replace("sessions = 60", "sessions = 1").replace("{uniform = [1, 3]}", "%d")


@pytest.mark.parametrize(("command", "at_once"), [("", 1), ("", 2), ("MAIL", 1), ("RCPT", 2), ("DOT", 1), ("QUIT", 2)])
@pytest.mark.parametrize("load", [IN_LEGS, IN_LEGS_OPEN], ids=["closed", "open"])
def test_the_books_of_sessions_in_legs_are_the_same_in_series(
    monkeypatch: pytest.MonkeyPatch, load: str, command: str, at_once: int
) -> None:
    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", at_once)
    played = both_ways(monkeypatch, load.format(users=3), lambda: [Server(closes_at=command)])
    recorder = played.books.recorder
    assert ended(played).total() == 60
    assert recorder.messages["accepted"] == recorder.replies["smtp.body", "250", "2.0.0"] > 60
    assert recorder.phases["smtp.connect"].service_histogram.count == 60


@pytest.mark.parametrize("after", [1, 5, 20])
def test_sessions_in_legs_stopped_anywhere_the_books_balance(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", 1)
    endless = IN_LEGS.format(users=4).replace("sessions = 60", 'for = "1h"\ndrain = "1ms"')
    played = play(unverified(endless), Server(), stop_after=after)
    told(played)
    recorder = played.books.recorder
    assert recorder.arrived == ended(played).total() == len(played.said) > after
    assert ended(played)[OutcomeKind.INTERRUPTED] <= 4
    assert recorder.messages["accepted"] == recorder.replies["smtp.body", "250", "2.0.0"]
    assert recorder.messages["accepted"] <= recorder.messages["offered"]


def test_what_is_kept_of_a_long_session_is_its_opening_and_a_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[bytes]] = []
    rehearse = Transport.rehearse

    def noting(self: Transport, conversation: Conversation) -> Rehearsal:
        heard.append([octets for octets, _ in conversation.heard])
        return rehearse(self, conversation)

    class Refusing(Server):
        def answer(self, session: Session, line: str) -> list[bytes]:
            if line.startswith("RCPT"):
                return [b"250 2.1.5 ok\r\n" if session.messages < 94 else b"550 5.1.1 nobody\r\n"]
            return super().answer(session, line)

    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", 10)
    monkeypatch.setattr(Transport, "rehearse", noting)
    once = ONE_SESSION % 100
    recorder = play(unverified(once), Refusing()).books.recorder
    assert recorder.messages == {"offered": 100, "accepted": 94, "refused": 6, "retrieved": 0}
    [answers] = heard
    assert [octets[:3] for octets in answers if octets[:3].isdigit()][:3] == [b"220", b"250", b"250"]
    assert b"".join(answers).count(b"354") == 4, "of the messages 90 to 93"


def test_what_a_leg_brought_is_in_the_books_before_its_session_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SessionsInSeries] = []
    seen: list[tuple[int, int]] = []       # messages a session had been told are accepted, and our count
    books = Recorder(Window(0, 1 << 62))

    def kept(routes: Mapping[Protocol, Route], composer: Composer) -> SessionsInSeries | None:
        in_series = sessions_in_series(routes, composer)
        assert in_series is not None
        made.append(in_series)
        return in_series

    class Looking(Server):
        def answer(self, session: Session, line: str) -> list[bytes]:
            if line.startswith("RCPT"):
                return [b"250 2.1.5 ok\r\n"]
            if line.startswith(("MAIL", "QUIT")):
                seen.append((session.messages, made[0].accepted_under_way()))
            if line == "QUIT":
                books.tally(*made[0].tallies(0))
                books.settle()
            return super().answer(session, line)

    monkeypatch.setattr(sharding, "sessions_in_series", kept)
    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", 2)
    once = ONE_SESSION % 7
    assert ended(play(unverified(once), Looking()))[OutcomeKind.ACCEPTED] == 1
    assert seen == [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0), (7, 1)]
    assert books.messages["accepted"] == books.replies["smtp.body", "250", "2.0.0"] == 6
    assert books.outcomes == {}
