"""Which cases are asked for: by profile, by requirement set, by globs on ids and sections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.case import Case
from conformance.catalogue.requirement import Requirement
from reports.errors import UserError


@dataclass(frozen=True, slots=True)
class Selection:
    """What the operator asked for. Empty: everything."""

    only: tuple[str, ...] = ()           # globs: "smtp.rset.*", "*#nul", "RFC 5321 §4.1.1.*"
    skip: tuple[str, ...] = ()
    requirements: frozenset[str] | None = None     # of a set and a profile; None: all
    cases: frozenset[str] | None = None            # of a set, by id; None: all

    def of(self, cases: Collection[Case], requirements: Mapping[str, Requirement]) -> list[Case]:
        """Return the cases asked for, in their order: none, if only passive requirements are.

        UserError if a glob of `only` matches nothing at all.
        """
        passive = [row for row in requirements.values() if row.passive]
        for glob in self.only:
            if not any(_matches(case, requirements, [glob]) for case in cases) and not any(
                _fits((row.id, *row.sources), [glob]) for row in passive
            ):
                raise UserError(f'--only "{glob}" matches no case; `mailproof conform --list` shows them all')
        return [
            case for case in self._of_any(cases, requirements)
            if not self.only or _matches(case, requirements, self.only)
        ]  # fmt: skip

    def heard_in(self, cases: Collection[Case], requirements: Mapping[str, Requirement]) -> list[Case]:
        """Return the cases in which the passive requirements asked for are overheard; none if none is asked for."""
        if any(row.passive and self.allows(row) and self.names(row) for row in requirements.values()):
            return self._of_any(cases, requirements)
        return []

    def _of_any(self, cases: Collection[Case], requirements: Mapping[str, Requirement]) -> list[Case]:
        return [
            case for case in cases
            if (self.requirements is None or case.requirement in self.requirements)
            and (self.cases is None or case.id in self.cases)
            and not _matches(case, requirements, self.skip)
        ]  # fmt: skip

    def allows(self, requirement: Requirement) -> bool:
        """Say whether a requirement is of the set and profile asked for, and not to be skipped."""
        wanted = self.requirements is None or requirement.id in self.requirements
        return wanted and not _fits((requirement.id, *requirement.sources), self.skip)

    def names(self, requirement: Requirement) -> bool:
        """Say whether a requirement that needs no case is asked for."""
        return not self.only or _fits((requirement.id, *requirement.sources), self.only)


def _matches(case: Case, requirements: Mapping[str, Requirement], globs: Sequence[str]) -> bool:
    return _fits((case.id, case.usual_id, case.requirement, *requirements[case.requirement].sources), globs)


def _fits(names: Sequence[str], globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)
