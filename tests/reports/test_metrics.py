"""Metrics by worked examples: replies by code and class, failures, errors, the ledger, goodput, health, cases."""

import pytest
from msgspec import structs

from reports.compare_metrics import measure_spelt
from reports.document import (
    CaseResult,
    ConformanceResult,
    Document,
    FailureCount,
    Health,
    LoadResult,
    MessageCounts,
    PhaseResult,
    Quantiles,
    ReplyCount,
    SessionCounts,
    Throughput,
    Verdict,
)
from reports.gate import Gate, judge, problems_of
from reports.histogram import Histogram
from reports.ledger_result import EndToEnd, LedgerResult
from reports.monitors import Departure, MonitorsResult
from reports.verdict import UNJUDGED

MS = 1_000_000


def document(
    load: LoadResult | None = None, ledger: LedgerResult | None = None, conformance: ConformanceResult | None = None
) -> Document:
    return Document(
        kind="load" if conformance is None else "conformance", mailproof="0", run_id="r",
        started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=3, load=load, ledger=ledger,
        conformance=conformance,
    )   # fmt: skip


def phase(*milliseconds: int) -> PhaseResult:
    histogram = Histogram()
    histogram.record_many([ms * MS for ms in milliseconds])
    return PhaseResult(
        count=histogram.count, response_ns=histogram.quantiles(), response_hdr=histogram.encode(),
        service_ns=histogram.quantiles(), service_hdr=histogram.encode(),
    )   # fmt: skip


LOAD = LoadResult(
    model="open",
    steady_s=10,
    sessions=SessionCounts(arrived=1000, accepted=900, refused=40, failed=30, timed_out=20, dropped=10),
    messages=MessageCounts(offered=600, accepted=500, refused=20),
    throughput=Throughput(
        sessions_failed_per_s=1.5, sessions_timed_out_per_s=0.25, sessions_dropped_per_s=0.25,
        messages_offered_per_s=60.0, messages_accepted_per_s=50.0,
    ),
    phases={
        "smtp.body": PhaseResult(count=1), "smtp.session": phase(*range(10, 1001, 10)),
        "pop3.session": phase(*range(5, 1000, 10)),
    },
    replies=(
        ReplyCount("smtp.rcpt", "250", "2.1.5", 480),
        ReplyCount("smtp.rcpt", "451", "4.3.0", 15),
        ReplyCount("smtp.rcpt", "451", "4.7.1", 3),
        ReplyCount("smtp.rcpt", "452", None, 2),
        ReplyCount("smtp.body", "554", None, 20),
        ReplyCount("smtp.body", "250", None, 480),
        ReplyCount("lmtp.body", "421", "other", 1),
        ReplyCount("lmtp.body", "250", "other", 9),
        ReplyCount("pop3.auth", "-ERR", "IN-USE", 4),
        ReplyCount("pop3.auth", "+OK", None, 96),
    ),
    failures=(
        FailureCount("smtp.rcpt", "the server answered 451", 30),
        FailureCount("smtp.rcpt", "the server was silent", 20),
        FailureCount("smtp.connect", "refused", 40),
    ),
    health=Health(loop_lag_ns=Quantiles(p50=1 * MS, p99=7 * MS, max=9 * MS)),
    monitors=MonitorsResult(
        replies=9, departures=(Departure(id="x", protocol="smtp", level="MUST", verdict="fail"),)
    ),
)   # fmt: skip


