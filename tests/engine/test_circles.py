"""No session leaves a circle of references behind, however it ends: the collector does not look for them in a run."""

import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import MockClock

from loadgen.scenario.accounts import Account
from tests.engine.house import House, served_by
from tests.engine.test_shard import MIX, play, shard_of

TALK = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 20, for = "5s"}]
drain = "1s"
[limits]
greeting = "3s"
session = "2s"
[[session]]
kind = "smtp-deliver"
"""


async def hang_up(stream: trio.abc.Stream) -> None:
    await stream.aclose()


async def hang_up_amid_a_reply(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"220-mail.example.test\r\n22")
    await stream.aclose()


async def talk_nonsense(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"hello\r\n")
    await stream.receive_some()


async def refuse(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"554 no mail here\r\n")
    await stream.receive_some()
    await stream.send_all(b"221 bye\r\n")


async def be_silent(stream: trio.abc.Stream) -> None:     # outlives the session's limit, and at the end the drain
    await trio.sleep(60)


@contextmanager
def circles_found() -> Iterator[Counter[str]]:
    """Count which objects of ours are left for the collector to find, by type; the stage has its own circles."""
    found = Counter[str]()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found.update(type(each).__name__ for each in gc.garbage if type(each).__module__.startswith("loadgen."))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def left_behind(run: Callable[[], Awaitable[object]]) -> Counter[str]:
    """Return which objects of ours a run leaves for the collector to find."""
    with circles_found() as found:
        await run()
    return found


@pytest.mark.parametrize("serve", [hang_up, hang_up_amid_a_reply, talk_nonsense, refuse, be_silent])
async def test_a_session_that_ends_badly_leaves_no_circle(
    serve: Callable[[trio.abc.Stream], Awaitable[None]], autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        route = served_by(serve, nursery, "smtp")
        assert await left_behind(lambda: play(shard_of(TALK), {"smtp": route})) == {}
        nursery.cancel_scope.cancel()


async def test_sessions_of_every_common_kind_leave_no_circle(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        assert await left_behind(lambda: play(shard_of(MIX), house.routes())) == {}
        nursery.cancel_scope.cancel()


def test_a_circle_would_be_found() -> None:
    async def run() -> None:
        account = Account("a", "b", "c")
        circle: list[object] = [account]
        circle.append(circle)

    assert trio.run(left_behind, run) == {"Account": 1}
