"""Our sessions against the reference server's own machines, over memory streams: what is delivered can be retrieved."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import cast, get_args

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock, memory_stream_pair

from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.directory import Directory, accounts_by_pattern
from conformance.refserver.listener.conversation import Conversation
from conformance.refserver.listener.tls import start_tls_with
from conformance.refserver.maildrop import MemoryStore
from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.session import Service, Session
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import LMTP, SMTP
from loadgen.endpoint import Endpoint, Protocol
from loadgen.ledger.ledger import Ledger
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import MailAuth, MaildropAuth
from loadgen.scenario.words import MailPipelining
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, MessagePlan, Plan, RetrievalPlan
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.perform import perform
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.stream import Transport
from tests.session.theatre import COMPOSER, LIMITS, SERVER_NAME, Tls

MAIL_AUTHS = ("none", "plain", "login", "cram-md5")         # SCRAM is not the reference server's: see the transcripts
MAILDROP_AUTHS = ("user", "apop", "plain", "cram-md5")
ACCOUNTS = [Account(f"user{n}@example.test", f"user{n}", f"secret{n}") for n in range(1, 4)]
NAMES = tuple(account.address for account in ACCOUNTS)


@dataclass
class Server:
    """A reference server that our routes lead to."""

    service: Service
    tls: Tls
    nursery: trio.Nursery

    def route(self, protocol: Protocol, tls_mode: str = "none") -> Route:
        implicit = tls_mode == "implicit"

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            await trio.lowlevel.checkpoint()
            ours, theirs = memory_stream_pair()
            self.nursery.start_soon(self._converse, theirs, protocol, implicit)
            return Transport.over(ours, peer="the server", host=SERVER_NAME)

        context = None if tls_mode == "none" else self.tls.client
        return Route(Endpoint(protocol, SERVER_NAME, 1, None, implicit_tls=implicit), LIMITS, tls=context, dial=dial)

    async def _converse(self, stream: trio.abc.Stream, protocol: Protocol, implicit: bool) -> None:
        start_tls = start_tls_with(self.tls.server)
        cipher = None
        if implicit:
            stream, cipher = await start_tls(stream)
        session: Session
        if protocol == "pop3":
            session = Pop3Session(self.service, cipher)
        else:
            session = SmtpSession(self.service, LMTP if protocol == "lmtp" else SMTP, "[192.0.2.1]", cipher)
        await Conversation(stream, session, start_tls).run()

    async def run(self, plan: Plan, tls_mode: str = "none") -> tuple[Outcome, Trace]:
        trace = Trace()
        routes = {plan.protocol: self.route(plan.protocol, tls_mode)}
        return await perform(plan, routes, COMPOSER, trace, 0), trace


@asynccontextmanager
async def server(tls: Tls, behaviour: Behaviour | None = None) -> AsyncIterator[Server]:
    tokens = count()
    service = Service(
        behaviour=behaviour or Behaviour(),
        limits=Limits(),
        directory=Directory(["example.test"], accounts_by_pattern("user{n}@example.test", 3, "secret{n}")),
        maildrops=MemoryStore("g", maildrop_octets_max=1 << 30, octets_max=1 << 30),
        wall_clock=lambda: 784_111_777.0,
        token=lambda: f"t{next(tokens)}",
        tls_available=True,
    )
    async with trio.open_nursery() as nursery:
        yield Server(service, tls, nursery)


def delivery(
    *, lmtp: bool = False, auth: str = "none", pipelining: str = "if-offered", recipients: tuple[str, ...] = NAMES,
    sizes: Iterable[int] = (0, 5000, 400_000), account: Account = ACCOUNTS[0],
) -> DeliveryPlan:  # fmt: skip
    return DeliveryPlan(
        kind="lmtp-deliver" if lmtp else "smtp-deliver", arrival=0, session_name="d",
        dialect="LMTP" if lmtp else "SMTP",
        account=account, auth=cast(MailAuth, auth), pipelining=cast(MailPipelining, pipelining),
        reverse_path="load@example.test",
        messages=tuple(MessagePlan(index, recipients, size) for index, size in enumerate(sizes)),
    )  # fmt: skip


def retrieval(account: Account, auth: str = "user", *, delete: bool = False) -> RetrievalPlan:
    return RetrievalPlan("pop3-retrieve", 0, "r", account, cast(MaildropAuth, auth), delete)


def test_every_login_a_scenario_knows_is_tried_here_or_in_a_transcript() -> None:
    assert {*MAIL_AUTHS, "scram-sha-256"} == set(get_args(MailAuth))
    assert {*MAILDROP_AUTHS, "login", "scram-sha-256"} == set(get_args(MaildropAuth))


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
@pytest.mark.parametrize("tls_mode", ["none", "starttls"])
@pytest.mark.parametrize("pipelining", ["never", "if-offered", "across-messages"])
async def test_what_is_delivered_is_retrieved_once_and_unchanged(
    lmtp: bool, tls_mode: str, pipelining: str, tls: Tls, autojump_clock: MockClock
) -> None:
    ledger = Ledger("c0ffee00")
    async with server(tls) as target:
        outcome, trace = await target.run(delivery(lmtp=lmtp, pipelining=pipelining), tls_mode)
        assert outcome == ACCEPTED
        ledger.add(trace)
        for account in ACCOUNTS:
            outcome, trace = await target.run(retrieval(account, delete=True), tls_mode)
            assert outcome == ACCEPTED
            assert len(trace.retrieved) == 3
            ledger.add(trace)
            _, trace = await target.run(retrieval(account), tls_mode)
            assert trace.retrieved == [], "deleted by the QUIT before"
    books = ledger.result(NAMES)
    assert (books.accepted, books.delivered_once) == (9, 9)


async def test_without_a_ledger_what_is_retrieved_is_counted_and_not_looked_at(
    tls: Tls, autojump_clock: MockClock
) -> None:
    async with server(tls) as target:
        _, sent = await target.run(delivery(sizes=(5000,)))
        trace = Trace()
        route = replace(target.route("pop3"), verified=False)
        assert await perform(retrieval(ACCOUNTS[0]), {"pop3": route}, COMPOSER, trace, 0) == ACCEPTED
        _, read = await target.run(retrieval(ACCOUNTS[0]))
    [counted], [looked_at] = trace.retrieved, read.retrieved
    assert counted.stamp is None
    assert looked_at.stamp == sent.begun[0].stamp
    assert counted.octets == looked_at.octets >= 5000


@pytest.mark.parametrize("tls_mode", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("auth", MAIL_AUTHS)
async def test_every_smtp_login_is_granted(auth: str, tls_mode: str, tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        outcome, trace = await target.run(delivery(auth=auth, sizes=(0,)), tls_mode)
    assert outcome == ACCEPTED
    assert ("smtp.auth", "235", "2.7.0") in trace.replies or auth == "none"
    assert ("smtp.tls" in {name for name, _, _ in trace.timings}) is (tls_mode != "none")


@pytest.mark.parametrize("tls_mode", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("auth", MAILDROP_AUTHS)
async def test_every_pop3_login_is_granted(auth: str, tls_mode: str, tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        outcome, trace = await target.run(retrieval(ACCOUNTS[1], auth), tls_mode)
    assert outcome == ACCEPTED
    assert trace.timings[-1][0] == "pop3.quit"


@pytest.mark.parametrize("auth", [*MAIL_AUTHS[1:], *MAILDROP_AUTHS])
async def test_a_wrong_password_is_refused(auth: str, tls: Tls, autojump_clock: MockClock) -> None:
    wrong = replace(ACCOUNTS[0], password="not this")
    plans: list[Plan] = []
    if auth in MAIL_AUTHS:
        plans.append(delivery(auth=auth, account=wrong))
    if auth in MAILDROP_AUTHS:
        plans.append(retrieval(wrong, auth))
    async with server(tls) as target:
        for plan in plans:
            outcome, _ = await target.run(plan)
            assert (outcome.kind, outcome.phase) == (OutcomeKind.REFUSED, f"{plan.protocol}.auth")
            assert outcome.evidence == b"", "what is said of a login may repeat it"


async def test_a_maildrop_in_use_is_refused_to_the_second_session(tls: Tls, autojump_clock: MockClock) -> None:
    hold = HoldPlan("idle-hold", 0, "h", "pop3", ACCOUNTS[0], "user", hold_ns=60 * 10**9, noop_every_ns=10**10)
    async with server(tls) as target:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(target.run, hold)
            await trio.sleep(30)
            outcome, _ = await target.run(retrieval(ACCOUNTS[0]))
            assert outcome.cause == "the server answered -ERR [IN-USE]"
        outcome, _ = await target.run(retrieval(ACCOUNTS[0]))
        assert outcome == ACCEPTED, "and free again when the holder has gone"


@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
async def test_a_hold_outlasts_the_server_with_noops_and_not_without(
    protocol: Protocol, tls: Tls, autojump_clock: MockClock
) -> None:
    """RFC 5321 §4.5.3.2.7's five minutes, RFC 1939 §3's ten."""
    quiet = HoldPlan(
        "idle-hold", 0, "h", "pop3" if protocol == "pop3" else "smtp", ACCOUNTS[0],
        "user" if protocol == "pop3" else "none", hold_ns=3600 * 10**9, noop_every_ns=None,
    )  # fmt: skip
    async with server(tls) as target:
        outcome, _ = await target.run(structs.replace(quiet, noop_every_ns=200 * 10**9))
        assert outcome == ACCEPTED
        assert trio.current_time() == pytest.approx(3600)
        outcome, _ = await target.run(quiet)
        assert outcome.kind is (OutcomeKind.FAILED if protocol == "pop3" else OutcomeKind.REFUSED)
        assert trio.current_time() == pytest.approx(3600 + (600 if protocol == "pop3" else 300))


async def test_a_server_without_extensions_takes_the_mail_too(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls, Behaviour(extensions=frozenset())) as target:
        outcome, trace = await target.run(delivery())
        assert outcome == ACCEPTED
        assert trace.messages_accepted == 3
        outcome, _ = await target.run(delivery(), "starttls")
        assert outcome.cause == "STARTTLS is not offered (RFC 3207 §4)"
        outcome, _ = await target.run(delivery(auth="plain"))
        assert outcome.cause == "AUTH PLAIN is not offered (RFC 4954 §3)"


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
@pytest.mark.parametrize("pipelining", ["never", "if-offered"])
async def test_a_recipient_nobody_knows_is_left_out(
    lmtp: bool, pipelining: str, tls: Tls, autojump_clock: MockClock
) -> None:
    async with server(tls) as target:
        plan = delivery(lmtp=lmtp, pipelining=pipelining, recipients=("nobody@example.test", NAMES[0]), sizes=(0, 0))
        outcome, trace = await target.run(plan)
        assert outcome == ACCEPTED
        assert [word.recipients for word in trace.settled.values()] == [(NAMES[0],), (NAMES[0],)]
        outcome, trace = await target.run(structs.replace(plan, messages=(
            MessagePlan(0, ("nobody@example.test",), 0), MessagePlan(1, (NAMES[1],), 0),
        )))  # fmt: skip
        assert (outcome.kind, outcome.phase) == (OutcomeKind.REFUSED, f"{plan.protocol}.rcpt")
        assert outcome.evidence.startswith(b"550 5.1.1 "), "who reads the report wants to know why"
        assert trace.messages_accepted == 1
