"""How many workers a load gets, and what is said about it."""

import pytest
from msgspec import structs

from loadgen.engine.pool import Choice, choose_workers, workers_of_use
from loadgen.scenario.model import Scenario
from reports.errors import UserError
from tests.engine.house import scenario_of
from tests.engine.test_shard import STEADY, shard_of
from tests.engine.test_workers import CLOSED

EMBEDDED = scenario_of(STEADY)
ELSEWHERE = scenario_of(STEADY, head='target = {smtp = "smtp://127.0.0.1:2525"}')


def test_a_load_is_shared_out_among_no_more_than_can_have_a_session() -> None:
    assert workers_of_use(shard_of(CLOSED).scenario, 8) == 5
    few = shard_of(STEADY).scenario
    few = structs.replace(few, load=structs.replace(few.load, in_flight_max=3))
    assert [workers_of_use(few, wanted) for wanted in (1, 3, 9)] == [1, 3, 3]


@pytest.mark.parametrize(
    ("scenario", "cpus", "chosen"),
    [
        (ELSEWHERE, 4, Choice(4, ("--workers auto: 4 for 4 processors",))),
        (ELSEWHERE, 1, Choice(1, ("--workers auto: 1 for 1 processor",))),
        (EMBEDDED, 4, Choice(3, ("--workers auto: 3 for 4 processors, one of them left to the embedded server",))),
        (EMBEDDED, 2, Choice(1, ("--workers auto: 1 for 2 processors, one of them left to the embedded server",))),
        (EMBEDDED, 1, Choice(1, ("--workers auto: 1 for 1 processor",))),
    ],
)
def test_auto_takes_a_worker_for_each_free_processor_and_says_so(
    scenario: Scenario, cpus: int, chosen: Choice
) -> None:
    assert choose_workers("auto", scenario, cpus) == chosen


def test_as_many_as_asked_for_need_no_words() -> None:
    assert choose_workers("1", EMBEDDED, 8) == Choice(1)
    assert choose_workers("8", ELSEWHERE, 8) == Choice(8)


def test_more_workers_than_processors_are_warned_of() -> None:
    [note] = choose_workers("3", EMBEDDED, 2).notes
    assert note == "--workers: 3 are more than 2 processors can run at once, so they will be late; auto would be 1"


def test_workers_without_a_session_are_left_out_and_it_is_said_so() -> None:
    few = structs.replace(ELSEWHERE, load=structs.replace(ELSEWHERE.load, in_flight_max=3))
    assert choose_workers("8", few, 8) == Choice(
        3, ("--workers: 3 of the 8, because load.in_flight_max lets only 3 sessions be open",)
    )
    [_, note] = choose_workers("auto", shard_of(CLOSED).scenario, 9).notes
    assert note == "--workers: 5 of the 8, because there are only 5 virtual users"


@pytest.mark.parametrize("asked", ["0", "-1", "two", "", "\N{SUPERSCRIPT TWO}", "1.0"])
def test_workers_are_a_number_or_auto(asked: str) -> None:
    with pytest.raises(UserError, match=r"^--workers: expected a number from 1, or auto; got"):
        choose_workers(asked, EMBEDDED, 2)
