"""Arrivals: exact instants, exact counts, segments that abut; and Poisson's that are truly random, and repeat."""

import itertools
import random
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.arrivals import Arrivals, worth
from loadgen.scenario.model import ClosedLoad, OpenLoad
from loadgen.scenario.quantities import NS_PER_S, Duration, Factor
from loadgen.schedule.arrivals import CHANCE_UNIT, expected_arrivals, load_duration_ns
from tests.schedule.shapes import (
    EVEN,
    Even,
    constant,
    curve,
    instants,
    integral,
    poisson,
    ramp,
    replay,
    spike,
    steps,
)

TABLE = [
    # segments                                          instants, ns
    ([constant(4, NS_PER_S)],                           [0, 250_000_000, 500_000_000, 750_000_000]),
    ([constant(3, NS_PER_S)],                           [0, 333_333_333, 666_666_666]),
    ([constant(Fraction(1, 2), 4 * NS_PER_S)],          [0, 2 * NS_PER_S]),
    ([constant(1, NS_PER_S + 1)],                       [0, NS_PER_S]),
    ([constant(1, NS_PER_S)] * 2,                       [0, NS_PER_S]),
    ([constant(Fraction(1, 2), NS_PER_S)] * 4,          [0, 2 * NS_PER_S]),            # the phase is carried over
    ([constant(0, NS_PER_S), constant(1, NS_PER_S)],    [NS_PER_S]),
    ([ramp(0, 2, NS_PER_S * 2)],                        [0, 1_414_213_562]),
    ([ramp(2, 0, NS_PER_S * 2)],                        [0, 585_786_437]),
    ([ramp(0, 8, NS_PER_S)],                            [0, 500_000_000, 707_106_781, 866_025_403]),
    ([ramp(0, 0, NS_PER_S)],                            []),
    ([ramp(0, 2, NS_PER_S), constant(2, NS_PER_S)],     [0, NS_PER_S, NS_PER_S + 500_000_000]),
    ([steps(1, 3, 1, NS_PER_S)],                        [0, NS_PER_S, 1_500_000_000, 2 * NS_PER_S, 2_333_333_333,
                                                         2_666_666_666]),
    ([steps(2, 1, 1, NS_PER_S)],                        [0, 500_000_000, NS_PER_S]),
    ([steps(2, 2, 1, NS_PER_S)],                        [0, 500_000_000]),
    ([steps(1, 2, Fraction(1, 2), NS_PER_S)],           [0, NS_PER_S, 1_666_666_666, 2_250_000_000, 2_750_000_000]),
    ([spike(1, 4, NS_PER_S, 0, NS_PER_S, 0, NS_PER_S)], [0, NS_PER_S, 1_250_000_000, 1_500_000_000, 1_750_000_000,
                                                         2 * NS_PER_S]),
    ([spike(0, 4, NS_PER_S, NS_PER_S, 0, NS_PER_S, 1)], [NS_PER_S, 1_707_106_781, 2 * NS_PER_S, 2_292_893_218]),
    ([curve((0, 0), (NS_PER_S, 2), (2 * NS_PER_S, 0))], [0, NS_PER_S]),
    ([curve((0, 1), (NS_PER_S, 1), (NS_PER_S, 2), (2 * NS_PER_S, 2))], [0, NS_PER_S, 1_500_000_000]),      # a jump
    ([curve((0, 4), (100, 4), scale=Fraction(1, 2), over=NS_PER_S)],   [0, 500_000_000]),
    ([replay(0, 5, 5, 9)],                              [0, 5, 5, 9]),
    ([replay(0, 5, 9, speed=2)],                        [0, 2, 4]),
    ([replay(0, 5, 9, speed=Fraction(1, 3))],           [0, 15, 27]),
    ([replay(0, 5, 9, limit_ns=5)],                     [0]),
    ([replay(0, 5, 9, limit_ns=6)],                     [0, 5]),
    ([replay(0, 5), constant(1, NS_PER_S)],             [0, 5, 6]),
    ([replay(0, 5, limit_ns=NS_PER_S), constant(1, NS_PER_S)],         [0, 5, NS_PER_S]),
    ([constant(1, 1_500_000_000), replay(0, 5), constant(1, 9)],       [0, NS_PER_S, 1_500_000_000, 1_500_000_005,
                                                                        1_500_000_006]),
]   # fmt: skip


@pytest.mark.parametrize(("segments", "expected"), TABLE)
def test_evenly_spaced_arrivals_are_where_the_integral_of_the_rate_says(
    segments: list[Arrivals], expected: list[int]
) -> None:
    assert instants(*segments) == expected


