"""Series of an open load that stand by: the books balance, whatever sessions do and however the run ends."""

from functools import partial

import pytest
import trio
from hypothesis import example, given, settings
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.engine.stand_by import StandBy
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from tests.engine.loads import OPEN_AND_CANCELLED, OPEN_PLAYS, OpenPlay
from tests.engine.stage import Act, play_open, seconds, virtually
from tests.engine.troupe import Troupe


@settings(deadline=None, max_examples=150)
@given(load=OPEN_PLAYS)
@example(load=OPEN_AND_CANCELLED)
def test_the_books_of_an_open_load_in_series_balance(load: OpenPlay) -> None:
    troupe = Troupe(load.act, session_limit_s=load.limit_s)
    virtually(partial(load.perform, troupe))
    load.check(troupe)
    assert troupe.arrivals.presence.now == 0


async def test_one_series_is_enough_for_sessions_that_do_not_overlap(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda _: Act(length_s=0.5))
    await play_open(troupe, [(3 * k, k * NS_PER_S) for k in range(5)], end_s=10)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 5}
    assert troupe.made == 1
    assert trio.current_time() == 10


async def test_a_session_that_is_otherwise_ends_its_series_and_no_other(autojump_clock: MockClock) -> None:
    refused = Outcome(OutcomeKind.REFUSED, "pop3.retr")
    troupe = Troupe(lambda k: Act(0.5, refused if k == 3 else ACCEPTED))
    await play_open(troupe, [(0, 0), (1, 0), (3, NS_PER_S), (4, 2 * NS_PER_S), (6, 3 * NS_PER_S)], end_s=10)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 4, OutcomeKind.REFUSED: 1}
    assert troupe.made == 2
    assert list(troupe.recorder.lags) == [0] * 5
    assert sorted(troupe.began) == [(0, 0), (1, 0), (3, NS_PER_S), (4, 2 * NS_PER_S), (6, 3 * NS_PER_S)]


async def test_a_sessions_limit_is_counted_from_its_own_start_and_not_while_its_series_stands_by(
    autojump_clock: MockClock,
) -> None:
    troupe = Troupe(lambda k: Act(length_s=20 if k == 3 else 1), session_limit_s=3)
    await play_open(troupe, [(0, 0), (3, 100 * NS_PER_S), (4, 200 * NS_PER_S)], end_s=300)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 2, OutcomeKind.TIMED_OUT: 1}
    assert list(troupe.recorder.failures) == [("pop3.retr", "the session took longer than its limit")]
    assert troupe.recorder.seconds.timeline().timed_out[103] == 1
    assert troupe.made == 2, "the first went on after a rest, until it was cut"


async def test_series_that_stand_by_end_with_the_load(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda k: Act(length_s=1 + k))
    await play_open(troupe, seconds(0, 0), end_s=1.5)
    assert trio.current_time() == 2
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 2}
    assert troupe.made == 2


async def test_only_a_series_that_is_made_needs_a_tasks_turn_to_begin(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda _: Act(length_s=0.5))
    begun = list[bool]()
    start = StandBy.start

    def noted(stand_by: StandBy, arrival: int, intended_ns: int) -> bool:
        begun.append(start(stand_by, arrival, intended_ns))
        return begun[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StandBy, "start", noted)
        await play_open(troupe, [(0, 0), (3, NS_PER_S), (6, 2 * NS_PER_S), (9, 2 * NS_PER_S), (1, 3 * NS_PER_S)])
    assert begun == [True, False, False, True, False]
