"""Random numbers that belong to a number: always the same, of good quality along k and within one k."""

import math
import random
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.schedule.chance import chi_square_quantile
from loadgen.schedule.draws import Draws

SURPRISE = 1e-4          # the seeds are fixed: what passes once passes always
MANY = 20_000


def chi_square(values: list[float], bins: int) -> float:
    """Return how far numbers from 0 to 1 are from falling into every bin equally often."""
    counts = [0] * bins
    for value in values:
        counts[int(value * bins)] += 1
    expected = len(values) / bins
    return sum((count - expected) ** 2 for count in counts) / expected


def is_uniform(values: list[float], bins: int = 100) -> bool:
    low, high = (chi_square_quantile(p, bins - 1) for p in (SURPRISE, 1 - SURPRISE))
    return low <= chi_square(values, bins) <= high


def test_what_is_drawn_depends_on_the_purpose_and_the_numbers_alone() -> None:
    draws, numbers = Draws("7/plan"), list(range(200))
    in_order = {k: (draws.of(k).random(), draws.gauss(0, 1), draws.randrange(9)) for k in numbers}
    random.Random(3).shuffle(numbers)
    again = Draws("7/plan")
    assert {k: (again.of(k).random(), again.gauss(0, 1), again.randrange(9)) for k in numbers} == in_order


def test_no_two_streams_are_alike() -> None:
    streams = [Draws(purpose).of(*numbers) for purpose in ("1/plan", "11/plan", "1/think")
               for numbers in ((1,), (11,), (1, 1), (111,), (1, 11), (11, 1))]  # fmt: skip
    assert len({stream.random() for stream in streams}) == len(streams)


def test_a_stream_outlasts_its_first_block() -> None:
    stream = Draws("7/plan").of(5)
    assert len({stream.random() for _ in range(1000)}) == 1000


@given(st.lists(st.integers(0, 30), max_size=8))
def test_several_at_once_are_the_same_as_one_after_another(counts: list[int]) -> None:
    at_once, alone = Draws("7/plan").of(5), Draws("7/plan").of(5)
    for number in counts:
        assert at_once.several(number).tolist() == [alone.random() for _ in range(number)]
        assert at_once.getrandbits(64) == alone.getrandbits(64)


def test_a_stream_begins_without_what_the_last_one_left() -> None:
    draws = Draws("7/plan")
    first = draws.of(1).gauss(0, 1)
    draws.of(2).gauss(0, 1)                            # makes two numbers, and keeps one
    assert draws.of(1).gauss(0, 1) == first


def words(purpose: str, numbers: list[int]) -> Iterator[int]:
    """Yield what a stream is made of, 64 bits at a time: each block from its end."""
    for block in count():
        name = "/".join(map(str, [purpose, *numbers, block]))
        digest = blake2b(name.encode()).digest()
        yield from (int.from_bytes(digest[at : at + 8], "little") for at in range(56, -1, -8))


NUMBERS = st.lists(st.integers(0, 10**9), min_size=1, max_size=3)


@given(st.sampled_from(["7/plan", "7/think"]), st.lists(st.tuples(NUMBERS, st.lists(st.integers(0, 200), max_size=20))))
def test_a_stream_is_a_hash_in_counter_mode(purpose: str, streams: list[tuple[list[int], list[int]]]) -> None:
    draws = Draws(purpose)
    for numbers, asked in streams:
        stream, expected = draws.of(*numbers), words(purpose, numbers)
        for bits in asked:
            if bits == 0:
                assert stream.random() == (next(expected) >> 11) / 2**53
            else:
                whole = [next(expected) for _ in range(-(-bits // 64))]
                value = int("".join(f"{word:064b}" for word in whole)[:bits], 2)
                assert stream.getrandbits(bits) == value


def test_the_streams_are_those_they_always_were() -> None:
    assert Draws("7/plan").of(5).random() == 0.1030115510385402
    assert Draws("7/think").of(5, 1).getrandbits(70) == 332156170356860357062


@pytest.mark.parametrize("nth", [0, 1, 7, 8])          # a block has eight
def test_the_nth_number_of_each_k_is_uniform_along_k(nth: int) -> None:
    draws = Draws("7/plan")
    values = [_nth(draws, k, nth) for k in range(MANY)]
    assert is_uniform(values)
    assert abs(_correlation(list(pairwise(values)))) < 4 / math.sqrt(MANY)


def test_one_stream_is_uniform_and_its_neighbours_know_nothing_of_it() -> None:
    draws = Draws("7/plan")
    streams = [[draws.of(k).random(), *[draws.random() for _ in range(MANY - 1)]] for k in (41, 42)]
    assert all(is_uniform(stream) for stream in streams)
    assert abs(_correlation(list(zip(*streams, strict=True)))) < 4 / math.sqrt(MANY)
    assert abs(_correlation(list(pairwise(streams[0])))) < 4 / math.sqrt(MANY)


@pytest.mark.parametrize("bits", [1, 7, 64, 65, 200])
def test_every_bit_is_set_half_of_the_time(bits: int) -> None:
    draws, counts = Draws("3/bits"), [0] * bits
    for k in range(4000):
        value = draws.of(k).getrandbits(bits)
        assert value < 1 << bits
        for bit in range(bits):
            counts[bit] += value >> bit & 1
    assert all(abs(count - 2000) < 5 * math.sqrt(1000) for count in counts)


def test_the_distributions_of_python_draw_from_it() -> None:
    draws = Draws("5/x")
    assert sum(draws.of(k).gauss(0, 1) for k in range(MANY)) / MANY == pytest.approx(0, abs=4 / math.sqrt(MANY))
    assert sum(draws.of(k).expovariate(1) for k in range(MANY)) / MANY == pytest.approx(1, abs=4 / math.sqrt(MANY))
    assert is_uniform([draws.of(k).randrange(1000) / 1000 for k in range(MANY)])
    assert sorted(draws.of(1).sample(range(50), 50)) == list(range(50))


def _nth(draws: Draws, k: int, nth: int) -> float:
    stream = draws.of(k)
    for _ in range(nth):
        stream.random()
    return stream.random()


def _correlation(pairs: list[tuple[float, float]]) -> float:
    """Return the correlation of uniform numbers from 0 to 1."""
    return 12 * sum((a - 0.5) * (b - 0.5) for a, b in pairs) / len(pairs)
