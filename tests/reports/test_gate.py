"""Gates: every form of metric held, broken and without data; every mistake has its sentence."""

import pytest
from msgspec import structs

from reports.document import (
    Document,
    Health,
    LedgerResult,
    LoadResult,
    MessageCounts,
    PhaseResult,
    Quantiles,
    ReplyCount,
    SessionCounts,
    Throughput,
    Verdict,
)
from reports.gate import Gate, judge, known_metrics, problems_of
from reports.histogram import Histogram
from reports.metric import metric_named
from reports.named_metric import Named
from reports.phases import PHASES, in_order, is_step
from reports.verdict import UNJUDGED

MS = 1_000_000


def times(*milliseconds: int) -> Histogram:
    histogram = Histogram()
    histogram.record_many([ms * MS for ms in milliseconds])
    return histogram


def document(load: LoadResult | None = None, ledger: LedgerResult | None = None) -> Document:
    return Document(
        kind="load",
        mailproof="0",
        run_id="r",
        started="2026-01-01T00:00:00Z",
        verdicts=UNJUDGED,
        exit_code=3,
        load=load,
        ledger=ledger,
    )


RESPONSE, SERVICE, LAG = times(*range(10, 1010, 10)), times(*range(1, 101)), times(1, 2, 3, 40)
FULL = document(
    LoadResult(
        model="open",
        steady_s=10,
        in_flight_peak=77,
        sessions=SessionCounts(arrived=1000, accepted=900, refused=40, failed=30, timed_out=20, dropped=10),
        messages=MessageCounts(offered=500, accepted=480, refused=20, retrieved=300),
        throughput=Throughput(
            sessions_per_s=95.0, sessions_arrived_per_s=100.0, sessions_dropped_per_s=1.0, messages_accepted_per_s=48.0
        ),
        phases={
            "smtp.body": PhaseResult(
                count=100,
                service_ns=SERVICE.quantiles(),
                response_ns=RESPONSE.quantiles(),
                service_hdr=SERVICE.encode(),
                response_hdr=RESPONSE.encode(),
            )
        },
        kinds={
            "polite": SessionCounts(arrived=800, accepted=800),
            "slow.one": SessionCounts(arrived=200, accepted=100, refused=40, failed=30, timed_out=20, dropped=10),
        },
        session_times={
            "polite": PhaseResult(
                count=100,
                service_ns=SERVICE.quantiles(),
                response_ns=RESPONSE.quantiles(),
                service_hdr=SERVICE.encode(),
                response_hdr=RESPONSE.encode(),
            )
        },
        replies=(
            ReplyCount("smtp.body", "closed", None, 7),
            ReplyCount("smtp.body", "250", None, 93),
            ReplyCount("smtp.xclient", "220", None, 5),
            ReplyCount("smtp.rcpt", "250", "2.1.5", 480),
            ReplyCount("smtp.rcpt", "451", "4.3.0", 15),
            ReplyCount("smtp.rcpt", "451", "4.7.1", 3),
            ReplyCount("smtp.rcpt", "452", None, 2),
            ReplyCount("pop3.auth", "-ERR", "IN-USE", 4),
        ),
        health=Health(
            schedule_lag_ns=LAG.quantiles(), schedule_lag_hdr=LAG.encode(), cpu_share=0.42, longest_pause_ns=48_000_000
        ),
    ),
    LedgerResult(accepted=480, delivered_once=479, lost=1),
)
EMPTY = document(LoadResult(model="open", sessions=SessionCounts()), LedgerResult())
NO_LOAD = document()


