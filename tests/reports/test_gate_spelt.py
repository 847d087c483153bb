"""Gates in one line: what is read is what is meant, what is written reads back, and what is none says what one is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.compare_metrics import measure_spelt
from reports.errors import UserError
from reports.gate import AbortOnBreach, Gate, judge, problems_of, subject_of
from reports.gate_spelt import gate_of, gates_spelt, spelling_of, subject_spelt, text_of
from reports.metric import known_metrics, metric_named
from reports.named_metric import Named
from tests.reports.test_gate import FULL

NAMES = st.sampled_from([name for name in known_metrics() if "<" not in name]) | st.sampled_from([
    "replies.smtp.rcpt.4yz.share", "replies.pop3.auth.+OK", "replies.pop3.-ERR", "replies.smtp.4.7.1",
    "session.a.b.response", "session.two words.errors.share", "failures.smtp.mail", "session.p99 of it.response",
])   # fmt: skip
PERCENTILES = st.none() | st.sampled_from([50.0, 99.0, 99.9, 99.999, 100.0, 0.5]) | st.floats(0.001, 100).map(
    lambda percentile: round(percentile, 6)
)
BOUNDS = (
    st.integers(0, 10**12) | st.floats(0, 1e9).map(lambda number: round(number, 6)).filter(lambda n: n == 0 or n > 1e-3)
    | st.sampled_from(["500ms", "1.5 s", "2m", "1 %", "0.25%"])
)   # fmt: skip
DURATIONS = st.sampled_from(["0s", "500ms", "1.5s", "2m"])
ABORTS = st.none() | st.builds(AbortOnBreach, delay=DURATIONS, hold=DURATIONS)
CONDITIONS = st.sampled_from(["below", "above", "at_most", "at_least", "equals"])


@given(NAMES, PERCENTILES, CONDITIONS, BOUNDS, ABORTS)
def test_what_is_written_reads_back(
    name: str, percentile: float | None, condition: str, bound: str | float, abort: AbortOnBreach | None
) -> None:
    gate = Gate(metric=name, percentile=percentile, abort_on_breach=abort, **{condition: bound})
    assert gate_of(text_of(gate)) == gate


@given(NAMES, PERCENTILES)
def test_a_subject_reads_back_as_compare_spells_it_and_as_reports_name_it(name: str, percentile: float | None) -> None:
    assert subject_spelt(spelling_of(name, percentile)) == (name, percentile)
    if percentile is not None:
        assert subject_spelt(subject_of(name, percentile))[0] == name


def test_a_comparison_and_a_gate_read_the_same_spelling() -> None:
    for spelt in ("smtp.body.response:p99", "smtp.body.response:max", "errors.share", "end_to_end:p95"):
        measure = measure_spelt(spelt)
        assert subject_spelt(spelt) == (measure.metric.name, measure.percentile)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("smtp.body.response:p99 < 500ms", Gate(metric="smtp.body.response", percentile=99, below="500ms")),
        ("p99(smtp.body.response)<500ms", Gate(metric="smtp.body.response", percentile=99, below="500ms")),
        ("p99.9(pop3.retr.service) <= 1.5 s", Gate(metric="pop3.retr.service", percentile=99.9, at_most="1.5 s")),
        ("max(smtp.session.response)<2s", Gate(metric="smtp.session.response", percentile=100, below="2s")),
        ("smtp.body.response:p99<500ms", Gate(metric="smtp.body.response", percentile=99, below="500ms")),
        ("p99 of smtp.body.response below 500 ms", Gate(metric="smtp.body.response", percentile=99, below="500 ms")),
        ("max of smtp.body.response at most 1s", Gate(metric="smtp.body.response", percentile=100, at_most="1s")),
        ("errors.share <= 1 %", Gate(metric="errors.share", at_most="1 %")),
        ("errors.share at_most 0.01", Gate(metric="errors.share", at_most=0.01)),
        ("ledger.lost = 0", Gate(metric="ledger.lost", equals=0)),
        ("ledger.lost exactly 0", Gate(metric="ledger.lost", equals=0)),
        ("goodput >= 50.5", Gate(metric="goodput", at_least=50.5)),
        ("replies.pop3.auth.-ERR == 0", Gate(metric="replies.pop3.auth.-ERR", equals=0)),
        ("session.below.response:p50 above 1ms", Gate(metric="session.below.response", percentile=50, above="1ms")),
        (
            "errors.share < 1% abort_on_breach hold=5s",
            Gate(metric="errors.share", below="1%", abort_on_breach=AbortOnBreach(hold="5s")),
        ),
        ("errors < 9 abort_on_breach", Gate(metric="errors", below=9, abort_on_breach=AbortOnBreach())),
    ],
)
def test_the_usual_spellings(text: str, gate: Gate) -> None:
    assert gate_of(text) == gate


@pytest.mark.parametrize(
    "text",
    ["", "smtp.body.response", "< 5", "a < ", "a <> 5", "a < 5 < 6", "a != 5", "errors < 1 abort_on_breach now"],
)
def test_what_is_no_gate_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(UserError, match="a gate looks like"):
        gate_of(text)


def test_what_is_asked_for_is_looked_at_like_that_of_a_file() -> None:
    assert problems_of(gate_of("smtp.body.response < 5")) == [
        "smtp.body.response is a distribution: say which percentile, as in percentile = 99",
        'below: a time needs a unit, as in "500ms"; got 5',
    ]


def test_a_gate_as_a_report_prints_it_can_be_typed_again() -> None:
    result = judge(gate_of("smtp.body.response:p99 < 500ms"), FULL)
    assert judge(gate_of(f"{result.metric} {result.condition}"), FULL) == result


def test_every_metric_there_is_can_be_typed() -> None:
    for name in known_metrics():
        metric = metric_named(name)
        if metric is not None:
            bound = "1s" if metric.unit == "ns" else "1"
            assert problems_of(gate_of(f"{name}{':p99' if metric.takes_percentile else ''} <= {bound}")) == []


def test_the_response_time_alone_is_of_the_whole_sessions_of_each_protocol() -> None:
    [smtp, pop3] = gates_spelt("p95(response)<2s", protocols=("smtp", "pop3"))
    assert (smtp.metric, pop3.metric) == ("smtp.session.response", "pop3.session.response")
    assert smtp.percentile == pop3.percentile == 95


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fast", 'cannot read the gate "fast": a gate looks like'),
        ("p99(response)<", "cannot read the gate"),
        ("p99 response < 2s", "unknown metric"),
        ("p99(smtp.bdy.response)<2s", "did you mean smtp.body.response"),
        ("smtp.body.response<2s", "say which percentile"),
        ("p99(errors.share)<1%", "is one number and takes no percentile"),
        ("p99(smtp.body.response)<2", "a time needs a unit"),
        ("errors.share<many", "a number is needed here"),
        ("p99(session.nobody.response)<1s", "unknown metric"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence.replace("(", r"\(")) as caught:
        gates_spelt(text, Named(sessions=frozenset({"alice"})))
    assert "\n" not in str(caught.value)
