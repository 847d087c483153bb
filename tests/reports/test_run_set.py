"""A set of runs in brief."""

import random

from msgspec import structs

from reports.compare_runs import Run
from reports.exit_codes import ExitCode
from reports.run_set import exit_code_of_set, summary_of_set
from tests.reports.noisy_runs import set_of_runs


def with_code(run: Run, code: int) -> Run:
    return Run(run.result, structs.replace(run.document, exit_code=code))


def test_the_summary_names_every_run_and_how_far_they_lie_apart() -> None:
    runs = set_of_runs("s", 3, random.Random(1))
    void = Run("s/void", structs.replace(runs[2].document, interrupted="load"))
    said = summary_of_set([*runs[:2], void])
    assert "s/run-1  seed 1, exit 0" in said
    assert "s/void  seed 3, exit 0: interrupted: its load is not whole" in said
    assert "p99 of smtp.session.response" in said
    assert "in 2 runs" in said


def test_a_set_without_a_run_that_counts_has_no_spread() -> None:
    assert summary_of_set([]).strip() == ""


def test_a_set_is_as_good_as_its_worst_run() -> None:
    runs = set_of_runs("s", 3, random.Random(1))
    assert exit_code_of_set(runs) is ExitCode.HELD
    assert exit_code_of_set([*runs, with_code(runs[0], 3)]) is ExitCode.INCONCLUSIVE
    assert exit_code_of_set([with_code(runs[0], 1), with_code(runs[1], 3)]) is ExitCode.FAILED
    assert exit_code_of_set([with_code(runs[0], 1), with_code(runs[1], 130)]) is ExitCode.INTERRUPTED
