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

    def of(self, cases: Collection[Case], requirements: Mapping[str, Requirement]) -> list[Case]:
        """Return the cases asked for, in their order. UserError if a glob of `only` matches none at all."""
        for glob in self.only:
            if not any(_matches(case, requirements, [glob]) for case in cases):
                raise UserError(f'--only "{glob}" matches no case; `mailproof conform --list` shows them all')
        return [
            case for case in cases
            if (self.requirements is None or case.requirement in self.requirements)
            and (not self.only or _matches(case, requirements, self.only))
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
