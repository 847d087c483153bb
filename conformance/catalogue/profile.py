"""Profiles: which requirements concern a server of some kind. Families are the first words of the ids."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache

from msgspec import Struct

from conformance.catalogue.load import DATA, read_data, sections
from conformance.catalogue.requirement import Level, Section, Words
from reports.errors import UserError


class Profile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of server. A requirement concerns it by its family, its section or its id, unless it is left out."""

    sentence: Words
    families: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()           # their numbers
    levels: tuple[Level, ...] = ()           # of the families' requirements; empty: all
    also: tuple[str, ...] = ()               # ids, whatever their family
    without: tuple[str, ...] = ()            # globs on ids

    def ids(self) -> frozenset[str]:
        """Return the ids of the requirements that concern such a server."""
        return frozenset(id_ for section in sections() for id_ in self._of(section))

    def _of(self, section: Section) -> list[str]:
        return [
            row.id for row in section.requirement
            if (row.id in self.also
                or section.number in self.sections
                or (row.family in self.families and (not self.levels or row.level in self.levels)))
            and not any(fnmatchcase(row.id, glob) for glob in self.without)
        ]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    family: dict[str, Words]
    profile: dict[str, Profile]


@cache
def _file() -> _File:
    return read_data(DATA / "profiles.toml", _File)


def families() -> Mapping[str, str]:
    """Return what each family is about, in the order in which reports show them."""
    return _file().family


def profiles() -> Mapping[str, Profile]:
    """Return every profile by its name."""
    return _file().profile


def profile(name: str) -> Profile:
    """Return the profile of this name. UserError lists the names there are."""
    if name not in profiles():
        raise UserError(f"there is no profile {name}; there is {', '.join(profiles())}")
    return profiles()[name]
