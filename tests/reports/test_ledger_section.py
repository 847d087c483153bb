"""What became of the mail, in every report: the counts, how long it took, the backlog, and what went wrong."""

from pathlib import Path

from msgspec import structs

from reports.conclude import conclude
from reports.document import Document, decode, encode
from reports.exit_codes import ExitCode
from reports.gate import Gate
from reports.histogram import Histogram
from reports.html import html
from reports.ledger_result import EndToEnd, Irregularity, LedgerResult
from reports.ledger_text import summary_of_ledger
from reports.markdown import markdown
from reports.text import as_plain, plain
from reports.verdict import Verdict
from reports.write import write_run

S = 1_000_000_000
HOSTILE = "<script>user1</script>@example.test"


def timed(*, polled: bool = True, untimed: int = 0) -> EndToEnd:
    latency, least, poll = Histogram(), Histogram(), Histogram()
    latency.record_many([2 * S, 3 * S, 4 * S])
    least.record_many([S] * 3 if polled else [2 * S, 3 * S, 4 * S])
    poll.record_many([S, 2 * S, 3 * S] if polled else [0])
    return EndToEnd(
        count=3, untimed=untimed, latency_ns=latency.quantiles(), least_ns=least.quantiles(),
        poll_ns=poll.quantiles(), latency_hdr=latency.encode(), least_hdr=least.encode(),
    )   # fmt: skip


def lost(number: int, recipient: str = "user1@example.test") -> Irregularity:
    return Irregularity(kind="lost", message_id=f"run.{number}.0", recipient=recipient, sentence="in no maildrop")


LEDGER = LedgerResult(
    sent=14, accepted=13, delivered_once=3, lost=10, rejected=1, end_to_end=timed(), backlog=(3, 13, 11, 10),
    irregularities=tuple(map(lost, range(5))),
)   # fmt: skip


def text_of(ledger: LedgerResult) -> list[str]:
    return as_plain(summary_of_ledger(ledger), width=200).splitlines()


def test_the_summary_tells_counts_times_and_the_first_that_went_wrong() -> None:
    first, times, *wrong = text_of(LEDGER)
    assert first == "ledger    14 sent, 13 accepted, 3 delivered once, 10 lost, 1 rejected"
    assert "p50 3 s" in times
    assert "at the most, of which up to 3 s (p99) may be our looking so seldom" in times
    assert wrong[0].strip() == "lost: run.0.0 for user1@example.test: in no maildrop"
    assert wrong[-1].strip() == "and 5 more: ledger.jsonl names each"


def test_a_ledger_that_was_not_made_says_why_and_decides_nothing(good: Document) -> None:
    missing = structs.replace(good, ledger=LedgerResult(not_made="the ledger cannot be written: disk is full"))
    judged = conclude(missing, [Gate(metric="ledger.lost", equals=0), Gate(metric="goodput", at_least=1)])
    assert (judged.verdicts.correct, judged.exit_code) == (Verdict.INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert [gate.verdict for gate in judged.gates] == [Verdict.INCONCLUSIVE] * 2
    assert judged.verdicts.valid is Verdict.PASS
    assert decode(encode(judged)) == judged
    for made in (plain(judged), markdown(judged), html(judged)):
        assert "disk is full" in " ".join(made.split())
    assert text_of(judged.ledger or LEDGER) == ["ledger    none: the ledger cannot be written: disk is full"]
    assert "delivered once" not in html(judged).partition('id="ledger"')[2].partition("</section>")[0]


def test_where_a_line_is_too_long_for_the_terminal_it_goes_on_below_itself() -> None:
    long = lost(0, recipient="a" * 70 + "@example.test")
    lines = as_plain(summary_of_ledger(structs.replace(LEDGER, irregularities=(long,)))).splitlines()
    assert lines[0].startswith("ledger    14 sent")
    assert all(line.startswith(" " * 10) and len(line) <= 80 for line in lines[1:])


def test_what_was_seen_as_it_came_has_no_error_bound() -> None:
    [_, times] = text_of(LedgerResult(accepted=3, delivered_once=3, end_to_end=timed(polled=False)))
    assert times.strip().startswith("to the maildrop: p50 3 s")
    assert "looking" not in times


def test_what_nobody_looked_for_in_time_is_counted_and_not_timed() -> None:
    [_, times] = text_of(LedgerResult(accepted=3, delivered_once=3, end_to_end=EndToEnd(untimed=3)))
    assert times.strip() == "to the maildrop: 3 not timed, for nobody had looked before they were found"


def test_the_drain_is_told_where_all_were_seen() -> None:
    lines = text_of(LedgerResult(accepted=3, delivered_once=3, end_to_end=timed(), drain_s=4.5))
    assert lines[2].strip() == "the last was seen 4.5 s after the last acceptance"


def test_a_result_of_the_first_days_is_told_as_before(good: Document) -> None:
    assert good.ledger is not None
    assert "\nledger    " in plain(good)


def with_ledger(document: Document, ledger: LedgerResult) -> Document:
    return structs.replace(document, ledger=ledger)


def test_the_page_draws_the_backlog_and_names_the_first_that_went_wrong(good: Document) -> None:
    page = html(with_ledger(good, structs.replace(LEDGER, irregularities=(lost(1, HOSTILE),))))
    assert "Backlog over 4 seconds: at most 13 deliveries, in second 1; 10 at the end." in page
    assert "How long did it take?" in page
    assert "at the least" in page
    assert "run.1.0" in page
    assert "<script>" not in page
    assert "&lt;script&gt;user1" in page


def test_without_times_there_is_no_table_of_them(good: Document) -> None:
    page = html(with_ledger(good, LedgerResult(accepted=1, delivered_once=1)))
    assert "How long did it take?" not in page
    assert "Backlog over" not in page


def test_both_bounds_are_written_as_histograms(good: Document, tmp_path: Path) -> None:
    write_run(tmp_path, with_ledger(good, LEDGER))
    assert (tmp_path / "histograms" / "end_to_end.hgrm").read_text().startswith("       Value")
    assert (tmp_path / "histograms" / "end_to_end.least.hgrm").exists()
