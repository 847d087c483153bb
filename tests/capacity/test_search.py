"""The search: which level is measured next, and when it is enough."""

import math

import msgspec
import pytest

from loadgen.capacity.search import Asked, Bounds, Search
from reports.capacity_result import Broke, CapacityStage, StageOutcome, What

Verdicts = dict[int, StageOutcome]


def stage(asked: Asked, outcome: StageOutcome) -> CapacityStage:
    broke = () if outcome == "sustained" else (Broke("gate", "it was slow"),)
    return CapacityStage(
        number=asked.number, purpose=asked.purpose, level=asked.level, seconds=asked.seconds, outcome=outcome,
        broke=broke,
    )   # fmt: skip


def searched(
    bounds: Bounds, ceiling: float, *, long_ceiling: float | None = None, but: Verdicts | None = None
) -> Search:
    """Search a target that sustains every level up to a ceiling; in long stages perhaps up to another.

    `but` says otherwise of stages by their number.
    """
    search = Search(bounds)
    for asked in search:
        limit = ceiling if asked.seconds < bounds.confirm_s or long_ceiling is None else long_ceiling
        outcome: StageOutcome = "sustained" if asked.level <= limit else "broke"
        search.tell(stage(asked, (but or {}).get(asked.number, outcome)))
    return search


def course(search: Search) -> list[tuple[str, float]]:
    return [(each.purpose, each.level) for each in search.stages]


BOUNDS = Bounds(start=10, stage_s=60, confirm_s=180, resolution=0.05, stages_max=30)


def test_it_doubles_bisects_and_confirms() -> None:
    search = searched(BOUNDS, 100)
    assert course(search) == [
        ("double", 10), ("double", 20), ("double", 40), ("double", 80), ("double", 160), ("bisect", 120),
        ("bisect", 100), ("bisect", 110), ("bisect", 105), ("confirm", 100), ("confirm", 105),
    ]   # fmt: skip
    assert [each.seconds for each in search.stages] == [60.0] * 9 + [180.0] * 2
    assert (search.ended, search.good, search.confirmed, search.bad) == ("found", 100, True, 105)


@pytest.mark.parametrize("ceiling", [10.0, 33.3, 99.99, 1234.5])
@pytest.mark.parametrize("resolution", [0.01, 0.05, 0.2])
def test_the_answer_is_as_close_as_was_asked_for(ceiling: float, resolution: float) -> None:
    search = searched(Bounds(7, 60, 180, resolution, 40), ceiling)
    assert search.ended == "found"
    assert search.good is not None
    assert search.bad is not None
    assert search.good <= ceiling < search.bad
    assert search.bad - search.good <= resolution * search.good


def test_a_start_that_is_too_high_is_halved() -> None:
    search = searched(BOUNDS, 3)
    assert course(search)[:4] == [("double", 10), ("halve", 5), ("halve", 2.5), ("bisect", 3.75)]
    assert search.ended == "found"


def test_what_does_not_hold_in_the_long_stage_is_bad_and_everything_after_it_is_long() -> None:
    search = searched(BOUNDS, 100, long_ceiling=92)
    assert ("confirm", 100) in course(search)
    after = search.stages[course(search).index(("confirm", 100)) + 1 :]
    assert after
    assert all(each.seconds == 180 for each in after)
    assert search.ended == "found"
    assert search.good is not None
    assert 87 < search.good <= 92
    assert search.confirmed


def test_one_unlucky_short_stage_does_not_hold_the_answer_down() -> None:
    search = searched(BOUNDS, 100, but={3: "broke"})
    assert course(search)[2] == ("double", 40)
    found_again = course(search).index(("confirm", 40))
    assert (search.stages[found_again].outcome, search.stages[found_again].seconds) == ("sustained", 180)
    assert all(each.seconds == 180 for each in search.stages[found_again:])
    assert (search.ended, search.good) == ("found", 100)


@pytest.mark.parametrize("what", ["backlog", "mail", "steady state"])
def test_a_level_at_which_more_than_gates_broke_needs_no_second_look(what: What) -> None:
    search = Search(BOUNDS)
    for asked in search:
        broke = (Broke("gate", "it was slow"), Broke(what, "and worse"))
        search.tell(msgspec.structs.replace(stage(asked, "sustained" if asked.level <= 100 else "broke"), broke=broke))
    assert search.ended == "found"
    assert [each.level for each in search.stages if each.seconds == 180] == [100]


