"""The lines of what went wrong: what the disk has no room for is said, at the last moment too."""

from pathlib import Path

import pytest

from loadgen.ledger.delivery import ACCEPTED, Attempt, Delivery
from loadgen.ledger.record import Record
from reports.errors import UserError

FULL = Path("/dev/full")
LOST = Delivery("lost", "a", [Attempt(0, 0, "a", ACCEPTED, 250, "", b"d", 0, 1, 2)], [])


def write(lines: int, then: Exception | None = None) -> None:
    with Record(FULL if FULL.exists() else None, "run.") as made:
        for _ in range(lines):
            made.write(LOST, "in no maildrop")
        if then is not None:
            raise then


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("lines", [1, 10_000])
def test_a_full_disk_is_said_however_little_was_written(lines: int) -> None:
    with pytest.raises(UserError, match="cannot write /dev/full: No space left on device"):
        write(lines)


def test_where_something_else_went_wrong_that_is_what_is_told() -> None:
    with pytest.raises(KeyError):
        write(1, then=KeyError())
