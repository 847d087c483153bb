"""A requirement: one thing an RFC, or practice, asks of a mail server and a client can see from outside."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+(\.[a-z0-9]+(-[a-z0-9]+)*)+$")]
Words = Annotated[str, Meta(min_length=1)]
NeedName = Annotated[str, Meta(pattern=r"^(r|x|a|k|p|p2|t|z|q|slow|n>1|w|adm|sink|x25|ext:[A-Z0-9-]+)$")]


class Level(StrEnum):
    """How strongly it is asked. RFC 2119's words; MUST* and HARD are the catalogue's own."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    MUST_IN_PROSE = "MUST*"      # plain prose, a lower-case must, or ABNF with the same force
    SHOULD = "SHOULD"
    MAY = "MAY"                  # recorded, can never fail
    HARD = "HARD"                # hardening and robustness: no RFC is broken

    @property
    def binding(self) -> bool:
        """Say whether a departure breaks an RFC: only then can it be a failure."""
        return self in {Level.MUST, Level.MUST_NOT, Level.MUST_IN_PROSE}


class Requirement(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of the catalogue. Unless `exact`, only the first digit of a reply code is judged.

    What a departure is called follows from the level: fail, latitude (SHOULD), weak (HARD). A MAY has `observed`
    instead of `passes`: it cannot be departed from.
    """

    id: Id                                   # protocol.area.behaviour. Invariant: never renamed, never used again
    sources: Annotated[tuple[Words, ...], Meta(min_length=1)]      # "RFC 5321 §4.1.1.5", "operational practice"
    level: Level
    needs: tuple[NeedName, ...] = ()         # the values of Need, and "ext:KEYWORD" for what EHLO or CAPA must offer
    passive: bool = False                    # judged by a monitor on every reply, not by a case of its own
    exact: bool = False                      # the whole code is judged
    idea: Words                              # how it is found out, in a line
    passes: str = ""
    fails: str = ""                          # empty: anything else
    not_applicable: str = ""                 # beside a need that is not met
    observed: str = ""
    divergence: str = ""                     # the class of a departure that practice has relaxed everywhere
    divergence_when: str = ""                # only this departure is one, any other is a failure; empty: every one
    red_by_policy: bool = False              # HARD, and shown as a failure: mail or secrets cross users
    corrected: str = ""                      # how, and by which section, it departs from the list first written
    why_not_executed: str = ""               # empty, and without a case: no case yet

    @property
    def family(self) -> str:
        """Return the first word of its id."""
        return self.id.partition(".")[0]

    @property
    def relaxed(self) -> bool:
        """Say whether every departure from it is a divergence."""
        return bool(self.divergence) and not self.divergence_when

    @property
    def extensions(self) -> tuple[str, ...]:
        """Return the keywords that EHLO or CAPA must offer."""
        return tuple(need.removeprefix("ext:") for need in self.needs if need.startswith("ext:"))


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of rows: what belongs to one subject, in the order of the subject."""

    number: Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9])?$")]
    title: Words
    note: str = ""                           # holds for all its rows
    requirement: Annotated[tuple[Requirement, ...], Meta(min_length=1)]
