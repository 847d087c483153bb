"""What arrivals do that probe and bother: from the seed and k alone, like all the others."""

from collections import Counter

import pytest

from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.model import OtherSession
from loadgen.scenario.quantities import Duration
from loadgen.scenario.sessions import (
    AuthStorm,
    HalfOpen,
    Pop3Contend,
    ResetInData,
    RsetLoop,
    SlowReader,
    SlowSender,
    SmtpProbe,
)
from loadgen.schedule.other_plans import (
    WRONG_PASSWORD,
    AuthPlan,
    ContendPlan,
    HalfOpenPlan,
    ProbePlan,
    ResetPlan,
    RsetLoopPlan,
    SlowReadPlan,
    SlowSendPlan,
)
from tests.schedule.test_plans import planner

TWO_TO_FOUR = Counts.parse({"uniform": [2, 4]})
ALL: list[OtherSession] = [
    SmtpProbe(name="p", loops=TWO_TO_FOUR, commands=("vrfy", "ehlo")),
    RsetLoop(name="r", loops=TWO_TO_FOUR, recipients=TWO_TO_FOUR),
    AuthStorm(name="a", wrong=0.25, protocol="pop3", auth="apop"),
    SlowSender(name="s", size=Sizes.parse({"uniform": [1, 9]}), octets_per_s=50, segment_octets=10),
    SlowReader(name="l", read_octets=7, pause=Duration(5)),
    HalfOpen(name="h", hold=Durations.parse({"uniform": ["1s", "2s"]}), after="ehlo"),
    ResetInData(name="d", sent=0.75, reverse_path=""),
    Pop3Contend(name="c", auth="plain"),
]


@pytest.mark.parametrize("session", ALL, ids=lambda session: str(session.__struct_config__.tag))
def test_a_plan_depends_on_nothing_but_the_seed_and_k(session: OtherSession) -> None:
    shared = planner(session)
    plans = [shared.plan_for(k) for k in range(40)]
    assert [planner(session).plan_for(k) for k in reversed(range(40))] == plans[::-1]
    assert [plan.arrival for plan in plans] == list(range(40))
    assert {(plan.session_name, plan.kind) for plan in plans} == {(session.name, session.__struct_config__.tag)}
    assert {plan.protocol for plan in plans} == {session.protocol}


def test_loops_and_recipients_are_drawn() -> None:
    probes, loops = planner(ALL[0]), planner(ALL[1])
    drawn = set()
    for k in range(60):
        probe, loop = probes.plan_for(k), loops.plan_for(k)
        assert isinstance(probe, ProbePlan)
        assert probe.commands == ("vrfy", "ehlo")
        assert isinstance(loop, RsetLoopPlan)
        assert all(len(set(each)) == len(each) for each in loop.transactions)
        drawn |= {(probe.loops, len(loop.transactions), *map(len, loop.transactions))}
    assert {number for each in drawn for number in each} == {2, 3, 4}


def test_the_share_of_wrong_passwords_is_kept_and_a_right_one_is_the_account_s() -> None:
    deal = planner(ALL[2])
    wrong: Counter[bool] = Counter()
    for k in range(4000):
        plan = deal.plan_for(k)
        assert isinstance(plan, AuthPlan)
        assert (plan.account.password == WRONG_PASSWORD) is plan.wrong
        assert plan.account.login == deal.account_of(k).login
        wrong[plan.wrong] += 1
    assert wrong[True] == pytest.approx(1000, abs=4 * (4000 * 0.1875) ** 0.5)


@pytest.mark.parametrize("share", [0, 1])
def test_none_and_all_are_shares_too(share: int) -> None:
    deal = planner(AuthStorm(name="a", wrong=share))
    plans = [deal.plan_for(k) for k in range(50)]
    assert {plan.wrong for plan in plans if isinstance(plan, AuthPlan)} == {bool(share)}


def test_the_others_carry_what_their_sessions_say() -> None:
    slow, reader, half, reset, rivals = (planner(session).plan_for(3) for session in ALL[3:])
    assert isinstance(slow, SlowSendPlan)
    assert (slow.segment_octets, slow.pause_ns, slow.reverse_path) == (10, 200_000_000, "load@example.test")
    assert 1 <= slow.size_octets <= 9
    assert isinstance(reader, SlowReadPlan)
    assert (reader.read_octets, reader.pause_ns, reader.auth) == (7, 5, "user")
    assert isinstance(half, HalfOpenPlan)
    assert 10**9 <= half.hold_ns <= 2 * 10**9
    assert half.after == "ehlo"
    assert isinstance(reset, ResetPlan)
    assert (reset.sent, reset.reverse_path, reset.size_octets) == (0.75, "", 4096)
    assert isinstance(rivals, ContendPlan)
    assert (rivals.auth, rivals.account) == ("plain", planner(ALL[7]).account_of(3))
