"""The kinds that probe and bother, against the reference server's own machines."""

from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from conformance.refserver.behaviour import Behaviour
from loadgen.ledger.ledger import Ledger
from loadgen.message.stamp import read_stamp
from loadgen.schedule.other_plans import (
    AuthPlan,
    ContendPlan,
    HalfOpenPlan,
    ProbePlan,
    ResetPlan,
    RsetLoopPlan,
    SlowReadPlan,
    SlowSendPlan,
)
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from loadgen.session.trace import Retrieved, Trace
from tests.session.test_reference_server import ACCOUNTS, MAIL_AUTHS, MAILDROP_AUTHS, NAMES, delivery, retrieval, server
from tests.session.theatre import COMPOSER, Tls

S = 10**9
RESET = ResetPlan(0, "r", ACCOUNTS[0], "none", "load@example.test", NAMES[0], 50_000, 0.5)
SLOW = SlowSendPlan(0, "s", ACCOUNTS[0], "none", "load@example.test", NAMES[0], 1000, 100, S)


@pytest.mark.parametrize("tls_mode", ["none", "starttls", "implicit"])
async def test_a_probe_is_granted(tls_mode: str, tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        plan = ProbePlan(0, "p", ACCOUNTS[0], "plain", 3, ("noop", "vrfy", "rset", "ehlo"))
        outcome, trace = await target.run(plan, tls_mode)
    assert outcome == ACCEPTED
    assert [name for name, _, _ in trace.timings].count("smtp.vrfy") == 3


async def test_a_rset_loop_leaves_no_mail(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        plan = RsetLoopPlan(0, "r", ACCOUNTS[0], "none", "load@example.test", (NAMES, NAMES[:1]))
        outcome, trace = await target.run(plan)
        assert outcome == ACCEPTED
        assert (trace.messages_offered, trace.begun) == (0, [])
        _, read = await target.run(retrieval(ACCOUNTS[0]))
    assert read.retrieved == []


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize(
    ("protocol", "auth"), [*(("smtp", auth) for auth in MAIL_AUTHS[1:]), *(("pop3", auth) for auth in MAILDROP_AUTHS)]
)
async def test_a_login_ends_as_its_password_deserves(
    protocol: str, auth: str, wrong: bool, tls: Tls, autojump_clock: MockClock
) -> None:
    account = replace(ACCOUNTS[0], password="not-the-password") if wrong else ACCOUNTS[0]
    async with server(tls) as target:
        plan = AuthPlan(0, "a", protocol, account, auth, wrong)  # type: ignore[arg-type]
        outcome, trace = await target.run(plan)
        assert outcome == ACCEPTED
        refused = {code for phase, code, _ in trace.replies if phase.endswith(".auth")} & {"535", "-ERR"}
        assert bool(refused) is wrong
        outcome, _ = await target.run(replace(plan, wrong=not wrong))
    assert outcome.kind is (OutcomeKind.REFUSED if wrong else OutcomeKind.FAILED), "of an expectation turned round"


async def test_dribbled_mail_arrives_whole(tls: Tls, autojump_clock: MockClock) -> None:
    ledger = Ledger("c0ffee00")
    async with server(tls) as target:
        outcome, trace = await target.run(SLOW, "starttls")
        assert outcome == ACCEPTED
        assert 9 <= trio.current_time() <= 11
        assert "smtp.body" not in {name for name, _, _ in trace.timings}
        ledger.add(trace)
        _, read = await target.run(retrieval(ACCOUNTS[0]))
        ledger.add(read)
    books = ledger.result(NAMES)
    assert (books.accepted, books.delivered_once, books.misdelivered) == (1, 1, 0)


async def test_a_server_out_of_patience_with_a_dribble_does_what_it_may(tls: Tls, autojump_clock: MockClock) -> None:
    """The reference server waits five minutes for more octets: RFC 5321 §4.5.3.2.7."""
    async with server(tls) as target:
        outcome, trace = await target.run(replace(SLOW, pause_ns=400 * S))
        assert outcome == ACCEPTED
        assert trace.replies[-1][:2] == ("smtp.body", "421")
        assert (trace.messages_offered, trace.messages_refused, trace.begun) == (1, 1, [])
        assert trio.current_time() == pytest.approx(300)
        _, read = await target.run(retrieval(ACCOUNTS[0]))
    assert read.retrieved == []


async def test_a_slow_reader_reads_all_there_is(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        await target.run(delivery(sizes=(2000, 3000)))
        outcome, trace = await target.run(SlowReadPlan(0, "s", "pop3", ACCOUNTS[0], "user", 1, 4096, 100, S))
    assert outcome == ACCEPTED
    assert len(trace.retrieved) == 2
    assert all(each.stamp is not None and each.stamp.message_id.startswith("c0ffee00.") for each in trace.retrieved)
    assert trio.current_time() > 50
    assert [name for name, _, _ in trace.timings] == ["pop3.connect", "pop3.greeting", "pop3.auth"]


@pytest.mark.parametrize(
    ("protocol", "after", "patience_s"),
    [
        ("smtp", "connect", 300), ("smtp", "greeting", 300), ("smtp", "ehlo", 300),
        ("pop3", "connect", 600), ("pop3", "greeting", 600),
    ],
)
async def test_a_half_open_session_stays_as_long_as_it_may(
    protocol: str, after: str, patience_s: float, tls: Tls, autojump_clock: MockClock
) -> None:
    plan = HalfOpenPlan(0, "h", protocol, after, 100 * S)  # type: ignore[arg-type]
    async with server(tls) as target:
        outcome, trace = await target.run(plan, "starttls")
        assert outcome == ACCEPTED
        assert trio.current_time() == pytest.approx(100)
        assert "smtp.quit" not in {name for name, _, _ in trace.timings}
        assert trace.replies[-1] == (f"{protocol}.{'greeting' if after == 'connect' else 'noop'}", "kept", None)
        outcome, trace = await target.run(replace(plan, hold_ns=3600 * S))
        assert outcome == ACCEPTED
        assert trio.current_time() == pytest.approx(100 + patience_s)
    assert trace.replies[-1][1] in {"421", "closed"}


async def test_mail_that_was_broken_off_is_not_delivered(tls: Tls, autojump_clock: MockClock) -> None:
    ledger = Ledger("c0ffee00")
    async with server(tls) as target:
        for sent in (0.0, 0.5, 1.0):
            outcome, trace = await target.run(replace(RESET, sent=sent))
            assert outcome == ACCEPTED
            assert trace.messages_offered == 0
            ledger.add(trace)
        _, read = await target.run(retrieval(ACCOUNTS[0]))
        assert read.retrieved == []
        ledger.add(read)
    books = ledger.result(NAMES)
    assert (books.accepted, books.misdelivered, books.ambiguous, books.lost) == (0, 0, 0, 0)


async def test_a_copy_of_mail_that_was_broken_off_is_misdelivered(tls: Tls, autojump_clock: MockClock) -> None:
    """The half of it is what a careless server would keep."""
    async with server(tls) as target:
        _, sent = await target.run(RESET)
    whole = COMPOSER.compose(0, 0, reverse_path="load@example.test", recipients=NAMES[:1], size_octets=50_000)
    for kept in (whole.mail_data[:25_000], whole.mail_data[:-3]):
        ledger = Ledger("c0ffee00")
        ledger.add(sent)
        found = Trace()
        found.retrieved.append(Retrieved(NAMES[0], b"1", read_stamp(kept), len(kept), 0))
        ledger.add(found)
        books = ledger.result(NAMES)
        assert (books.misdelivered, books.ambiguous, books.accepted) == (1, 0, 0)


@pytest.mark.parametrize("tls_mode", ["none", "starttls"])
async def test_a_maildrop_is_contended_for(tls_mode: str, tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls, Behaviour()) as target:
        outcome, trace = await target.run(ContendPlan(0, "c", ACCOUNTS[0], "user"), tls_mode)
    assert outcome == ACCEPTED
    assert ("pop3.auth", "-ERR", "IN-USE") in trace.replies
