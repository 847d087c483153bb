"""`mailproof doctor`: what a run would need, what of it is there, and what the rest would unlock."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.case import Case
from conformance.catalogue.need import Need, words_for
from conformance.catalogue.requirement import Requirement
from conformance.plan import unmet_needs
from conformance.subject import Subject

_OF_THE_SERVER: Final = (Need.TLS, Need.SEVERAL_CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One need of the rows that are executed."""

    need: str
    met: bool
    rows: int            # that need it
    unlocked: int        # that need nothing else which is not met; 0 if it is met

    @property
    def words(self) -> str:
        """Return what it is, as it reads in a list."""
        return words_for(self.need).sentence

    @property
    def remedy(self) -> str:
        """Return the option that gives it, or what the server has to do."""
        return words_for(self.need).given_by

    @property
    def is_the_servers(self) -> bool:
        """Say whether nothing that can be declared gives it."""
        return self.need.startswith("ext:") or self.need in _OF_THE_SERVER


@dataclass(frozen=True, slots=True)
class Examination:
    """What one endpoint gives occasion for."""

    rows: int                              # with a case for its protocol
    ready: int                             # of which every need is met
    diagnoses: tuple[Diagnosis, ...]       # missing ones first, those that unlock most in front


def examine(
    cases: Collection[Case], requirements: Mapping[str, Requirement], subject: Subject, *, slow: bool
) -> Examination:
    """Hold the needs of every row that these cases ask about against a sounded subject."""
    rows = [requirements[id_] for id_ in dict.fromkeys(case.requirement for case in cases)]
    unmet = {row.id: unmet_needs(row, subject, slow=slow) for row in rows}
    found = list(_diagnoses(rows, unmet))
    found.sort(key=lambda each: (each.met, -each.unlocked, -each.rows, each.need))
    return Examination(len(rows), sum(not missing for missing in unmet.values()), tuple(found))


def _diagnoses(rows: Collection[Requirement], unmet: Mapping[str, list[str]]) -> Iterator[Diagnosis]:
    for need in dict.fromkeys(need for row in rows for need in row.needs):
        having = [row for row in rows if need in row.needs]
        met = not any(need in unmet[row.id] for row in having)
        yield Diagnosis(need, met, len(having), sum(unmet[row.id] == [need] for row in having))
