"""The lawful choices that the reference server can be told to make, by name; one module for each kind.

A choice is made at the points at which faults are (`Fault` is the shape of both), but it breaks nothing: the RFCs
leave it open, or servers everywhere are set up so. No case may hold one against a server.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from conformance.refserver.fault import Fault


def _collect() -> Mapping[str, Fault]:
    choices: dict[str, Fault] = {}
    for module in iter_modules(__path__):
        for choice in import_module(f"{__name__}.{module.name}").CHOICES:
            assert choice.name not in choices, f"two choices are named {choice.name}"
            choices[choice.name] = choice
    return MappingProxyType(choices)


CHOICES: Final = _collect()