@pytest.mark.parametrize(
    ("gate", "measured", "verdict"),
    [
        (Gate(metric="smtp.body.response", percentile=99, below="1s"), "990 ms", "pass"),
        (Gate(metric="smtp.body.response", percentile=99, below="500ms"), "990 ms", "fail"),
        (Gate(metric="smtp.body.response", percentile=12.5, at_most="131ms"), "130 ms", "pass"),
        (Gate(metric="smtp.body.response", percentile=100, at_most="1000ms"), "1 s", "pass"),
        (Gate(metric="smtp.body.service", percentile=50, below="51ms"), "50 ms", "pass"),
        (Gate(metric="health.schedule_lag", percentile=50, below="10ms"), "2 ms", "pass"),
        (Gate(metric="health.schedule_lag", percentile=100, below="10ms"), "40 ms", "fail"),
        (Gate(metric="health.cpu_share", below=0.5), "42 %", "pass"),
        (Gate(metric="health.longest_pause", below="100ms"), "48 ms", "pass"),
        (Gate(metric="sessions.arrived", equals=1000), "1,000", "pass"),
        (Gate(metric="sessions.failed", at_most=29), "30", "fail"),
        (Gate(metric="sessions.interrupted", equals=0), "0", "pass"),
        (Gate(metric="sessions.accepted.share", at_least=0.9), "90 %", "pass"),
        (Gate(metric="sessions.accepted.share", at_least="95 %"), "90 %", "fail"),
        (Gate(metric="sessions.per_s", above=90), "95/s", "pass"),
        (Gate(metric="sessions.arrived.per_s", at_least=100), "100/s", "pass"),
        (Gate(metric="sessions.dropped.per_s", below=1), "1/s", "fail"),
        (Gate(metric="messages.accepted", at_least=480), "480", "pass"),
        (Gate(metric="messages.retrieved", above=300), "300", "fail"),
        (Gate(metric="messages.accepted.per_s", at_least=50), "48/s", "fail"),
        (Gate(metric="errors.share", at_most=0.06), "6 %", "pass"),  # 30 failed, 20 timed out, 10 dropped of 1000
        (Gate(metric="errors.share", below=0.06), "6 %", "fail"),
        (Gate(metric="replies.smtp.rcpt.451", equals=18), "18", "pass"),  # whatever the enhanced code
        (Gate(metric="replies.smtp.rcpt.4yz", equals=20), "20", "pass"),
        (Gate(metric="replies.smtp.rcpt.550", equals=0), "0", "pass"),  # the phase was answered, never so
        (Gate(metric="replies.pop3.auth.-ERR", equals=0), "4", "fail"),
        (Gate(metric="replies.smtp.body.closed", at_most=6), "7", "fail"),
        (Gate(metric="replies.smtp.rcpt.closed", equals=0), "0", "pass"),  # it was answered, and never closed
        (Gate(metric="replies.smtp.xclient.2yz", equals=5), "5", "pass"),
        (Gate(metric="session.polite.response", percentile=99, below="1s"), "990 ms", "pass"),
        (Gate(metric="session.polite.service", percentile=50, below="40ms"), "50 ms", "fail"),
        (Gate(metric="session.slow.one.errors.share", at_most=0.3), "30 %", "pass"),
        (Gate(metric="session.slow.one.refused.share", at_most=0.1), "20 %", "fail"),
        (Gate(metric="session.polite.accepted", equals=800), "800", "pass"),
        (Gate(metric="ledger.lost", equals=0), "1", "fail"),
        (Gate(metric="ledger.duplicate", equals=0), "0", "pass"),
        (Gate(metric="in_flight_peak", at_least=77), "77", "pass"),
    ],
)
def test_a_gate_with_data_holds_or_fails(gate: Gate, measured: str, verdict: str) -> None:
    result = judge(gate, FULL)
    assert result.verdict.value == verdict
    assert result.measured == measured