@pytest.mark.parametrize(
    ("gate", "measured", "verdict"),
    [
        (Gate(metric="replies.smtp.rcpt.4yz", equals=20), "20", "pass"),
        (Gate(metric="replies.smtp.rcpt.4yz.share", at_most="4 %"), "4 %", "pass"),             # 20 of 500
        (Gate(metric="replies.smtp.rcpt.451.share", below="3.6 %"), "3.6 %", "fail"),           # 18 of 500
        (Gate(metric="replies.smtp.rcpt.4.7.1", equals=3), "3", "pass"),
        (Gate(metric="replies.smtp.rcpt.4.7.1.share", below=0.01), "0.6 %", "pass"),
        (Gate(metric="replies.smtp.5yz", at_most=19), "20", "fail"),                            # of all SMTP's phases
        (Gate(metric="replies.smtp.5yz.share", at_most="2 %"), "2 %", "pass"),                  # 20 of 1000
        (Gate(metric="replies.4yz", equals=21), "21", "pass"),                                  # of every protocol
        (Gate(metric="replies.pop3.-ERR.share", at_most="4 %"), "4 %", "pass"),
        (Gate(metric="failures.smtp.rcpt", equals=50), "50", "pass"),
        (Gate(metric="failures.smtp.rcpt.share", at_most="5 %"), "5 %", "pass"),                # of 1000 arrivals
        (Gate(metric="failures.smtp.body", equals=0), "0", "pass"),                             # it was reached
        (Gate(metric="errors", equals=60), "60", "pass"),
        (Gate(metric="sessions.response", percentile=100, at_most="1s"), "1 s", "pass"),        # of both protocols
        (Gate(metric="sessions.response", percentile=50, below="510ms"), "500 ms", "pass"),     # the 100th of 200
        (Gate(metric="errors.per_s", at_most=1.9), "2/s", "fail"),                              # 1.5 + 0.25 + 0.25
        (Gate(metric="health.loop_lag", percentile=99, below="7ms"), "7 ms", "fail"),
        (Gate(metric="health.loop_lag", percentile=100, at_most="9ms"), "9 ms", "pass"),
        (Gate(metric="monitors.fail", equals=0), "1", "fail"),
        (Gate(metric="goodput", at_least=50), "50/s", "pass"),                                  # nobody looked for mail
    ],
)   # fmt: skip
def test_a_metric_of_a_load(gate: Gate, measured: str, verdict: str) -> None:
    assert problems_of(gate) == []
    result = judge(gate, document(LOAD))
    assert (result.measured, result.verdict.value) == (measured, verdict)


@pytest.mark.parametrize(
    "metric",
    ["failures.smtp.data", "replies.lmtp.mail.250", "replies.lmtp.5yz.share", "comparison.worse", "cases.fail"],
)
def test_what_was_never_reached_is_inconclusive(metric: str) -> None:
    bare = document(structs.replace(LOAD, replies=LOAD.replies[:6]))
    assert judge(Gate(metric=metric, equals=0), bare).verdict is Verdict.INCONCLUSIVE


def test_an_enhanced_code_that_may_be_among_those_not_kept_apart_is_known_only_within_bounds() -> None:
    def verdict(**condition: int) -> str:
        return judge(Gate(metric="replies.lmtp.body.4.7.1", **condition), document(LOAD)).verdict.value   # type: ignore[arg-type]

    assert (verdict(equals=0), verdict(at_most=1), verdict(above=1)) == ("inconclusive", "pass", "fail")


LEDGER = LedgerResult(
    sent=520, accepted=500, delivered_once=450, lost=20, duplicate=5, corrupt=5, pending=20, ambiguous=10, rejected=10,
    reordered=3, misdelivered=1, backlog=(0, 7, 12, 3), drain_s=1.5,
)   # fmt: skip
UNREAD = LedgerResult(
    sent=520, accepted=500, delivered_once=480, pending=20, ambiguous=10, ambiguous_arrived=4, rejected=10
)


@pytest.mark.parametrize(
    ("gate", "measured", "verdict"),
    [
        (Gate(metric="ledger.lost.share", below="4 %"), "between 4 % and 8 %", "fail"),         # 20 of 500 accepted
        (Gate(metric="ledger.rejected.share", at_most="1.9 %"), "1.92 %", "fail"),              # 10 of 520 sent
        (Gate(metric="ledger.misdelivered", equals=0), "at least 1", "fail"),
        (Gate(metric="ledger.backlog", at_most=12), "12", "pass"),
        (Gate(metric="ledger.drain", below="2s"), "1.5 s", "pass"),
    ],
)
def test_a_metric_of_the_ledger(gate: Gate, measured: str, verdict: str) -> None:
    result = judge(gate, document(LOAD, LEDGER))
    assert (result.measured, result.verdict.value) == (measured, verdict)


