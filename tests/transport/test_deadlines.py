"""The wheel against a list: nothing handed out late, nothing forgotten, nothing kept."""

import math

from hypothesis import given
from hypothesis import strategies as st

from loadgen.transport.deadlines import HORIZON_S, TICKS_PER_S, DeadlineWheel

TICK_S = 1 / TICKS_PER_S


class Thing:
    def __init__(self, deadline: float = math.inf) -> None:
        self.look_at = math.inf
        self.deadline = deadline


def run_until(wheel: DeadlineWheel[Thing], end: float) -> list[tuple[float, Thing]]:
    """Play the owner's part, waking only when the wheel says so; return when each deadline was noticed."""
    noticed = []
    while (now := wheel.next_s) <= end:
        for thing in wheel.due(now):
            if thing.deadline <= now:
                noticed.append((now, thing))
            else:
                wheel.add(thing, thing.deadline, now)
    return noticed


@given(st.lists(st.floats(0, 700), min_size=1))
def test_every_deadline_is_noticed_within_a_tick_and_never_early(deadlines: list[float]) -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    things = [Thing(deadline) for deadline in deadlines]
    for thing in things:
        wheel.add(thing, thing.deadline, 0.0)
    noticed = run_until(wheel, 1000)
    assert {id(thing) for _, thing in noticed} == set(map(id, things))
    assert all(thing.deadline <= now <= thing.deadline + TICK_S for now, thing in noticed)
    assert (len(wheel), wheel.next_s) == (0, math.inf)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 90)), min_size=1))
def test_where_an_item_stands_does_not_depend_on_those_before_it(waits: list[tuple[float, float]]) -> None:
    shared: DeadlineWheel[Thing] = DeadlineWheel()
    now = 0.0
    for later, wait in waits:
        now += later
        for thing in shared.due(now):
            shared.add(thing, thing.deadline, now)
        alone: DeadlineWheel[Thing] = DeadlineWheel()
        one, other = Thing(now + wait), Thing(now + wait)
        shared.add(one, one.deadline, now)
        alone.add(other, other.deadline, now)
        assert one.look_at == other.look_at


def test_whole_seconds_are_met_exactly() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    wheel.add(Thing(300), 300, 0.0)
    assert [now for now, _ in run_until(wheel, 1000)] == [300]


def test_an_earlier_deadline_moves_the_look_and_a_later_one_does_not() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    thing = Thing()
    assert wheel.add(thing, 9.0, 0.0)
    look = thing.look_at
    assert not wheel.add(thing, 10.0, 0.0)
    assert thing.look_at == look
    assert wheel.add(thing, 1.0, 0.0)
    assert (thing.look_at, len(wheel)) == (1.0, 1)


def test_nothing_is_ever_due_that_has_no_deadline() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    assert not wheel.add(Thing(), math.inf, 0.0)
    assert (len(wheel), wheel.next_s) == (0, math.inf)


def test_a_deadline_that_is_past_is_due_now() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    for past in (100.0, -math.inf):
        thing = Thing()
        wheel.add(thing, past, 200.0)
        assert wheel.due(200.0) == [thing]


def test_what_is_discarded_is_not_handed_out_and_may_be_discarded_again() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    thing = Thing()
    wheel.add(thing, 5.0, 0.0)
    wheel.discard(thing)
    wheel.discard(thing)
    assert (len(wheel), wheel.due(100.0), thing.look_at) == (0, [], math.inf)


def test_the_wheel_stays_small_however_many_deadlines_it_is_given() -> None:
    wheel: DeadlineWheel[Thing] = DeadlineWheel()
    for millisecond in range(0, 900_000, 7):
        wheel.add(Thing(), millisecond / 1000, 0.0)
    looks = set()
    while wheel.next_s < math.inf:
        looks.add(wheel.next_s)
        wheel.due(wheel.next_s)
    assert max(looks) <= HORIZON_S
    assert len(looks) < 5 * HORIZON_S + 2 * TICKS_PER_S
