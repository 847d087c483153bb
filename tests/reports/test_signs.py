"""The signs of the generator's health: judged by the worst process, each doubt with its limit and what to do."""

import pytest
from msgspec import structs

from reports.arrival_check import ArrivalCheckResult, Within
from reports.conclude import conclude
from reports.document import Document, Health, Quantiles, SessionCounts
from reports.health import InFlight, Pause
from reports.load_result import LoadResult, WorkerResult
from reports.sign import Sign
from reports.signs import signs
from reports.verdict import Verdict

MS = 1_000_000
WELL = Health(loop_lag_ns=Quantiles(p99=3 * MS), longest_pause_ns=40 * MS, cpu_share=0.4)
LATE = Health(schedule_lag_ns=Quantiles(p99=130 * MS), cpu_share=0.8)
STOPPED = Pause(at_ns=4_200 * MS, length_ns=312 * MS, busy_ns=3 * MS)
BLOCKED = Pause(at_ns=2_000 * MS, length_ns=250 * MS, busy_ns=240 * MS)
COLLECTING = Pause(at_ns=2_000 * MS, length_ns=250 * MS, busy_ns=240 * MS, collector_ns=230 * MS)


def load_with(health: Health, *workers: WorkerResult, model: str = "open", pause_max_ns: int = 200 * MS) -> LoadResult:
    return LoadResult(
        model=model, sessions=SessionCounts(), health=health, workers=workers, pause_max_ns=pause_max_ns
    )


def doubts(load: LoadResult, cpus: int | None = 2) -> list[str]:
    return [sign.doubt for sign in signs(load, cpus) if sign.doubt is not None]


def sign(name: str, load: LoadResult) -> Sign:
    return next(each for each in signs(load, 2) if each.name == name)


def paused(*pauses: Pause) -> Health:
    return structs.replace(
        WELL, longest_pause_ns=pauses[0].length_ns, pauses=pauses, pauses_count=len(pauses)
    )


def test_a_well_generator_raises_no_doubt() -> None:
    assert doubts(load_with(WELL)) == []


def test_one_late_worker_among_punctual_ones_is_not_diluted() -> None:
    workers = [WorkerResult(worker=n, arrived=1000, health=LATE if n == 3 else WELL) for n in range(1, 5)]
    [doubt] = doubts(load_with(WELL, *workers), cpus=8)
    assert doubt.startswith("worker 3 of 4 started its sessions late: p99 130 ms, at most 100 ms is allowed; ")
    assert doubt.endswith("share it out among more processes (--workers 5)")


def test_a_worker_that_was_lost_has_no_health_to_judge() -> None:
    lost = WorkerResult(worker=2, lost="its process was killed by SIGKILL")
    assert doubts(load_with(WELL, WorkerResult(worker=1, health=WELL), lost)) == []


def test_more_processes_than_processors_are_no_remedy() -> None:
    workers = [WorkerResult(worker=n, arrived=1000, health=structs.replace(WELL, cpu_share=0.97)) for n in (1, 2)]
    [doubt] = doubts(load_with(WELL, *workers), cpus=2)
    assert "worker 1 of 2 was saturated: it used 97 % of a processor core, at most 95 % is allowed" in doubt
    assert doubt.endswith("generate it on a machine with more than 2 processors")


def test_who_is_late_with_processor_time_to_spare_was_kept_from_it() -> None:
    [doubt] = doubts(load_with(structs.replace(LATE, cpu_share=0.2)))
    assert doubt.endswith(
        "it used 20 % of a core, so others held the processor: give the generator one, or a machine, of its own"
    )


@pytest.mark.parametrize(
    ("pause", "why", "what_to_do"),
    [
        (STOPPED, "it had the processor for 3 ms of that time, so it was stopped or kept waiting", "of its own"),
        (BLOCKED, "its own work kept the processor busy", "(--workers 2)"),
        (COLLECTING, "it was collecting garbage", "lower the number of sessions of one process (--workers)"),
    ],
    ids=["stopped", "blocked", "collecting"],
)
def test_a_single_pause_voids_the_run_and_says_when_how_long_and_why(pause: Pause, why: str, what_to_do: str) -> None:
    [doubt] = doubts(load_with(paused(pause)))
    assert doubt.startswith("the generator stood still for ")
    assert "after the start; only pauses below 200 ms are allowed (load.pause_max): " in doubt
    assert why in doubt
    assert doubt.endswith(what_to_do)


def test_of_several_pauses_the_longest_is_told_and_the_others_are_counted() -> None:
    [doubt] = doubts(load_with(paused(STOPPED, BLOCKED, BLOCKED)))
    assert doubt.startswith("the generator stood still for 312 ms, 4.2 s after the start (and 2 more times); ")


