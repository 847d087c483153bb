"""What was put off and tried again, in gates, summary, report and files: first attempts and final outcomes apart."""

from pathlib import Path

import pytest
from msgspec import structs

from reports.conclude import conclude
from reports.document import Document, Verdict, decode, encode
from reports.gate import Gate, judge
from reports.histogram import Histogram
from reports.html import html
from reports.metric import metric_named
from reports.retry_metric import delays_of
from reports.retry_result import FinalCounts, FirstCounts, RetryResult
from reports.text import plain
from reports.write import write_run

S = 1_000_000_000


def delays(*seconds: float) -> Histogram:
    histogram = Histogram()
    histogram.record_many([round(each * S) for each in seconds])
    return histogram


def retried(delay: Histogram, **deliveries: int) -> RetryResult:
    final = FinalCounts(total=sum(deliveries.values()), **deliveries)
    bounced = int(final.bounced > 0)
    deferred = final.total - final.accepted_first - bounced
    first = FirstCounts(accepted=final.accepted_first, deferred=deferred, bounced=bounced)
    return RetryResult(
        deliveries=final, sessions=final, first=first, attempts=(final.accepted_first, 7, 5), tried_again=17,
        delay_ns=delay.quantiles(), delay_hdr=delay.encode(),
    )  # fmt: skip


@pytest.fixture
def put_off(good: Document) -> Document:
    """The good document, with two kinds of session that tried again."""
    assert good.load is not None
    one = retried(delays(1, 2, 3, 4), accepted_first=60, accepted_later=30, bounced=5, given_up=3, unfinished=2)
    other = retried(delays(5, 30), accepted_first=100)
    return structs.replace(good, load=structs.replace(good.load, retries={"smtp-deliver": one, "lists": other}))


def test_the_books_of_what_is_tried_again_must_balance() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        FinalCounts(total=3, accepted_first=1, bounced=1)
    with pytest.raises(ValueError, match="does not balance"):
        FinalCounts(total=0, accepted_first=1, unfinished=-1)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("retry.accepted_first", 160), ("retry.accepted_first.share", 0.8),
        ("retry.deferred_first", 39), ("retry.deferred_first.share", 0.195),
        ("retry.bounced_first", 1), ("retry.accepted_later", 30), ("retry.accepted", 190),
        ("retry.accepted.share", 0.95), ("retry.bounced", 5), ("retry.given_up", 3),
        ("retry.given_up.share", 0.015), ("retry.unfinished", 2), ("retry.sessions", 34),
    ],
)  # fmt: skip
def test_a_gate_sees_all_sessions_that_try_again_together(put_off: Document, metric: str, value: float) -> None:
    judged = judge(Gate(metric=metric, equals=value), put_off)
    assert (judged.value, judged.verdict) == (value, Verdict.PASS)
    assert judge(Gate(metric=metric, below=value), put_off).verdict is Verdict.FAIL


def test_the_delay_is_gated_by_percentile_over_all_of_them(put_off: Document) -> None:
    judged = judge(Gate(metric="retry.delay", percentile=50, below="3100ms"), put_off)
    assert judged.verdict is Verdict.PASS
    assert judged.value == pytest.approx(3 * S, rel=0.002)
    assert judge(Gate(metric="retry.delay", percentile=100, at_most="30s"), put_off).measured == "30 s"
    assert judge(Gate(metric="retry.delay", percentile=99, below="30s"), put_off).verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["retry.given_up", "retry.accepted.share", "retry.sessions", "retry.delay"])
def test_without_sessions_that_try_again_a_gate_is_inconclusive(good: Document, name: str) -> None:
    metric = metric_named(name)
    assert metric is not None
    gate = Gate(metric=name, percentile=99, below="1s") if metric.takes_percentile else Gate(metric=name, equals=0)
    judged = judge(gate, good)
    assert (judged.value, judged.verdict) == (None, Verdict.INCONCLUSIVE)
    assert metric.absent in judged.sentence


def test_where_nothing_was_accepted_there_is_no_delay_to_judge(put_off: Document) -> None:
    assert put_off.load is not None
    nothing = retried(delays(), unfinished=4, bounced=1)
    document = structs.replace(put_off, load=structs.replace(put_off.load, retries={"posting": nothing}))
    assert judge(Gate(metric="retry.delay", percentile=50, below="1h"), document).verdict is Verdict.INCONCLUSIVE
    assert "none was accepted" in html(document)
    assert "nothing was accepted" in plain(document)


def test_a_damaged_histogram_of_delays_is_no_data(put_off: Document) -> None:
    assert put_off.load is not None
    damaged = structs.replace(put_off.load.retries["lists"], delay_hdr="damaged")
    document = structs.replace(put_off, load=structs.replace(put_off.load, retries={"lists": damaged}))
    assert judge(Gate(metric="retry.delay", percentile=50, below="1h"), document).verdict is Verdict.INCONCLUSIVE


def test_the_summary_shows_first_attempts_and_final_outcomes_side_by_side(put_off: Document) -> None:
    lines = plain(put_off).splitlines()
    [row] = [line.split() for line in lines if line.startswith("smtp-deliver ") and line.split()[1:3] == ["60", "39"]]
    assert row == ["smtp-deliver", "60", "39", "1", "90", "5", "3", "2"]
    text = " ".join(" ".join(lines).split())
    assert "17 sessions tried again; accepted after p50 2 s, p99 4 s, max 4 s" in text
    assert max(map(len, lines)) <= 80


def test_a_report_without_such_sessions_says_nothing_of_them(good: Document) -> None:
    assert "tried again" not in plain(good)
    assert "put off" not in html(good)


def test_the_page_has_a_section_on_it(put_off: Document) -> None:
    page = html(put_off)
    assert "What became of mail that was put off?" in page
    assert "1: 60 · 2: 7 · 3: 5" in page
    assert "its first attempt's" in page


def test_it_survives_the_file_and_leaves_its_histogram(put_off: Document, tmp_path: Path) -> None:
    assert decode(encode(put_off)) == put_off
    write_run(tmp_path, put_off)
    assert "#[Max     =" in (tmp_path / "histograms" / "retry.delay.hgrm").read_text()
    assert put_off.load is not None
    assert delays_of(put_off.load).count == 6


def test_a_run_with_gates_on_it_is_concluded(put_off: Document) -> None:
    gates = [Gate(metric="retry.accepted.share", at_least="95 %"), Gate(metric="retry.given_up", equals=0)]
    judged = conclude(put_off, gates)
    assert [gate.verdict for gate in judged.gates] == [Verdict.PASS, Verdict.FAIL]
    assert "retry.given_up was 3, the gate allows exactly 0" in [gate.sentence for gate in judged.gates]
