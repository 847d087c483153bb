"""Sessions held at once: what refused the others."""

import pytest
from msgspec import structs

from reports.capacity import completed
from reports.capacity_hold import held_stage
from reports.capacity_result import Capacity
from reports.capacity_stage import Measured
from reports.conclude import conclude
from reports.document import Document
from reports.html import html
from reports.load_result import FailureCount, LoadResult, SessionCounts
from reports.text import plain
from reports.verdict import UNJUDGED

HELD = LoadResult(model="closed", in_flight_peak=200, sessions=SessionCounts(arrived=200, accepted=200))
MEASURED = Measured(4, "double", 200, 10)


def document(load: LoadResult, *, doubts: tuple[str, ...] = ()) -> Document:
    return conclude(
        Document(
            kind="load", mailproof="0", run_id="held", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=3,
            load=load,
        ), [], doubts=doubts,
    )   # fmt: skip


def test_all_of_them_held_at_once_is_sustained() -> None:
    stage = held_stage(document(HELD), MEASURED)
    assert (stage.outcome, stage.broke, stage.in_flight_peak) == ("sustained", (), 200)


@pytest.mark.parametrize(
    ("phase", "cause", "example"),
    [
        ("smtp.greeting", "the server answered 421", "421 4.3.2 too many connections"),
        ("smtp.connect", "the connection was refused", ""),
        ("pop3.greeting", "the server answered -ERR", "-ERR too busy"),
    ],
)
def test_what_refused_the_first_is_named(phase: str, cause: str, example: str) -> None:
    load = structs.replace(
        HELD, in_flight_peak=150, sessions=SessionCounts(arrived=200, accepted=150, refused=50),
        failures=(FailureCount(phase, cause, 50, example),),
    )   # fmt: skip
    stage = held_stage(document(load), MEASURED)
    assert stage.outcome == "broke"
    [broke] = stage.broke
    assert broke.what == "refused"
    assert "50 of 200 sessions were not held to the end, and at most 150 were open at once: " in broke.sentence
    assert f"50 in {phase}: {cause}{f' ({example})' if example else ''}" in broke.sentence


def test_a_limit_of_this_host_is_not_the_targets() -> None:
    said = "12 sessions met a limit of this host: too many open files"
    stage = held_stage(document(HELD, doubts=(said,)), MEASURED)
    assert (stage.outcome, [broke.what for broke in stage.broke]) == ("void", ["this host"])
    assert stage.broke[0].sentence == said


def test_sessions_that_were_never_there_together_are_not_sustained() -> None:
    stage = held_stage(document(structs.replace(HELD, in_flight_peak=120)), MEASURED)
    assert (stage.outcome, stage.broke[0].what) == ("broke", "this host")


def test_the_page_of_held_sessions_shows_how_many_there_were_and_no_curve() -> None:
    stages = tuple(held_stage(document(HELD), Measured(number, "double", 200, 10)) for number in (1, 2))
    searched = Capacity(
        of="sessions", finding="at least", sentence="it holds", good=200, confirmed=True, stages=stages,
    )   # fmt: skip
    made = structs.replace(document(HELD), kind="capacity", load=None, capacity=completed(searched))
    page = html(made)
    assert "Most at once" in page
    assert "What does more in flight bring?" not in page
    assert "200" in plain(made)
    assert "curve" not in plain(made)