@given(st.lists(EVEN, min_size=1, max_size=4))
def test_every_instant_is_the_true_one_rounded_down_across_all_joints(segments: list[Even]) -> None:
    ends = list(itertools.accumulate(segment.duration.ns for segment in segments))
    starts = [0, *ends[:-1]]

    def total(at_ns: int) -> Fraction:
        """The integral over all segments, by Fractions."""
        return sum(
            (integral(segment, Fraction(min(max(at_ns - start, 0), segment.duration.ns)))
             for segment, start in zip(segments, starts, strict=True)),
            Fraction(0),
        )   # fmt: skip

    got = instants(*segments)
    whole = total(ends[-1])
    assert len(got) == -(-whole.numerator // whole.denominator)   # arrivals 0, 1, … below the integral: its ceiling
    for k, instant in enumerate(got):
        if total(instant) == k:
            continue                             # exactly there; a stretch of rate 0 may hold many such instants
        assert total(instant) < k < total(instant + 1) or total(instant + 1) == k > total(instant)


@given(st.lists(EVEN, min_size=1, max_size=4))
def test_instants_never_decrease_and_stay_inside_the_schedule(segments: list[Even]) -> None:
    got = instants(*segments)
    assert got == sorted(got)
    assert all(0 <= instant < sum(segment.duration.ns for segment in segments) for instant in got)


@given(st.fractions(Fraction(1, 100), 1000, max_denominator=1000), st.integers(1, 400))
def test_a_constant_rate_does_not_drift(per_s: Fraction, count: int) -> None:
    duration_ns = int(count / per_s * NS_PER_S)
    for k, instant in enumerate(instants(constant(per_s, max(1, duration_ns)))):
        assert instant == k * NS_PER_S * per_s.denominator // per_s.numerator


def test_a_poisson_process_has_its_rate_and_a_dispersion_of_one() -> None:
    got = instants(poisson(200, 300))
    assert len(got) == pytest.approx(60_000, abs=4 * 60_000**0.5)
    per_window = [0] * 3000
    for instant in got:
        per_window[instant // (NS_PER_S // 10)] += 1
    index = statistics.pvariance(per_window) / statistics.fmean(per_window)
    assert index == pytest.approx(1.0, abs=4 * (2 / 3000) ** 0.5)   # variance of the index: 2 / windows
    gaps = [after - before for before, after in itertools.pairwise(got)]
    assert statistics.pstdev(gaps) / statistics.fmean(gaps) == pytest.approx(1.0, abs=0.02)   # exponential


CHANCY = [
    ramp(0, 200, 30 * NS_PER_S, "poisson"),
    ramp(200, 0, 30 * NS_PER_S, "poisson"),
    steps(20, 100, 20, 7 * NS_PER_S, "poisson"),
    spike(10, 400, 5 * NS_PER_S, NS_PER_S, 3 * NS_PER_S, 2 * NS_PER_S, 6 * NS_PER_S, process="poisson"),
    curve((0, 5), (4 * NS_PER_S, 90), (4 * NS_PER_S, 0), (9 * NS_PER_S, 0), (40 * NS_PER_S, 100), process="poisson"),
]


@pytest.mark.parametrize("segment", CHANCY)
def test_a_changing_poisson_process_comes_where_the_integral_reaches_its_exponential_sums(segment: Arrivals) -> None:
    gap = random.Random("9/arrivals/0").expovariate
    level = Fraction(0)
    for instant in instants(segment, seed=9):
        level += Fraction(int(gap(1.0) * CHANCE_UNIT), CHANCE_UNIT)
        assert integral(segment, Fraction(instant)) <= level < integral(segment, Fraction(instant + 1))
    assert level + Fraction(gap(1.0)) >= integral(segment, Fraction(10**18)) - Fraction(1, 10**6)   # and no more came


@pytest.mark.parametrize("segment", CHANCY)
def test_a_changing_poisson_process_seen_by_its_integral_is_one_of_rate_one(segment: Arrivals) -> None:
    levels = [
        float(integral(segment, Fraction(instant))) + 1e6 * seed
        for seed in range(4)
        for instant in instants(segment, seed=seed)
    ]
    gaps = [after - before for before, after in itertools.pairwise(levels) if after - before < 1e5]
    assert len(levels) == pytest.approx(4 * worth(segment), abs=4 * float(4 * worth(segment)) ** 0.5)
    assert statistics.fmean(gaps) == pytest.approx(1.0, abs=4 / len(gaps) ** 0.5)
    assert statistics.pstdev(gaps) == pytest.approx(1.0, abs=6 / len(gaps) ** 0.5)      # exponential: as its mean
    assert sum(gap < 0.1 for gap in gaps) / len(gaps) == pytest.approx(0.0952, abs=4 * (0.09 / len(gaps)) ** 0.5)


def test_a_constant_rate_by_chance_is_the_shape_called_poisson() -> None:
    assert instants(constant(50, 5 * NS_PER_S, "poisson"), seed=3) == instants(poisson(50, 5), seed=3)


def test_a_changing_poisson_schedule_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert instants(ramp(0, 4, 2 * NS_PER_S, "poisson"), seed=7) == [
        564_621_654, 703_679_695, 1_035_837_048, 1_205_536_373, 1_240_711_248, 1_904_787_428,
    ]   # fmt: skip


def test_a_rate_of_zero_throughout_brings_nobody_by_chance() -> None:
    assert instants(ramp(0, 0, NS_PER_S, "poisson"), curve((0, 0), (9, 0), process="poisson")) == []


def test_the_same_seed_gives_the_same_instants_and_another_seed_others() -> None:
    assert instants(poisson(50, 5), seed=1) == instants(poisson(50, 5), seed=1)
    assert instants(poisson(50, 5), seed=1) != instants(poisson(50, 5), seed=2)


def test_a_poisson_schedule_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert instants(poisson(2, 2), seed=7) == [
        159_398_806, 247_582_556, 536_479_195, 726_658_974, 769_682_201, 1_814_107_573,
    ]   # fmt: skip


def test_two_poisson_segments_are_independent_of_each_other() -> None:
    both = instants(poisson(50, 5), poisson(50, 5))
    first = [instant for instant in both if instant < 5 * NS_PER_S]
    assert first == instants(poisson(50, 5))
    assert [instant - 5 * NS_PER_S for instant in both[len(first) :]] != first


def test_segments_abut_around_a_poisson_stretch() -> None:
    got = instants(constant(1, NS_PER_S), poisson(1000, 1), constant(1, NS_PER_S))
    assert got[0] == 0
    assert NS_PER_S <= got[1] < got[-2] < 2 * NS_PER_S
    assert got[-1] == 2 * NS_PER_S


def test_a_poisson_rate_of_zero_is_a_pause() -> None:
    assert instants(poisson(0, 5), constant(1, NS_PER_S)) == [5 * NS_PER_S]


def test_what_is_expected_of_an_open_load_is_exact() -> None:
    load = OpenLoad(arrivals=(ramp(0, 200, 30 * NS_PER_S), poisson(200, 120)))
    assert load_duration_ns(load) == 150 * NS_PER_S
    assert expected_arrivals(load) == 3000 + 24_000
    assert worth(load.arrivals[0]) == 3000


def test_what_is_expected_of_every_shape_is_exact() -> None:
    spiky = spike(10, 110, NS_PER_S, NS_PER_S, NS_PER_S, NS_PER_S, NS_PER_S)
    stretched = curve((0, 0), (NS_PER_S, 10), over=3 * NS_PER_S)
    load = OpenLoad(arrivals=(steps(10, 30, 10, NS_PER_S), spiky, stretched, replay(0, 7, 8, limit_ns=8)))
    assert [worth(segment) for segment in load.arrivals] == [60, 250, 15, 2]
    assert load_duration_ns(load) == 3 * NS_PER_S + 5 * NS_PER_S + 3 * NS_PER_S + 8


@given(EVEN, st.fractions(Fraction(1, 9), 9, max_denominator=9))
def test_a_scaled_shape_is_the_same_shape_with_more_arrivals(segment: Even, factor: Fraction) -> None:
    scaled = segment.scaled(factor)
    assert scaled.duration == segment.duration
    for at_ns in (segment.duration.ns // 3, segment.duration.ns):
        assert integral(scaled, Fraction(at_ns)) == integral(segment, Fraction(at_ns)) * factor


@given(EVEN)
def test_what_a_shape_is_worth_is_the_area_under_it(segment: Even) -> None:
    assert worth(segment) == integral(segment, Fraction(segment.duration.ns))


def test_a_stretched_curve_keeps_its_rates_and_changes_its_instants() -> None:
    short = curve((0, 4), (NS_PER_S, 8))
    long = type(short)(file=short.file, stretch=Factor(Fraction(5, 2)))
    assert long.duration == Duration(2_500_000_000)
    assert worth(long) == worth(short) * Fraction(5, 2)
    assert long.rates == short.rates == (Fraction(4), Fraction(8))


def test_what_is_expected_of_a_closed_load_is_what_ends_it() -> None:
    by_time = ClosedLoad(virtual_users=2, duration=Duration(5))
    by_sessions = ClosedLoad(virtual_users=2, sessions=9)
    assert (load_duration_ns(by_time), expected_arrivals(by_time)) == (5, None)
    assert (load_duration_ns(by_sessions), expected_arrivals(by_sessions)) == (None, 9)
