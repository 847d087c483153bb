"""Judging while a load goes on, in virtual time: the load here is a schedule, the server the reference server."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from conformance.beside import LoadOrder
from conformance.case import CASES, Case
from conformance.catalogue.load import catalogue
from conformance.conform import Order, judge_all
from conformance.finding import Finding
from conformance.judgement import CaseVerdict, Judgement, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.refserver.behaviour import Behaviour
from conformance.runner import Manner
from conformance.selection import Selection
from conformance.shared_maildrops import shares_maildrops, unless_shared
from conformance.subject import Subject
from conformance.under_load import Beside
from conformance.under_load_cli import check_load
from loadgen.endpoint import Endpoint, parse_endpoint
from reports.document import Document, LoadResult, Reason, SessionCounts
from reports.errors import PreconditionFailed, UserError
from reports.exit_codes import ExitCode
from reports.verdict import Verdict, Verdicts
from tests.matrix.laboratory import DECLARED, reference_subject, with_faults
from tests.matrix.wire import USUAL, Wire
from tests.session.theatre import Tls

A_CASE = next(iter(CASES.values()))
BELIEVED = Verdicts(correct=Verdict.NOT_APPLICABLE, fast_enough=Verdict.FAIL, valid=Verdict.PASS)
ACCUSING = {"fail", "divergence", "weak", "error"}


@dataclass(slots=True)
class FakeLoad:
    """A load that warms up, is steady for a while, drains."""

    steady_for_s: float = 1e6
    warm_up_s: float = 2.0
    verdicts: Verdicts = BELIEVED
    said: list[str] = field(default_factory=list)
    ended_by_us: bool = False
    _began_s: float = 0.0
    _ended_s: float | None = None

    async def start(self) -> "FakeLoad":
        self._began_s = trio.current_time()
        return self

    @property
    def is_steady(self) -> bool:
        since_s = trio.current_time() - self._began_s
        return bool(self._began_s) and self._ended_s is None and since_s < self.warm_up_s + self.steady_for_s

    @property
    def steady_until_s(self) -> float:
        return min(self._began_s + self.warm_up_s + self.steady_for_s, self._ended_s or trio.current_time())

    async def until_steady(self) -> None:
        await trio.sleep(self.warm_up_s)

    async def end(self) -> Document:
        self.ended_by_us = self.is_steady
        self._ended_s = trio.current_time()
        await trio.sleep(1)
        return Document(
            kind="load", mailproof="0", run_id="the-load", started="2026-01-01T00:00:00Z", verdicts=self.verdicts,
            reasons=(Reason("valid", "the generator's longest pause was 900 ms"), Reason("correct", "3 were lost")),
            exit_code=0, load=LoadResult(model="open", sessions=SessionCounts(arrived=7, accepted=7)),
            scenario={"scenario": {"name": "busy"}},
        )   # fmt: skip


async def judged(
    subject: Subject, cases: Sequence[Case], load: FakeLoad, *, stop: trio.Event | None = None
) -> Document:
    beside = Beside(load.start, trio.Event() if stop is None else stop)

    def observe(finding: Finding, count: int, total: int) -> None:
        assert count <= total

    order = Order((subject.endpoint,), DECLARED, Selection(), Manner(parallel=8))
    return await judge_all(
        order, cases, catalogue(), [subject], version="0", observe=observe, beside=beside
    )


def case_of(ask: Callable[[SmtpPeer], Awaitable[Judgement]], name: str = "one", *, alone: bool = False) -> Case:
    return Case(A_CASE.requirement, name, ask, "A title", alone)


@asynccontextmanager
async def a_server(tls: Tls, behaviour: Behaviour | None = None, wire: Wire = USUAL) -> AsyncIterator[Subject]:
    await trio.sleep(1)       # the clock of a run that has begun is not 0
    async with reference_subject(tls, behaviour or Behaviour(), wire=wire) as subject:
        yield subject


async def test_cases_are_put_once_the_load_is_steady_and_it_is_ended_when_they_are_done(
    tls: Tls, autojump_clock: MockClock
) -> None:
    load = FakeLoad(warm_up_s=30.0)
    steady = []

    async def looks_round(peer: SmtpPeer) -> Judgement:
        steady.append(load.is_steady and trio.current_time() >= 31)
        await trio.sleep(5)
        return satisfied("well")

    async with a_server(tls) as subject:
        document = await judged(subject, [case_of(looks_round)], load)
    assert steady == [True]
    assert document.conformance is not None
    under = document.conformance.under_load
    assert under is not None
    assert (under.scenario, under.run_id, under.ended_by_us, under.outside) == ("busy", "the-load", True, ())
    assert under.steady_s == pytest.approx(5.0, abs=0.1)
    assert under.sessions.accepted == 7
    [pace] = under.paces
    assert pace.asked > 10
    assert document.exit_code == ExitCode.HELD, "how fast the load was is told, and judged nowhere here"


async def test_what_was_not_done_when_the_load_was_over_is_named_and_undecides_the_run(
    tls: Tls, autojump_clock: MockClock
) -> None:
    async def dawdles(peer: SmtpPeer) -> Judgement:
        await trio.sleep(20)
        return satisfied("well")

    async def hurries(peer: SmtpPeer) -> Judgement:
        return satisfied("well")

    async with a_server(tls) as subject:
        load = FakeLoad(steady_for_s=10)
        document = await judged(subject, [case_of(dawdles, "late"), case_of(hurries, "soon")], load)
    assert document.conformance is not None
    assert document.conformance.under_load is not None
    assert document.conformance.under_load.outside == (f"{A_CASE.requirement}#late",)
    assert document.exit_code == ExitCode.INCONCLUSIVE
    assert "1 case fell outside the load" in " ".join(reason.sentence for reason in document.reasons)


async def test_a_load_that_cannot_be_believed_makes_the_run_inconclusive_with_its_reason(
    tls: Tls, autojump_clock: MockClock
) -> None:
    async def breaks_it(peer: SmtpPeer) -> Judgement:
        return violated("no", "yes")

    saturated = Verdicts(correct=Verdict.PASS, fast_enough=Verdict.PASS, valid=Verdict.INCONCLUSIVE)
    async with a_server(tls) as subject:
        document = await judged(subject, [case_of(breaks_it)], FakeLoad(verdicts=saturated))
    assert document.exit_code == ExitCode.INCONCLUSIVE
    [why] = [reason.sentence for reason in document.reasons if reason.verdict == "valid"]
    assert why == "the load cannot be believed: the generator's longest pause was 900 ms"


async def test_mail_that_the_load_lost_is_a_failure(tls: Tls, autojump_clock: MockClock) -> None:
    async def keeps_it(peer: SmtpPeer) -> Judgement:
        return satisfied("yes")

    lossy = Verdicts(correct=Verdict.FAIL, fast_enough=Verdict.PASS, valid=Verdict.PASS)
    async with a_server(tls) as subject:
        document = await judged(subject, [case_of(keeps_it)], FakeLoad(verdicts=lossy))
    assert document.exit_code == ExitCode.FAILED
    assert "the load: 3 were lost" in [reason.sentence for reason in document.reasons]


async def test_an_accusation_is_put_again_without_the_load(tls: Tls, autojump_clock: MockClock) -> None:
    load = FakeLoad()

    async def breaks_under_load(peer: SmtpPeer) -> Judgement:
        return violated("no", "yes") if load.is_steady else satisfied("yes")

    async def breaks_always(peer: SmtpPeer) -> Judgement:
        return violated("no", "yes")

    async with a_server(tls) as subject:
        document = await judged(subject, [case_of(breaks_under_load, "a"), case_of(breaks_always, "b")], load)
    assert document.conformance is not None
    told = {case.id.partition("#")[2]: (case.verdict, case.without_load) for case in document.conformance.cases}
    assert (told["a"], told["b"]) == (("fail", "pass"), ("fail", "fail"))
    assert document.exit_code == ExitCode.FAILED


async def test_who_must_be_alone_with_the_server_is_not_put(tls: Tls, autojump_clock: MockClock) -> None:
    async def measures(peer: SmtpPeer) -> Judgement:
        raise AssertionError("put beside a load")

    async def asks(peer: SmtpPeer) -> Judgement:
        return satisfied("well")

    async with a_server(tls) as subject:
        document = await judged(subject, [case_of(measures, "alone", alone=True), case_of(asks)], FakeLoad())
    assert document.conformance is not None
    [alone] = [case for case in document.conformance.cases if case.id.endswith("#alone")]
    assert (alone.verdict, alone.got) == ("not-applicable", "must be alone with the server, and a load goes on")


async def test_the_first_ctrl_c_ends_the_cases_and_then_the_load_and_what_was_done_is_told(
    tls: Tls, autojump_clock: MockClock
) -> None:
    stop, load = trio.Event(), FakeLoad()

    async def is_quick(peer: SmtpPeer) -> Judgement:
        return satisfied("well")

    async def is_interrupted(peer: SmtpPeer) -> Judgement:
        await trio.sleep(5)
        stop.set()
        await trio.sleep_forever()
        raise AssertionError("never")

    async with a_server(tls) as subject:
        cases = [case_of(is_quick, "a"), case_of(is_interrupted, "b")]
        document = await judged(subject, cases, load, stop=stop)
    assert document.interrupted == "cases"
    assert document.exit_code == ExitCode.INTERRUPTED
    assert document.conformance is not None
    assert "a" in {case.id.partition("#")[2] for case in document.conformance.cases}
    assert document.conformance.under_load is not None, "the load was drained, and measured"


async def test_a_server_that_takes_no_session_under_the_load_cannot_be_judged(
    tls: Tls, autojump_clock: MockClock
) -> None:
    load = FakeLoad()

    async def asks(peer: SmtpPeer) -> Judgement:
        return satisfied("well")

    async with a_server(tls) as subject:
        dial = subject.dial

        async def full(endpoint: Endpoint, deadline: float) -> object:
            if load.is_steady:
                raise PreconditionFailed("no connection: refused")
            return await dial(endpoint, deadline)

        subject.dial = full  # type: ignore[assignment]
        with pytest.RaisesGroup(PreconditionFailed, allow_unwrapped=True, flatten_subgroups=True):
            await judged(subject, [case_of(asks)], load)


@pytest.mark.parametrize(
    ("accounts", "shared"),
    [
        ({"pattern": "user{n}@example.test", "count": 5}, True),
        ({"pattern": "USER{n}@example.test", "count": 1}, True),
        ({"pattern": "load{n}@example.test", "count": 5}, False),
        ({"pattern": "user{n}@other.test", "count": 5}, True),        # logins have no domain: it may be the same
        ({"pattern": "user7@example.test", "count": 5}, False),
        ({"file": "accounts.csv"}, True),                              # nobody knows
    ],
)  # fmt: skip
def test_maildrops_are_shared_where_a_login_may_be_the_loads(accounts: dict[str, object], shared: bool) -> None:
    assert shares_maildrops({"accounts": accounts}, ["user1", "user2@example.test"]) is shared


def test_what_is_found_in_a_maildrop_that_the_load_wrote_to_accuses_nobody() -> None:
    def finding(requirement: str, verdict: CaseVerdict) -> Finding:
        return Finding(requirement, requirement, "", verdict, "0 0", "1 4294")

    subject = Subject(parse_endpoint("pop3://127.0.0.1:110"), DECLARED, "c0ffee")
    found = [finding("pop3.stat.empty", CaseVerdict.FAIL), finding("smtp.rset.replies-250", CaseVerdict.FAIL),
             finding("pop3.stat.form", CaseVerdict.PASS)]
    scenario = {"accounts": {"pattern": "user{n}@example.test", "count": 5}}
    told = unless_shared(found, scenario, subject)
    assert [one.verdict.value for one in told] == ["inconclusive", "fail", "pass"]
    assert told[0].got == "1 4294 (the load used the maildrop, too)"
    scenario["accounts"]["pattern"] = "load{n}@example.test"
    assert unless_shared(found, scenario, subject) == found


def test_two_servers_of_one_protocol_have_no_load_in_common() -> None:
    endpoints = tuple(parse_endpoint(f"smtp://127.0.0.1:{port}") for port in (9, 10))
    load = LoadOrder("busy", Path("o"))
    with pytest.raises(UserError, match="one URL for each"):
        check_load(Order(endpoints, DECLARED, Selection(), Manner(), load=load))
    check_load(Order(endpoints, DECLARED, Selection(), Manner()))


CHOSEN = [case for case in CASES.values() if case.requirement.startswith((
    "smtp.starttls.", "smtp.pipe.", "smtp.etrn.", "smtp.rset.", "smtp.data.", "smtp.bdat.", "smtp.auth.", "trace.",
    "smtp.rcpt.", "smtp.postmaster.",
))]  # fmt: skip


@pytest.mark.timeout(60)
async def test_a_lawful_server_that_a_load_makes_slow_at_times_is_accused_of_nothing(
    tls: Tls, autojump_clock: MockClock
) -> None:
    """It is quick until the load is there. Then answers take up to two seconds, and mail comes late."""
    load, chance = FakeLoad(), random.Random(7)

    def busy_s() -> float:
        return chance.choice((0.0, 0.01, 0.2, 2.0)) if load.is_steady else 0.0

    async with a_server(tls, wire=Wire(busy_s=busy_s, delivery_s=8.0)) as subject:
        document = await judged(subject, CHOSEN, load)
    assert document.conformance is not None
    assert [(each.id, each.got) for each in document.conformance.cases if each.verdict in ACCUSING] == []
    assert sum(each.verdict == "pass" for each in document.conformance.cases) > len(CHOSEN) // 2


async def test_a_fault_is_found_under_a_load_as_without(tls: Tls, autojump_clock: MockClock) -> None:
    chance = random.Random(7)
    load = FakeLoad()

    def busy_s() -> float:
        return chance.choice((0.0, 0.05)) if load.is_steady else 0.0

    behaviour = with_faults("rset-220")
    async with a_server(tls, behaviour, Wire(busy_s=busy_s)) as subject:
        cases = [case for case in CASES.values() if case.requirement.startswith("smtp.rset.")]
        document = await judged(subject, cases, load)
    assert document.conformance is not None
    accused = {each.id: each.without_load for each in document.conformance.cases if each.verdict in ACCUSING}
    assert accused.get("smtp.rset.replies-250") == "fail"
