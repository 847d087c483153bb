"""Fixtures for the reference server's tests."""

from collections.abc import Callable

import pytest

from tests.refserver.bench import Bench
from tests.refserver.bench import make_bench as make


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """Return the maker of benches."""
    return make


@pytest.fixture
def bench() -> Bench:
    """Return a bench as the server is by default."""
    return make()
