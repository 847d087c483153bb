"""Requirement sets: the cases that a release judges by, frozen, so that a new case never turns an old green gate red.

A set names cases, variant by variant, and the requirements that need none. It is open until its release, which writes
its digest to `sets/frozen.toml`; from then on the file does not change. The requirement of an id in a set stays in the
catalogue for ever, or is retired; its id is never given to another.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.load import DATA, catalogue, read_data
from conformance.catalogue.requirement import Id, Words
from reports.errors import UserError

SetName = Annotated[str, Meta(pattern=r"^[0-9]{4}\.[0-9]+$")]


@dataclass(frozen=True, slots=True)
class RequirementSet:
    """What one release judges by."""

    name: str                    # "2026.1": year, number
    ids: frozenset[str]          # of cases, "smtp.rset.clears-envelope#data", and of passive requirements
    frozen: bool                 # released: its ids do not change any more

    @property
    def requirements(self) -> frozenset[str]:
        """Return the ids of the requirements that its cases are of."""
        return frozenset(id_.partition("#")[0] for id_ in self.ids)


class Retired(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An id that was in a released set and is in the catalogue no more."""

    id: Id
    since: SetName               # the first set without it
    why: Words
    instead: tuple[Id, ...] = ()


class _RetiredFile(Struct, frozen=True, forbid_unknown_fields=True):
    retired: tuple[Retired, ...] = ()


class _FrozenFile(Struct, frozen=True, forbid_unknown_fields=True):
    sha256: dict[SetName, str] = {}


@cache
def requirement_sets() -> Mapping[str, RequirementSet]:
    """Return every set by its name, oldest first. CatalogueError if one is broken or was changed after its release."""
    digests = read_data(DATA / "sets" / "frozen.toml", _FrozenFile).sha256
    files = {file.name.removesuffix(".txt"): file for file in (DATA / "sets").iterdir() if file.name.endswith(".txt")}
    if missing := sorted(digests.keys() - files.keys()):
        raise CatalogueError(f"the installed catalogue is broken: requirement set {missing[0]} is missing")
    return MappingProxyType({
        name: read_set(name, files[name].read_bytes(), digests.get(name))
        for name in sorted(files, key=lambda name: [int(part) for part in name.split(".")])
    })


def read_set(name: str, octets: bytes, digest: str | None) -> RequirementSet:
    """Read a set: an id a line, lines with # in front left out. `digest` is that of its release, if it had one."""
    if digest is not None and hashlib.sha256(octets).hexdigest() != digest:
        raise CatalogueError(f"the installed catalogue is broken: requirement set {name} is not as it was released")
    lines = [line.strip() for line in octets.decode("utf-8").splitlines()]
    ids = [line for line in lines if line and not line.startswith("#")]
    known = catalogue().keys() | retired().keys()
    for strange in (id_ for id_ in ids if id_.partition("#")[0] not in known):
        raise CatalogueError(f"the installed catalogue is broken: requirement set {name} names {strange}")
    if len(set(ids)) < len(ids):
        raise CatalogueError(f"the installed catalogue is broken: requirement set {name} names an id twice")
    return RequirementSet(name, frozenset(ids), digest is not None)


@cache
def retired() -> Mapping[str, Retired]:
    """Return the retired requirements by id. CatalogueError if one is still, or again, in the catalogue."""
    found = {one.id: one for one in read_data(DATA / "sets" / "retired.toml", _RetiredFile).retired}
    if again := sorted(found.keys() & catalogue().keys()):
        raise CatalogueError(f"the installed catalogue is broken: {again[0]} is retired, and must not be used again")
    return MappingProxyType(found)


def requirement_set(name: str) -> RequirementSet:
    """Return the set of this name. UserError lists the names there are."""
    found = requirement_sets()
    if name not in found:
        raise UserError(f"there is no requirement set {name}; there is {', '.join(found)}")
    return found[name]


def set_text(name: str, ids: Collection[str]) -> str:
    """Return a set's file: its ids in the order of the catalogue, the variants of a requirement by name."""
    order = {id_: number for number, id_ in enumerate(catalogue())}
    sorted_ids = sorted(ids, key=lambda id_: (order[id_.partition("#")[0]], id_))
    return "\n".join([f"# Requirement set {name}.", *sorted_ids, ""])