def test_without_a_stage_left_for_a_second_look_the_first_stands() -> None:
    search = searched(Bounds(10, 60, 180, 0.05, 10), 100)
    assert (search.ended, search.good, search.bad, search.confirmed) == ("found", 100, 105, True)


def test_a_target_that_takes_it_all_is_confirmed_at_the_top() -> None:
    search = searched(Bounds(10, 60, 180, top=50), math.inf)
    assert course(search) == [("double", 10), ("double", 20), ("double", 40), ("double", 50), ("confirm", 50)]
    assert (search.ended, search.good, search.bad) == ("at least", 50, None)


def test_a_target_that_takes_nothing_ends_the_search() -> None:
    search = searched(BOUNDS, 0)
    assert (search.ended, search.good) == ("below", None)
    assert len(search.stages) == 11, "halved ten times"


def test_whole_levels_end_with_neighbours() -> None:
    search = searched(Bounds(1, 60, 180, 0.05, 40, whole=True), 5)
    assert all(each.level == int(each.level) for each in search.stages)
    assert (search.good, search.bad, search.ended) == (5, 6, "found")


def test_a_void_stage_is_made_again_and_the_second_ends_the_search() -> None:
    once = searched(BOUNDS, 100, but={5: "void"})
    assert (once.stages[5].purpose, once.stages[5].level, once.stages[5].seconds) == ("again", 160, 60)
    assert once.ended == "found"
    twice = searched(BOUNDS, 100, but={5: "void", 6: "void"})
    assert (twice.ended, twice.good, twice.bad, len(twice.stages)) == ("generator", 80, None, 6)


def test_on_a_busy_machine_a_void_stage_may_be_tried_more_often() -> None:
    patient = Bounds(10, 60, 180, 0.05, 30, tries=4)
    assert searched(patient, 100, but={5: "void", 6: "void", 7: "void"}).ended == "found"
    assert searched(patient, 100, but=dict.fromkeys((5, 6, 7, 8), "void")).ended == "generator"
    mixed = searched(patient, 100, but={5: "void", 6: "inconclusive", 7: "void"})
    assert mixed.ended == "found", "what was only void before has its second look at steadiness still"


def test_an_inconclusive_stage_is_made_again_for_longer_and_then_counts_as_not_sustained() -> None:
    once = searched(BOUNDS, 100, but={3: "inconclusive"})
    assert (once.stages[3].purpose, once.stages[3].level, once.stages[3].seconds) == ("again", 40, 120)
    assert once.good == 100
    twice = searched(BOUNDS, 100, but={3: "inconclusive", 4: "inconclusive"})
    assert twice.good is not None
    assert twice.good < 40


def test_no_more_stages_are_made_than_allowed() -> None:
    for most in range(1, 12):
        search = searched(Bounds(10, 60, 180, 0.05, most), 100)
        assert len(search.stages) <= most
    assert searched(Bounds(10, 60, 180, 0.05, 6), 100).ended == "unconfirmed"
    assert searched(Bounds(10, 60, 180, 0.05, 1), 3).ended == "below"


def test_stages_as_long_as_the_confirmation_confirm() -> None:
    search = searched(Bounds(10, 60, 60, 0.05, 30), 100)
    assert ("confirm", 100) not in course(search)
    assert (search.ended, search.good, search.confirmed) == ("found", 100, True)


def answering(share_well: float, *levels: float) -> Search:
    """Search a target that takes only a share of the sessions, `share_well` at the first level and so on."""
    search = Search(BOUNDS)
    for asked, well in zip(search, (share_well, *levels), strict=False):
        broke = msgspec.structs.replace(
            stage(asked, "broke"), broke=(Broke("errors", "too many were refused"),), refused_share=1 - well
        )
        search.tell(broke)
    return search


@pytest.mark.parametrize("shares", [(0.0, 0.0, 0.0), (0.17, 0.13, 0.21), (0.9, 0.9, 0.9)])
def test_what_fails_alike_at_less_and_less_is_no_question_of_load(shares: tuple[float, ...]) -> None:
    search = answering(*shares)
    assert (search.ended, len(search.stages), search.good) == ("not load", 3, None)


def test_a_limit_lets_twice_the_share_through_at_half_the_level_and_is_looked_for() -> None:
    assert answering(0.01, 0.02, 0.04, 0.08, 0.16).ended is None


def test_what_breaks_by_time_alone_is_looked_for_down_to_the_least() -> None:
    assert searched(BOUNDS, 0.0).ended == "below"
