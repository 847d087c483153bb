"""The check of the delivered arrivals: it lets sound runs pass, and finds the ways in which a generator lies."""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.arrivals import Arrivals
from loadgen.scenario.model import OpenLoad
from loadgen.scenario.quantities import NS_PER_S
from loadgen.schedule.arrivals import arrivals
from loadgen.schedule.check import FALSE_ALARMS, ArrivalCheck, check_counts, check_instants
from loadgen.schedule.expected import expected_windows
from tests.schedule.shapes import EVEN, Even, constant, instants, integral, poisson, ramp, replay, spike, steps

SOUND: dict[str, list[Arrivals]] = {
    "poisson": [poisson(10, 12)],
    "few": [poisson(1, 80)],
    "ramp": [ramp(0, 40, 10 * NS_PER_S, "poisson")],
    "spike": [spike(3, 60, 4 * NS_PER_S, NS_PER_S, 4 * NS_PER_S, NS_PER_S, 6 * NS_PER_S, process="poisson")],
    "mix": [constant(20, 5 * NS_PER_S), ramp(20, 5, 8 * NS_PER_S, "poisson"), steps(5, 15, 5, 2 * NS_PER_S)],
}
INDEPENDENT = [poisson(100, 60)]
EVENLY = [constant(100, 60 * NS_PER_S)]


@pytest.mark.parametrize("name", SOUND)
def test_of_a_thousand_sound_runs_no_more_than_stated_are_suspected(name: str) -> None:
    load = OpenLoad(arrivals=tuple(SOUND[name]))
    suspected = sum(not check_instants(load, arrivals(load, seed)).holds for seed in range(1000))
    assert suspected <= 1000 * FALSE_ALARMS


@given(st.lists(EVEN, min_size=1, max_size=3))
def test_a_settled_schedule_delivered_to_the_letter_is_never_suspected(segments: list[Even]) -> None:
    load = OpenLoad(arrivals=tuple(segments))
    if sum(integral(segment, Fraction(segment.duration.ns)) for segment in segments):
        assert check_instants(load, arrivals(load, 1)).holds


def late(instants_ns: list[int], rng: random.Random) -> list[int]:
    return [instant + rng.randrange(2_000_000) for instant in instants_ns]


def dropping(instants_ns: list[int], rng: random.Random) -> list[int]:
    return [instant for instant in instants_ns if rng.random() > 0.1]


