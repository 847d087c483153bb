"""RESULTS.md, rendered from recorded rounds."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from benchmarks.__main__ import choose, curve_panels
from benchmarks.comparisons import all_comparisons
from benchmarks.figures import OURS, Record, Side
from benchmarks.machine import Machine, this_machine
from benchmarks.plots import write_curve, write_soak
from benchmarks.results import render
from benchmarks.soak_record import HEADER, Sample, SoakRecord, judge, read_samples

MACHINE = Machine(taken="2026-01-01 00:00 UTC", facts=(("processor", "an example, 2 cores"), ("trio", "0.35.0")))


def record(name: str, *rounds: dict[str, dict[str, float]], sides: tuple[Side, ...], quick: bool = False) -> Record:
    return Record(
        name=name, taken="2026-01-01 00:00 UTC", revision="abc1234", load_average=0.25, quick=quick, sides=sides,
        rounds=rounds,
    )  # fmt: skip


def pair(name: str, ours: float, theirs: float) -> Record:
    turn = {
        OURS: {"messages/s": ours, "CPU µs/message": 100.0},
        "smtp-source": {"messages/s": theirs, "CPU µs/message": 150.0},
    }
    return record(
        name, turn, turn,
        sides=(Side(name=OURS, command="mailproof run x"), Side(name="smtp-source", command="smtp-source -s 100")),
    )  # fmt: skip


def test_a_measured_pair_has_a_row_for_each_metric_with_its_ratio() -> None:
    name = "source-fresh-1k-100"
    page = render(all_comparisons(), {name: pair(name, 9000.0, 6000.0)}, MACHINE, None)
    assert (
        "| a session for each message, 1 KiB, 100 sessions | messages/s | 9,000 (9,000–9,000) | smtp-source | "
        "6,000 (6,000–6,000) | **1.50 (1.50–1.50)** | 2 |"
    ) in page
    assert "| CPU µs/message | 100 (100–100) | smtp-source | 150 (150–150) | **1.50 (1.50–1.50)** | 2 |" in page
    assert "2026-01-01 00:00 UTC, commit abc1234, load average before 0.25" in page
    assert "  - `smtp-source -s 100`" in page
    assert "| processor | an example, 2 cores |" in page


def test_a_peer_that_was_not_run_is_named_with_its_reason() -> None:
    missing = record(
        "clients",
        {OURS: {"messages/s": 9000.0}},
        sides=(Side(name=OURS), Side(name="postal", not_run="postal is not here; `make bench-peers` provides it")),
    )
    page = render(all_comparisons(), {"clients": missing}, MACHINE, None)
    assert "**postal was not run**: postal is not here; `make bench-peers` provides it" in page


def test_a_failed_turn_is_named() -> None:
    failed = Record(
        name="clients", taken="", revision="", load_average=0, quick=True, sides=(Side(name=OURS),), rounds=({},),
        failures=("round 1, mailproof: hangs",),
    )  # fmt: skip
    assert "left out: round 1, mailproof: hangs" in render(all_comparisons(), {"clients": failed}, MACHINE, None)


def test_what_was_never_measured_is_named() -> None:
    page = render(all_comparisons(), {}, None, None)
    for comparison in all_comparisons():
        assert comparison.title in page
    assert page.count("**Not measured yet") == len({comparison.group for comparison in all_comparisons()}) + 3


def test_memory_is_told_by_session_and_above_what_few_need_in_as_many_processes() -> None:
    held = [("10", 10, 1, 100.0), ("10-in-2", 10, 2, 250.0), ("5000", 5_000, 1, 148.75), ("20000", 20_000, 2, 445.25)]
    records = {
        f"memory-clear-{name}": record(
            f"memory-clear-{name}",
            {OURS: {"MiB resident": resident, "KiB/session": resident * 1024 / sessions}},
            sides=(Side(name=OURS, command=f"mailproof run x --workers {workers}"),),
        )
        for name, sessions, workers, resident in held
    }
    page = render(all_comparisons(), records, None, None)
    assert "| 5,000 | 148.8 | 30.5 | 10.0 | 1 |" in page
    assert "| 20,000 | 445.2 | 22.8 | 10.0 | 2 |" in page


@pytest.mark.parametrize(("load_average", "busy"), [(0.5, False), (7.5, True)])
def test_a_machine_that_others_used_is_told(load_average: float, busy: bool) -> None:
    measured = structs.replace(pair("source-fresh-1k-100", 2, 1), load_average=load_average)
    page = render(all_comparisons(), {"source-fresh-1k-100": measured}, MACHINE, None)
    assert ("**Others used the machine meanwhile:**" in page) is busy
    assert f"between {load_average:.2f} and {load_average:.2f}" in page


def test_quick_figures_are_marked() -> None:
    name = "source-fresh-1k-100"
    quick = record(name, {OURS: {"messages/s": 1.0}}, sides=(Side(name=OURS), Side(name="smtp-source")), quick=True)
    assert "100 sessions (quick) |" in render(all_comparisons(), {name: quick}, None, None)


def test_figures_of_several_commits_are_not_all_said_to_be_of_this_machine() -> None:
    one = pair("source-fresh-1k-100", 2, 1)
    other = structs.replace(pair("source-fresh-1k-1000", 2, 1), revision="def5678")
    mixed = render(all_comparisons(), {one.name: one, other.name: other}, MACHINE, None)
    assert "may be of other machines" in mixed
    assert "may be of other machines" not in render(all_comparisons(), {one.name: one}, MACHINE, None)


def test_no_file_of_this_machine_is_named_in_the_page() -> None:
    name = "source-fresh-1k-100"
    page = render(all_comparisons(), {name: pair(name, 2, 1)}, this_machine(), None)
    assert not re.search(r"(?<![\w.$}])/(root|home|work|opt)/", page)


def samples(leak_kib_per_s: int) -> list[Sample]:
    return [
        Sample(float(second), process, 100_000 + (second % 7) + (leak_kib_per_s * second), 500 + second % 3, 1)
        for second in range(1, 601)
        for process in ("generator, clear", "server, clear")
    ]


def soaked(leak_kib_per_s: int, **changes: object) -> SoakRecord:
    return SoakRecord(
        taken="2026-01-01 00:00 UTC", revision="abc", load_average=0.1, minutes=10, sessions=2000,
        load=(("clear", "9 sessions"),), series=judge(samples(leak_kib_per_s), 600), **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_soak_says_that_all_of_it_is_flat() -> None:
    page = render(all_comparisons(), {}, None, soaked(0))
    assert "10 minutes at 2,000 sessions" in page
    assert "**flat**" in page
    assert page.count("| flat |") == 6


def test_a_soak_that_leaks_says_so() -> None:
    assert soaked(50).flat is False
    assert "**NOT flat: something grows**" in render(all_comparisons(), {}, None, soaked(50))


def test_a_soak_in_which_something_failed_is_not_called_flat() -> None:
    failed = soaked(0, failures=("tls: the generator ended early",))
    assert failed.flat is None
    assert "**failed:** tls: the generator ended early" in render(all_comparisons(), {}, None, failed)


def test_the_warm_up_is_left_out() -> None:
    rising = [sample._replace(rss_kib=sample.rss_kib + max(0, 140 - int(sample.second)) * 999) for sample in samples(0)]
    assert {series.slope.verdict for series in judge(rising, 600)} == {"flat"}


def test_a_process_that_was_not_seen_all_the_time_is_not_called_flat() -> None:
    absent = [sample._replace(rss_kib=0) if sample.process.startswith("server") else sample for sample in samples(0)]
    with pytest.raises(ValueError, match="server, clear was not there all the time"):
        judge(absent, 600)


def test_samples_are_read_from_the_csv(tmp_path: Path) -> None:
    path = tmp_path / "soak.csv"
    path.write_text(",".join(HEADER) + '\n1,"generator, clear",1000,20,1\n')
    assert read_samples(path) == [Sample(1.0, "generator, clear", 1000, 20, 1)]


def test_the_plots_are_the_same_octets_each_time(tmp_path: Path) -> None:
    records = {name: pair(name, 9.0, 6.0) for name in ("curve-100", "curve-10")}
    panels = curve_panels(all_comparisons(), records)
    assert [x for x, _ in panels["messages/s"][OURS]] == [10, 100]
    for name in ("a.svg", "b.svg"):
        write_curve(tmp_path / name, panels)
        write_soak(tmp_path / f"soak-{name}", samples(0), 600)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "soak-a.svg").read_bytes() == (tmp_path / "soak-b.svg").read_bytes()


def test_a_curve_that_was_never_measured_leaves_the_figure_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "curve.svg").write_text("of before")
    write_curve(tmp_path / "curve.svg", {})
    assert (tmp_path / "curve.svg").read_text() == "of before"


def test_a_choice_is_by_name_or_by_group() -> None:
    everything = all_comparisons()
    assert [each.name for each in choose(everything, ["clients"], quick=False)] == ["clients"]
    assert len(choose(everything, ["source"], quick=False)) == 13
    assert choose(everything, ["nobody"], quick=False) == []
    assert choose(everything, [], quick=False) == list(everything)
    assert all(each.in_quick for each in choose(everything, [], quick=True))