@pytest.mark.parametrize(
    ("gate", "measured", "verdict"),
    [
        (Gate(metric="ledger.lost", equals=0), "between 0 and 20", "inconclusive"),
        (Gate(metric="ledger.lost", at_most=19), "between 0 and 20", "inconclusive"),
        (Gate(metric="ledger.lost", at_most=20), "between 0 and 20", "pass"),
        (Gate(metric="ledger.lost.share", at_most="3.9 %"), "between 0 % and 4 %", "inconclusive"),
        (Gate(metric="ledger.corrupt", equals=0), "between 0 and 20", "inconclusive"),
        (Gate(metric="ledger.duplicate", equals=0), "between 0 and 20", "inconclusive"),
        (Gate(metric="ledger.duplicate_lawful", below=20), "between 0 and 20", "inconclusive"),
        (Gate(metric="ledger.delivered_once", at_least=480), "between 480 and 500", "pass"),
        (Gate(metric="ledger.delivered_once.share", at_least="97 %"), "between 96 % and 100 %", "inconclusive"),
        (Gate(metric="ledger.misdelivered", equals=0), "at least 0", "inconclusive"),
        (Gate(metric="ledger.misdelivered.share", at_most="100 %"), "at least 0 %", "inconclusive"),
        (Gate(metric="ledger.ambiguous_arrived", equals=4), "between 4 and 10", "inconclusive"),
        (Gate(metric="ledger.reordered", equals=0), "between 0 and 500", "inconclusive"),
        (Gate(metric="ledger.ambiguous", equals=10), "10", "pass"),
        (Gate(metric="ledger.rejected", equals=10), "10", "pass"),
        (Gate(metric="ledger.accepted", equals=500), "500", "pass"),
        (Gate(metric="ledger.pending", equals=20), "20", "pass"),
    ],
)   # fmt: skip
def test_what_was_not_looked_for_may_still_be_any_of_what_is_found_in_a_maildrop(
    gate: Gate, measured: str, verdict: str
) -> None:
    result = judge(gate, document(LOAD, UNREAD))
    assert (result.measured, result.verdict.value) == (measured, verdict)


def test_what_was_all_looked_for_is_judged_as_it_was_counted() -> None:
    whole = structs.replace(UNREAD, pending=0, delivered_once=500)
    for name in ("lost", "corrupt", "duplicate", "misdelivered", "reordered"):
        result = judge(Gate(metric=f"ledger.{name}", equals=0), document(LOAD, whole))
        assert (result.measured, result.least, result.verdict.value) == ("0", None, "pass")


def test_a_comparison_takes_what_was_counted_and_no_bound_of_it() -> None:
    assert measure_spelt("ledger.lost").read(document(LOAD, UNREAD)) == 0


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"at_least": 45}, "pass"), ({"at_least": 46}, "inconclusive"), ({"at_least": 48}, "fail"),
        ({"below": 48}, "pass"), ({"below": 46}, "inconclusive"), ({"below": 45}, "fail"),
        ({"equals": 46}, "inconclusive"), ({"equals": 49}, "fail"),
    ],
)   # fmt: skip
def test_goodput_is_what_came_once_and_what_nobody_looked_for_leaves_it_open(
    condition: dict[str, int], verdict: str
) -> None:
    # 50/s accepted; 450 of 500 came once, 20 more may have: between 45/s and 47/s
    result = judge(Gate(metric="goodput", **condition), document(LOAD, LEDGER))   # type: ignore[arg-type]
    assert (result.measured, result.value, result.least) == ("between 45/s and 47/s", 47.0, 45.0)
    assert result.verdict.value == verdict


def test_an_open_question_says_how_much_is_known() -> None:
    result = judge(Gate(metric="goodput", at_least=46), document(LOAD, LEDGER))
    assert result.sentence == (
        "goodput was between 45/s and 47/s, which is not known well enough for a gate that allows at least 46/s"
    )


def times(*milliseconds: int) -> tuple[str, Quantiles]:
    histogram = Histogram()
    histogram.record_many([ms * MS for ms in milliseconds])
    return histogram.encode(), histogram.quantiles()


def end_to_end(untimed: int, poll_ms: int = 0) -> Document:
    """A hundred deliveries that took 10 to 1000 ms, found by looks so far apart."""
    most, least = times(*range(10, 1010, 10)), times(*(max(0, ms - poll_ms) for ms in range(10, 1010, 10)))
    timed = EndToEnd(
        count=100, untimed=untimed, latency_hdr=most[0], latency_ns=most[1], least_hdr=least[0], least_ns=least[1]
    )
    return structs.replace(document(LOAD, structs.replace(LEDGER, end_to_end=timed)), duration_s=600.0)


