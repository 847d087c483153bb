"""What every table of the vocabulary is made of: a struct that never changes, and fields that say what they mean."""

from typing import Any, TypeVar

import msgspec
from msgspec import Meta

from loadgen.scenario.quantities import Leaf

SomeLeaf = TypeVar("SomeLeaf", bound=Leaf[Any])


def says(description: str) -> Meta:
    """Return what the schema says of a field."""
    return Meta(description=description)


def default(kind: type[SomeLeaf], written: object) -> SomeLeaf:
    """Return the field's default as a file would write it.

    By a factory, because msgspec's schema maker cannot write down a default of a class it does not know.
    """
    value = kind.parse(written)
    field: SomeLeaf = msgspec.field(default_factory=lambda: value)
    return field


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A TOML table: its keys are known, and it never changes."""
