"""`--gate` and `--preset`: beside the scenario's own gates, with every mistake named as it was typed."""

from pathlib import Path

import pytest

from loadgen.scenario.asked import Asked
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import Scenario
from loadgen.scenario.problems import ScenarioError
from reports.gate import AbortOnBreach, Gate

FILE = """
[scenario]
name = "asked"
[load]
model = "open"
arrivals = [{shape = "constant", rate = 1, for = "1s"}]
[[session]]
kind = "smtp-deliver"
[[gate]]
metric = "errors.share"
at_most = 0
"""


def loaded(directory: Path, *gates: str, preset: str | None = None, text: str = FILE) -> Scenario:
    path = directory / "asked.toml"
    path.write_text(text)
    return load_scenario(path, asked=Asked(gates, preset), environ={})


def problems(directory: Path, *gates: str, preset: str | None = None, text: str = FILE) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(directory, *gates, preset=preset, text=text)
    return [str(problem) for problem in caught.value.problems]


def test_gates_of_the_command_line_come_after_those_of_the_file(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path, "smtp.body.response:p99 < 500ms", "session.smtp-deliver.errors.share <= 1% abort_on_breach hold=5s"
    )
    assert scenario.gates == (
        Gate(metric="errors.share", at_most=0),
        Gate(metric="smtp.body.response", percentile=99, below="500ms"),
        Gate(
            metric="session.smtp-deliver.errors.share", at_most="1%", abort_on_breach=AbortOnBreach(hold="5s")
        ),
    )


def test_a_preset_of_the_command_line_takes_the_place_of_the_files(tmp_path: Path) -> None:
    text = FILE.replace('name = "asked"', 'name = "asked"\npreset = "nothing"') + (
        '[[session]]\nkind = "pop3-retrieve"\n[ledger]\nverify = true\n'
    )
    assert loaded(tmp_path, preset="specmail2001", text=text).about.preset == "specmail2001"
    assert problems(tmp_path, text=text) == ['scenario.preset: got "nothing", expected one of specmail2001']


@pytest.mark.parametrize(
    ("gate", "problem"),
    [
        ("gogo", '--gate: cannot read the gate "gogo": a gate looks like "smtp.body.response:p99 < 500ms"'),
        ("smtp.bdoy.response:p99 < 1s", '--gate "smtp.bdoy.response:p99 < 1s": unknown metric "smtp.bdoy'),
        ("smtp.body.response < 1s", '--gate "smtp.body.response < 1s": smtp.body.response is a distribution'),
        ("pop3.retr.response:p9 < 1s", '--gate "pop3.retr.response:p9 < 1s": pop3.retr.response can have no data: no'),
        ("ledger.lost = 0", '--gate "ledger.lost = 0": ledger.lost can have no data without [ledger] verify = true'),
        (
            "retry.accepted > 1 abort_on_breach",
            '--gate "retry.accepted > 1 abort_on_breach": abort_on_breach: retry.accepted is known only when',
        ),
        (
            "sessions.accepted >= 9 abort_on_breach",
            "sessions.accepted grows while the load goes on, so only below, at_most or equals = 0 can be",
        ),
        ("errors = 0 abort_on_breach delay=soon", 'abort_on_breach.delay: not a duration: "soon"'),
    ],
)
def test_a_mistake_is_named_as_it_was_typed(tmp_path: Path, gate: str, problem: str) -> None:
    said = problems(tmp_path, gate)
    assert problem in said[0]


def test_a_preset_that_this_load_can_never_meet_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    said = problems(tmp_path, preset="specmail2001")
    assert "--preset: pop3.connect.response can have no data: no session speaks POP3" in said
    assert "--preset: end_to_end can have no data without [ledger] verify = true" in said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "gogo", "goodputt > 1", preset="specmial")) == 3


def test_a_file_whose_gates_are_no_list_is_told_so(tmp_path: Path) -> None:
    said = problems(tmp_path, "errors = 0", text=FILE.replace("[[gate]]", "[gate]"))
    assert any(problem.startswith("gate: ") for problem in said)
