"""What is counted where: times by the intended instant, rates by the instant of the event, seconds by both."""


import pytest
import trio
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.recorder import DISTINCT_FAILURES_MAX, OTHER_CAUSES, Recorder
from loadgen.engine.reply_table import DISTINCT_REPLIES_MAX
from loadgen.engine.sample import Sample
from loadgen.engine.session_limit import SessionLimit
from loadgen.engine.window import Window
from loadgen.message.stamp import Stamp
from loadgen.scenario.accounts import Account
from loadgen.scenario.steps import Step
from loadgen.schedule.other_plans import HalfOpenPlan
from loadgen.schedule.plans import Plan
from loadgen.schedule.steps_plan import Move, StepsPlan
from loadgen.session.outcome import ACCEPTED, INTERRUPTED, Outcome, OutcomeKind
from loadgen.session.trace import Offered, Trace
from loadgen.wire.deviation import Deviation
from reports.load_result import OTHER_CODES
from tests.engine.stage import MS, never

S = NS_PER_S
ORIGIN = 77 * S          # the run began some time after the clock did


def ended(
    recorder: Recorder, intended: int, started: int, finished: int, *, outcome: Outcome = ACCEPTED,
    trace: Trace | None = None, held: bool = False,
) -> None:  # fmt: skip
    """Have one session arrive and end; instants in ns of the run."""
    recorder.started(intended)
    sample = Sample(intended, started, finished, "session", "smtp", outcome, held)
    recorder.ended(sample, Trace() if trace is None else trace, ORIGIN)


def accepted_at(*instants: int) -> Trace:
    """Return the trace of a session whose messages were accepted at these instants of the run."""
    trace = Trace()
    for instant in instants:
        trace.messages_offered += 1
        trace.begun.append(Offered(Stamp("x", b""), ("a@example.test",)))
        trace.settle(("a@example.test",), accepted=True, at_ns=ORIGIN + instant)
    return trace


def fold(recorder: Recorder) -> None:
    for _ in recorder.close_seconds(recorder.seconds.closed + 1):
        pass


def test_response_time_counts_from_the_intended_instant_where_the_session_begins() -> None:
    recorder, trace = Recorder(Window(0, 100 * S)), Trace()
    trace.timings = [("smtp.connect", ORIGIN + 3 * S, ORIGIN + 4 * S), ("smtp.mail", ORIGIN + 4 * S, ORIGIN + 6 * S)]
    ended(recorder, 1 * S, 3 * S, 6 * S, trace=trace)
    fold(recorder)
    times = {
        name: (each.service_histogram.value_at(100), each.response_histogram.value_at(100))
        for name, each in recorder.phases.items()
    }
    assert times == {
        "smtp.connect": (1 * S, 3 * S),
        "smtp.mail": (2 * S, 2 * S),
        "smtp.session": (3 * S, 5 * S),
    }
    assert recorder.lag_histogram.value_at(100) == 2 * S


def test_whole_sessions_are_timed_by_their_name_too() -> None:
    books, other = Recorder(Window(0, 100 * S)), Recorder(Window(0, 100 * S))
    for recorder, length in ((books, 4 * S), (other, 8 * S)):
        ended(recorder, 1 * S, 3 * S, 3 * S + length)
        fold(recorder)
    books.merge(other)
    (times,) = books.session_times.values()
    assert list(books.session_times) == ["session"]
    assert times.service_histogram.count == 2
    assert (times.service_histogram.value_at(100), times.response_histogram.value_at(100)) == (8 * S, 10 * S)


@pytest.mark.parametrize(("intended", "steady"), [(999 * MS, 0), (1 * S, 1), (2 * S - 1, 1), (2 * S, 0)])
def test_times_belong_to_the_steady_phase_by_the_intended_instant(intended: int, steady: int) -> None:
    recorder = Recorder(Window(1 * S, 2 * S))
    ended(recorder, intended, intended, 9 * S)
    fold(recorder)
    assert recorder.phases["smtp.session"].service_histogram.count == steady
    assert recorder.phases.outside_steady()["smtp.session"] == 1 - steady
    assert recorder.steady.arrived == steady


def test_rates_belong_to_the_steady_phase_by_the_instant_of_the_event() -> None:
    recorder = Recorder(Window(1 * S, 2 * S))
    ended(recorder, 0, 0, 1500 * MS, trace=accepted_at(500 * MS, 1200 * MS))       # began in warm-up, ended in it
    ended(recorder, 1500 * MS, 1500 * MS, 2500 * MS, trace=accepted_at(1999 * MS, 2 * S))
    assert recorder.steady.ended[OutcomeKind.ACCEPTED] == 1
    assert recorder.steady.messages_accepted == 2
    assert recorder.messages["accepted"] == 4
    fold(recorder)
    assert recorder.seconds.timeline().messages_accepted == (1, 2, 1)


def test_of_an_interrupted_session_the_phases_and_the_lag_are_kept_but_no_length() -> None:
    recorder, trace = Recorder(Window(0, 100 * S)), Trace()
    trace.timings = [("smtp.connect", ORIGIN, ORIGIN + S)]
    ended(recorder, 0, 2 * S, 50 * S, outcome=INTERRUPTED, trace=trace)
    fold(recorder)
    assert recorder.phases["smtp.connect"].service_histogram.count == 1
    assert "smtp.session" not in recorder.phases
    assert not recorder.session_times
    assert recorder.lag_histogram.value_at(100) == 2 * S
    assert recorder.seconds.timeline().response_p50_ns[0] is None


def test_an_idle_hold_session_is_as_long_as_the_scenario_wished_and_that_is_no_time_of_the_servers() -> None:
    recorder, trace = Recorder(Window(0, 100 * S)), Trace()
    trace.timings = [("smtp.noop", ORIGIN, ORIGIN + S)]
    ended(recorder, 0, 0, 20 * S, trace=trace, held=True)
    assert list(recorder.phases) == ["smtp.noop"]


