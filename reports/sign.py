"""One sign of the generator's health, as verdict, summary and report all see it."""

from dataclasses import dataclass
from typing import Final

NOT_JUDGED: Final = ""
NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of health."""

    name: str
    measured: str
    allowed: str = NOT_JUDGED
    doubt: str | None = None      # a whole sentence: which limit was hit, by how much, and what to do about it
    note: str = ""                # what the reader should know of how it was measured
