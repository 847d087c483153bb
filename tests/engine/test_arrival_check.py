"""The arrivals of a run's books, held against their load: of whole runs, runs cut short, and several processes."""

from loadgen.clock import NS_PER_S
from loadgen.engine.health.arrivals import arrival_check
from loadgen.engine.recorder import Recorder
from loadgen.engine.sample import Sample
from loadgen.engine.window import Window
from loadgen.scenario.model import Load
from loadgen.session.outcome import ACCEPTED
from loadgen.session.trace import Trace
from tests.engine.house import scenario_of

EVEN = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 10, for = "20s"}]
[[session]]
kind = "smtp-deliver"
"""
CLOSED = """
[load]
model = "closed"
virtual_users = 5
sessions = 33
[[session]]
kind = "smtp-deliver"
"""


def load_of(text: str) -> Load:
    return scenario_of(text).load


def books(lag_s: float = 0.0, *, count: int = 200, first: int = 0, step: int = 1) -> Recorder:
    """Return books of arrivals due ten times a second, each started late by so much."""
    recorder = Recorder(Window(0, 20 * NS_PER_S))
    for number in range(first, count, step):
        due_ns = number * NS_PER_S // 10
        at_ns = due_ns + round(lag_s * NS_PER_S)
        recorder.started(due_ns)
        recorder.ended(Sample(due_ns, at_ns, at_ns + 1, "smtp-deliver", "smtp", ACCEPTED), Trace(), 0)
    recorder.end_load(20 * NS_PER_S)
    return recorder


def test_a_load_that_was_kept_to_passes() -> None:
    check = arrival_check(load_of(EVEN), books())
    assert check is not None
    assert (check.holds, check.delivered, check.configured, check.windows) == (True, 200, 200, 20)


def test_arrivals_after_the_end_of_the_load_count_in_its_last_second() -> None:
    check = arrival_check(load_of(EVEN), books(lag_s=3.0))
    assert check is not None
    assert (check.delivered, check.holds, check.drawn_holds) == (200, False, True)


def test_a_load_cut_short_is_held_to_the_seconds_that_were_over() -> None:
    recorder = books(count=125)
    recorder.load_ended_ns = 12 * NS_PER_S + NS_PER_S // 2
    check = arrival_check(load_of(EVEN), recorder)
    assert check is not None
    assert (check.holds, check.delivered, check.configured, check.windows) == (True, 120, 120, 12)


def test_a_load_cut_short_before_its_first_second_was_over_has_nothing_to_check() -> None:
    recorder = books(count=5)
    recorder.load_ended_ns = NS_PER_S // 2
    assert arrival_check(load_of(EVEN), recorder) is None


def test_dropped_arrivals_had_their_turn() -> None:
    recorder = books(count=100)
    for number in range(100, 200):
        recorder.dropped(number * NS_PER_S // 10, "smtp-deliver")
    check = arrival_check(load_of(EVEN), recorder)
    assert check is not None
    assert check.holds


def test_the_parts_of_several_processes_are_one_load() -> None:
    whole = books(step=2)
    for _ in whole.close_seconds(21):
        pass
    other = books(first=1, step=2)
    for _ in other.close_seconds(21):
        pass
    alone = arrival_check(load_of(EVEN), whole)
    assert alone is not None
    assert not alone.holds
    whole.merge(other)
    together = arrival_check(load_of(EVEN), whole)
    assert together is not None
    assert (together.holds, together.delivered) == (True, 200)


def test_a_closed_load_configures_no_arrivals() -> None:
    assert arrival_check(load_of(CLOSED), books()) is None
