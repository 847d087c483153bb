"""What the audit has to say about a line."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How much a remark weighs."""

    CONTRADICTION = "contradiction"      # it cannot be so: a clock is wrong, or a line was not written by a server
    BREAK = "break"                      # nothing connects two lines: what is below may have been added by anybody
    DOUBT = "doubt"                      # lawful, seen in honest mail too, and worth a look


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark, in one sentence."""

    line: int                            # 1 is the top-most
    weight: Weight
    kind: str                            # "order", "adjacency", "pair" …: the same for the same thing
    sentence: str
