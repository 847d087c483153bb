"""What a run leaves on disk, and the sentence when it cannot."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from msgspec import structs

from reports.document import Document, read
from reports.errors import UserError
from reports.histogram import HIGHEST_NS, Histogram, Interval
from reports.write import check_writable, write_run, write_text


def test_a_run_leaves_its_result_its_report_and_its_histograms(good: Document, tmp_path: Path) -> None:
    histogram = Histogram()
    histogram.record_many([2_000_000] * 9)
    directory = tmp_path / "out" / "run"
    report = write_run(directory, good, [Interval.of("smtp.body", 3, 1, histogram)])
    assert report == directory / "report.html"
    assert sorted(path.name for path in directory.iterdir()) == ["histograms", "report.html", "result.json", "run.hlog"]
    assert read(directory / "result.json") == good
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert good.load is not None
    names = {path.name for path in (directory / "histograms").iterdir()}
    assert names == {f"{phase}.{kind}.hgrm" for phase in good.load.phases for kind in ("response", "service")}
    reader = HistogramLogReader(str(directory / "run.hlog"), HdrHistogram(1_000, HIGHEST_NS, 3))
    assert reader.get_next_interval_histogram().get_total_count() == 9
    assert reader.get_start_time_sec() == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    reader.input_file.close()


def test_a_finer_start_is_logged_when_it_is_known(good: Document, tmp_path: Path) -> None:
    write_run(tmp_path, structs.replace(good, load=None), started=datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC))
    assert "#[StartTime: 1767225600.250 (seconds since epoch), Thu Jan 01" in (tmp_path / "run.hlog").read_text()


def test_a_directory_that_can_be_written_is_made_and_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_directory_under_a_file_is_the_operators_error(good: Document, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for attempt in (
        lambda: check_writable(tmp_path / "file" / "out"),
        lambda: write_run(tmp_path / "file" / "out", good),
        lambda: write_text(tmp_path / "file" / "report.html", "x"),
    ):
        with pytest.raises(UserError, match=r"cannot write.* .*file.*: (Not a directory|File exists)"):
            attempt()


def test_the_result_survives_a_report_that_cannot_be_written(good: Document, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    document = structs.replace(good, load=None)
    with pytest.raises(UserError, match="Is a directory"):
        write_run(tmp_path, document)
    assert read(tmp_path / "result.json") == document
