"""The run that measures a level: the scenario, scaled."""

import tomllib
from pathlib import Path

import pytest

from loadgen.capacity.stages import Stages, gates_of, held_session
from loadgen.scenario.load import load_scenario, scenario_from
from loadgen.scenario.model import ClosedLoad, IdleHold, OpenLoad, Scenario
from reports.errors import UserError
from reports.gate_spelt import text_of

HEAD = 'target = "embedded"\n[scenario]\nname = "staged"\nseed = 7\n'
OPEN = HEAD + """
[load]
model = "open"
arrivals = [{shape = "ramp", from = 0, to = 90, over = "30s"}, {shape = "poisson", rate = 80, for = "2m"}]
[[session]]
kind = "smtp-deliver"
[[session]]
kind = "pop3-retrieve"
"""
CLOSED = HEAD + """
[load]
model = "closed"
virtual_users = 20
think = {exponential = {mean = "2s", max = "10s"}}
sessions = 500
warm_up = "4s"
[[session]]
kind = "smtp-deliver"
"""


def scenario(text: str) -> Scenario:
    return scenario_from(tomllib.loads(text), name="staged", directory=Path(), environ={})


def measured(text: str, level: float, seconds: float, tmp_path: Path, *, hold: bool = False) -> Scenario:
    """Return the scenario that a stage's own run reads."""
    file = tmp_path / "staged.toml"
    file.write_text(text, encoding="utf-8")
    stages = Stages(scenario(text), str(file), ("--workers=1",), tmp_path, hold=hold)
    source, *arguments = stages.command(3, level, seconds)
    settings = [each.removeprefix("--set=") for each in arguments if each.startswith("--set=")]
    assert f"--out={tmp_path / 'stages' / '03'}" in arguments
    assert {"--seed=9", "--until-eof", "--workers=1"} <= set(arguments)
    return load_scenario(source, overrides=settings)


def test_an_open_load_offers_one_rate_spaced_as_at_its_height(tmp_path: Path) -> None:
    load = measured(OPEN, 123.4, 60, tmp_path).load
    assert isinstance(load, OpenLoad)
    [shape] = load.arrivals
    assert [float(rate) for rate in getattr(shape, "rates", ())] == [123.4]
    assert getattr(shape, "process", None) == "even", "the ramp is the highest, and its arrivals are evenly spaced"
    assert (load.warm_up.s, shape.duration.s) == (10, 70)


def test_a_stage_goes_by_another_name_than_the_scenarios_own_runs(tmp_path: Path) -> None:
    long = OPEN.replace('"staged"', f'"{"x" * 100}"')
    assert measured(OPEN, 10, 60, tmp_path).about.name == "staged, a stage"
    assert measured(long, 10, 60, tmp_path).about.name == "x" * 90 + ", a stage"


def test_a_closed_load_keeps_its_think_time_and_has_other_users_for_a_time(tmp_path: Path) -> None:
    load = measured(CLOSED, 35, 60, tmp_path).load
    assert isinstance(load, ClosedLoad)
    assert (load.virtual_users, load.sessions) == (35, None)
    assert load.duration is not None
    assert (load.duration.s, load.warm_up.s) == (64, 4)
    assert load.think == scenario(CLOSED).load.think  # type: ignore[union-attr]


def test_sessions_to_be_held_are_opened_one_by_one_and_then_all_there(tmp_path: Path) -> None:
    made = measured(OPEN, 400, 10, tmp_path, hold=True)
    [session] = made.sessions
    assert isinstance(session, IdleHold)
    load = made.load
    assert isinstance(load, ClosedLoad)
    assert (load.virtual_users, load.sessions, load.ramp.s) == (400, 400, 2)
    assert session.hold.mean() / 1e9 - load.ramp.s == 10, "the last one opened finds all others there, for so long"
    assert made.gates == ()


def test_the_scenarios_own_idle_session_is_the_one_that_is_held() -> None:
    own = OPEN + '[[session]]\nkind = "idle-hold"\nprotocol = "pop3"\nauth = "user"\nhold = "5s"\n'
    assert held_session(scenario(own))["protocol"] == "pop3"
    assert held_session(scenario(OPEN))["protocol"] == "smtp"
    with pytest.raises(UserError, match="needs an SMTP or a POP3 server"):
        held_session(scenario(
            '[scenario]\nname = "x"\n[target]\nlmtp = "embedded"\n[load]\nmodel = "closed"\nvirtual_users = 1\n'
            'sessions = 1\n[[session]]\nkind = "lmtp-deliver"'
        ))   # fmt: skip


def test_the_gates_are_the_scenarios_and_the_command_lines_but_none_that_asks_for_work() -> None:
    gated = OPEN + (
        '[[gate]]\nmetric = "pop3.session.response"\npercentile = 99\nbelow = "2s"\n'
        '[[gate]]\nmetric = "smtp.body.response"\npercentile = 95\nbelow = "1s"\n'
        '[[gate]]\nmetric = "messages.accepted.per_s"\nat_least = 50\n'
    )
    assert [text_of(gate) for gate in gates_of(scenario(gated), ["p99(response)<2s"])] == [
        "pop3.session.response:p99 < 2s", "smtp.body.response:p95 < 1s", "smtp.session.response:p99 < 2s",
    ]   # fmt: skip


def test_a_stage_lasts_no_longer_than_is_said() -> None:
    stages = Stages(scenario(OPEN), "x", (), Path())
    assert stages.longest_s(60, 1000) == 10 + 60 + 30 + 5
    held = Stages(scenario(OPEN), "x", (), Path(), hold=True)
    assert held.longest_s(60, 1000) == 5 + 60 + 5 + 30 + 5, "a thousand are opened, and closed, in five seconds"
