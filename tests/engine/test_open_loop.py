"""The open loop: arrivals that wait for nobody, each at its instant, none forgotten."""

import trio
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import Outcome, OutcomeKind
from loadgen.session.trace import Trace
from tests.engine.stage import MS, Act, Cast, play_open, seconds


async def test_every_session_starts_at_its_intended_instant(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=5))
    await play_open(cast, seconds(0.0, 0.25, 1.0, 1.0, 7.5))
    assert sorted(cast.began) == [(0, 0), (1, 250 * MS), (2, 1000 * MS), (3, 1000 * MS), (4, 7500 * MS)]
    assert cast.kinds == {OutcomeKind.ACCEPTED: 5}


async def test_past_the_in_flight_limit_arrivals_are_dropped_and_counted(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=1.5))
    await play_open(cast, seconds(0, 1, 2, 3, 4), in_flight_max=1)
    assert [arrival for arrival, _ in cast.began] == [0, 2, 4]
    assert cast.kinds == {OutcomeKind.ACCEPTED: 3, OutcomeKind.DROPPED: 2}
    assert (cast.recorder.arrived, cast.recorder.in_flight_peak) == (5, 1)


async def test_arrivals_that_are_late_start_together_and_not_one_per_turn_of_the_others(
    autojump_clock: MockClock,
) -> None:
    turns = 3

    class Busy(Cast):
        async def perform(self, plan: Plan, trace: Trace, arrival: int) -> Outcome:
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            return await super().perform(plan, trace, arrival)

    cast = Busy(lambda _: Act())
    await play_open(cast, [(k, 0) for k in range(50)])
    assert cast.recorder.in_flight_peak == 50


async def test_a_loop_held_up_starts_what_it_owes_at_once_and_says_how_late_it_was(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=0.5))

    async def hold_up() -> None:
        await trio.sleep(0.5)
        autojump_clock.jump(2)          # two seconds of somebody else's work between two checkpoints

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold_up)
        await play_open(cast, seconds(0, 1, 2, 4))
    assert sorted(cast.began) == [(0, 0), (1, 2500 * MS), (2, 2500 * MS), (3, 4000 * MS)]
    assert sorted(cast.recorder.lags) == [0, 0, 500 * MS, 1500 * MS]


async def test_without_arrivals_left_the_load_still_lasts_to_its_end(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act())
    await play_open(cast, seconds(1), end_s=30)
    assert (trio.current_time(), cast.recorder.load_ended_ns) == (30, 30 * NS_PER_S)


async def test_sessions_open_at_the_end_have_the_drain_and_are_then_interrupted(autojump_clock: MockClock) -> None:
    cast = Cast(lambda k: Act(length_s=(3, 20)[k], connect_s=1))
    await play_open(cast, seconds(1, 1), end_s=2, drain_s=4)
    assert trio.current_time() == 6
    assert cast.kinds == {OutcomeKind.ACCEPTED: 1, OutcomeKind.INTERRUPTED: 1}
    assert cast.completed("pop3.connect") == 2, "what the interrupted session had measured is kept"
    assert cast.completed("pop3.session") == 1, "how long it would have taken nobody knows"


async def test_no_drain_cuts_at_once(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=1))
    await play_open(cast, seconds(0, 1), end_s=1, drain_s=0)
    assert trio.current_time() == 1
    assert cast.recorder.arrived == 2


async def test_stop_ends_the_arrivals_and_drains(autojump_clock: MockClock) -> None:
    cast, stop = Cast(lambda _: Act(length_s=2)), trio.Event()

    async def press() -> None:
        await trio.sleep(1.5)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await play_open(cast, seconds(0, 1, 2, 3), end_s=10, stop=stop)
    assert trio.current_time() == 3
    assert cast.kinds == {OutcomeKind.ACCEPTED: 2}
    assert cast.recorder.window.steady_ns == 1500 * MS
    assert cast.recorder.cut_short


async def test_stop_in_the_drain_cuts_nothing_short(autojump_clock: MockClock) -> None:
    cast, stop = Cast(lambda _: Act(length_s=5)), trio.Event()

    async def press() -> None:
        await trio.sleep(3)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await play_open(cast, seconds(0, 1), end_s=2, stop=stop)
    assert trio.current_time() == 6
    assert not cast.recorder.cut_short


async def test_after_stop_not_even_what_is_overdue_starts(autojump_clock: MockClock) -> None:
    cast, stop = Cast(lambda _: Act()), trio.Event()
    stop.set()
    await play_open(cast, seconds(0, 0, 1), stop=stop)
    assert cast.recorder.arrived == 0


async def test_a_session_that_outlives_its_budget_has_timed_out_where_it_was(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(connect_s=1, length_s=100), session_limit_s=3)
    await play_open(cast, seconds(0))
    assert cast.kinds == {OutcomeKind.TIMED_OUT: 1}
    assert list(cast.recorder.failures) == [("pop3.retr", "the session took longer than its limit")]
    assert cast.completed("pop3.connect") == 1
    assert cast.recorder.phases["pop3.session"].service_histogram.value_at(100) == 3 * NS_PER_S
