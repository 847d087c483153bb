"""How long arrival k waits before it tries again: a pure function of the seed, k and the attempt."""

import tomllib
from pathlib import Path
from statistics import fmean

from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.distributions import Durations
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Retry
from loadgen.schedule.plans import Planner

S = 10**9


def planner(seed: int = 7) -> Planner:
    text = f"""
target = "embedded"
[scenario]
name = "again"
seed = {seed}
[load]
model = "open"
arrivals = [{{shape = "constant", rate = 1, for = "1s"}}]
[[session]]
kind = "smtp-deliver"
"""
    scenario = scenario_from(tomllib.loads(text), name="again", directory=Path(), environ={})
    return Planner(scenario, open_accounts(scenario.accounts, environ={}))


def test_the_wait_grows_by_the_factor_with_each_attempt() -> None:
    retry = Retry(after=Durations.parse("3s"), factor=1.5)
    assert [planner().back_off_ns(0, attempt, retry) for attempt in (1, 2, 3)] == [3 * S, 4.5 * S, 6.75 * S]


def test_the_same_seed_arrival_and_attempt_wait_the_same_whoever_asks_and_when() -> None:
    retry = Retry()
    one, other = planner(), planner()
    asked = [(k, attempt) for k in range(50) for attempt in (1, 2, 3)]
    waits = {key: one.back_off_ns(*key, retry) for key in asked}
    assert {key: other.back_off_ns(*key, retry) for key in reversed(asked)} == waits
    assert len(set(waits.values())) == len(asked), "each wait is a draw of its own"
    assert waits != {key: planner(8).back_off_ns(*key, retry) for key in asked}


def test_the_waits_have_the_distribution_that_was_asked_for() -> None:
    retry = Retry(after=Durations.parse({"exponential": {"mean": "5s", "max": "1h"}}), factor=3)
    draw = planner()
    for attempt, mean_s in ((1, 5), (2, 15), (3, 45)):
        waits = [draw.back_off_ns(k, attempt, retry) / S for k in range(4000)]
        assert 0.93 < fmean(waits) / mean_s < 1.07
