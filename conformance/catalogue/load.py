"""The catalogue, read from the package's own data: once in a process, about 40 ms."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.requirement import Requirement, Section

T = TypeVar("T")
DATA: Final = files("conformance.catalogue")


@cache
def catalogue() -> Mapping[str, Requirement]:
    """Return every requirement by its id, in the order of the sections. CatalogueError if the data are broken."""
    return MappingProxyType(by_id(sections()))


@cache
def sections() -> tuple[Section, ...]:
    """Return the sections in their order. CatalogueError if the data are broken."""
    found = read_sections(DATA / "rows")
    return tuple(sorted(found, key=lambda section: [int(part) for part in section.number.split(".")]))


def read_sections(directory: Traversable) -> list[Section]:
    """Read every file of rows in a directory."""
    try:
        rows = [file for file in directory.iterdir() if file.name.endswith(".toml")]
    except OSError as exc:
        raise CatalogueError(f"this installation has no catalogue: {exc}") from None
    if not rows:
        raise CatalogueError(f"this installation has no catalogue: no rows in {directory}")
    return [read_data(file, Section) for file in rows]


def by_id(found: Iterable[Section]) -> dict[str, Requirement]:
    """Return the sections' requirements by id; an id given twice is a CatalogueError."""
    requirements: dict[str, Requirement] = {}
    for section in found:
        for requirement in section.requirement:
            if requirement.id in requirements:
                raise CatalogueError(f"the installed catalogue is broken: {requirement.id} is there twice")
            requirements[requirement.id] = requirement
    return requirements


def read_data(file: Traversable, kind: type[T]) -> T:
    """Read one of the catalogue's own files. CatalogueError names the file and what is wrong in it."""
    try:
        return msgspec.toml.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise CatalogueError(f"the installed catalogue is broken: {file.name}: {exc}") from None
