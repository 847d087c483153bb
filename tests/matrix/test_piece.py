"""Pieces of the matrix: together they are the whole, and none is in two."""

import pytest

from tests.matrix.piece import piece_of

EVERYTHING = list(range(100))


def test_the_pieces_together_are_the_whole() -> None:
    pieces = [piece_of(EVERYTHING, f"{number}/7") for number in range(1, 8)]
    assert sorted(each for piece in pieces for each in piece) == EVERYTHING
    assert piece_of(EVERYTHING, "whole") == piece_of(EVERYTHING, "") == EVERYTHING


@pytest.mark.parametrize("asked_for", ["half", "0/4", "5/4", "1/", "/4", "1/x"])
def test_what_is_no_piece_is_refused(asked_for: str) -> None:
    with pytest.raises(ValueError, match="a piece such as"):
        piece_of(EVERYTHING, asked_for)
