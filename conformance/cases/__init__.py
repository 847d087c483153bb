"""The cases, one module for each area of the catalogue. Importing this package registers all of them."""

from importlib import import_module
from pkgutil import walk_packages


def register_all() -> None:
    """Import every module of cases, so that `conformance.case.CASES` holds them."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
