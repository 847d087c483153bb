"""The published schemas of CI systems, and the linters of what they run: both come with development packages."""

import platform
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import validators
from ruamel.yaml import YAML

CHECKOUT = Path(__file__).resolve().parents[2]
Schema = Literal["vendor.github-actions", "vendor.github-workflows", "vendor.gitlab-ci"]
# YAML as read: maps, lists and words.
Node = dict[str, "Node"] | list["Node"] | str | int | bool | None


def parsed(text: str) -> dict[str, Node]:
    """Return a YAML file, which must be a map. An error ends the test."""
    read = YAML(typ="safe", pure=True).load(text)
    assert isinstance(read, dict)
    return read


def complaints(text: str, schema: Schema) -> list[str]:
    """Return where the text departs from the schema that the CI system publishes."""
    document = get_builtin_schema(schema)
    validator = validators.validator_for(document)(document)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(parsed(text))]


def lint(name: str, *arguments: str | Path) -> str:
    """Return what a linter finds; nothing is good. Skips where there is no wheel of it."""
    program = Path(sys.executable).with_name(name)
    if not program.exists() and platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip(f"there is no wheel of {name} for {platform.machine()}")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr
