"""Fixtures for the reference server's tests."""

import pytest

from tests.refserver.bench import Bench, MakeBench
from tests.refserver.bench import make_bench as make


@pytest.fixture
def make_bench() -> MakeBench:
    """Return the maker of benches."""
    return make


@pytest.fixture
def bench() -> Bench:
    """Return a bench as the server is by default."""
    return make()
