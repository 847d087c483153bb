"""The closed loop: a population of which nobody starts before his own last session has ended."""

from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.engine.closed_loop import BEGIN_EVERY_S
from loadgen.session.outcome import OutcomeKind
from tests.engine.stage import MS, Act, Cast, play_closed
from tests.engine.troupe import Troupe


@pytest.mark.parametrize("users", [1, 3, 7, 20])
async def test_exactly_as_many_sessions_as_asked_for_each_once(users: int, autojump_clock: MockClock) -> None:
    cast = Cast(lambda k: Act(length_s=k % 3))
    await play_closed(cast, users=users, sessions=10)
    assert sorted(arrival for arrival, _ in cast.began) == list(range(10))
    assert cast.recorder.in_flight_peak == min(users, 10)
    assert cast.kinds == {OutcomeKind.ACCEPTED: 10}


async def test_a_user_thinks_before_each_session_and_waits_for_nobody_else(autojump_clock: MockClock) -> None:
    cast = Cast(lambda k: Act(length_s=1 if k % 2 == 0 else 5))
    await play_closed(cast, users=2, sessions=6, think=lambda user, i: (i + 1) * NS_PER_S)
    assert dict(cast.began) == {
        0: 1000 * MS, 2: 4000 * MS, 4: 8000 * MS,        # 1 thinking, 1 session, 2 thinking, 1, 3
        1: 1000 * MS, 3: 8000 * MS, 5: 16000 * MS,
    }   # fmt: skip


async def test_response_time_is_service_time_even_when_the_user_was_woken_late(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=1))

    async def hold_up() -> None:
        await trio.sleep(0.5)
        autojump_clock.jump(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold_up)
        await play_closed(cast, users=1, sessions=1, think=lambda user, i: NS_PER_S)
    assert cast.began == [(0, 2500 * MS)]
    assert cast.completed("pop3.session") == 1
    times = cast.recorder.phases["pop3.session"]
    assert times.response_histogram.value_at(100) == times.service_histogram.value_at(100) == NS_PER_S


async def test_a_load_by_time_starts_nothing_after_it_and_drains(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=2))
    await play_closed(cast, users=1, for_s=5)
    assert [at for _, at in cast.began] == [0, 2000 * MS, 4000 * MS]
    assert (trio.current_time(), cast.recorder.load_ended_ns) == (6, 5 * NS_PER_S)


@pytest.mark.parametrize(("pressed_s", "cut_short"), [(4, True), (6, False)])
async def test_a_load_by_time_is_cut_short_only_before_its_end(
    pressed_s: float, cut_short: bool, autojump_clock: MockClock
) -> None:
    cast, stop = Cast(lambda _: Act(length_s=9)), trio.Event()

    async def press() -> None:
        await trio.sleep(pressed_s)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await play_closed(cast, users=1, for_s=5, stop=stop)
    assert cast.recorder.cut_short is cut_short


async def test_who_is_thinking_at_the_end_does_not_start(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=1))
    await play_closed(cast, users=1, for_s=5, think=lambda user, i: 3 * NS_PER_S)
    assert (len(cast.began), trio.current_time()) == (1, 5)


async def test_after_a_load_by_time_the_drain_cuts(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=60))
    await play_closed(cast, users=3, for_s=5, drain_s=2)
    assert trio.current_time() == 7
    assert cast.kinds == {OutcomeKind.INTERRUPTED: 3}


async def test_after_the_last_start_of_a_counted_load_the_drain_cuts_too(autojump_clock: MockClock) -> None:
    cast = Cast(lambda k: Act(length_s=(1, 1, 600, 1)[k]))
    await play_closed(cast, users=2, sessions=4, drain_s=10)
    assert trio.current_time() == 11                   # the last starts at 1 s
    assert cast.kinds == {OutcomeKind.ACCEPTED: 3, OutcomeKind.INTERRUPTED: 1}


async def test_stop_after_the_last_start_grants_no_second_drain(autojump_clock: MockClock) -> None:
    cast, stop = Cast(lambda _: Act(length_s=600)), trio.Event()

    async def press() -> None:
        await trio.sleep(5)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await play_closed(cast, users=2, sessions=2, drain_s=10, stop=stop)
    assert trio.current_time() == 10
    assert not cast.recorder.cut_short, "every session there was to start had started"


async def test_a_counted_load_of_one_session_each_has_a_steady_phase(autojump_clock: MockClock) -> None:
    cast = Cast(lambda _: Act(length_s=4))
    await play_closed(cast, users=5, sessions=5)
    assert cast.recorder.window.steady_ns == 4 * NS_PER_S
    assert cast.recorder.steady.ended[OutcomeKind.ACCEPTED] == 5


async def test_stop_ends_thinking_and_drains_sessions(autojump_clock: MockClock) -> None:
    cast, stop = Cast(lambda _: Act(length_s=3)), trio.Event()

    async def press() -> None:
        await trio.sleep(2)
        stop.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(press)
        await play_closed(cast, users=2, sessions=100, think=lambda user, i: user * 50 * NS_PER_S, stop=stop)
    assert (len(cast.began), trio.current_time()) == (1, 3)
    assert cast.kinds == {OutcomeKind.ACCEPTED: 1}
    assert cast.recorder.cut_short


@pytest.mark.parametrize("users", [4, 200])
async def test_users_begin_at_their_turns_in_the_ramp_and_go_on_at_once(
    users: int, autojump_clock: MockClock
) -> None:
    troupe = Troupe(lambda _: Act(length_s=1), goes_alone=lambda _: False)
    async with trio.open_nursery() as troupe.lanes:
        await play_closed(
            troupe, users=users, sessions=3 * users, think=lambda user, i: 0 if i else user * 10 * MS, drain_s=60
        )
    due_ns = {user + n * users: (user * 10 + n * 1000) * MS for user in range(users) for n in range(3)}
    assert dict(troupe.began) == pytest.approx(due_ns)
    assert trio.current_time() == pytest.approx(max(due_ns.values()) / NS_PER_S + 1)
    assert (troupe.made, troupe.recorder.in_flight, troupe.arrivals.presence.now) == (users, 0, 0)


async def test_users_of_a_fast_ramp_begin_some_together_none_before_its_turn(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda _: Act(length_s=9), goes_alone=lambda _: False)
    async with trio.open_nursery() as troupe.lanes:
        await play_closed(troupe, users=300, sessions=300, think=lambda user, i: user * MS, drain_s=60)
    late_ns = [at_ns - user * MS for user, at_ns in troupe.began]
    assert len(late_ns) == 300
    assert min(late_ns) >= -1, "in float seconds a timer may be early by 1 ns"
    assert max(late_ns) <= BEGIN_EVERY_S * NS_PER_S + 1
    assert len({at_ns for _, at_ns in troupe.began}) <= 1 + 0.3 / BEGIN_EVERY_S


async def test_without_a_ramp_all_begin_at_once(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda _: Act(length_s=1), goes_alone=lambda _: False)
    async with trio.open_nursery() as troupe.lanes:
        await play_closed(troupe, users=300, for_s=1.5, drain_s=60)
    assert Counter(at_ns for _, at_ns in troupe.began) == {0: 300, NS_PER_S: 300}
    assert troupe.recorder.in_flight_peak == 300
