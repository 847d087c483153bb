"""A run that should not be believed is not: the whole way from the loop to the verdict, in virtual time."""

from collections.abc import Awaitable, Callable

import trio
from trio.testing import MockClock

from reports.conclude import conclude
from reports.document import Document, Verdict
from reports.load_result import LoadResult
from reports.verdict import UNJUDGED
from tests.engine.test_shard import STEADY, played, shard_of

LONG = STEADY.replace("5s", "40s")      # so long that a single stall is far from the p99 of anything
Interference = Callable[[], Awaitable[None]]


def judged(load: LoadResult) -> Document:
    """Return a document of this load alone, judged."""
    started = "2026-01-01T00:00:00Z"
    document = Document(
        kind="load", mailproof="0", run_id="r", started=started, verdicts=UNJUDGED, exit_code=3, load=load
    )
    return conclude(document, [])


def reasons(document: Document) -> list[str]:
    return [reason.sentence for reason in document.reasons if reason.verdict == "valid"]


async def staged(text: str, interfere: Interference | None = None) -> Document:
    """Run a scenario against the reference server's machines while something interferes, and judge it."""
    async with trio.open_nursery() as nursery:
        if interfere is not None:
            nursery.start_soon(interfere)
        result, _ = await played(shard_of(text))
    return judged(result.load)


def stall(clock: MockClock, at_s: float, length_s: float) -> Interference:
    async def interfere() -> None:
        await trio.sleep(at_s)
        clock.jump(length_s)

    return interfere


async def test_an_undisturbed_run_is_believed(autojump_clock: MockClock) -> None:
    document = await staged(STEADY)
    assert document.verdicts.valid is Verdict.PASS
    assert document.exit_code == 0


async def test_a_generator_paused_for_200_ms_voids_the_run_and_names_the_pause(autojump_clock: MockClock) -> None:
    document = await staged(LONG, stall(autojump_clock, 2.005, 0.2))
    assert (document.verdicts.valid, document.exit_code) == (Verdict.INCONCLUSIVE, 3)
    [pause] = reasons(document)
    assert pause.startswith("the generator stood still for 205 ms, 2 s after the start; only pauses below 200 ms")


async def test_a_wider_limit_is_the_operators_choice_and_is_said(autojump_clock: MockClock) -> None:
    text = LONG.replace('model = "open"', 'model = "open"\npause_max = "500ms"')
    document = await staged(text, stall(autojump_clock, 2.005, 0.2))
    assert document.verdicts.valid is Verdict.PASS
    [reason] = reasons(document)
    assert "longest pause 205 ms (500 ms allowed by load.pause_max)" in reason
