"""A seed is the whole run: the same one replays it to the nanosecond and the plan, a thousand times of a thousand."""

import pickle
from typing import get_args

import pytest

from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.arrivals import Arrivals
from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.model import (
    About,
    Accounts,
    ClosedLoad,
    IdleHold,
    LmtpDeliver,
    Load,
    OpenLoad,
    Pop3Retrieve,
    Scenario,
    Session,
    SmtpDeliver,
)
from loadgen.scenario.quantities import NS_PER_S
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
from loadgen.scenario.steps import RepeatableStep, StepsSession
from loadgen.schedule.arrivals import arrivals
from loadgen.schedule.plans import Plan, Planner
from tests.schedule.shapes import constant, curve, poisson, ramp, replay, spike, steps

SEEDS = [range(start, start + 250) for start in range(0, 1000, 250)]     # in parts, each well within its time
OPEN = OpenLoad(
    arrivals=(
        ramp(0, 4, 2 * NS_PER_S, "poisson"),
        constant(3, NS_PER_S),
        replay(0, 5, NS_PER_S, speed=3),
        spike(1, 9, NS_PER_S, NS_PER_S // 3, NS_PER_S, 0, NS_PER_S, process="poisson"),
        steps(1, 3, 1, NS_PER_S, "poisson"),
        curve((0, 1), (NS_PER_S, 7), (2 * NS_PER_S, 0), process="poisson"),
        poisson(5, 1),
    )
)
CLOSED = ClosedLoad(
    virtual_users=4, maildrop="own", sessions=24, think=Durations.parse({"exponential": {"mean": "1s", "max": "9s"}})
)
SESSIONS = (
    SmtpDeliver(
        name="mail", messages=Counts.parse({"uniform": [1, 3]}), recipients=Counts.parse({"uniform": [1, 4]}),
        size=Sizes.parse({"lognormal": {"median": "4 KiB", "sigma": 1.0, "max": "1 MiB"}}),
    ),
    LmtpDeliver(name="fan-out", recipients=Counts.parse({"exponential": {"mean": 3, "max": 9}})),
    Pop3Retrieve(name="read", weight=2),
    IdleHold(name="hold", hold=Durations.parse({"choice": [["1s", 1], ["2s", 2]]})),
    SmtpProbe(name="probe", loops=Counts.parse({"uniform": [1, 9]})),
    RsetLoop(name="rset", loops=Counts.parse({"uniform": [1, 3]}), recipients=Counts.parse({"uniform": [1, 3]})),
    AuthStorm(name="storm", wrong=0.5),
    SlowSender(name="dribble", size=Sizes.parse({"uniform": ["500", "4 KiB"]})),
    SlowReader(name="sip"),
    HalfOpen(name="half", hold=Durations.parse({"uniform": ["1s", "9s"]})),
    ResetInData(name="reset", size=Sizes.parse({"uniform": ["500", "4 KiB"]})),
    Pop3Contend(name="contend"),
    StepsSession(
        name="steps", recipients=Counts.parse({"uniform": [1, 3]}), size=Sizes.parse({"uniform": ["500", "4 KiB"]}),
        steps=(RepeatableStep(send="EHLO {host}"), RepeatableStep(think=Durations.parse({"uniform": ["1s", "9s"]}))),
    ),
)   # fmt: skip


def scenario(load: Load, seed: int) -> Scenario:
    return Scenario(about=About(name="x", seed=seed), load=load, sessions=SESSIONS, accounts=Accounts(count=50))


def whole_run(made: Scenario) -> tuple[list[int], list[Plan], list[int]]:
    """Every instant, plan and pause of a scenario, from nothing but the scenario."""
    planner = Planner(made, open_accounts(made.accounts, environ={}))
    instants = list(arrivals(made.load, made.about.seed)) if isinstance(made.load, OpenLoad) else []
    count = len(instants) or 24
    pauses = [planner.think_ns(k % 4, k // 4) for k in range(count)]
    return instants, [planner.plan_for(k) for k in range(count)], pauses


def test_every_kind_of_session_and_every_shape_of_arrivals_takes_part() -> None:
    assert {type(session) for session in SESSIONS} == set(get_args(Session))
    assert {type(segment) for segment in OPEN.arrivals} == set(get_args(Arrivals))
    chosen = {plan.session_name for seed in range(20) for plan in whole_run(scenario(CLOSED, seed))[1]}
    assert chosen == {session.name for session in SESSIONS}


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
@pytest.mark.parametrize("load", [OPEN, CLOSED], ids=["open", "closed"])
def test_a_thousand_seeds_give_a_thousand_identical_replays(load: Load, seeds: range) -> None:
    runs: set[int] = set()
    for seed in seeds:
        first, second = whole_run(scenario(load, seed)), whole_run(scenario(load, seed))
        assert first == second
        instants, plans, pauses = first
        runs.add(hash((*instants, *plans, *pauses)))
    assert len(runs) == len(seeds)      # and no two seeds the same run


def test_a_run_is_the_same_after_its_scenario_has_crossed_to_a_worker() -> None:
    here = scenario(OPEN, 12)
    there: Scenario = pickle.loads(pickle.dumps(here))
    assert whole_run(there) == whole_run(here)
