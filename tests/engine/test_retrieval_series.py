"""Retrievals led in series, and each with a task's turn of its own, are the same load, as with deliveries."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from conformance.load_monitors import LoadMonitors
from loadgen.endpoint import Protocol
from loadgen.session import plain_retrieval, retrieval_series
from loadgen.session.outcome import OutcomeKind
from loadgen.session.plain_retrieval import LEG_OCTETS
from loadgen.session.retrieval_series import RetrievalSeries
from loadgen.transport.conversation import Beginning
from tests.engine import test_series
from tests.engine.series_stage import Held, LineServer, both_ways, ended, play, told, unverified
from tests.session.native_stage import needs_native

pytestmark = needs_native
RETRIEVALS = """
[load]
model = "closed"
virtual_users = {users}
sessions = 60
[[session]]
kind = "pop3-retrieve"
name = "reading"
delete = {delete}
auth = "{auth}"
"""
RETRIEVALS_OF_OPEN = (
    RETRIEVALS.replace('model = "closed"', 'model = "open"\nin_flight_max = 200')
    .replace("virtual_users = {users}", 'arrivals = [{{shape = "constant", rate = 300, for = "200ms"}}]')
    .replace("sessions = 60", "")
)
READING = RETRIEVALS.format(users=3, delete="true", auth="user")
OPEN = RETRIEVALS_OF_OPEN.format(delete="true", auth="user")
MIXED = READING + """
[[session]]
kind = "smtp-deliver"
size = "400"
[[session]]
kind = "smtp-probe"
"""
CONTENT = b"Subject: %d\r\n\r\n..a line that begins with a dot\r\n%s\r\n"


@dataclass
class Session(Held):
    """How one stands."""

    account: int = 0


@dataclass
class Server(LineServer[Session]):
    """A server whose mood is its account's: what a session meets does not hang on when it comes.

    Account 1 is refused, of account 2 the second message is, account 3's answers come in pieces, account 4 may be left
    at a command, account 5 has no unique-ids, account 6 a line that was not stuffed, account 7 more than is kept,
    by its own word.
    """

    protocol: Protocol = "pop3"

    def greet(self) -> tuple[bytes, Session]:
        return b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n", Session()

    def answer(self, session: Session, line: str) -> list[bytes]:
        verb, _, argument = line.partition(" ")
        if verb in {"USER", "APOP"}:
            session.account = int(argument.partition("@")[0].removeprefix("user"))
        left = session.account == 4
        if verb == self.silent_at and left:
            return []
        session.over = verb == "QUIT" or (verb == self.closes_at and left)
        if verb == self.closes_at and left:
            return []
        return pieces_of(answer_to(verb, argument, session.account), in_pieces=session.account == 3)


def answer_to(verb: str, argument: str, account: int) -> bytes:
    """Return a response. There are as many messages as the account's number says, but not more than four."""
    count = min(account - 1, 4)
    numbers = range(1, count + 1)
    match verb:
        case "PASS" | "APOP" if account == 1:
            return b"-ERR [AUTH] not you\r\n"
        case "STAT":
            return b"+OK %d %d\r\n" % (count, 2 * LEG_OCTETS if account == 7 else 200)
        case "LIST":
            return b"+OK\r\n%b.\r\n" % b"".join(b"%d 70\r\n" % number for number in numbers)
        case "UIDL" if account == 5:
            return b"-ERR what?\r\n"
        case "UIDL":
            return b"+OK these\r\n%b.\r\n" % b"".join(b"%d id-%d\r\n" % (number, number) for number in numbers)
        case "RETR" if account == 2 and argument == "1":
            return b"-ERR it is gone\r\n"
        case "RETR":
            rest = b".not stuffed" if account == 6 else b"and another"
            return b"+OK 70 octets\r\n%b.\r\n" % (CONTENT % (int(argument), rest))
        case _:
            return b"+OK\r\n"


def pieces_of(octets: bytes, *, in_pieces: bool) -> list[bytes]:
    step = 7 if in_pieces else len(octets)
    return [octets[at : at + step] for at in range(0, len(octets), step)]


@pytest.mark.parametrize("users", [1, 7])
@pytest.mark.parametrize("delete", ["true", "false"], ids=["deletes", "leaves"])
@pytest.mark.parametrize("auth", ["user", "apop"])
def test_the_books_are_the_same_in_series(
    monkeypatch: pytest.MonkeyPatch, users: int, delete: str, auth: str
) -> None:
    followed: list[Beginning] = []
    follow = RetrievalSeries.follow

    def following(series: RetrievalSeries) -> Beginning | None:
        began = follow(series)
        followed.extend([began] if began else [])
        return began

    monkeypatch.setattr(RetrievalSeries, "follow", following)
    played = both_ways(monkeypatch, RETRIEVALS.format(users=users, delete=delete, auth=auth), lambda: [Server()])
    assert len(followed) > 15
    kinds, recorder = ended(played), played.books.recorder
    assert kinds[OutcomeKind.ACCEPTED] > 20
    assert kinds[OutcomeKind.REFUSED] > 5
    assert recorder.messages["retrieved"] == recorder.replies["pop3.retr", "+OK", None] > 100
    assert recorder.deviations["pop3.retr", "unstuffed-dot"] > 5
    said = sum(count for (phase, _, _), count in recorder.replies.items() if phase == "pop3.auth")
    assert said == recorder.phases["pop3.auth"].service_histogram.count * (2 if auth == "user" else 1), "one phase"