def doubling(instants_ns: list[int], rng: random.Random) -> list[int]:
    return [*instants_ns, *rng.sample(instants_ns, len(instants_ns) // 10)]


def stalling(instants_ns: list[int], _rng: random.Random) -> list[int]:
    """Every ten seconds the generator stands still for two, then starts all that was due meanwhile."""
    stall, every = 2 * NS_PER_S, 10 * NS_PER_S
    return [instant if instant % every >= stall else instant - instant % every + stall for instant in instants_ns]


def on_the_tick(instants_ns: list[int], _rng: random.Random) -> list[int]:
    """Bursts on a coarse tick."""
    return [instant // (5 * NS_PER_S) * 5 * NS_PER_S for instant in instants_ns]


Lie = Callable[[list[int], random.Random], list[int]]


@pytest.mark.parametrize("segments", [INDEPENDENT, EVENLY])
def test_a_start_a_millisecond_late_is_no_lie(segments: list[Arrivals]) -> None:
    assert checked(segments, late(instants(*segments), random.Random(1))).holds


@pytest.mark.parametrize("segments", [INDEPENDENT, EVENLY])
@pytest.mark.parametrize("lie", [dropping, doubling, stalling, on_the_tick])
def test_a_generator_that_lies_is_found_out(segments: list[Arrivals], lie: Lie) -> None:
    assert checked(segments, instants(*segments)).holds
    assert not checked(segments, lie(instants(*segments), random.Random(1))).holds


def checked(segments: Sequence[Arrivals], delivered: list[int]) -> ArrivalCheck:
    return check_instants(OpenLoad(arrivals=tuple(segments)), delivered)


def test_even_arrivals_are_no_poisson_process_and_the_other_way_round() -> None:
    tame = checked(INDEPENDENT, instants(*EVENLY))
    assert tame.sentence == (
        "6,000 arrivals came for 6,000 configured (100.0 %); their index of dispersion is 0.00, more even than "
        "configured: independent arrivals give 0.53 to 1.66"
    )
    wild = checked(EVENLY, instants(*INDEPENDENT))
    assert wild.sentence == (
        "5,835 arrivals came for 6,000 configured (97.2 %, expected at least 100.0 %); their index of "
        "dispersion is 1.03, burstier than configured: settled arrivals give 0.00 to 0.09"
    )
    assert not tame.holds
    assert not wild.holds


def test_a_sound_run_is_said_to_be_sound_in_a_sentence() -> None:
    assert checked(INDEPENDENT, instants(*INDEPENDENT)).sentence == (
        "5,835 arrivals came for 6,000 configured (97.2 %); their index of dispersion is 1.03 (independent "
        "arrivals give 0.53 to 1.66)"
    )


def test_too_few_arrivals_are_too_few_to_tell() -> None:
    found = checked(EVENLY, dropping(instants(*EVENLY), random.Random(1)))
    assert "(90.0 %, expected at least 100.0 %)" in found.sentence
    check = check_counts(OpenLoad(arrivals=(poisson(10, 5),)), [10, 9, 11, 10, 12])
    assert (check.windows, check.dispersion, check.holds) == (5, None, True)
    assert check.sentence.endswith("; 5 windows are too few to tell how they were spaced")


def test_a_replay_is_held_to_its_own_counts_however_bursty() -> None:
    bursts = replay(*(second * NS_PER_S for second in range(40) for _ in range(1 + 9 * (second % 3))))
    assert checked([bursts], instants(bursts)).holds
    halved = checked([bursts], [instant // 2 for instant in instants(bursts)])
    assert halved.ratio.holds
    assert not halved.holds


def test_a_run_that_was_cut_short_is_held_to_the_time_it_had() -> None:
    load = OpenLoad(arrivals=(ramp(0, 100, 60 * NS_PER_S),))
    counts = [0] * 30
    for instant in arrivals(load, 1):
        if instant < 30 * NS_PER_S:
            counts[instant // NS_PER_S] += 1
    check = check_counts(load, counts)
    assert check.holds
    assert (check.configured, check.delivered) == (750, 750)


def test_windows_in_which_nothing_is_due_cannot_be_judged() -> None:
    load = OpenLoad(arrivals=(constant(0, 5 * NS_PER_S), constant(1, 5 * NS_PER_S)))
    with pytest.raises(ValueError, match="nothing to hold them against"):
        check_counts(load, [0, 0, 0])


@given(st.lists(EVEN, min_size=1, max_size=3), st.integers(1, 3 * NS_PER_S))
def test_what_is_expected_of_each_window_is_what_the_schedule_has_there(segments: list[Even], window_ns: int) -> None:
    load = OpenLoad(arrivals=tuple(segments))
    count = min(50, -(-sum(segment.duration.ns for segment in segments) // window_ns))
    counts = [0] * count
    for instant in arrivals(load, 1):
        if instant // window_ns < count:
            counts[instant // window_ns] += 1
    windows = list(expected_windows(load, count, window_ns))
    assert [window.settled for window in windows] == counts
    assert all(abs(window.rounding) <= 1 and not window.by_chance for window in windows)


def test_what_a_poisson_process_is_worth_in_a_window_is_the_area_there() -> None:
    load = OpenLoad(arrivals=(constant(2, NS_PER_S), ramp(0, 4, 2 * NS_PER_S, "poisson"), replay(0, 0, 7)))
    first, second, third = expected_windows(load, 3, 3 * NS_PER_S // 2)
    assert (first.settled, first.by_chance) == (2, 0.25)
    assert (second.settled, second.by_chance) == (0, 3.75)
    assert (third.settled, third.settled_mean) == (3, 3.0)