def test_no_data_is_inconclusive_for_every_metric_there_is() -> None:
    of_families = ["replies.smtp.rcpt.250", "replies.pop3.auth.+OK", "replies.lmtp.4yz.share", "failures.smtp.mail"]
    for name in [name for name in known_metrics() if "<" not in name] + of_families:
        metric = metric_named(name)
        assert metric is not None
        bound = "0ms" if metric.unit == "ns" else 0
        gate = Gate(metric=name, percentile=99 if metric.takes_percentile else None, at_least=bound)
        assert problems_of(gate) == []
        for nothing in (EMPTY, NO_LOAD):
            result = judge(gate, nothing)
            assert (result.verdict, result.measured, result.value) == (Verdict.INCONCLUSIVE, None, None), name
            assert result.sentence.partition(" could not be judged: ")[2] != "", name


def test_a_phase_that_never_happened_is_inconclusive_though_the_run_was_busy() -> None:
    result = judge(Gate(metric="pop3.retr.response", percentile=99, below="1h"), FULL)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.sentence == (
        "p99 of pop3.retr.response could not be judged: no pop3.retr was completed in the steady phase"
    )


def test_a_phase_that_was_never_answered_is_inconclusive() -> None:
    assert judge(Gate(metric="replies.smtp.data.354", equals=0), FULL).verdict is Verdict.INCONCLUSIVE


def test_a_damaged_histogram_is_no_data() -> None:
    assert FULL.load is not None
    damaged = PhaseResult(count=9, response_ns=Quantiles(p99=1, max=1), response_hdr="SElTVEZBQUFB")
    broken = document(structs.replace(FULL.load, phases={"smtp.body": damaged}))
    result = judge(Gate(metric="smtp.body.response", percentile=99, below="1h"), broken)
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_failed_gate_says_what_was_measured_and_what_is_allowed() -> None:
    result = judge(Gate(metric="smtp.body.response", percentile=99, below="500ms"), FULL)
    assert result.sentence == "p99 of smtp.body.response was 990 ms, the gate allows below 500 ms"
    assert (result.metric, result.condition) == ("p99 of smtp.body.response", "below 500 ms")
    assert (result.unit, result.question) == ("ns", "fast_enough")


def test_a_measured_value_never_reads_like_the_bound_it_missed() -> None:
    histogram = Histogram()
    histogram.record_many([500_300_000] * 50)
    assert FULL.load is not None
    phase = PhaseResult(count=50, response_ns=histogram.quantiles(), response_hdr=histogram.encode())
    near = document(structs.replace(FULL.load, phases={"smtp.body": phase}))
    result = judge(Gate(metric="smtp.body.response", percentile=99, below="500ms"), near)
    assert result.measured == "500,300,000 ns"


def test_ledger_gates_count_for_correct_and_all_others_for_fast_enough() -> None:
    assert judge(Gate(metric="ledger.lost", equals=0), FULL).question == "correct"
    assert judge(Gate(metric="errors.share", below=1), FULL).question == "fast_enough"


@pytest.mark.parametrize(
    ("gate", "problem"),
    [
        (
            Gate(metric="smtp.bdoy.response", percentile=99, below="1s"),
            'unknown metric "smtp.bdoy.response"; did you mean smtp.body.response',
        ),
        (Gate(metric="zzz", below=1), 'unknown metric "zzz"; metrics look like smtp.body.response'),
        (Gate(metric="replies.smtp.mial.250", below=1), "did you mean replies.smtp.mail.<code>"),
        (Gate(metric="replies.smtp.mail.25", below=1), "unknown metric"),
        (Gate(metric="replies.smtp.mail.950", below=1), "unknown metric"),
        (Gate(metric="replies.pop3.auth.250", below=1), "unknown metric"),
        (Gate(metric="smtp.body.response", below="1s"), "say which percentile, as in percentile = 99"),
        (
            Gate(metric="smtp.body.response", percentile=0, below="1s"),
            "percentile must be above 0 and at most 100; got 0",
        ),
        (Gate(metric="smtp.body.response", percentile=101, below="1s"), "at most 100; got 101"),
        (Gate(metric="ledger.lost", percentile=99, equals=0), "ledger.lost is one number and takes no percentile"),
        (
            Gate(metric="ledger.lost"),
            "exactly one condition is needed (below, above, at_most, at_least, equals); got none",
        ),
        (Gate(metric="ledger.lost", below=2, above=1), "got below and above"),
        (
            Gate(metric="smtp.body.response", percentile=99, below=500),
            'below: a time needs a unit, as in "500ms"; got 500',
        ),
        (Gate(metric="smtp.body.response", percentile=99, below="fast"), 'below: not a duration: "fast"'),
        (Gate(metric="errors.share", at_most=5), 'at_most: a share is from 0 to 1, or "1 %"; got 5'),
        (Gate(metric="ledger.lost", equals="none"), 'equals: a number is needed here; got "none"'),
        (Gate(metric="ledger.lost", equals="1 %"), 'equals: a number is needed here; got "1 %"'),
    ],
)
def test_every_mistake_in_a_gate_has_its_sentence(gate: Gate, problem: str) -> None:
    [only] = problems_of(gate)
    assert problem in only


