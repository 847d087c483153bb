"""The proof of the alarm: what it runs is a scenario, and its judgement is that of the record."""

from pathlib import Path

import pytest

from benchmarks.alarm import GATES, SCENARIO, SERVICE_MS, SLOWER_MS
from benchmarks.alarm_record import Alarm, AlarmRecord
from benchmarks.comparisons import all_comparisons
from benchmarks.place import FIGURES
from benchmarks.results import render
from benchmarks.store import Store
from loadgen.scenario.load import load_scenario
from reports.compare_gate import worse_than

[GATE] = [gate for gate, judged in GATES.items() if judged]


def of(*, slower: bool, alarms: int, inconclusive: int = 0, judged: bool = True) -> Alarm:
    codes = (1,) * alarms + (3,) * inconclusive + (0,) * (20 - alarms - inconclusive)
    return Alarm(slower=slower, gate=GATE, codes=codes, judged=judged)


@pytest.mark.parametrize(
    ("alarm", "holds"),
    [
        (of(slower=False, alarms=0), True),
        (of(slower=False, alarms=1), True),
        (of(slower=False, alarms=2), False),
        (of(slower=True, alarms=18), True),
        (of(slower=True, alarms=17), False),
        (of(slower=True, alarms=17, inconclusive=3), False),
        (of(slower=True, alarms=3, judged=False), True),
    ],
)
def test_one_false_alarm_in_twenty_is_borne_and_eighteen_true_ones_are_wanted(alarm: Alarm, holds: bool) -> None:
    assert alarm.holds is holds


def test_what_is_run_is_a_scenario_and_what_is_asked_a_gate(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO.format(port=2525, seed=7))
    assert load_scenario(str(path), overrides=[], urls={}, seed=None, authorized=False).about.seed == 7
    assert worse_than(list(GATES)).named
    assert pytest.approx(1.1) == SLOWER_MS / SERVICE_MS


def test_the_page_says_how_often_it_alarmed() -> None:
    record = AlarmRecord(
        taken="2026-01-01 00:00 UTC", revision="abc", load_average=0.5, sets=20, runs=6, again=3, service_ms=100,
        slower_ms=110, alarms=(of(slower=False, alarms=2), of(slower=True, alarms=19, inconclusive=1)),
    )  # fmt: skip
    page = render(all_comparisons(), {}, None, None, record)
    assert "`python -m benchmarks alarm --sets 20 --runs 6`: messages take 100 ms, or 110 ms; 3 runs" in page
    assert "**NOT as it should be**" in page
    assert f"| the same | `--worse-than {GATE}` | 20 | 2 | 0 | 5% at most |" in page
    assert f"| slower by a tenth | `--worse-than {GATE}` | 20 | 19 | 1 | 90% at least |" in page


def test_every_figure_that_is_kept_can_be_read() -> None:
    store = Store(FIGURES)
    names = {path.stem for path in FIGURES.glob("*.json")} - {"machine", "soak", "alarm", "capacity"}
    assert names
    assert {name for name in names if store.record(name) is None} == set()
    assert names <= {comparison.name for comparison in all_comparisons()}
    assert store.machine() is not None
