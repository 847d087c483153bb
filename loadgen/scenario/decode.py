"""From TOML's plain data to structs, finding every problem of form on the way, not just the first.

msgspec's own `convert` stops at the first mistake. This walks the same type information (`msgspec.inspect`),
so the structs stay the one description of the vocabulary; a test holds the two to the same answers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import NODEFAULT, inspect

from loadgen.scenario.problems import Problem, UnreadableError, join, near_miss, nearest, show, unknown_key
from loadgen.scenario.quantities import Leaf


class _Broken:
    """What stands for a value that could not be read; its problems are already listed."""


BROKEN: Final = _Broken()


@dataclass(slots=True)
class Decoder:
    """Reads plain data into the types of the model; `problems` fills up in the order of the file."""

    sections: frozenset[str] = frozenset()   # the keys of the whole file
    problems: list[Problem] = field(default_factory=list)

    def read(self, node: inspect.Type, value: object, path: str) -> object:
        """Return `value` as the type of `node`, or BROKEN after listing why not."""
        match bare(node):
            case inspect.StructType() as struct:
                return self._struct(struct, value, path)
            case inspect.UnionType() as union:
                return self._union(union, value, path)
            case inspect.VarTupleType() as items:
                return self._items(items, value, path)
            case inspect.CustomType() as leaf:
                return self._leaf(leaf.cls, value, path)
            case scalar:
                return self._scalar(scalar, value, path)

    def _struct(self, node: inspect.StructType, value: object, path: str) -> object:
        """Return the struct whose every field could be read, or BROKEN."""
        values = self.fields(node, value, path)
        if values is None or BROKEN in values.values():
            return BROKEN
        return node.cls(**values)

    def fields(
        self, node: inspect.StructType, value: object, path: str, *, item_by_item: bool = False
    ) -> dict[str, Any] | None:
        """Return each field read on its own, BROKEN where that failed, or None if `value` is no table.

        `item_by_item` keeps a list with BROKEN items in it, rather than call the whole list BROKEN.
        """
        if not isinstance(value, dict):
            self._refuse(path, value, "a table")
            return None
        known = {each.encode_name: each for each in node.fields}
        keys = [*([node.tag_field] if node.tag_field else []), *known]
        values: dict[str, Any] = {}   # of whatever type each field's node says
        for key, item in value.items():
            if key in known:
                inner = bare(known[key].type)
                if item_by_item and isinstance(inner, inspect.VarTupleType):
                    items = self._each(inner, item, join(path, key))
                    values[known[key].name] = BROKEN if items is None else items
                else:
                    values[known[key].name] = self.read(inner, item, join(path, key))
            elif key != node.tag_field:
                self.problems.append(self._unknown(path, key, keys))
                values[key] = BROKEN
        for key, each in known.items():
            if each.required and key not in value:
                what = f"missing, expected {described(each.type)}"
                self.problems.append(Problem(join(path, key), what=what))
                values[each.name] = BROKEN
        return values

    def _unknown(self, path: str, key: str, keys: list[str]) -> Problem:
        if path and key in self.sections:   # TOML gives a key to whichever table was opened last
            hint = f"`{key}` belongs to the whole file: put it above the first [table], or write [{key}]"
            return Problem(join(path, key), what="unknown key", hint=hint)
        return unknown_key(path, key, keys)

    def _union(self, node: inspect.UnionType, value: object, path: str) -> object:
        structs = {each.tag: each for each in node.types if isinstance(each, inspect.StructType)}
        if len(structs) > 1:
            return self._tagged(structs, value, path)
        scalars = [each for each in node.types if not isinstance(each, inspect.NoneType)]
        if len(scalars) == 1:
            return self.read(scalars[0], value, path)
        for each in scalars:
            trial = Decoder()
            if (read := trial.read(each, value, path)) is not BROKEN:
                return read
        return self._refuse(path, value, described(node))

    def _tagged(self, structs: Mapping[Any, inspect.StructType], value: object, path: str) -> object:
        if not isinstance(value, dict):
            return self._refuse(path, value, "a table")
        tag_field = next(iter(structs.values())).tag_field or ""
        allowed = f"one of {', '.join(structs)}"
        if tag_field not in value:
            self.problems.append(Problem(join(path, tag_field), what=f"missing, expected {allowed}"))
            return BROKEN
        tag = value[tag_field]
        if not isinstance(tag, str) or tag not in structs:
            broken = self._refuse(join(path, tag_field), tag, allowed, near_miss(str(tag), structs))
            if (meant := nearest(str(tag), structs)) is not None:    # tell the other mistakes in it as well
                self._struct(structs[meant], value, path)
            return broken
        return self._struct(structs[tag], value, path)

    def _items(self, node: inspect.VarTupleType, value: object, path: str) -> object:
        items = self._each(node, value, path)
        return BROKEN if items is None or BROKEN in items else items

    def _each(self, node: inspect.VarTupleType, value: object, path: str) -> tuple[object, ...] | None:
        """Return each item read on its own (BROKEN where it could not be), or None if `value` is no list."""
        if not isinstance(value, list):
            more = f"write [[{path}]] with two brackets" if path.isidentifier() else "put it in [ ]"
            self._refuse(path, value, described(node), more if isinstance(value, dict) else "")
            return None
        if len(value) < (node.min_length or 0):
            self._refuse(path, value, f"at least {node.min_length} of {described(node.item_type)}")
            return None
        return tuple(self.read(node.item_type, item, f"{path}[{i}]") for i, item in enumerate(value))

    def _leaf(self, kind: type, value: object, path: str) -> object:
        assert issubclass(kind, Leaf), f"{kind} is no Leaf of the vocabulary"
        try:
            return kind.parse(value)
        except UnreadableError as error:
            self.problems += [problem.under(path) for problem in error.problems]
            return BROKEN

    def _scalar(self, node: inspect.Type, value: object, path: str) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        match node, value:
            case inspect.FloatType(), int() | float() if number and _within(node, value):
                return float(value)
            case inspect.IntType(), int() if number and _within(node, value):
                return value
            case (inspect.BoolType(), bool()) | (inspect.LiteralType() | inspect.StrType(), str()) if (
                _fits(node, value)
            ):
                return value
            case inspect.LiteralType(), _:
                hint = near_miss(str(value), map(str, node.values))
                return self._refuse(path, value, described(node), hint)
            case _:
                return self._refuse(path, value, described(node))

    def _refuse(self, path: str, value: object, allowed: str, hint: str = "") -> _Broken:
        self.problems.append(Problem(path, got=show(value), allowed=allowed, hint=hint))
        return BROKEN


def default_of(field: inspect.Field) -> Any:
    """Return what a field is when its key is left out; BROKEN if it may not be."""
    if field.default is not NODEFAULT:
        return field.default
    return BROKEN if field.default_factory is NODEFAULT else field.default_factory()


def bare(node: inspect.Type) -> inspect.Type:
    """Return a type without what is only said about it."""
    return bare(node.type) if isinstance(node, inspect.Metadata) else node


def described(node: inspect.Type) -> str:
    """Return what a type allows, in words."""
    match bare(node):
        case inspect.StructType():
            words = "a table"
        case inspect.UnionType() as union:
            each = [described(one) for one in union.types if not isinstance(one, inspect.NoneType)]
            words = " or ".join(dict.fromkeys(each))
        case inspect.VarTupleType() as items:
            inner = described(items.item_type)
            words = "a list of tables" if inner == "a table" else f"a list, each {inner}"
        case inspect.LiteralType() as literal:
            words = f"one of {', '.join(str(value) for value in literal.values)}"
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType() as whole:
            words = f"a whole number{_range(whole)}"
        case inspect.FloatType() as number:
            words = f"a number{_range(number)}"
        case inspect.StrType() as text:
            words = f"text of 1 to {text.max_length} characters" if text.max_length else "text"
        case inspect.CustomType() as leaf:
            words = str(getattr(leaf.cls, "ALLOWED", "a value"))
        case other:
            raise AssertionError(f"the vocabulary uses a type this cannot read: {other}")
    return words


def _range(node: inspect.IntType | inspect.FloatType) -> str:
    match node.ge, node.le:
        case None, None:
            return ""
        case low, None:
            return f", at least {low}"
        case low, high:
            return f" from {low} to {high}"


def _within(node: inspect.IntType | inspect.FloatType, value: float) -> bool:
    return (
        math.isfinite(value)
        and (node.ge is None or value >= node.ge)
        and (node.le is None or value <= node.le)
    )


def _fits(node: inspect.Type, value: object) -> bool:
    match node:
        case inspect.LiteralType():
            return value in node.values
        case inspect.StrType():
            length_max = math.inf if node.max_length is None else node.max_length
            return (node.min_length or 0) <= len(str(value)) <= length_max
        case _:
            return True
