"""How much of the matrix is asked for: by `make matrix` all, by `make matrix PIECE=3/40` a part, else a sample."""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")
WHOLE: Final = "whole"
ASKED_FOR: Final = os.environ.get("MAILPROOF_MATRIX", "")
# A test of every case takes some ten seconds of a processor: under its cap it may be one of many on a busy machine.
CAP_S: Final = 600 if ASKED_FOR else 60


def piece_of(everything: Sequence[T], asked_for: str = ASKED_FOR) -> Sequence[T]:
    """Return what is asked for of something: every fortieth for "3/40", from the third on; all if nothing is said.

    ValueError if it is neither that nor the whole.
    """
    if asked_for in {"", WHOLE}:
        return everything
    number, of, count = asked_for.partition("/")
    if not (of and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f'the matrix: expected "{WHOLE}" or a piece such as "3/40"; got "{asked_for}"')
    return everything[int(number) - 1 :: int(count)]