def test_a_wider_limit_is_shown_beside_what_was_measured() -> None:
    load = load_with(structs.replace(WELL, longest_pause_ns=700 * MS), pause_max_ns=1_000 * MS)
    assert doubts(load) == []
    longest = sign("longest pause", load)
    assert (longest.measured, longest.allowed) == ("700 ms", "below 1 s")
    assert longest.note == "the scenario allows more than 200 ms (load.pause_max)"


def test_a_wider_limit_is_said_where_the_run_is_called_believable(good: Document) -> None:
    assert good.load is not None
    widened = structs.replace(good, load=structs.replace(good.load, pause_max_ns=1_000 * MS))
    judged = conclude(widened, [])
    assert judged.verdicts.valid is Verdict.PASS
    [reason] = [each.sentence for each in judged.reasons if each.verdict == "valid"]
    assert "longest pause 48 ms (1 s allowed by load.pause_max)" in reason


def test_a_closed_load_has_no_schedule_to_be_late_for() -> None:
    names = [each.name for each in signs(load_with(LATE, model="closed"))]
    assert "schedule lag, p99" not in names
    assert "timers, p99" in names


def test_every_doubt_is_among_the_reasons_and_makes_the_exit_3(good: Document) -> None:
    assert good.load is not None
    health = structs.replace(paused(STOPPED), cpu_share=0.99, loop_lag_ns=Quantiles(p99=150 * MS))
    judged = conclude(structs.replace(good, load=structs.replace(good.load, health=health)), [])
    assert judged.load is not None
    assert judged.host is not None
    reasons = [each.sentence for each in judged.reasons if each.verdict == "valid"]
    assert reasons == doubts(judged.load, judged.host.cpus)
    assert (len(reasons), judged.exit_code) == (3, 3)


def law(seen: float, recorded: float, looks: int = 400, variance: float | None = None) -> Health:
    found = InFlight(
        looks=looks, seen=seen, recorded=recorded, seen_variance=seen / looks if variance is None else variance
    )
    return structs.replace(WELL, in_flight=found)


@pytest.mark.parametrize(
    ("health", "doubted"),
    [
        (law(100, 91), False),                          # within 10 %
        (law(100, 89), True),
        (law(100, 112), True),
        (law(100, 89, variance=9.0), False),            # so few looks at so much change: chance does that
        (law(0.0, 0.01, variance=0.01 / 400), False),   # nobody was seen, and hardly anybody was there
        (law(0.0, 5.0, variance=5.0 / 400), True),
        (law(100, 50, looks=19), False),                # too few looks to say anything
    ],
)
def test_littles_law_is_broken_by_more_than_a_tenth_and_more_than_chance(health: Health, doubted: bool) -> None:
    assert bool(doubts(load_with(health))) is doubted


def test_a_broken_law_names_both_numbers_and_the_limit() -> None:
    [doubt] = doubts(load_with(law(100, 89)))
    assert "on the average of 400 looks 100 sessions were in flight, by the recorded sessions 89" in doubt
    assert "at most 10 apart is allowed" in doubt


def check(*, holds: bool, drawn_holds: bool = True, windows: int = 12) -> LoadResult:
    found = ArrivalCheckResult(
        configured=100, delivered=80, windows=windows, ratio=Within(value=0.8, low=0.9, high=1.1),
        dispersion=Within(value=3.0, low=0.5, high=1.5) if windows >= 10 else None, holds=holds,
        drawn_holds=drawn_holds, sentence="80 arrivals came for 100 configured",
    )   # fmt: skip
    return structs.replace(load_with(WELL), arrival_check=found)


def test_arrivals_that_are_not_those_configured_are_a_doubt_unless_the_seed_drew_them_so() -> None:
    [doubt] = doubts(check(holds=False))
    assert doubt.startswith("the generator did not deliver the arrivals that were configured: 80 arrivals came for 100")
    unlucky = check(holds=False, drawn_holds=False)
    assert doubts(unlucky) == []
    assert sign("arrivals", unlucky).note.endswith("no fault of the generator's; choose another seed")
    assert sign("arrivals", unlucky).measured == "80 of 100 (80.0 %)"
    assert sign("arrivals", unlucky).allowed == "90.0 % to 110.0 %"


def test_of_a_short_load_the_spacing_is_not_known_and_never_zero() -> None:
    assert sign("their spacing", check(holds=True, windows=4)).measured == "not known"
    assert sign("their spacing", check(holds=True)).measured == "3.00"


def test_what_nobody_looked_at_is_not_known() -> None:
    assert sign("in flight, seen and recorded", load_with(WELL)).measured == "not known"
