"""Many runs over time: what is shown, and how seldom a change is called that is none."""

import random
from pathlib import Path

import pytest
import typer
from msgspec import structs
from typer.testing import CliRunner

from reports import cli
from reports.change_point import change_points
from reports.compare_metrics import measure_spelt
from reports.compare_runs import Run
from reports.document import Document, encode
from reports.errors import UserError
from reports.trend import trends
from reports.trend_html import trend_html
from tests.reports.noisy_runs import Server, set_of_runs

# Annual flow of the Nile at Aswan, 1871 to 1910, in 10^8 m³ (Cobb 1978): the standard series of change points. Its
# level fell after 1898.
NILE = (
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
)   # fmt: skip


def over_time(*levels: float, each: int = 10, seed: int = 1) -> list[Run]:
    drawn = random.Random(seed)
    runs = [run for level in levels for run in set_of_runs("r", each, drawn, Server(slower=level))]
    return [
        Run(f"run-{n:02}", structs.replace(run.document, started=f"2026-01-{n:02}T00:00:00Z", run_id=f"run-{n:02}"))
        for n, run in enumerate(runs, start=1)
    ]


def test_the_change_of_the_nile_is_found_where_it_was() -> None:
    assert [1871 + position for position in change_points(NILE, 0.01)] == [1899]


def test_a_series_of_one_level_is_hardly_ever_cut() -> None:
    drawn = random.Random(2)
    cut = sum(bool(change_points([drawn.lognormvariate(0, 0.1) for _ in range(30)], 0.05)) for _ in range(60))
    assert cut <= 7         # 3 are to be expected; more than 7 in 1 of 100 seeds


def test_two_changes_are_found() -> None:
    drawn = random.Random(3)
    values = [drawn.gauss(level, 1) for level in (10, 15, 12) for _ in range(12)]
    assert change_points(values, 0.01) == [12, 24]


@pytest.mark.parametrize("values", [[], [1.0] * 40, [1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9]])
def test_nothing_is_called_where_nothing_can_be(values: list[float]) -> None:
    assert change_points(values, 0.05) == []


def test_a_slow_down_is_called_with_the_run_it_begins_at() -> None:
    [trend] = trends(over_time(1.0, 1.3))
    called = {series.measure.subject: [change.run.result for change in series.changes] for series in trend.series}
    assert called["p50 of smtp.session.response"] == ["run-11"]
    assert called["errors.share"] == []


def test_runs_are_by_scenario_and_in_order_and_the_void_are_left_out() -> None:
    runs = over_time(1.0)
    other = Run("x", structs.replace(runs[0].document, scenario={"scenario": {"name": "another"}}))
    void = Run("v", structs.replace(runs[3].document, interrupted="load"))
    found = trends([*reversed(runs), other, void])
    assert [trend.scenario for trend in found] == ["another", "steady"]
    assert [run.result for run in found[1].runs] == [run.result for run in runs]
    assert [run.result for run, _ in found[1].left_out] == ["v"]
    assert found[1].notes == ("10 runs: with fewer than 12 no change of level is looked for",)


def test_a_run_without_data_leaves_a_gap() -> None:
    [trend] = trends(over_time(1.0), [measure_spelt("lmtp.session.response:p99")])
    assert trend.series[-1].values == (None,) * 10


def test_the_page_has_the_plots_and_every_run() -> None:
    page = trend_html(trends(over_time(1.0, 1.3)), "<b>nightly</b>", "0.1.0")
    assert page.count("<svg") == 2
    assert "seems to have another level from 2026-01-11" in page
    assert "&lt;b&gt;nightly" in page
    assert all(f"run-{n:02}" in page for n in range(1, 21))


def test_the_command_shows_what_lies_below_a_directory(tmp_path: Path, good: Document) -> None:
    for run in [*over_time(1.0, 1.3), Run("other", structs.replace(good, kind="conformance", load=None))]:
        path = tmp_path / "nightly" / run.result / "result.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(encode(run.document))
    (tmp_path / "nightly" / "bad").mkdir()
    (tmp_path / "nightly" / "bad" / "result.json").write_text("{")
    app = typer.Typer()
    cli.register(app)
    ran = CliRunner().invoke(app, ["trend", str(tmp_path), "--html", str(tmp_path / "t.html")])
    assert ran.exit_code == 0, ran.output
    assert "steady  20 runs" in ran.stdout
    assert "seems to have another level" in " ".join(ran.stdout.split())
    assert "left out: 1 result that is of no load run" in ran.stderr
    assert "not a mailproof result" in ran.stderr
    assert (tmp_path / "t.html").read_text().startswith("<!DOCTYPE html>")


def test_a_directory_without_runs_is_the_operators_error(tmp_path: Path) -> None:
    app = typer.Typer()
    cli.register(app)
    ran = CliRunner().invoke(app, ["trend", str(tmp_path)])
    assert isinstance(ran.exception, UserError)
    assert "no result of a load run" in str(ran.exception)
