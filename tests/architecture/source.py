"""The project's own source, as the architecture tests read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("loadgen", "conformance", "reports", "scenarios")
DIRECTORIES = (*PACKAGES, "tests", "benchmarks", ".ci")
PRODUCTS = {".git", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}    # .git is a file in a worktree


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        """The path from the root of the checkout: how a failure names it."""
        return self.path.relative_to(CHECKOUT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every module imported anywhere in the file, with `trio.socket` for `from trio import socket`."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
        return frozenset(found)

    @cached_property
    def dotted_names(self) -> frozenset[str]:
        """Every `a.b` and `a.b.c` written in the file, and every plain name that is called."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name):
                found.add(ast.unparse(node))
        return frozenset(found)


def modules() -> Iterator[Module]:
    """Yield what is shipped: the packages' modules and the front door."""
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            yield Module(path)
    front_door = CHECKOUT / "mailproof.py"
    if front_door.exists():
        yield Module(front_door)


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Yield the name and text of every file of the project that is text. Needs no git: a source archive has none."""
    roots = [path for path in CHECKOUT.iterdir() if path.is_file()]
    for directory in DIRECTORIES:
        roots += (CHECKOUT / directory).rglob("*")
    for path in sorted(roots):
        if path.is_file() and not PRODUCTS.intersection(path.parts):
            try:
                yield path.relative_to(CHECKOUT).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
