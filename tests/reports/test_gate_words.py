"""What reports say of gates: which part of the run each looked at, when that was, and why one is undecided."""

from msgspec import structs

from reports.conclude import conclude
from reports.document import Document
from reports.gate import Gate
from reports.gate_words import goodput_in_words, part_of, windows
from reports.html import html
from reports.text import plain

TIME = Gate(metric="smtp.body.response", percentile=99, below="1h")
COUNT = Gate(metric="errors", at_least=0)


def told(document: Document, *gates: Gate) -> str:
    judged = conclude(document, gates)
    return windows(judged.gates, judged.load)


def test_each_gate_says_which_part_of_the_run_it_looked_at(good: Document) -> None:
    judged = conclude(good, [TIME, COUNT, Gate(metric="cases.fail", equals=0)])
    assert [part_of(gate) for gate in judged.gates] == ["steady phase", "whole run", ""]


def test_the_report_says_when_that_was(good: Document) -> None:
    steady = "the steady phase, 10 s to 2 min 10 s after the start"
    assert told(good, TIME) == f"looked at in {steady}"
    assert told(good, COUNT) == "looked at in the whole run"
    assert told(good, TIME, COUNT) == f"times and rates in {steady}; all else in the whole run"
    assert told(good, Gate(metric="cases.fail", equals=0)) == ""
    load = good.load
    assert load is not None
    at_once = structs.replace(good, load=structs.replace(load, warm_up_s=0.0))
    assert told(at_once, TIME) == "looked at in the steady phase, the first 2 min"
    never = structs.replace(good, load=structs.replace(load, steady_s=0.0))
    assert told(never, TIME) == "looked at in the steady phase, which there was none of"


def test_goodput_is_said_with_what_it_is_of(good: Document) -> None:
    assert goodput_in_words(good) == ("143/s", "delivered once")
    assert goodput_in_words(structs.replace(good, ledger=None)) == ("143/s", "accepted")
    assert good.ledger is not None
    half = good.ledger.accepted // 2
    open_ones = structs.replace(good.ledger, delivered_once=half, pending=half)
    assert goodput_in_words(structs.replace(good, ledger=open_ones)) == ("71.3/s to 143/s", "delivered once")


def test_page_and_summary_show_target_measured_verdict_part_and_why_one_is_undecided(good: Document) -> None:
    judged = conclude(good, [TIME, Gate(metric="pop3.tls.response", percentile=50, below="1s")], preset="specmail2001")
    page, text = html(judged), plain(judged)
    for word in ("Did the gates hold?", "below 1 h", "no data", "steady phase", "of specmail2001"):
        assert word in page
    assert "no pop3.tls was completed in the steady phase" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 min 10 s after the start" in text
