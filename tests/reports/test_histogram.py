"""Histograms: exact where they say so, readable by the library that defines the format."""

import pickle
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given
from hypothesis import strategies as st

from reports.document import Quantiles
from reports.histogram import HIGHEST_NS, Histogram, HlogWriter, Interval

TIMES = st.lists(st.integers(0, HIGHEST_NS), min_size=1, max_size=80)


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


def library(values: list[int]) -> HdrHistogram:
    histogram = HdrHistogram(1_000, HIGHEST_NS, 3)
    for value in values:
        histogram.record_value(value)
    return histogram


@given(TIMES)
def test_batches_count_exactly_as_the_library_does_one_by_one(values: list[int]) -> None:
    assert of(values).encode() == library(values).encode().decode()


@given(TIMES)
def test_how_the_values_are_cut_into_batches_does_not_matter(values: list[int]) -> None:
    single = Histogram()
    for value in values:
        single.record(value)
    assert single.encode() == of(values).encode()
    assert single.quantiles() == of(values).quantiles()


@given(TIMES, st.sampled_from([0, 1, 12.5, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_the_nearest_rank_to_three_digits(values: list[int], percentile: float) -> None:
    rank = max(1, -(-int(percentile * 10) * len(values) // 1000))
    exact = sorted(values)[rank - 1]
    found = of(values).value_at(percentile)
    assert found is not None
    assert exact <= found <= exact + max(exact // 1000, 512)


@given(TIMES)
def test_the_least_the_greatest_and_the_mean_are_exact(values: list[int]) -> None:
    quantiles = of(values).quantiles()
    assert (quantiles.min, quantiles.max) == (min(values), max(values))
    assert of(values).max_ns == max(values)
    assert quantiles.mean == sum(values) / len(values)


@given(TIMES, TIMES)
def test_merging_is_recording_both(some: list[int], others: list[int]) -> None:
    merged = of(some)
    merged.merge(of(others))
    assert merged.encode() == of(some + others).encode()
    assert merged.quantiles() == of(some + others).quantiles()


@given(TIMES)
def test_an_encoded_histogram_comes_back(values: list[int]) -> None:
    back = Histogram.decode(of(values).encode())
    assert back.encode() == of(values).encode()
    assert back.count == len(values)
    for percentile in (50, 99):
        ours = of(values).value_at(percentile)
        theirs = back.value_at(percentile)
        assert ours is not None
        assert theirs is not None
        assert abs(theirs - ours) <= max(ours // 1000, 512)


def test_percentiles_are_not_moved_by_binary_fractions() -> None:
    histogram = of([1_000_000] * 999 + [1_000_000_000])
    at_999 = histogram.value_at(99.9)
    assert at_999 is not None
    assert at_999 < 1_002_000


def test_an_empty_histogram_has_no_percentile_and_encodes_to_nothing() -> None:
    empty = Histogram()
    empty.record_many([])
    assert empty.value_at(99) is None
    assert empty.curve([50, 99]) == []
    assert empty.quantiles() == Quantiles()
    assert empty.max_ns == 0
    assert empty.encode() == ""
    assert Histogram.decode("").count == 0


def test_a_cleared_histogram_is_as_new() -> None:
    histogram = of([5_000_000, 9_000_000])
    histogram.clear()
    histogram.merge(of([]))
    assert (histogram.count, histogram.encode(), histogram.value_at(50)) == (0, "", None)
    histogram.record(7_000_000)
    assert histogram.encode() == of([7_000_000]).encode()


def test_more_than_an_hour_counts_as_an_hour_and_less_than_nothing_is_refused() -> None:
    assert of([HIGHEST_NS * 5, 1]).quantiles().max == HIGHEST_NS
    with pytest.raises(ValueError, match="cannot be negative: -1 ns"):
        of([1, -1])


@pytest.mark.parametrize("percentile", [-1, 100.1])
def test_a_percentile_is_from_0_to_100(percentile: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        of([1]).value_at(percentile)


@pytest.mark.parametrize("encoded", ["x", "AAAA", "é", "SElTVEZBQUFB", of([1, 2, 3_000_000]).encode()[:-8]])
def test_what_is_no_histogram_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="not an encoded histogram"):
        Histogram.decode(encoded)


def test_a_histogram_of_another_range_is_refused() -> None:
    other = HdrHistogram(1, 1_000_000, 2)
    other.record_value(5)
    with pytest.raises(ValueError, match="another range"):
        Histogram.decode(other.encode().decode())


def test_an_hgrm_file_holds_the_percentiles_in_milliseconds(tmp_path: Path) -> None:
    rng = random.Random(3)
    histogram = of([int(rng.lognormvariate(16, 1)) for _ in range(5_000)])
    histogram.write_hgrm(tmp_path / "body.hgrm")
    lines = (tmp_path / "body.hgrm").read_text().splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [[float(field) for field in line.split()] for line in lines[2:] if not line.startswith("#")]
    for value_ms, share, total, beyond in rows[:-1]:
        at = histogram.value_at(share * 100)
        assert at is not None
        assert abs(value_ms - at / 1e6) < max(0.002 * value_ms, 0.001)
        assert total >= share * 5_000 - 1e-6
        assert beyond == pytest.approx(1 / (1 - share), abs=0.006)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert rows[-1] == [round(histogram.quantiles().max / 1e6, 3), 1.0, 5_000]
    foot = dict(re.findall(r"(Mean|StdDeviation|Max|Total count) *= *([\d.]+)", "\n".join(lines)))
    assert float(foot["Mean"]) == pytest.approx(histogram.quantiles().mean / 1e6, abs=0.001)
    reference = Histogram.decode(histogram.encode())._hdr.get_stddev() / 1e6
    assert float(foot["StdDeviation"]) == pytest.approx(reference, rel=0.001)
    assert foot["Total count"] == "5000"


def test_an_empty_hgrm_file_has_a_head_and_a_foot(tmp_path: Path) -> None:
    Histogram().write_hgrm(tmp_path / "none.hgrm")
    lines = (tmp_path / "none.hgrm").read_text().splitlines()
    assert [line[:6] for line in lines] == ["      ", "", "#[Mean", "#[Max ", "#[Buck"]


def test_the_librarys_own_reader_reads_the_log(tmp_path: Path) -> None:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    batches = [("smtp.body", 0.0, [1_500_000] * 40), ("pop3.retr", 0.0, [900_000]), ("smtp.body", 1.0, [80_000_000, 5])]
    path = tmp_path / "run.hlog"
    with path.open("w") as stream:
        log = HlogWriter(stream, started)
        for tag, start_s, values in batches:
            log.write(Interval.of(tag, start_s, 1.0, of(values)))
        log.write(Interval.of("smtp.data", 2.0, 1.0, Histogram()))  # nothing recorded, nothing logged
    reader = HistogramLogReader(str(path), HdrHistogram(1_000, HIGHEST_NS, 3))
    for tag, start_s, values in batches:
        interval = reader.get_next_interval_histogram()
        assert (interval.get_tag(), interval.get_total_count()) == (tag, len(values))
        assert interval.get_start_time_stamp() == (started.timestamp() + start_s) * 1000
        assert interval.get_end_time_stamp() - interval.get_start_time_stamp() == 1000
        assert interval.encode().decode() == of(values).encode()
    assert reader.get_next_interval_histogram() is None
    assert reader.get_start_time_sec() == started.timestamp()
    reader.input_file.close()


def test_the_log_states_its_version_and_the_greatest_value_in_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "run.hlog"
    with path.open("w") as stream:
        HlogWriter(stream, datetime(2026, 1, 1, tzinfo=UTC)).write(Interval.of("a", 0, 1, of([80_000_000])))
    lines = path.read_text().splitlines()
    assert "#[Histogram log format version 1.2]" in lines
    assert lines[-1].startswith("Tag=a,0.000,1.000,80.000,HISTFAAA")


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "a=b", "a\nb"])
def test_a_tag_that_would_break_the_log_is_refused(tag: str, tmp_path: Path) -> None:
    with (tmp_path / "run.hlog").open("w") as stream:
        log = HlogWriter(stream, datetime(2026, 1, 1, tzinfo=UTC))
        with pytest.raises(ValueError, match="not a tag"):
            log.write(Interval.of(tag, 0, 1, of([1])))


@given(st.lists(st.integers(0, HIGHEST_NS), max_size=50), st.lists(st.integers(0, HIGHEST_NS), min_size=1, max_size=50))
def test_an_encoded_histogram_merges_as_it_would_have_been_recorded(ours: list[int], theirs: list[int]) -> None:
    merged_in, recorded, other = Histogram(), Histogram(), Histogram()
    for histogram, values in ((merged_in, ours), (recorded, [*ours, *theirs]), (other, theirs)):
        histogram.record_many(values)
    merged_in.merge_encoded(other.encode(), max(theirs))
    assert merged_in.curve([50, 99, 100]) == pytest.approx(recorded.curve([50, 99, 100]), rel=0.002, abs=1000)
    assert merged_in.count == recorded.count
    assert merged_in.quantiles().max == recorded.quantiles().max
    crossed: Histogram = pickle.loads(pickle.dumps(recorded))
    assert (crossed.quantiles(), crossed.encode()) == (recorded.quantiles(), recorded.encode())


def test_what_is_no_histogram_is_not_merged() -> None:
    with pytest.raises(ValueError, match="not an encoded histogram"):
        Histogram().merge_encoded("HISTFAAA", 1)
