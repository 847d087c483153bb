"""The data that shipped scenarios come with: found wherever they are installed, and never somebody else's."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from loadgen.scenario.arrivals import Curve, Replay
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import OpenLoad, Scenario
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.shipped import DATA_SUFFIXES, shipped_data, shipped_scenarios


def test_a_shipped_scenario_takes_the_data_that_is_shipped_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "diurnal.csv").write_text("0,1\n9,1\n")      # somebody else's, where the command is typed
    monkeypatch.chdir(tmp_path)
    assert curve_of(load_scenario("diurnal")).file.points.span_ns == 24 * 3600 * 10**9


def test_a_file_beside_the_scenario_comes_before_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "scenarios" / "diurnal.toml").read_text()
    (tmp_path / "mine.toml").write_text(text)
    assert curve_of(load_scenario(tmp_path / "mine.toml")).file.points.file == "diurnal.csv"
    (tmp_path / "diurnal.csv").write_text("0,1\n9,1\n")
    assert curve_of(load_scenario(tmp_path / "mine.toml")).file.points.file == str(tmp_path / "diurnal.csv")
    (tmp_path / "mine.toml").write_text(text.replace('"diurnal.csv"', '"sub/diurnal.csv"'))
    with pytest.raises(ScenarioError, match=r"load\.arrivals\[0\]\.file: no such file: .*/sub/diurnal\.csv"):
        load_scenario(tmp_path / "mine.toml")


def curve_of(scenario: Scenario) -> Curve:
    assert isinstance(scenario.load, OpenLoad)
    [curve] = scenario.load.arrivals
    assert isinstance(curve, Curve)
    return curve


def test_the_shipped_log_is_a_minute_with_two_bursts() -> None:
    scenario = load_scenario("replay")
    assert isinstance(scenario.load, OpenLoad)
    [replay] = scenario.load.arrivals
    assert isinstance(replay, Replay)
    assert (replay.count, replay.file.trace.recipients_max) == (315, 10)
    assert 29 * 10**9 < replay.duration.ns < 30 * 10**9
    per_s = Counter(replay.instant_ns(i) // 10**9 for i in range(replay.count))
    assert {second for second, count in per_s.items() if count > 18} == {11, 19, 20}      # a list, and its bounces


def test_whatever_lies_among_the_scenarios_is_found_there() -> None:
    names = {entry.name for entry in files("scenarios").iterdir() if entry.is_file()} - {"__init__.py"}
    data = {name for name in names if name.endswith(DATA_SUFFIXES)}
    assert data == {"diurnal.csv", "mail.log"}
    assert all(shipped_data(name) is not None for name in data)
    assert names - data == {f"{name}.toml" for name in shipped_scenarios()}


@pytest.mark.parametrize("name", ["quickstart.toml", "none.csv", "scenarios/diurnal.csv", "", "/diurnal.csv"])
def test_what_is_no_shipped_data_is_not_found_there(name: str) -> None:
    assert shipped_data(name) is None
