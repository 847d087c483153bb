"""A load that tries again, against the reference server's lawful trouble, in virtual time: every message arrives."""

from collections.abc import Mapping

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from conformance.refserver.behaviour import Behaviour
from conformance.refserver.listener.conversation import Conversation
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import SMTP
from loadgen.endpoint import Protocol
from loadgen.engine.audit import audit
from loadgen.engine.settle import ledger_of
from loadgen.engine.workers import Shared
from loadgen.ledger.steps import finished
from loadgen.session.route import Route
from loadgen.transport.stream import Transport
from reports.document import LedgerResult
from reports.load_result import LoadResult
from tests.engine.house import House, Tapped, route_to
from tests.engine.stage import virtually
from tests.engine.test_shard import Played, play, shard_of

LOAD = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 5, for = "4s"}]
drain = "2m"
[ledger]
verify = true
[[session]]
name = "posting"
"""
RETRY = 'retry = {attempts = 12, after = "1s", factor = 1.5}\n'
SMTP_LOAD = LOAD + 'kind = "smtp-deliver"\nmessages = {uniform = [1, 2]}\nrecipients = {uniform = [1, 3]}\n' + RETRY
LMTP_LOAD = LOAD + 'kind = "lmtp-deliver"\nrecipients = 4\n' + RETRY


async def settled(
    text: str, house: House, routes: Mapping[Protocol, Route] | None = None
) -> tuple[Played, LedgerResult]:
    """Play a load to its end, and look for its mail."""
    shard = shard_of(text)
    result = await play(shard, routes or house.routes())
    ledger = finished(ledger_of(shard, Shared(result.books, ())))
    accounts = [shard.book.account(number) for number in range(1, 11)]
    read = await audit(ledger, house.route("pop3"), accounts, auth="user", settle_s=1, stop=trio.Event())
    return result, ledger.result(read)


def check(load: LoadResult, ledger: LedgerResult) -> None:
    """Hold the two books against each other: the ledger's unit is the retries' too."""
    deliveries, sessions = load.retries["posting"].deliveries, load.retries["posting"].sessions
    assert sessions.total == load.sessions.arrived == 20
    assert deliveries.accepted_first + deliveries.accepted_later == ledger.accepted == deliveries.total > 20
    assert sum(load.retries["posting"].attempts) == deliveries.total


@pytest.mark.parametrize("pipelining", ["never", "if-offered"])
async def test_greylisted_mail_is_put_off_and_arrives_once(pipelining: str, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        house = House(nursery, behaviour=Behaviour(greylisting_s=5))
        result, ledger = await settled(f'{SMTP_LOAD}pipelining = "{pipelining}"\n', house)
    load = result.load
    check(load, ledger)
    assert ledger.delivered_once == ledger.accepted
    retries = load.retries["posting"]
    assert retries.first.deferred > retries.first.accepted, "ten accounts are soon known, but not at first"
    assert retries.delay_ns.max >= 5_000_000_000
    assert load.messages.accepted + load.messages.refused == load.messages.offered
    assert {reply.code for reply in load.replies if reply.phase == "smtp.rcpt"} == {"250", "450"}
    assert load.sessions.refused + load.sessions.accepted == 20, "first attempts, as of every session"


@pytest.mark.parametrize("text", [SMTP_LOAD, LMTP_LOAD], ids=["smtp", "lmtp"])
async def test_mail_put_off_at_the_final_dot_is_the_same_mail_again_and_arrives_once(
    text: str, autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        house = House(nursery, behaviour=Behaviour(tempfail=0.4))
        result, ledger = await settled(text, house)
    check(result.load, ledger)
    assert ledger.delivered_once == ledger.accepted
    assert result.load.retries["posting"].first.deferred > 5
    sent_again = 0
    for (protocol, _), octets in house.sent.items():
        messages = [part.partition(b"\r\n.\r\n")[0] for part in bytes(octets).split(b"DATA\r\n")[1:]]
        sent_again += len(messages) - len(set(messages))
        ids = {message.partition(b"X-Mailproof-Id: ")[2].partition(b"\r\n")[0] for message in messages}
        assert len(ids) == len(set(messages)), "an id stands for the same octets at every attempt"
        assert protocol in {"smtp", "lmtp", "pop3"}
    assert sent_again > 5


class LastWordLost(Tapped):
    """A stream that closes when the mail data have been sent, and gives out no answer to them."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        octets = await super().receive_some(max_bytes)
        return b"" if self._sent.endswith(b"\r\n.\r\n") else octets


def losing_the_first_word(house: House) -> Route:
    """Return an SMTP route on which every arrival's first mail data are taken, and the answer is lost."""
    lost = set[int]()
    straight = house.route("smtp")

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        if arrival in lost:
            return await straight.dial(route, arrival, deadline)
        lost.add(arrival)
        ours, theirs = trio.testing.memory_stream_pair()
        house.nursery.start_soon(Conversation(theirs, SmtpSession(house.service, SMTP, "[192.0.2.7]"), None).run)
        return Transport.over(LastWordLost(ours, bytearray(), (0, 0)), host="mail.example.test")

    return route_to("smtp", dial)


async def test_mail_whose_answer_was_lost_comes_twice_and_lawfully(autojump_clock: MockClock) -> None:
    """RFC 1047: sender and receiver disagree, and both are right."""
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        routes = house.routes() | {"smtp": losing_the_first_word(house)}
        text = SMTP_LOAD.replace("messages = {uniform = [1, 2]}", "messages = 1")
        result, ledger = await settled(text, house, routes)
    check(result.load, ledger)
    assert (ledger.duplicate_lawful, ledger.duplicate, ledger.ambiguous) == (ledger.accepted, 0, 0)
    assert result.load.sessions.failed == 20
    assert result.load.retries["posting"].sessions.accepted_later == 20


def test_the_same_seed_is_put_off_and_tried_again_the_same() -> None:
    # No two attempts at one instant: which of them the server hears first is trio's to choose.
    text = SMTP_LOAD.replace('"1s"', '{exponential = {mean = "1s", max = "9s"}}')
    results = []

    async def once() -> None:
        async with trio.open_nursery() as nursery:
            house = House(nursery, behaviour=Behaviour(greylisting_s=3, tempfail=0.2))
            result, _ = await settled(text, house)
            results.append((result.load.retries, house.sent))

    virtually(once)
    virtually(once)
    assert results[0] == results[1]
