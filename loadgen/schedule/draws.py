"""Random numbers that belong to a number: what is drawn for k depends on the seed, a purpose and k alone.

Seeding Python's generator costs 5 µs, half of what an arrival's plan did, for its 2,500 octets of state of which a
plan uses one number or two. A hash in counter mode has no state to fill: BLAKE2b of k and a block's number, after
the seed and the purpose, gives eight numbers of 64 bits at a time.
"""

import random
from hashlib import blake2b
from struct import Struct
from typing import Final, Self

_WORDS: Final = Struct("<8Q")      # one digest of BLAKE2b
_WORD_BITS: Final = 64
_FRACTION_BITS: Final = 53         # of a float


class Draws(random.Random):
    """The streams of one purpose, one for every number; all of `random.Random`'s distributions draw from them.

    One stream at a time: `of` begins the next.
    """

    def __init__(self, purpose: str) -> None:
        super().__init__(0)        # a state that nothing is drawn from
        self._purpose = blake2b(f"{purpose}/".encode())
        self._numbers: tuple[int, ...] = ()
        self._blocks = 0
        self._left: list[int] = []

    def of(self, *numbers: int) -> Self:
        """Begin the stream of a number, or of several together."""
        self._numbers = numbers
        self._blocks = 0
        self._left.clear()
        self.gauss_next = None     # gauss() makes two numbers and keeps one: it is the last stream's
        return self

    def random(self) -> float:
        """Return a number from 0 up to 1, 1 excluded."""
        return (self._word() >> (_WORD_BITS - _FRACTION_BITS)) * 2.0**-_FRACTION_BITS

    def getrandbits(self, k: int, /) -> int:
        """Return a whole number of `k` random bits."""
        bits, value = _WORD_BITS, self._word()
        while bits < k:
            bits, value = bits + _WORD_BITS, value << _WORD_BITS | self._word()
        return value >> (bits - k)

    def _word(self) -> int:
        if not self._left:
            block = self._purpose.copy()
            block.update(b"%d/" * len(self._numbers) % self._numbers + b"%d" % self._blocks)
            self._left = list(_WORDS.unpack(block.digest()))
            self._blocks += 1
        return self._left.pop()
