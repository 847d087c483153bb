"""Passing trouble: a share of what happens is put off with 4yz. Lawful, so a variant (RFC 5321 §4.2.1)."""

from math import ceil


class Trouble:
    """Strikes an even share of what happens, the first and then every so many: no chance, so a run repeats."""

    __slots__ = ("_happened",)

    def __init__(self) -> None:
        self._happened = 0

    def strikes(self, share: float) -> bool:
        """Count one thing that happens, and say whether it is struck."""
        before = ceil(self._happened * share)
        self._happened += 1
        return ceil(self._happened * share) > before
