"""The workers of a run in its reports: each one's share and condition, and why one is lost."""

import pytest
from msgspec import structs

from reports.document import Document, Health, Quantiles, WorkerResult
from reports.html import html
from reports.text import plain
from tests.reports.test_html import Page

SOUND = WorkerResult(
    worker=1, arrived=4_012, sessions_per_s=37.5,
    health=Health(
        schedule_lag_ns=Quantiles(p99=2_820_000, max=7_220_000), loop_lag_ns=Quantiles(p99=3_840_000), cpu_share=0.1306,
        longest_pause_ns=9_150_000,
    ),
)  # fmt: skip
BRIEF = WorkerResult(worker=2, arrived=9)
WHY = "its process was killed by \x1b[2JSIGKILL <b>"


def with_workers(document: Document, *workers: WorkerResult) -> Document:
    assert document.load is not None
    return structs.replace(document, load=structs.replace(document.load, workers=workers))


def row_of(text: str, number: int) -> list[str]:
    lines = text.splitlines()
    heading = next(at for at, line in enumerate(lines) if line.startswith("workers"))
    return next(line.split() for line in lines[heading:] if line.startswith(f"{number} "))


def test_the_summary_has_a_row_for_each_worker(good: Document) -> None:
    text = plain(with_workers(good, SOUND, BRIEF))
    assert row_of(text, 1) == ["1", "4,012", "37.5", "13.06", "%", "3.84", "2.82", "7.22"]
    assert row_of(text, 2) == ["2", "9", "–", "0", "%", "0", "0", "0"], "it had no steady phase to divide by"
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_page_has_a_row_for_each_worker(good: Document) -> None:
    shown = " ".join(Page(html(with_workers(good, SOUND, BRIEF))).text).replace("\N{NO-BREAK SPACE}", " ").split()
    assert "1 4,012 37.5/s 13.06 % 9.15 3.84 2.82 7.22 2 9 – 0 % 0 0 0 0" in " ".join(shown)


def test_a_lost_worker_is_shown_with_its_reason_made_harmless(good: Document) -> None:
    document = with_workers(good, SOUND, WorkerResult(worker=2, lost=WHY))
    text, page = plain(document), html(document)
    assert row_of(text, 2)[:3] == ["2", "lost", "–"]
    assert "worker 2 lost: its process was killed by \\x1b[2JSIGKILL" in text
    assert "its process was killed by \\x1b[2JSIGKILL <b>" in Page(page).words
    assert "<b>" not in page
    assert "\x1b" not in text + page


@pytest.mark.parametrize("workers", [(), (SOUND,)], ids=["none", "one"])
def test_a_run_of_one_process_has_no_table_of_workers(workers: tuple[WorkerResult, ...], good: Document) -> None:
    document = with_workers(good, *workers)
    assert not any(line.startswith("workers") for line in plain(document).splitlines())
    assert "Workers" not in Page(html(document)).words
