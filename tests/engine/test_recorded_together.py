"""Sessions recorded together leave the same books as the same sessions recorded one by one."""

import pickle
from collections import Counter
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.clock import NS_PER_S
from loadgen.engine.columns import FEW
from loadgen.engine.recorder import TOGETHER_MAX, Recorder
from loadgen.engine.reply_table import DISTINCT_REPLIES_MAX
from loadgen.engine.sample import Sample
from loadgen.engine.window import Window
from loadgen.message.stamp import Stamp
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.trace import Offered, Retrieved, Trace
from loadgen.wire.deviation import Deviation
from reports.histogram import Histogram

S = NS_PER_S
ORIGIN = 77 * S
PHASES = ("smtp.connect", "smtp.mail", "smtp.body", "pop3.retr")
FAILED = Outcome(OutcomeKind.FAILED, "smtp.mail", "the server broke the protocol")
Ended = tuple[Sample, Trace]

instants = st.integers(0, 4 * S)


@st.composite
def sessions(draw: st.DrawFn) -> Ended:
    """Draw a session that ended; most went as hoped."""
    intended, started, finished = sorted(draw(st.tuples(instants, instants, instants)))
    trace = Trace()
    for phase in draw(st.lists(st.sampled_from(PHASES), max_size=5)):
        begun = draw(instants)
        trace.timings.append((phase, ORIGIN + begun, ORIGIN + draw(st.integers(begun, 5 * S))))
        trace.replies.append((phase, draw(st.sampled_from(("250", "354"))), None))
    for accepted in draw(st.lists(st.booleans(), max_size=3)):
        trace.begun.append(Offered(Stamp("x", b""), ("a@example.test",)))
        trace.settle(("a@example.test",), accepted=accepted, at_ns=ORIGIN + draw(instants))
        trace.messages_offered += 1
        trace.messages_refused += not accepted
    for at in draw(st.lists(instants, max_size=2)):
        trace.retrieved.append(Retrieved("a@example.test", None, None, 10, ORIGIN + at))
    trace.octets_sent, trace.octets_received = draw(st.tuples(st.integers(0, 999), st.integers(0, 999)))
    if draw(st.integers(0, 9)) == 0:
        trace.deviations.append(("smtp.mail", Deviation.BARE_LF, b"250 ok\n"))
    outcome = FAILED if draw(st.integers(0, 9)) == 0 else ACCEPTED
    session, protocol = draw(st.sampled_from((("a", "smtp"), ("b", "smtp"), ("c", "pop3"))))
    held = draw(st.integers(0, 9)) == 0
    return Sample(intended, started, finished, session, protocol, outcome, held), trace


def recorded(ended: list[Ended], *, one_by_one: bool) -> Recorder:
    """Return the books of these sessions, read after each or only at the end."""
    recorder = Recorder(Window(1 * S, 4 * S))
    for sample, trace in ended:
        recorder.started(sample.intended_ns)
        recorder.ended(sample, trace, ORIGIN)
        if one_by_one:
            assert recorder.balanced()
    recorder.end_load(3 * S)
    for _ in recorder.close_seconds(5):
        pass
    return recorder


def told(value: object) -> object:
    """Return all that books say, in values that can be compared."""
    match value:
        case Histogram():
            return value.count, value.quantiles(), value.encode()
        case Counter():
            return value                     # of which what never happened is no part
        case dict():
            return {key: told(each) for key, each in value.items()}
    slots = getattr(type(value), "__slots__", ())
    state = {name: getattr(value, name) for name in slots if hasattr(value, name)} or getattr(value, "__dict__", None)
    return told(state) if isinstance(state, dict) and state else value


def books(recorder: Recorder) -> dict[str, object]:
    said = {
        name: told(getattr(recorder, name))
        for name in ("arrived", "in_flight", "outcomes", "messages", "phases", "session_times", "lag_histogram",
                     "replies", "failures", "deviations", "deviation_examples", "steady")
    }  # fmt: skip
    return said | {"timeline": recorder.seconds.timeline(), "intervals": sorted(map(repr, recorder.intervals))}


@settings(deadline=None, max_examples=60)
@given(ended=st.lists(sessions(), min_size=1, max_size=12), times=st.integers(1, 12))
def test_books_do_not_tell_how_many_were_recorded_together(ended: list[Ended], times: int) -> None:
    many = ended * times
    with (
        patch("loadgen.engine.recorder.FEW", 0), patch("loadgen.engine.arrived.FEW", 0),
        patch("loadgen.engine.recorder.TOGETHER_MAX", 40),
    ):
        together = recorded(many, one_by_one=False)
    assert books(together) == books(recorded(many, one_by_one=True))


def hoped(number: int, replies: int = 9) -> Ended:
    """Return a session that went as hoped, with replies of its own."""
    trace = Trace()
    for k in range(replies):
        trace.timings.append(("smtp.mail", ORIGIN, ORIGIN + 1 + k))
        trace.replies.append(("smtp.mail", "250", f"2.{number}.{k}"))
    return Sample(0, 0, S, "a", "smtp", ACCEPTED), trace


def test_so_many_are_recorded_together_and_no_more_wait() -> None:
    recorder = Recorder(Window(0, 9 * S))
    for number in range(3 * TOGETHER_MAX):
        recorder.started(0)
        recorder.ended(*hoped(number, replies=0), ORIGIN)
        assert len(recorder._waiting) < TOGETHER_MAX
    assert recorder.outcomes["a"][OutcomeKind.ACCEPTED] == 3 * TOGETHER_MAX > FEW


def test_the_bound_of_distinct_replies_holds_for_many_together_as_for_one_by_one() -> None:
    ended = [hoped(number) for number in range(DISTINCT_REPLIES_MAX // 9 + 50)]
    together = recorded(ended, one_by_one=False)
    assert together.replies == recorded(ended, one_by_one=True).replies
    assert len(together.replies) == DISTINCT_REPLIES_MAX + 1
    assert together.replies.total() == 9 * len(ended)


def test_what_waits_crosses_to_another_process_with_the_books() -> None:
    recorder = Recorder(Window(0, 9 * S))
    recorder.started(0)
    recorder.ended(*hoped(1), ORIGIN)
    there: Recorder = pickle.loads(pickle.dumps(recorder))
    assert there.balanced()
    assert there.outcomes == recorder.outcomes
    assert there.replies.total() == 9
