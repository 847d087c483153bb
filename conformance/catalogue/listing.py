"""What `mailproof conform --list` shows: every row, and how it is looked into, counted honestly."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.load import catalogue, sections
from conformance.catalogue.requirement import Requirement


class How(StrEnum):
    """How a requirement is looked into."""

    CASE = "case"
    MONITOR = "monitor"              # on every reply of every case
    REASON = "not executed"          # and the row says why
    NOTHING = "no case yet"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    requirement: Requirement
    how: How


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are looked into, and how. Invariant: `planned` is the sum of the others."""

    planned: int
    by_case: int
    by_monitor: int
    with_reason: int
    without: int

    @property
    def executed(self) -> int:
        """Return how many rows are looked into at all."""
        return self.by_case + self.by_monitor


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a section."""

    number: str
    title: str
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> Counts:
        """Count its rows."""
        return count(self.entries)


def listing(cases: Iterable[str], *, only: Collection[str] | None = None) -> tuple[Group, ...]:
    """Return the sections with their rows, each with how it is looked into.

    `cases` are the ids of cases: of their requirements, and of variants behind a `#`. `only` leaves other rows out,
    and sections of which none is left. CatalogueError if a case is of no requirement.
    """
    asked = {case.partition("#")[0] for case in cases}
    if strange := sorted(asked - catalogue().keys()):
        raise CatalogueError(f"a case names {strange[0]}, which is no requirement of the catalogue")
    groups = (
        Group(
            section.number,
            section.title,
            tuple(Entry(row, how(row, asked)) for row in section.requirement if only is None or row.id in only),
        )
        for section in sections()
    )
    return tuple(group for group in groups if group.entries)


def how(requirement: Requirement, asked: Collection[str]) -> How:
    """Say how a requirement is looked into, when cases ask for these."""
    if requirement.id in asked:
        return How.CASE
    if requirement.passive:
        return How.MONITOR
    return How.REASON if requirement.why_not_executed else How.NOTHING


def count(entries: Iterable[Entry]) -> Counts:
    """Count rows by how they are looked into."""
    ways = [entry.how for entry in entries]
    return Counts(len(ways), *(ways.count(way) for way in (How.CASE, How.MONITOR, How.REASON, How.NOTHING)))


def count_by_family(groups: Iterable[Group]) -> dict[str, Counts]:
    """Count the rows of each family, in the order in which they first come."""
    families: dict[str, list[Entry]] = {}
    for group in groups:
        for entry in group.entries:
            families.setdefault(entry.requirement.family, []).append(entry)
    return {family: count(entries) for family, entries in families.items()}
