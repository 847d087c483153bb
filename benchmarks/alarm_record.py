"""What became of comparisons whose truth is known. No process, no clock."""

from typing import Final

from msgspec import Struct

ALARM: Final = 1                        # exit status of a comparison that shows new to be worse
FALSE_MAX, FOUND_MIN = 0.05, 0.9        # of 20: one false alarm at most, and 18 found


class Alarm(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of comparison, many times."""

    slower: bool                        # was new slower, in truth?
    gate: str
    codes: tuple[int, ...]              # the exit status of each
    judged: bool = True                 # False: only told, for nothing is promised of it

    @property
    def alarms(self) -> int:
        """Return how many alarmed."""
        return self.codes.count(ALARM)

    @property
    def holds(self) -> bool:
        """Say whether there were few alarms without cause, or many with one."""
        if not self.judged:
            return True
        if self.slower:
            return self.alarms >= FOUND_MIN * len(self.codes)
        return self.alarms <= FALSE_MAX * len(self.codes)


class AlarmRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of them, and what they were made of."""

    taken: str
    revision: str
    load_average: float
    sets: int
    runs: int                           # a side, in each set
    again: int                          # runs that could not be believed, and were made again
    service_ms: float
    slower_ms: float
    alarms: tuple[Alarm, ...]

    @property
    def holds(self) -> bool:
        """Say whether every kind of comparison came out as it should."""
        return all(alarm.holds for alarm in self.alarms)
