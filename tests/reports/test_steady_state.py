"""The warm-up that is found: MSER-5."""

import random

import pytest

from reports.steady_state import OBSERVATIONS_MIN, truncation


def test_a_start_that_is_unlike_the_rest_is_cut_off_batch_by_batch() -> None:
    steady = [10.0, 11.0, 9.0, 10.0, 10.5] * 10
    assert truncation(steady) == 0
    assert truncation([90.0] * 5 + steady) == 5
    assert truncation([90.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 15.0, 14.0, 13.0, *steady]) == 10
    assert truncation([90.0] * 3 + steady) == 0, "what does not fill a batch is left out anyway"
    assert truncation([90.0] * 8 + steady) == 8, "and with the first that is cut"


def test_the_cut_is_where_the_standard_error_of_the_rest_is_least() -> None:
    batches = [8.0, 4.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]     # by hand: var/n is least behind the second
    assert truncation([each for each in batches for _ in range(5)]) == 10


@pytest.mark.parametrize("seed", range(5))
def test_what_still_grows_at_its_end_has_no_steady_state(seed: int) -> None:
    rng = random.Random(seed)
    assert truncation([second + rng.gauss(0, 3) for second in range(120)]) is None
    assert truncation([rng.gauss(50, 3) for _ in range(120)]) is not None


def test_too_few_observations_say_nothing() -> None:
    assert truncation([1.0] * (OBSERVATIONS_MIN - 1)) is None
    assert truncation([1.0] * OBSERVATIONS_MIN) == 0
