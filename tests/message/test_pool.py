"""Text cut from the pool: so many octets, in whole lines and one that fills, as a search for them finds it."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.message.pool import ASCII, BEYOND_ASCII, CYCLE, CYCLE_OCTETS, LINE_OCTETS, LINES, LONE_DOT, TextPool
from loadgen.wire.transparency import stuff

POOLS = [TextPool(random.Random(7), letters) for letters in (ASCII, BEYOND_ASCII)]
BLOCK_OCTETS = LINES // CYCLE * CYCLE_OCTETS


def lines_of(pool: TextPool) -> list[bytes]:
    return b"".join(pool.plain(0, BLOCK_OCTETS + 2)).splitlines(keepends=True)[:LINES]


@pytest.mark.parametrize("pool", POOLS, ids=["ascii", "beyond"])
def test_the_last_line_of_each_cycle_is_a_lone_dot_and_the_others_are_equally_long(pool: TextPool) -> None:
    lengths = list(map(len, lines_of(pool)))
    assert lengths == LINES // CYCLE * [*[LINE_OCTETS] * (CYCLE - 1), len(LONE_DOT)]


@pytest.mark.parametrize("pool", POOLS, ids=["ascii", "beyond"])
@given(st.integers(0, LINES - 1), st.integers(2, 2000) | st.integers(2, 3 * BLOCK_OCTETS))
@example(62, LINE_OCTETS + len(LONE_DOT) + 1)       # the lone dot does not fit before the last line
@example(62, LINE_OCTETS + len(LONE_DOT) + 2)       # and now it does
@example(LINES - 1, BLOCK_OCTETS + 1)
@example(LINES - 1, BLOCK_OCTETS + 2)
def test_a_text_is_as_many_lines_as_fit_and_a_last_one(pool: TextPool, begin: int, octets: int) -> None:
    lines = lines_of(pool)
    wanted: list[bytes] = []
    left = octets
    while left - 2 >= BLOCK_OCTETS:                  # whole blocks first
        wanted, left = wanted + lines, left - BLOCK_OCTETS
    number = begin
    while left - 2 >= len(line := lines[number % LINES]):
        wanted, left, number = [*wanted, line], left - len(line), number + 1
    text = b"".join([*wanted, b"y" * (left - 2), b"\r\n"])
    assert b"".join(pool.plain(begin, octets)) == text
    assert b"".join(pool.stuffed(begin, octets)) == stuff(text).removesuffix(b".\r\n")
    assert len(text) == octets
