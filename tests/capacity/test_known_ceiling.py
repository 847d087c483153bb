"""The search on targets whose capacity is known: workers / mean, and by Erlang C the rate within a response time.

What the reference server would do is counted out by its own work (`refserver/workers.py`), in no time at all.
"""

import pytest

from conformance.refserver.workers import Work
from loadgen.capacity.search import Asked, Bounds, Search
from reports.capacity import scaling_law
from reports.capacity_words import retrograde_in_words
from reports.gate_spelt import gates_spelt
from tests.capacity.simulated import Run, Target, rate_within, searched, taking_longer, told

CEILING_PER_S = 100


def queue(workers: int) -> Work:
    return Work(service_s=workers / CEILING_PER_S, workers=workers)


def bounds(stage_s: float, confirm_s: float) -> Bounds:
    return Bounds(start=7.7, stage_s=stage_s, confirm_s=confirm_s, resolution=0.02, stages_max=30)


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("seed", range(2))
def test_the_ceiling_is_found_within_five_per_cent(workers: int, seed: int) -> None:
    target = Target(queue(workers), seed=seed)
    search = searched(Search(bounds(60, 180)), lambda asked: target.run(asked.level, asked.seconds, asked.number))
    assert search.ended == "found", told(search.stages)
    assert search.good == pytest.approx(target.ceiling_per_s, rel=0.05), told(search.stages)
    first_bad = next(stage for stage in reversed(search.stages) if stage.level == search.bad)
    assert first_bad.broke[0].what in ("backlog", "steady state"), told(search.stages)


@pytest.mark.parametrize(("workers", "seed"), [(1, 1), (2, 0), (4, 0)])
def test_the_rate_that_a_response_time_allows_is_found_within_five_per_cent(workers: int, seed: int) -> None:
    work = queue(workers)
    limit_s = 6 * work.service_s
    target, wanted = Target(work, seed=seed), rate_within(limit_s, 0.95, work)
    search = searched(
        Search(bounds(180, 360)), lambda asked: target.run(asked.level, asked.seconds, asked.number),
        gates_spelt(f"p95(response)<{limit_s * 1000:.3f}ms", protocols=["smtp"]),
    )   # fmt: skip
    assert search.ended == "found", told(search.stages)
    assert search.good == pytest.approx(wanted, rel=0.05), told(search.stages)
    first_bad = next(stage for stage in reversed(search.stages) if stage.level == search.bad)
    assert first_bad.broke[0].what == "gate"


def test_short_stages_that_broke_by_chance_are_not_the_last_word_on_the_target() -> None:
    work = queue(2)
    limit_s = 8 * work.service_s
    target, wanted = Target(work, seed=101), rate_within(limit_s, 0.99, work)
    search = searched(
        Search(Bounds(start=9.013, stage_s=60, confirm_s=180, resolution=0.05, stages_max=30)),
        lambda asked: target.run(asked.level, asked.seconds, asked.number),
        gates_spelt(f"p99(response)<{limit_s * 1000:.3f}ms", protocols=["smtp"]),
    )   # fmt: skip
    unlucky = [stage.level for stage in search.stages if stage.outcome == "broke" and stage.level < 0.9 * wanted]
    assert unlucky, told(search.stages)
    assert search.good == pytest.approx(wanted, rel=0.1), told(search.stages)


def test_what_theory_says_is_what_textbooks_say() -> None:
    single = Work(service_s=0.1, workers=1)
    assert taking_longer(0.2, 5, single) == pytest.approx(2.718281828 ** -(0.2 * (10 - 5)))      # M/M/1: exponential
    assert rate_within(0.5, 0.95, single) == pytest.approx(10 - 2.995732 / 0.5, rel=1e-4)


def test_an_admission_limit_is_found_and_named() -> None:
    target = Target(Work(service_s=0.2, workers=None), admits=30)      # 5 s^-1 each: full at some 100 to 150 a second
    search = searched(Search(bounds(60, 60)), lambda asked: target.run(asked.level, asked.seconds, asked.number))
    bad = next(stage for stage in reversed(search.stages) if stage.level == search.bad)
    assert search.ended == "found", told(search.stages)
    assert [broke.what for broke in bad.broke] == ["errors"]
    assert "sessions.refused.share" in bad.broke[0].sentence
    assert bad.backlog is not None
    assert not bad.backlog.grows
    assert retrograde_in_words(search.stages, "rate") is None, "who is turned away costs those within nothing"


def test_a_target_that_does_less_when_it_is_asked_for_more_is_recognized() -> None:
    work = Work(service_s=0.02, workers=2, coherency=0.002)
    target = Target(work)

    def run(asked: Asked) -> Run:
        return target.run(asked.level, asked.seconds, asked.number)

    search = searched(Search(bounds(60, 60)), run)
    assert search.ended == "found", told(search.stages)
    said = retrograde_in_words(search.stages, "rate")
    assert said is not None
    assert said.startswith("asked for more it did less: at ")


def test_the_law_of_a_queue_has_no_peak_and_that_of_one_that_thrashes_has() -> None:
    target = Target(queue(1))
    search = searched(Search(bounds(60, 180)), lambda asked: target.run(asked.level, asked.seconds, asked.number))
    law, why = scaling_law(search.stages)
    assert law is not None, why
    assert law.sigma.estimate == pytest.approx(0.5, abs=0.1), "M/M/1 is a law of its own: X = m N / (N + 1)"
    assert law.peak.high is None
    assert "no peak" in law.sentence
