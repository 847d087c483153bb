"""The proof of the search: what it searches is a scenario, and its judgement is that of the record."""

import tomllib
from pathlib import Path

import pytest

from benchmarks.capacity import CEILING_PER_S, SCENARIO
from benchmarks.capacity_record import CapacityRecord, CapacitySearch
from benchmarks.results import render
from loadgen.scenario.load import scenario_from
from reports.capacity_result import Finding


def search(good: float | None, finding: Finding = "found", workers: int = 2) -> CapacitySearch:
    return CapacitySearch(
        taken="today", revision="abc", workers=workers,
        service_ms=40, ceiling_per_s=50, finding=finding, good=good, bad=53, stages=11, void=1, minutes=14.2,
        load_average=1.5, sentence="",
    )   # fmt: skip


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (search(50), True), (search(47.6), True), (search(52.4), True), (search(47), False), (search(53), False),
        (search(50, "generator"), False), (search(None, "below"), False),
    ],
)  # fmt: skip
def test_a_search_holds_if_it_ended_within_five_per_cent_of_the_truth(found: CapacitySearch, holds: bool) -> None:
    assert found.holds is holds


def test_the_scenario_is_one_and_the_server_can_do_so_much() -> None:
    text = SCENARIO.format(workers=4, service_ms=1000 * 4 / CEILING_PER_S, ceiling=CEILING_PER_S)
    scenario = scenario_from(tomllib.loads(text), name="known", directory=Path(), environ={})
    assert scenario.target.variants == ("service-time=80ms", "workers=4")


def test_the_page_says_what_was_found_and_what_is_true() -> None:
    record = CapacityRecord(stage_s=60, confirm_s=180, searches=(search(49), search(None, "generator")))
    page = render((), {}, None, None, None, record)
    assert "`python -m benchmarks capacity --workers 2,2 --stage 60 --confirm 180`" in page
    assert "**NOT as it should be** (5% off at most)" in page
    assert "| 2 | 40 | 50/s | 49/s | 53/s | -2.0 % | 11 (1) | 14 | 1.5 | found | today, commit abc |" in page
    assert "| 2 | 40 | 50/s | – | 53/s | – | 11 (1) | 14 | 1.5 | generator | today, commit abc |" in page
    assert "**Not measured yet.**" in render((), {}, None, None)


def test_searches_that_were_not_made_again_stay_unless_their_stages_were_others() -> None:
    def record(stage_s: float, *goods: tuple[int, float]) -> CapacityRecord:
        made = tuple(search(good, workers=workers) for workers, good in goods)
        return CapacityRecord(stage_s=stage_s, confirm_s=180, searches=made)

    before = record(60, (2, 48), (4, 49))
    assert record(60, (1, 50), (2, 51)).beside(before) == record(60, (1, 50), (2, 51), (4, 49))
    assert record(30, (1, 50)).beside(before) == record(30, (1, 50))
    assert before.beside(None) == before
