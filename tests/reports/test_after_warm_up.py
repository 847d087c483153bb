"""A run told as if its warm-up had been longer."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.refserver.workers import Work
from reports.after_warm_up import read_intervals, without_start
from reports.errors import DocumentError
from reports.histogram import HlogWriter, Interval
from tests.capacity.simulated import NS, Run, Target


@pytest.fixture(scope="module")
def run() -> Run:
    return Target(Work(0.02, 2)).run(80, 30, 1)


def log_of(run: Run, path: Path) -> list[Interval]:
    with path.open("w", encoding="ascii") as stream:
        log = HlogWriter(stream, datetime(2026, 1, 1, tzinfo=UTC))
        for interval in run.intervals():
            log.write(interval)
    return list(read_intervals(path))


def test_a_log_is_read_as_it_was_written(run: Run, tmp_path: Path) -> None:
    read, written = log_of(run, tmp_path / "run.hlog"), list(run.intervals())
    assert [(each.tag, each.start_s, each.length_s, each.encoded) for each in read] == [
        (each.tag, each.start_s, each.length_s, each.encoded) for each in written
    ]
    assert [each.max_ns for each in read] == pytest.approx([each.max_ns for each in written], abs=1000)


def test_only_the_times_behind_the_instant_are_left(run: Run) -> None:
    later = without_start(run.document, run.intervals(), 25)
    assert later.load is not None
    phase = later.load.phases["smtp.session"]
    behind = [took for took, done in zip(run.done - run.came, run.done, strict=True) if 25 <= done < 40]
    assert phase.count == len(behind)
    assert phase.response_ns.max == pytest.approx(max(behind) * NS, rel=1e-3)
    assert later.load.throughput == run.document.load.throughput if run.document.load else False


def test_a_phase_that_did_not_come_again_has_no_times(run: Run) -> None:
    later = without_start(run.document, (), 25)
    assert later.load is not None
    assert later.load.phases["smtp.session"].count == 0


def test_a_log_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"cannot read .*run\.hlog"):
        list(read_intervals(tmp_path / "run.hlog"))
