"""Random numbers that belong to a number: what is drawn for k depends on the seed, a purpose and k alone.

Seeding Python's generator costs 5 µs, more than all else that an arrival's plan does, for its 2,500 octets of state of
which a plan uses one number or two. A hash in counter mode has no state to fill: BLAKE2b of k and a block's number,
after the seed and the purpose, gives eight numbers of 64 bits at a time, each unpacked when it is drawn.
"""

import random
from hashlib import blake2b
from struct import Struct
from typing import Final, Self

import numpy as np
import numpy.typing as npt

_BLOCK_OCTETS: Final = blake2b.MAX_DIGEST_SIZE
_WORD_OCTETS: Final = 8
_WORD_BITS: Final = 8 * _WORD_OCTETS
_word_at: Final = Struct("<Q").unpack_from
_BLOCK_WORDS: Final = _BLOCK_OCTETS // _WORD_OCTETS
_WORDS: Final = np.dtype("<u8")
_FRACTION_BITS: Final = 53         # of a float
_BEYOND_FRACTION: Final = _WORD_BITS - _FRACTION_BITS
_SCALE: Final = 2.0**-_FRACTION_BITS
_COUNTED: Final = tuple([b"%d/" * count + b"%d" for count in range(8)])      # so many numbers, and the block's


class Draws(random.Random):
    """The streams of one purpose, one for every number; all of `random.Random`'s distributions draw from them.

    One stream at a time: `of` begins the next.
    """

    # Slots: there is a dictionary as well, for what is the base's, but attributes in it cost thrice as much.
    __slots__ = ("_block", "_blocks", "_left", "_numbers", "_purpose")

    def __init__(self, purpose: str) -> None:
        super().__init__(0)        # a state that nothing is drawn from
        self._purpose = blake2b(f"{purpose}/".encode())
        self._numbers: tuple[int, ...] = ()
        self._blocks = 0
        self._block = b""
        self._left = 0             # octets of the block not drawn yet: they are drawn from its end

    def of(self, *numbers: int) -> Self:
        """Begin the stream of a number, or of several together."""
        self._numbers = numbers
        self._blocks = self._left = 0
        self.gauss_next = None     # gauss() makes two numbers and keeps one: it is the last stream's
        return self

    def random(self) -> float:
        """Return a number from 0 up to 1, 1 excluded."""
        if not self._left:
            self._begin_block()
        self._left = left = self._left - _WORD_OCTETS      # `_word`, without the call: most plans draw but this
        word: int = _word_at(self._block, left)[0]
        return (word >> _BEYOND_FRACTION) * _SCALE

    def several(self, count: int) -> npt.NDArray[np.float64]:
        """Return as many as `random` would return one after another."""
        first, blocks = self._block[: self._left], list[bytes]()
        words = self._left // _WORD_OCTETS
        while words < count:
            self._begin_block()
            blocks.append(self._block)
            words += _BLOCK_WORDS
        self._left = (words - count) * _WORD_OCTETS
        further = np.frombuffer(b"".join(blocks), dtype=_WORDS).reshape(-1, _BLOCK_WORDS)[:, ::-1]
        drawn = np.concatenate((np.frombuffer(first, dtype=_WORDS)[::-1], further.ravel()))[:count]
        return (drawn >> np.uint64(_BEYOND_FRACTION)).astype(np.float64) * _SCALE

    def getrandbits(self, k: int, /) -> int:
        """Return a whole number of `k` random bits."""
        bits, value = _WORD_BITS, self._word()
        while bits < k:
            bits, value = bits + _WORD_BITS, value << _WORD_BITS | self._word()
        return value >> (bits - k)

    def _word(self) -> int:
        if not self._left:
            self._begin_block()
        self._left = left = self._left - _WORD_OCTETS
        word: int = _word_at(self._block, left)[0]
        return word

    def _begin_block(self) -> None:
        block = self._purpose.copy()
        block.update(_COUNTED[len(self._numbers)] % (*self._numbers, self._blocks))
        self._block = block.digest()
        self._blocks += 1
        self._left = _BLOCK_OCTETS
