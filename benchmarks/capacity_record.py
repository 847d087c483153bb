"""What searches for a known capacity came to. No process, no clock."""

from typing import Final

from msgspec import Struct, structs

CLOSE: Final = 0.05           # of the truth


class CapacitySearch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One search of a target whose capacity is known."""

    taken: str
    revision: str
    workers: int
    service_ms: float
    ceiling_per_s: float              # workers / mean: what is true
    finding: str
    good: float | None
    bad: float | None
    stages: int
    void: int                         # of them, those in which the generator could not be believed
    minutes: float
    load_average: float
    sentence: str

    @property
    def off(self) -> float | None:
        """Return how far the answer is from the truth, as a share of it."""
        return None if self.good is None else self.good / self.ceiling_per_s - 1

    @property
    def holds(self) -> bool:
        """Say whether the search came to an end, close to the truth."""
        return self.finding == "found" and self.off is not None and abs(self.off) <= CLOSE


class CapacityRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Searches with stages of the same lengths, one for each number of workers, in their order."""

    stage_s: float
    confirm_s: float
    searches: tuple[CapacitySearch, ...]

    def beside(self, before: "CapacityRecord | None") -> "CapacityRecord":
        """Return these searches with those of before that were not made again: of other numbers of workers."""
        if before is None or (before.stage_s, before.confirm_s) != (self.stage_s, self.confirm_s):
            return self
        again = {search.workers for search in self.searches}
        kept = [search for search in before.searches if search.workers not in again]
        return structs.replace(self, searches=tuple(sorted([*kept, *self.searches], key=lambda each: each.workers)))

    @property
    def holds(self) -> bool:
        """Say whether all of them did."""
        return all(search.holds for search in self.searches)