def test_maildrops_of_more_messages_than_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval_series, "MESSAGES_AT_ONCE", 3)
    assert both_ways(monkeypatch, READING, lambda: [Server()]).books.recorder.messages["retrieved"] > 100


@pytest.mark.parametrize(("command", "auth"), [("", "apop"), ("RETR", "user"), ("DELE", "user"), ("QUIT", "apop")])
@pytest.mark.parametrize("text", [RETRIEVALS, RETRIEVALS_OF_OPEN], ids=["closed", "open"])
def test_the_books_of_sessions_in_legs_are_the_same_in_series(
    monkeypatch: pytest.MonkeyPatch, text: str, command: str, auth: str
) -> None:
    legs: list[list[tuple[int, ...]]] = []
    legs_of = plain_retrieval.legs_of

    def noting(sizes: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
        legs.append(legs_of(sizes))
        return legs[-1]

    monkeypatch.setattr(plain_retrieval, "LEG_OCTETS", 100)      # a message has 70
    monkeypatch.setattr(plain_retrieval, "legs_of", noting)
    text = text.format(users=3, delete="true", auth=auth)
    recorder = both_ways(monkeypatch, text, lambda: [Server(closes_at=command)]).books.recorder
    assert recorder.messages["retrieved"] == recorder.replies["pop3.retr", "+OK", None] > 100
    assert recorder.phases["pop3.connect"].service_histogram.count == 60
    assert sum(each == [(1,), (2,), (3,), (4,)] for each in legs) > 15


@pytest.mark.parametrize("load", [READING, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("command", ["USER", "PASS", "STAT", "LIST", "UIDL", "RETR", "DELE", "QUIT"])
def test_a_server_that_closes_in_the_middle_of_some(monkeypatch: pytest.MonkeyPatch, load: str, command: str) -> None:
    played = both_ways(monkeypatch, load, lambda: [Server(closes_at=command)])
    assert ended(played)[OutcomeKind.FAILED] > 3
    assert len(played.said) == 60


@pytest.mark.parametrize("model", ["closed", "open"])
def test_deliveries_and_probes_between_them(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    text = MIXED if model == "closed" else OPEN + MIXED.removeprefix(READING)
    played = both_ways(monkeypatch, text, lambda: [Server(), test_series.Server()])
    messages = played.books.recorder.messages
    assert messages["accepted"] > 3
    assert messages["retrieved"] > 30
    assert ended(played).total() == 60


@pytest.mark.parametrize("command", ["PASS", "UIDL", "RETR", "DELE"])
def test_a_session_of_a_series_that_outlives_its_limit_is_cut_and_the_others_go_on(command: str) -> None:
    played = play(unverified(READING + '[limits]\nsession = "300ms"\n'), Server(silent_at=command))
    told(played)
    recorder = played.books.recorder
    assert ended(played)[OutcomeKind.TIMED_OUT] > 3
    assert ended(played).total() == 60
    assert {cause for _, cause in recorder.failures} >= {"the session took longer than its limit"}
    assert recorder.messages["retrieved"] == recorder.replies["pop3.retr", "+OK", None]


@pytest.mark.parametrize("after", [1, 5, 20])
def test_stopped_anywhere_the_books_balance(after: int) -> None:
    endless = READING.replace("sessions = 60", 'for = "1h"\ndrain = "1ms"')
    played = play(unverified(endless), Server(), stop_after=after)
    told(played)
    recorder = played.books.recorder
    assert recorder.arrived == ended(played).total() == len(played.said) > after
    assert ended(played)[OutcomeKind.INTERRUPTED] <= 3
    assert recorder.messages["retrieved"] == recorder.replies["pop3.retr", "+OK", None]


def test_what_is_steady_is_told_apart_by_when_sessions_started() -> None:
    warming = READING.replace("sessions = 60", 'sessions = 400\nwarm_up = "50ms"')
    played = play(unverified(warming), Server())
    told(played)
    recorder = played.books.recorder
    whole, steady = recorder.phases["pop3.session"], recorder.steady
    assert whole.outside_steady >= 3, "all that began in the warm-up, at least the first of each user"
    assert whole.service_histogram.count + whole.outside_steady == ended(played).total() == 400
    assert 0 < steady.messages_retrieved < recorder.messages["retrieved"]
    assert 0 < steady.octets_sent < sum(map(len, played.said))


@pytest.mark.parametrize("load", [READING, OPEN], ids=["closed", "open"])
def test_who_listens_hears_every_session_of_a_series(load: str) -> None:
    heard = play(replace(unverified(load), make_judge=LoadMonitors), Server()).books.heard
    assert heard is not None
    assert heard.result().connections == 60
    assert heard.result().judged > 20
