"""Long work in short steps: others have their turn meanwhile, and it can be given up."""

from collections.abc import Generator

import trio

from loadgen.ledger.steps import finished, slowly


def counting(steps: int) -> Generator[None, None, str]:
    for _ in range(steps):
        yield
    return f"{steps} steps"


async def test_others_have_their_turn_at_every_step() -> None:
    turns = 0

    async def wait_for_a_turn() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_for_a_turn)
        assert await slowly(counting(20)) == "20 steps"
        nursery.cancel_scope.cancel()
    assert turns >= 10


async def test_it_can_be_given_up() -> None:
    done = False
    with trio.CancelScope() as scope:
        scope.cancel()
        await slowly(counting(5))
        done = True
    assert not done


def test_it_comes_to_the_same_at_once() -> None:
    assert finished(counting(3)) == "3 steps"
    assert finished(counting(0)) == "0 steps"
