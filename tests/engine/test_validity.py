"""A run that should not be believed is not: the whole way from the loop to the verdict, in virtual time."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from loadgen.engine.recorder import Recorder
from loadgen.engine.sample import Sample
from loadgen.session.trace import Trace
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


async def test_a_loop_that_keeps_falling_behind_fails_the_check_of_its_arrivals(autojump_clock: MockClock) -> None:
    async def fall_behind() -> None:
        for second in range(2, 40, 4):
            await trio.sleep_until(second + 0.05)
            autojump_clock.jump(1.9)

    document = await staged(LONG.replace('model = "open"', 'model = "open"\npause_max = "5s"'), fall_behind)
    assert document.load is not None
    check = document.load.arrival_check
    assert check is not None
    assert (check.holds, check.drawn_holds, check.delivered, check.configured) == (False, True, 400, 400)
    [reason] = [each for each in reasons(document) if each.startswith("the generator did not deliver the arrivals")]
    assert "burstier than configured" in reason
    assert sum(document.load.timeline.started) == sum(document.load.timeline.arrived) == 400
    assert document.load.timeline.started != document.load.timeline.arrived


async def test_what_was_delivered_is_told_where_it_is_right_too(autojump_clock: MockClock) -> None:
    document = await staged(LONG)
    assert document.load is not None
    check = document.load.arrival_check
    assert check is not None
    assert (check.holds, check.windows, check.ratio.value) == (True, 40, 1.0)
    assert check.sentence.startswith("400 arrivals came for 400 configured (100.0 %); their index of dispersion is ")


HELD = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 10, for = "20s"}]
warm_up = "4s"
[[session]]
kind = "idle-hold"
hold = "3s"
"""
RecordEnd = Callable[[Recorder, Sample, Trace, int], None]


def loses_every_third(record: RecordEnd) -> RecordEnd:
    """Return a record of ends that forgets: the books still balance, but for what they are of."""
    seen = 0

    def ended(recorder: Recorder, sample: Sample, trace: Trace, origin_ns: int) -> None:
        nonlocal seen
        seen += 1
        if seen % 3:
            record(recorder, sample, trace, origin_ns)
        else:
            recorder.in_flight -= 1
            recorder.outcomes[sample.session][sample.outcome.kind] += 1

    return ended


def stretches_times(record: RecordEnd) -> RecordEnd:
    """Return a record of ends that lets every session have taken a quarter longer."""

    def ended(recorder: Recorder, sample: Sample, trace: Trace, origin_ns: int) -> None:
        longer = structs.replace(sample, finished_ns=sample.finished_ns + sample.service_ns // 4)
        record(recorder, longer, trace, origin_ns)

    return ended


@pytest.mark.parametrize("spoil", [loses_every_third, stretches_times])
async def test_books_that_do_not_describe_what_happened_break_littles_law(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[RecordEnd], RecordEnd]
) -> None:
    monkeypatch.setattr(Recorder, "ended", spoil(Recorder.ended))
    document = await staged(HELD)
    assert document.load is not None
    law = document.load.health.in_flight
    assert law is not None
    assert law.seen == pytest.approx(30, abs=0.5), "ten a second that stay three seconds"
    assert law.recorded == pytest.approx(20 if spoil is loses_every_third else 37.5, abs=0.5)
    [reason] = [each for each in reasons(document) if "Little" in each]
    assert reason.startswith("the books do not describe what happened (Little's law): ")


async def test_honest_books_keep_littles_law_to_the_rounding(autojump_clock: MockClock) -> None:
    document = await staged(HELD)
    assert document.load is not None
    law = document.load.health.in_flight
    assert law is not None
    assert law.looks == 320
    assert law.seen == pytest.approx(law.recorded, rel=0.01)
    assert document.verdicts.valid is Verdict.PASS