def test_several_mistakes_are_listed_at_once() -> None:
    assert len(problems_of(Gate(metric="smtp.body.response", percentile=200, below=1, above=2))) == 4


def test_a_gate_with_problems_is_not_judged() -> None:
    with pytest.raises(ValueError, match="cannot be judged"):
        judge(Gate(metric="zzz", below=1), FULL)


def test_every_phase_can_be_gated() -> None:
    for phase in PHASES:
        assert {f"{phase}.response", f"{phase}.service"} <= set(known_metrics())


NAMED = Named(sessions=frozenset({"polite", "slow.one"}), steps=frozenset({"smtp.xclient"}))


@pytest.mark.parametrize(
    ("metric", "meant"),
    [
        ("smtp.xclint.response", "smtp.xclient.response"),
        ("replies.smtp.xclint.2yz", "replies.smtp.xclient.<code>"),
        ("session.polit.response", "session.polite.response"),
        ("session.slow.refused.share", "session.slow.one.refused.share"),
    ],
)
def test_a_name_the_scenario_has_not_given_is_no_metric_and_the_nearest_is_shown(metric: str, meant: str) -> None:
    (sentence,) = problems_of(Gate(metric=metric, percentile=99, below="1s"), NAMED)
    assert "unknown metric" in sentence
    assert meant in sentence


@pytest.mark.parametrize("metric", ["smtp.xclient.response", "session.slow.one.service", "session.polite.response"])
def test_what_a_scenario_names_can_be_gated(metric: str) -> None:
    gate = Gate(metric=metric, percentile=99, below="1s")
    assert problems_of(gate, NAMED) == []
    assert problems_of(gate) != []


@pytest.mark.parametrize("phase", ["smtp.connect", "smtp.session"])
def test_no_step_is_called_what_is_timed_from_the_schedules_instants(phase: str) -> None:
    assert not is_step(phase)


def test_nothing_known_of_a_session_or_a_step_is_inconclusive() -> None:
    for metric, sentence in {
        "session.other.response": 'no session "other" was timed in the steady phase',
        "session.slow.one.response": 'no session "slow.one" was timed in the steady phase',
        "smtp.xother.service": "no smtp.xother was completed in the steady phase",
    }.items():
        result = judge(Gate(metric=metric, percentile=99, below="1s"), FULL)
        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.sentence.endswith(sentence)
    none_arrived = judge(Gate(metric="session.other.errors.share", at_most=0.1), FULL)
    assert none_arrived.sentence.endswith('no session "other" arrived')


def test_steps_stand_before_the_whole_session_of_their_protocol() -> None:
    assert in_order(["pop3.stat", "smtp.session", "smtp.zzz", "smtp.mail", "smtp.aaa", "new.thing"]) == [
        "smtp.mail", "smtp.aaa", "smtp.zzz", "smtp.session", "pop3.stat", "new.thing",
    ]  # fmt: skip
