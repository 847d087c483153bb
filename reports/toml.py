"""The resolved scenario as TOML again: the language its author wrote it in. (The standard library only reads it.)"""

import json
import re
from collections.abc import Iterator
from typing import Final

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(tables: dict[str, object]) -> str:
    """Return plain data (as JSON has it) as TOML. TOML has no null: a key without a value is left out."""
    return "\n".join(_table(tables, path=())).strip() + "\n"


def _table(table: dict[str, object], path: tuple[str, ...]) -> Iterator[str]:
    """Give a table's plain values, then its sub-tables: the only order TOML allows."""
    for key, value in table.items():
        if value is not None and not _is_section(value, path):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        here = (*path, key)
        heading = ".".join(map(_key, here))
        if not _is_section(value, path):
            continue
        for each in value if isinstance(value, list) else [value]:
            assert isinstance(each, dict)
            yield ""
            yield f"[[{heading}]]" if isinstance(value, list) else f"[{heading}]"
            yield from _table(each, here)


def _is_section(value: object, path: tuple[str, ...]) -> bool:
    """Say whether a value gets a heading of its own: tables at the top do, what is inside them is written inline."""
    if path:
        return False
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, dict) for each in value)
    return isinstance(value, dict)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case dict():
            inside = ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items() if v is not None)
            return f"{{ {inside} }}" if inside else "{}"
        case list():
            return _array([_value(each) for each in value if each is not None])
        case _:
            return _string(str(value))


def _array(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    return line if len(line) <= 80 else "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def _string(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, but for DEL and for surrogate pairs."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
