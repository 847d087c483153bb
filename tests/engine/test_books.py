"""The books balance at every instant, whatever sessions do and however the run ends."""

from functools import partial

from hypothesis import example, given, settings

from tests.engine.loads import CLOSED_AND_CANCELLED, CLOSED_PLAYS, OPEN_AND_CANCELLED, OPEN_PLAYS, ClosedPlay, OpenPlay
from tests.engine.stage import Cast, virtually


@settings(deadline=None, max_examples=150)
@given(load=OPEN_PLAYS)
@example(load=OPEN_AND_CANCELLED)
def test_the_books_of_an_open_load_balance(load: OpenPlay) -> None:
    cast = Cast(load.act, session_limit_s=load.limit_s)
    virtually(partial(load.perform, cast))
    load.check(cast)


@settings(deadline=None, max_examples=150)
@given(load=CLOSED_PLAYS)
@example(load=CLOSED_AND_CANCELLED)
def test_the_books_of_a_closed_load_balance(load: ClosedPlay) -> None:
    cast = Cast(load.act, session_limit_s=load.limit_s)
    virtually(partial(load.perform, cast))
    load.check(cast)
