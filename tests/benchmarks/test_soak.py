"""The soak's load by itself: played in virtual time, with sessions that take none."""

import heapq
from collections import Counter
from collections.abc import Iterator
from math import gcd
from pathlib import Path

import pytest

from benchmarks.scenario import Soak
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.load import load_scenario
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, Planner, RetrievalPlan

USERS = 100
DURATION_S = 600
NS_PER_S = 1_000_000_000


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Planner:
    path: Path = tmp_path_factory.mktemp("soak") / "soak.toml"
    path.write_text(Soak(USERS, DURATION_S, tls=True).toml(), encoding="utf-8")
    scenario = load_scenario(str(path), overrides=[], urls={}, seed=None, authorized=False)
    return Planner(scenario, open_accounts(scenario.accounts, environ={}))


def sessions(planner: Planner) -> Iterator[tuple[float, DeliveryPlan | RetrievalPlan | HoldPlan]]:
    """Yield when each session starts, s, and what it does, in this order."""
    due = [(planner.think_ns(user, 0), user) for user in range(USERS)]
    heapq.heapify(due)
    while due[0][0] < DURATION_S * NS_PER_S:
        now_ns, k = due[0]
        plan = planner.plan_for(k)
        assert isinstance(plan, DeliveryPlan | RetrievalPlan | HoldPlan)
        yield now_ns / NS_PER_S, plan
        heapq.heapreplace(due, (now_ns + (plan.hold_ns if isinstance(plan, HoldPlan) else 0), k + USERS))


def test_little_lies_in_the_maildrops_and_as_much_in_the_warm_up_as_ever_after(planner: Planner) -> None:
    """What lies there is the server's memory: a heap keeps the most of it, so what comes late is taken for growth."""
    lying: Counter[str] = Counter()
    most = [0, 0, 0, 0]                      # in each quarter
    for second, plan in sessions(planner):
        if isinstance(plan, DeliveryPlan):
            lying.update(recipient for message in plan.messages for recipient in message.recipients)
        elif isinstance(plan, RetrievalPlan):
            del lying[plan.account.address]
        quarter = int(4 * second / DURATION_S)
        most[quarter] = max(most[quarter], lying.total())
    assert max(most) < USERS / 2             # with maildrops of their own, four messages for each
    assert max(most) <= 1.1 * most[0]


@pytest.mark.parametrize("users", [1, 2, 3, 10, 125, 375, 500, 1500])
def test_a_user_comes_to_all_maildrops_in_turn(users: int) -> None:
    assert gcd(Soak(users, 600, tls=False).accounts, users) == 1
