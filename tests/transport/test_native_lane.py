"""Which lane there is, and what is said where it is not the native one. What it does: tests/session/test_native_*."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import trio

from loadgen.transport import native_lane
from loadgen.transport.epoll import EpollReadiness, serve_epoll
from loadgen.transport.native_lane import SWITCH, lane_in_words, why_not_native


@pytest.fixture(autouse=True)
def looks_afresh() -> Iterator[None]:
    why_not_native.cache_clear()
    yield
    why_not_native.cache_clear()


def test_it_is_switched_off_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "python")
    assert lane_in_words() == f"python: {SWITCH}=python"


@pytest.mark.parametrize(
    ("module", "why"), [(None, "it was not built"), (SimpleNamespace(source_checksum=0), "it was built from another")]
)
def test_what_is_missing_or_stale_is_not_used_and_says_so(
    monkeypatch: pytest.MonkeyPatch, module: SimpleNamespace | None, why: str
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(native_lane, "_module", lambda: module)
    assert lane_in_words().startswith(f"python: {why}")


def test_a_clock_it_cannot_read_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(native_lane, "_module", lambda: SimpleNamespace(source_checksum=native_lane.checksum()))
    monkeypatch.setattr(time, "get_clock_info", lambda name: SimpleNamespace(implementation="mach_absolute_time()"))
    assert "the clock" in lane_in_words()


async def test_in_virtual_time_all_is_led_in_python(nursery: trio.Nursery, autojump_clock: object) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    assert readiness.lanes is None
