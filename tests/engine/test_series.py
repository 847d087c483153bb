"""Sessions led in series, and each with a task's turn of its own, are the same load: octets and books, any server."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import pytest
import trio

from conformance.load_monitors import LoadMonitors
from loadgen.clock import NS_PER_S
from loadgen.endpoint import Protocol
from loadgen.engine import recorder
from loadgen.engine import shard as sharding
from loadgen.engine.open_loop import Starter
from loadgen.engine.series import SessionsInSeries, TalliedByLanes, sessions_in_series
from loadgen.engine.tallied import TalliedSessions
from loadgen.message.compose import Composer
from loadgen.session.outcome import OutcomeKind
from loadgen.session.route import Route
from loadgen.session.series import Series
from loadgen.transport.conversation import Beginning
from tests.engine.series_stage import Held, LineServer, both_ways, ended, play, told, unverified
from tests.session.native_stage import needs_native

pytestmark = needs_native
BACK_TO_BACK = """
[load]
model = "closed"
virtual_users = {users}
sessions = 60
[[session]]
kind = "smtp-deliver"
messages = {{uniform = [1, 3]}}
recipients = {{uniform = [1, 2]}}
size = {{uniform = ["400", "2 KiB"]}}
"""
PROBING_TOO = BACK_TO_BACK + """
[[session]]
kind = "smtp-probe"
"""
OPEN = (
    BACK_TO_BACK.replace('model = "closed"', 'model = "open"\nin_flight_max = 200')
    .replace("virtual_users = {users}", 'arrivals = [{{shape = "constant", rate = 300, for = "200ms"}}]')
    .replace("sessions = 60", "")
)


@dataclass
class Session(Held):
    """How one stands."""

    named: set[str] = field(default_factory=set)       # recipients
    messages: int = 0
    in_mail_data: bool = False


@dataclass
class Server(LineServer[Session]):
    """A server whose mood is its recipient's: what a session meets does not hang on when it comes.

    It closes, or is silent, in a session that has named user4.
    """

    protocol: Protocol = "smtp"

    def greet(self) -> tuple[bytes, Session]:
        return b"220 mx ready\r\n", Session()

    def answer(self, session: Session, line: str) -> list[bytes]:
        verb = line[:4]
        if session.in_mail_data:
            if line != ".":
                return []
            session.in_mail_data, verb = False, "DOT"
            session.messages += 1
        answer = {
            "EHLO": b"250-mx\r\n250 8BITMIME\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 2.0.0 bye\r\n",
            "DOT": b"250 2.0.0 queued as %d\r\n" % session.messages,
        }.get(verb, b"250 2.1.0 ok\r\n")
        if verb == "RCPT":
            session.named.add(line[len("RCPT TO:<") :].partition("@")[0])
            if "user1@" in line:
                answer = b"550 5.1.1 nobody\r\n"
        if verb == "DOT" and "user2" in session.named:
            answer = b"451 4.3.0 later\r\n"
        session.in_mail_data = answer.startswith(b"354")
        session.over = verb == "QUIT"
        if verb == self.silent_at and "user4" in session.named:
            return []
        if verb == self.closes_at and "user4" in session.named:
            session.over = True
            return []
        cut = len(answer) // 2 if "user3" in session.named else len(answer)
        return [answer[:cut], answer[cut:]]


@pytest.mark.parametrize("users", [1, 7])
@pytest.mark.parametrize("text", [BACK_TO_BACK, PROBING_TOO], ids=["deliveries", "probes-between-them"])
def test_the_books_are_the_same_in_series(monkeypatch: pytest.MonkeyPatch, users: int, text: str) -> None:
    played = both_ways(monkeypatch, text.format(users=users), lambda: [Server()])
    kinds = ended(played)
    assert kinds[OutcomeKind.ACCEPTED] > 20
    assert kinds[OutcomeKind.REFUSED] > 5


class Talkative(Server):
    """A server whose answers to messages are of more kinds than compiled code counts apart."""

    kind = 0

    def answer(self, session: Session, line: str) -> list[bytes]:
        if session.in_mail_data and line.startswith("Message-ID:"):
            self.kind = crc32(line.encode()) % 1000
        pieces = super().answer(session, line)
        return [piece.replace(b"250 2.0.0 queued", b"250 2.0.%d queued" % self.kind) for piece in pieces]


def test_replies_of_many_kinds_are_counted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    played = both_ways(monkeypatch, BACK_TO_BACK.format(users=1), lambda: [Talkative()])
    replies = played.books.recorder.replies
    messages = {counted: times for counted, times in replies.items() if counted[0] == "smtp.body"}
    assert len(messages) > 40, replies
    assert sum(messages.values()) >= 60


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT"])
def test_a_server_that_closes_in_the_middle_of_some(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    played = both_ways(monkeypatch, BACK_TO_BACK.format(users=3), lambda: [Server(closes_at=command)])
    assert len(played.said) == 60


@pytest.mark.parametrize("probes", [False, True], ids=["deliveries", "probes-between-them"])
def test_the_books_of_an_open_load_are_the_same_in_series(monkeypatch: pytest.MonkeyPatch, probes: bool) -> None:
    text = OPEN + '[[session]]\nkind = "smtp-probe"\n' * probes
    kinds = ended(both_ways(monkeypatch, text.format(), lambda: [Server()]))
    assert kinds[OutcomeKind.ACCEPTED] > 20
    assert kinds[OutcomeKind.REFUSED] > 5
    assert kinds.total() == 60


@pytest.mark.parametrize("command", ["EHLO", "RCPT", "DOT", "QUIT"])
def test_a_server_that_closes_in_the_middle_of_some_of_an_open_load(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    played = both_ways(monkeypatch, OPEN.format(), lambda: [Server(closes_at=command)])
    assert len(played.said) == 60


def test_a_session_of_a_series_that_outlives_its_limit_is_cut_and_the_others_go_on() -> None:
    text = BACK_TO_BACK.format(users=3) + '[limits]\nsession = "300ms"\n'
    played = play(unverified(text), Server(silent_at="DATA"))
    told(played)
    assert ended(played)[OutcomeKind.TIMED_OUT] > 3
    assert ended(played).total() == 60
    assert {cause for _, cause in played.books.recorder.failures} >= {"the session took longer than its limit"}


def test_a_session_of_an_open_load_that_outlives_its_limit_is_cut_and_later_ones_go_on() -> None:
    text = OPEN.format() + '[limits]\nsession = "300ms"\n'
    played = play(unverified(text), Server(silent_at="DATA"))
    told(played)
    assert ended(played)[OutcomeKind.TIMED_OUT] > 3
    assert ended(played)[OutcomeKind.ACCEPTED] > 5      # however slow the machine is
    assert ended(played).total() == 60
    assert {cause for _, cause in played.books.recorder.failures} >= {"the session took longer than its limit"}


def test_a_series_that_stands_by_longer_than_a_sessions_limit_is_not_cut() -> None:
    text = OPEN.format().replace("rate = 300", "rate = 20").replace("200ms", "500ms")
    played = play(unverified(text + '[limits]\nsession = "30ms"\n'), Server())
    told(played)
    assert ended(played).total() == 10
    assert not ended(played)[OutcomeKind.TIMED_OUT]


def test_past_the_in_flight_limit_arrivals_are_dropped_in_series_too() -> None:
    text = OPEN.format().replace("in_flight_max = 200", 'in_flight_max = 2\ndrain = "1ms"')
    played = play(unverified(text), Server(silent_at="DATA"))
    told(played)
    assert played.books.recorder.in_flight_peak == 2
    assert ended(played)[OutcomeKind.DROPPED] > 10
    assert ended(played).total() == 60


@pytest.mark.parametrize("after", [1, 5, 20])
def test_an_open_load_stopped_anywhere_the_books_balance(after: int) -> None:
    endless = OPEN.format().replace('for = "200ms"', 'for = "1h"').replace("[load]", '[load]\ndrain = "1ms"')
    played = play(unverified(endless), Server(), stop_after=after)
    told(played)
    recorder = played.books.recorder
    assert recorder.arrived == ended(played).total() >= len(played.said) > after
    assert recorder.messages["accepted"] == recorder.replies["smtp.body", "250", "2.0.0"]


def test_in_an_open_load_times_count_from_the_instant_a_session_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Starter.start_who_are_due
    late_ns = 50_000_000

    def late(starter: Starter) -> float:
        due_s = start(starter)
        return due_s + late_ns / NS_PER_S if due_s > trio.current_time() else due_s      # else tasks are to have a turn

    monkeypatch.setattr(Starter, "start_who_are_due", late)
    played = play(unverified(OPEN.format().replace("rate = 300", "rate = 100")), Server())
    told(played)
    recorder = played.books.recorder
    assert recorder.lag_histogram.count == 20
    assert recorder.lag_histogram.max_ns >= 0.99 * late_ns
    for times in (recorder.phases["smtp.connect"], recorder.session_times["smtp-deliver"]):
        assert times.response_histogram.max_ns >= 0.99 * late_ns
        assert times.response_histogram.max_ns > times.service_histogram.max_ns
    mail = recorder.phases["smtp.mail"]
    assert mail.response_histogram is mail.service_histogram


@pytest.mark.parametrize("after", [1, 5, 20])
def test_stopped_anywhere_the_books_balance(after: int) -> None:
    endless = BACK_TO_BACK.format(users=4).replace("sessions = 60", 'for = "1h"\ndrain = "1ms"')
    played = play(unverified(endless), Server(), stop_after=after)
    told(played)
    recorder = played.books.recorder
    assert recorder.arrived == ended(played).total() == len(played.said) > after
    assert ended(played)[OutcomeKind.INTERRUPTED] <= 4
    assert recorder.messages["accepted"] == recorder.replies["smtp.body", "250", "2.0.0"]


def test_what_is_steady_is_told_apart_by_when_sessions_started() -> None:
    warming = BACK_TO_BACK.format(users=2).replace("sessions = 60", 'sessions = 400\nwarm_up = "50ms"')
    played = play(unverified(warming), Server())
    told(played)
    recorder = played.books.recorder
    whole, quits = recorder.phases["smtp.session"], recorder.phases["smtp.quit"]
    assert whole.outside_steady >= 2, "all that began in the warm-up, at least the first of each user"
    assert whole.service_histogram.count > 2
    assert whole.service_histogram.count + whole.outside_steady == ended(played).total() == 400
    assert recorder.lag_histogram.count == whole.response_histogram.count == whole.service_histogram.count
    assert quits.service_histogram.count + quits.outside_steady == recorder.replies["smtp.quit", "221", "2.0.0"]
    steady = recorder.steady
    assert whole.service_histogram.count <= steady.sessions_ended <= whole.service_histogram.count + 2
    # All of them, where the first sessions outlast the warm-up.
    before, sizes = 400 - steady.sessions_ended, sorted(map(len, played.said))
    well_before = ended(played)[OutcomeKind.ACCEPTED] - steady.ended[OutcomeKind.ACCEPTED]     # with a message at least
    assert well_before <= recorder.messages["accepted"] - steady.messages_accepted <= 3 * (before + 2)
    assert sum(sizes[:before]) <= sum(sizes) - steady.octets_sent <= sum(sizes[400 - before:])


@pytest.mark.parametrize("load", [BACK_TO_BACK, OPEN], ids=["closed", "open"])
def test_who_listens_hears_every_session_of_a_series(load: str) -> None:
    heard = play(replace(unverified(load.format(users=2)), make_judge=LoadMonitors), Server()).books.heard
    assert heard is not None
    assert heard.result().connections == 60
    assert heard.result().judged == 60


def test_nothing_follows_at_once_where_users_think(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[Beginning | None] = []
    follow = Series.follow
    monkeypatch.setattr(Series, "follow", lambda series: followed.append(follow(series)))
    text = BACK_TO_BACK.format(users=2).replace("sessions = 60", 'sessions = 10\nthink = {uniform = ["1ms", "2ms"]}')
    assert ended(play(unverified(text), Server())).total() == 10
    assert len(followed) > 2
    assert set(followed) == {None}


def test_messages_of_sessions_under_way_are_counted_until_they_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SessionsInSeries] = []
    seen: list[tuple[int, int]] = []       # messages a session had been told are accepted at QUIT, and our count

    def kept(routes: Mapping[Protocol, Route], composer: Composer) -> SessionsInSeries | None:
        in_series = sessions_in_series(routes, composer)
        assert in_series is not None
        made.append(in_series)
        return in_series

    class Looking(Server):
        def answer(self, session: "Session", line: str) -> list[bytes]:
            if line == "QUIT" and "user1" not in session.named and "user2" not in session.named:
                seen.append((session.messages, made[0].accepted_under_way()))
            return super().answer(session, line)

    monkeypatch.setattr(sharding, "sessions_in_series", kept)
    played = play(unverified(BACK_TO_BACK.format(users=1)), Looking())
    assert ended(played)[OutcomeKind.REFUSED] > 5, "some were told of, and not tallied"
    followed = sum(count == messages for messages, count in seen)      # the others had a task, after one not as hoped
    assert followed > 10
    assert {count for messages, count in seen if count != messages} <= {0}
    assert made[0].accepted_under_way() == 0


@pytest.mark.parametrize("text", [BACK_TO_BACK.format(users=7), OPEN.format()], ids=["closed", "open"])
def test_of_a_series_no_more_waits_to_be_recorded_than_is_recorded_together(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    taken: list[int] = []                  # phases at once
    take = TalliedByLanes.take

    def counted(tallies: TalliedByLanes) -> TalliedSessions | None:
        taken.append(len(tallies.kind.tally))
        return take(tallies)

    monkeypatch.setattr(TalliedByLanes, "take", counted)
    monkeypatch.setattr(recorder, "TALLIED_MAX", 20)
    assert ended(play(unverified(text.replace('{uniform = [1, 3]}', "1")), Server()))[OutcomeKind.ACCEPTED] > 20
    assert max(taken) < 20 + 8, "a session has at most eight"
    assert sum(count >= 20 for count in taken) > 5
