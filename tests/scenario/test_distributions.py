"""Distributions: what may be written, and that samples follow it."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.distributions import Counts, Distribution, Durations, Sizes
from loadgen.scenario.problems import UnreadableError
from loadgen.scenario.shapes import Choice, Exponential, Fixed, LogNormal, Shape, Uniform

READ = [
    (Counts, 3,                                                           Fixed(3)),
    (Counts, {"fixed": 3},                                                Fixed(3)),
    (Sizes, "4 KiB",                                                      Fixed(4096)),
    (Durations, {"fixed": "1s"},                                          Fixed(10**9)),
    (Counts, {"uniform": [1, 3]},                                         Uniform(1, 3)),
    (Sizes, {"lognormal": {"median": 10, "sigma": 1, "max": "1 kB"}},     LogNormal(10, 1.0, 1000)),
    (Durations, {"exponential": {"mean": "1ms", "max": "1s"}},            Exponential(10**6, 10**9)),
    (Counts, {"choice": [[1, 6], [2, 2], [5, 0.5]]},                      Choice((1, 2, 5), (6.0, 8.0, 8.5))),
]


@pytest.mark.parametrize(("kind", "value", "shape"), READ)
def test_a_distribution_is_read_and_written_back(kind: type[Distribution], value: object, shape: Shape) -> None:
    read = kind.parse(value)
    assert read.shape == shape
    assert kind.parse(read.plain()) == read


REFUSED = [
    (Counts, "3", ['got "3", expected a whole number or a table {fixed|uniform|lognormal|exponential|choice}']),
    (Counts, -1, ["got -1, expected a whole number or a table"]),
    (Counts, True, ["got true, expected a whole number"]),
    (Counts, {}, ["got {}, expected a table with one key, one of fixed, uniform"]),
    (Counts, {"unifrom": [1, 2]}, ["unifrom: unknown distribution; did you mean `uniform`?"]),
    (Counts, {"zipf": 1}, ["zipf: unknown distribution; expected one of fixed, uniform"]),
    (Counts, {"fixed": "x"}, ['fixed: got "x", expected a whole number from 0 to 1000000']),
    (Counts, {"uniform": 3}, ["uniform: got 3, expected a list of two values, [lowest, highest]"]),
    (Counts, {"uniform": [1, 2, 3]}, ["uniform: got [1, 2, 3], expected a list of two values"]),
    (Counts, {"uniform": [3, 1]}, ["uniform: got [3, 1], expected the lowest value first"]),
    (Sizes, {"uniform": ["x", "y"]},
        ['uniform[0]: got "x", expected a size', 'uniform[1]: got "y", expected a size']),
    (Sizes, {"lognormal": 3}, ["lognormal: got 3, expected a table with the keys median, sigma, max"]),
    (Sizes, {"lognormal": {"median": 1, "sgima": 1}},
        ["lognormal.sgima: unknown key; did you mean `sigma`?", "lognormal.sigma: missing", "lognormal.max: missing"]),
    (Sizes, {"lognormal": {"median": 0, "sigma": 11, "max": 5}},
        ["lognormal.median: got 0, expected more than zero",
         "lognormal.sigma: got 11, expected a number from 0 to 10"]),
    (Sizes, {"lognormal": {"median": 9, "sigma": 1, "max": 5}},
        ["lognormal.max: got 5, expected no less than the median, 9"]),
    (Durations, {"exponential": {"mean": "2s", "max": "1s"}},
        ['exponential.max: got "1s", expected no less than the mean, "2s"']),
    (Durations, {"exponential": {"mean": "0s", "max": "1s"}}, ["exponential.mean: got \"0s\", expected more than"]),
    (Counts, {"choice": []}, ["choice: got [], expected a list of [value, weight] pairs"]),
    (Counts, {"choice": [1, [2, 0], ["x", 1]]},
        ["choice[0]: got 1, expected a pair [value, weight]", "choice[1][1]: got 0, expected a number above 0",
         'choice[2][0]: got "x", expected a whole number']),
]   # fmt: skip


@pytest.mark.parametrize(("kind", "value", "said"), REFUSED)
def test_every_problem_of_a_distribution_is_said(kind: type[Distribution], value: object, said: list[str]) -> None:
    with pytest.raises(UnreadableError) as caught:
        kind.parse(value)
    problems = [str(problem) for problem in caught.value.problems]
    assert len(problems) == len(said)
    for problem, start in zip(problems, said, strict=True):
        assert problem.startswith(start)


SHAPES = [
    Fixed(7), Uniform(1, 9), LogNormal(4096, 1.0, 1 << 20), LogNormal(4096, 1.0, 5000), LogNormal(100, 0.0, 200),
    Exponential(1000, 10_000), Exponential(1000, 1000), Choice((1, 2, 50), (6.0, 9.0, 10.0)),
]   # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_samples_average_to_the_mean_that_is_promised(shape: Shape) -> None:
    rng = random.Random(1)
    samples = [shape.sample(rng) for _ in range(20_000)]
    error = 5 * statistics.pstdev(samples) / len(samples) ** 0.5   # five standard errors
    assert shape.mean() == pytest.approx(statistics.fmean(samples), abs=error + 0.51)


@pytest.mark.parametrize("shape", [LogNormal(1, 10.0, 5), Exponential(5, 5), Uniform(2, 4), Choice((3, 1), (1.0, 2.0))])
def test_no_sample_leaves_the_bounds(shape: Shape) -> None:
    rng = random.Random(2)
    low, high = shape.bounds
    samples = {shape.sample(rng) for _ in range(5000)}
    assert low <= min(samples)
    assert max(samples) == high


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0.01, 100)), min_size=1, max_size=6))
def test_a_choice_only_gives_its_values_and_keeps_its_weights(pairs: list[tuple[int, float]]) -> None:
    choice = Counts.parse({"choice": [list(pair) for pair in pairs]})
    assert choice.sample(random.Random(3)) in {value for value, _ in pairs}
    assert isinstance(choice.shape, Choice)
    assert choice.shape.weights == pytest.approx([weight for _, weight in pairs])