def test_nothing_is_recorded_early_or_twice() -> None:
    recorder = Recorder(Window(0, S))
    with pytest.raises(AssertionError):
        ended(recorder, 10, 9, 20)
    recorder = Recorder(Window(0, S))
    ended(recorder, 0, 0, 1)
    with pytest.raises(AssertionError, match="once"):
        recorder.ended(Sample(0, 0, 1, "session", "smtp", ACCEPTED), Trace(), ORIGIN)


def test_a_seconds_percentiles_are_nearest_rank() -> None:
    recorder = Recorder(Window(0, S))
    for k in range(1, 201):
        ended(recorder, 0, 0, k * MS)
    fold(recorder)
    timeline = recorder.seconds.timeline()
    assert (timeline.response_p50_ns, timeline.response_p99_ns) == ((100 * MS,), (198 * MS,))


def test_a_second_counts_the_sessions_it_began_with_though_none_arrives_in_it() -> None:
    recorder = Recorder(Window(0, S))
    for _ in range(3):
        recorder.started(0)
    for _ in recorder.close_seconds(2):
        pass
    for _ in range(3):
        recorder.ended(Sample(0, 0, 2500 * MS, "session", "smtp", ACCEPTED), Trace(), ORIGIN)
    for _ in recorder.close_seconds(4):
        pass
    assert recorder.seconds.timeline().in_flight == (3, 3, 3, 0)


def test_the_end_of_the_load_ends_the_steady_phase_but_never_lengthens_it() -> None:
    recorder = Recorder(Window(1 * S, 5 * S))
    recorder.end_load(7 * S)
    assert (recorder.window, recorder.load_ended_ns) == (Window(1 * S, 5 * S), 5 * S)
    recorder = Recorder(Window(1 * S, 5 * S))
    recorder.end_load(500 * MS)
    assert recorder.window.steady_ns == 0


def test_a_server_cannot_fill_the_books_with_codes_and_causes_of_its_own() -> None:
    recorder = Recorder(Window(0, S))
    many = DISTINCT_REPLIES_MAX + 10
    for k in range(many):
        trace = Trace()
        trace.replies.append(("pop3.stat", "-ERR", f"X-{k}"))
        ended(recorder, 0, 0, 1, outcome=Outcome(OutcomeKind.REFUSED, "pop3.stat", f"cause {k}"), trace=trace)
    assert recorder.replies["pop3.stat", "-ERR", OTHER_CODES] == 10
    assert recorder.failures["pop3.stat", OTHER_CAUSES] == many - DISTINCT_FAILURES_MAX
    assert recorder.replies.total() == recorder.failures.total() == many


def test_what_this_host_ran_out_of_is_told_apart() -> None:
    recorder = Recorder(Window(0, S))
    ended(recorder, 0, 0, 1, outcome=Outcome(OutcomeKind.FAILED, "smtp.connect", "no port is left", exhausted=True))
    ended(recorder, 0, 0, 1, outcome=Outcome(OutcomeKind.FAILED, "smtp.connect", "refused"))
    assert recorder.exhausted == {"no port is left": 1}


def test_a_failure_keeps_what_was_first_seen_made_printable() -> None:
    recorder = Recorder(Window(0, S))
    for evidence in (b"250\x1b[2Jnonsense\r\n", b"another"):
        outcome = Outcome(OutcomeKind.FAILED, "smtp.mail", "the server broke the protocol", evidence=evidence)
        ended(recorder, 0, 0, 1, outcome=outcome)
    assert recorder.failures == {("smtp.mail", "the server broke the protocol"): 2}
    [example] = recorder.failure_examples.values()
    assert "nonsense" in example
    assert example.isprintable()


HALF_OPEN = HalfOpenPlan(arrival=0, session_name="half", protocol="smtp", after="ehlo", hold_ns=20 * S)


def test_a_deviation_is_counted_as_often_as_it_was_seen() -> None:
    recorder = Recorder(Window(0, S))
    ended(recorder, 0, 0, 1, trace=Trace(deviations=[("smtp.mail", Deviation.BARE_LF, b"250 ok\n")]))
    assert recorder.deviations == {("smtp.mail", Deviation.BARE_LF): 1}
    [example] = recorder.deviation_examples.values()
    assert example.startswith("250 ok")


def steps_thinking(think_ns: int) -> StepsPlan:
    account = Account("a@example.test", "a", "b")
    return StepsPlan(0, "steps", "smtp", account, (account.address,), "", (Move(Step(), 0, think_ns),), ())


@pytest.mark.parametrize("plan", [HALF_OPEN, steps_thinking(1)])
async def test_a_session_that_goes_at_our_pace_is_no_time_of_the_servers(plan: Plan, autojump_clock: MockClock) -> None:
    recorder = Recorder(Window(0, 60 * S))

    async def silent(_plan: Plan, trace: Trace, _arrival: int) -> Outcome:
        trace.timings.append(("smtp.connect", ORIGIN, ORIGIN + 1))
        await trio.sleep(20)
        return ACCEPTED

    limit = SessionLimit(100.0)
    arrivals = Arrivals(lambda _: plan, silent, recorder, None, 0, limit, never)
    recorder.started(0)
    with limit.seat() as seat:
        await arrivals.run_plan(plan, 0, seat)
    assert "smtp.connect" in recorder.phases
    assert "smtp.session" not in recorder.phases
    recorder.started(0)
    with limit.seat() as seat:
        await arrivals.run_plan(steps_thinking(0), 0, seat)
    assert "smtp.session" in recorder.phases, "steps without a pause take as long as the server does"