@pytest.mark.parametrize(
    ("untimed", "poll_ms", "bound", "measured", "verdict"),
    [
        (0, 0, "951ms", "950 ms", "pass"),
        (0, 0, "940ms", "950 ms", "fail"),
        (0, 100, "951ms", "between 850 ms and 950 ms", "pass"),
        (0, 100, "900ms", "between 850 ms and 950 ms", "inconclusive"),
        (0, 100, "849ms", "between 850 ms and 950 ms", "fail"),
        (5, 0, "990ms", "between 950 ms and 1 s", "inconclusive"),    # the 100th of 105: of those timed, or five before
        (5, 0, "1s", "between 950 ms and 1 s", "pass"),
        (10, 0, "9m", "between 950 ms and 10 min", "inconclusive"),   # the 105th of 110 may be one nobody timed,
        (10, 0, "10m", "between 950 ms and 10 min", "pass"),          # but it was found before the run was over
        (10, 0, "900ms", "between 950 ms and 10 min", "fail"),
        (5000, 0, "1m", "between 0 ms and 10 min", "inconclusive"),
    ],
)
def test_end_to_end_is_judged_by_what_the_looks_can_tell(
    untimed: int, poll_ms: int, bound: str, measured: str, verdict: str
) -> None:
    result = judge(Gate(metric="end_to_end", percentile=95, at_most=bound), end_to_end(untimed, poll_ms))
    assert (result.measured, result.verdict.value) == (measured, verdict)


def test_mail_nobody_saw_come_is_no_data() -> None:
    result = judge(Gate(metric="end_to_end", percentile=95, at_most="1h"), document(LOAD, LEDGER))
    assert (result.verdict, result.measured) == (Verdict.INCONCLUSIVE, None)
    assert result.sentence.endswith("nobody looked into the maildrops while the load went on")


CASES = ConformanceResult(
    planned=9, executed=5,
    cases=(
        CaseResult(id="a", level="MUST", verdict="fail"),
        CaseResult(id="b", level="MUST", verdict="fail", known="an old one"),
        CaseResult(id="c", level="MUST", verdict="divergence"),
        CaseResult(id="d", level="MUST", verdict="pass"),
        CaseResult(id="e", level="MUST", verdict="inconclusive"),
    ),
)   # fmt: skip


@pytest.mark.parametrize(
    ("metric", "count"),
    [("cases.fail", 1), ("cases.known", 1), ("cases.divergence", 1), ("cases.executed", 5), ("cases.planned", 9)],
)
def test_a_metric_of_a_conformance_run(metric: str, count: int) -> None:
    result = judge(Gate(metric=metric, equals=count), document(conformance=CASES))
    assert (result.verdict, result.question) == (Verdict.PASS, "correct")


def test_a_gate_on_what_another_kind_of_result_has_says_so() -> None:
    gate = Gate(metric="smtp.body.response", percentile=99, below="1s")
    assert judge(gate, document(conformance=CASES)).sentence == (
        "p99 of smtp.body.response could not be judged: no load was run: this is a conformance result"
    )


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ("replies.smtp.+OK", "unknown metric"),
        ("replies.pop3.250", "unknown metric"),
        ("replies.smtp.mail.6yz", "unknown metric"),
        ("replies.smtp.mial.4yz.share", "did you mean replies.smtp.mail.<code>"),
        ("failures.smtp.mial", "did you mean failures.smtp.mail"),
        ("failures.smtp", "unknown metric"),
        ("goodputt", "did you mean goodput"),
    ],
)
def test_a_slip_in_a_name_finds_its_neighbour(metric: str, problem: str) -> None:
    [sentence] = problems_of(Gate(metric=metric, at_most=0))
    assert problem in sentence


def test_only_the_percentiles_that_are_kept_can_be_asked_for() -> None:
    [sentence] = problems_of(Gate(metric="health.loop_lag", percentile=75, below="1s"))
    assert sentence == "of health.loop_lag only these percentiles are kept: 50, 90, 95, 99, 99.9, 100; got 75"


@pytest.mark.parametrize(
    ("metric", "worse"),
    [
        ("goodput", "less"), ("end_to_end:p95", "more"), ("errors", "more"), ("errors.per_s", "more"),
        ("failures.smtp.mail.share", "more"), ("replies.smtp.4yz.share", "more"), ("replies.smtp.mail.250", None),
        ("ledger.lost.share", "more"), ("ledger.delivered_once.share", "less"), ("ledger.drain", "more"),
    ],
)   # fmt: skip
def test_a_comparison_knows_which_way_each_is_worse(metric: str, worse: str | None) -> None:
    assert measure_spelt(metric).worse == worse
