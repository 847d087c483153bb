"""The faults the reference server can be given, by name; one module for each area of the catalogue."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from conformance.refserver.fault import Fault


def _collect() -> Mapping[str, Fault]:
    faults: dict[str, Fault] = {}
    for module in iter_modules(__path__):
        for fault in import_module(f"{__name__}.{module.name}").FAULTS:
            assert fault.name not in faults, f"two faults are named {fault.name}"
            faults[fault.name] = fault
    return MappingProxyType(faults)


FAULTS: Final = _collect()
