"""Presets: gates known by a name, held like any others."""

import pytest
from msgspec import structs

from reports.conclude import conclude
from reports.document import Document
from reports.errors import UserError
from reports.gate import Gate, problems_of
from reports.gate_spelt import text_of
from reports.histogram import Histogram
from reports.ledger_result import EndToEnd
from reports.preset import PRESETS, SPECMAIL2001, gates_of_preset
from reports.verdict import Verdict


def test_specmail2001_is_within_5_s_for_95_in_100_delivered_within_60_and_fewer_than_1_error_in_100() -> None:
    assert [text_of(gate) for gate in gates_of_preset("specmail2001")] == [
        "smtp.connect.response:p95 <= 5s", "smtp.data.response:p95 <= 5s", "smtp.body.response:p95 <= 5s",
        "pop3.connect.response:p95 <= 5s", "pop3.stat.response:p95 <= 5s", "pop3.retr.response:p95 <= 5s",
        "pop3.dele.response:p95 <= 5s", "end_to_end:p95 <= 60s", "errors.share < 1 %",
    ]   # fmt: skip


def test_every_gate_of_every_preset_can_be_judged() -> None:
    assert [problems_of(gate) for gates in PRESETS.values() for gate in gates if problems_of(gate)] == []


def test_an_unknown_one_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match='unknown preset "specmail2009"; did you mean specmail2001'):
        gates_of_preset("specmail2009")
    with pytest.raises(UserError, match="known: specmail2001"):
        gates_of_preset("x")


def test_its_gates_come_before_more_gates_and_say_whose_they_are(good: Document) -> None:
    judged = conclude(good, [Gate(metric="goodput", above=1)], preset=SPECMAIL2001)
    assert [gate.preset for gate in judged.gates] == [*[SPECMAIL2001] * 9, None]


def test_mail_that_nobody_saw_come_leaves_a_preset_undecided_and_mail_seen_late_fails_it(good: Document) -> None:
    undecided = conclude(good, [], preset=SPECMAIL2001)
    assert undecided.verdicts.fast_enough is Verdict.INCONCLUSIVE
    assert good.ledger is not None
    times = Histogram()
    times.record_many([120_000_000_000] * 9)
    slow = EndToEnd(
        count=9, latency_hdr=times.encode(), least_hdr=times.encode(), latency_ns=times.quantiles(),
        least_ns=times.quantiles(),
    )   # fmt: skip
    seen = structs.replace(good.ledger, end_to_end=slow)
    late = conclude(structs.replace(good, ledger=seen), [], preset=SPECMAIL2001)
    [reason] = [reason.sentence for reason in late.reasons if "end_to_end" in reason.sentence]
    assert reason == "p95 of end_to_end was 2 min, the gate allows at most 1 min"
    assert late.verdicts.fast_enough is Verdict.FAIL
