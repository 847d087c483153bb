"""Users of a closed load that are led without a task: the books balance, whatever sessions do and however it ends."""

import pytest
import trio
from hypothesis import example, given, settings
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from tests.engine.loads import CLOSED_AND_CANCELLED, CLOSED_PLAYS, ClosedPlay
from tests.engine.stage import Act, play_closed, virtually
from tests.engine.troupe import Led, Troupe


@settings(deadline=None, max_examples=200)
@given(load=CLOSED_PLAYS)
@example(load=CLOSED_AND_CANCELLED)
def test_the_books_of_a_closed_load_in_series_balance(load: ClosedPlay) -> None:
    troupe = Troupe(load.act, session_limit_s=load.limit_s)

    async def whole() -> None:
        async with trio.open_nursery() as troupe.lanes:
            await load.perform(troupe)

    virtually(whole)
    load.check(troupe)
    assert troupe.arrivals.presence.now == 0


async def test_a_session_that_is_otherwise_counts_from_its_own_start(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda k: Act(1.0, ACCEPTED if k == 0 else Outcome(OutcomeKind.REFUSED, "pop3.retr")))
    async with trio.open_nursery() as troupe.lanes:
        await play_closed(troupe, users=1, sessions=2)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 1, OutcomeKind.REFUSED: 1}
    assert troupe.recorder.steady.session_ns == 2 * NS_PER_S


async def test_a_series_may_end_between_the_cancelling_and_the_turn_of_its_users_task(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    perform = Led.perform

    async def ended_before(series: Led) -> Outcome:
        series.tell()
        return await perform(series)

    monkeypatch.setattr(Led, "perform", ended_before)
    troupe = Troupe(lambda _: Act(length_s=9))
    async with trio.open_nursery() as troupe.lanes:
        with trio.move_on_at(1):
            await play_closed(troupe, users=2, sessions=2)
    assert troupe.kinds == {OutcomeKind.INTERRUPTED: 2}
    assert (troupe.recorder.in_flight, troupe.arrivals.presence.now) == (0, 0)


@pytest.mark.parametrize(("outcome", "tasks_to_go_on"), [
    (ACCEPTED, [False, False, True]),            # with the last of all ends the load
    (Outcome(OutcomeKind.REFUSED, "pop3.retr"), [True, True, True]),
])  # fmt: skip
async def test_at_the_end_of_what_went_as_hoped_no_task_has_to_have_a_turn(
    outcome: Outcome, tasks_to_go_on: list[bool], autojump_clock: MockClock
) -> None:
    troupe = Troupe(lambda k: Act(1 + k, outcome), goes_alone=lambda _: False)
    async with trio.open_nursery() as troupe.lanes:
        await play_closed(troupe, users=3, sessions=3)
    assert troupe.tasks_to_go_on == tasks_to_go_on
