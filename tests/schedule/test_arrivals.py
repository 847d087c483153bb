"""Arrivals: exact instants, exact counts, segments that abut; and Poisson's that are truly random, and repeat."""

import itertools
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.model import Arrivals, ClosedLoad, Constant, OpenLoad, Poisson, Ramp
from loadgen.scenario.quantities import NS_PER_S, Duration, Rate
from loadgen.schedule.arrivals import area, arrivals, expected_arrivals, load_duration_ns


def constant(per_s: Fraction | int, duration_ns: int) -> Constant:
    return Constant(rate=Rate(Fraction(per_s)), duration=Duration(duration_ns))


def ramp(start: Fraction | int, end: Fraction | int, duration_ns: int) -> Ramp:
    return Ramp(start=Rate(Fraction(start)), end=Rate(Fraction(end)), duration=Duration(duration_ns))


def poisson(per_s: int, seconds: int) -> Poisson:
    return Poisson(rate=Rate(Fraction(per_s)), duration=Duration(seconds * NS_PER_S))


def instants(*segments: Arrivals, seed: int = 1) -> list[int]:
    return list(arrivals(OpenLoad(arrivals=segments), seed))


def worth(segment: Constant | Ramp, at_ns: Fraction) -> Fraction:
    """The integral of the rate up to an instant, by the textbook."""
    if isinstance(segment, Constant):
        return segment.rate.per_s * at_ns / NS_PER_S
    slope = (segment.end.per_s - segment.start.per_s) / segment.duration.ns
    return (segment.start.per_s * at_ns + slope * at_ns * at_ns / 2) / NS_PER_S


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
]


@pytest.mark.parametrize(("segments", "expected"), TABLE)
def test_evenly_spaced_arrivals_are_where_the_integral_of_the_rate_says(
    segments: list[Arrivals], expected: list[int]
) -> None:
    assert instants(*segments) == expected


RATES = st.fractions(0, 50, max_denominator=7)
SPANS = st.integers(1, 3 * NS_PER_S)
EVEN = st.builds(constant, RATES, SPANS) | st.builds(ramp, RATES, RATES, SPANS)


@given(st.lists(EVEN, min_size=1, max_size=4))
def test_every_instant_is_the_true_one_rounded_down_across_all_joints(segments: list[Constant | Ramp]) -> None:
    ends = list(itertools.accumulate(segment.duration.ns for segment in segments))
    starts = [0, *ends[:-1]]

    def total(at_ns: int) -> Fraction:
        """The integral over all segments, by Fractions."""
        return sum(
            (worth(segment, Fraction(min(max(at_ns - start, 0), segment.duration.ns)))
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
def test_instants_never_decrease_and_stay_inside_the_schedule(segments: list[Constant | Ramp]) -> None:
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
    assert area(load.arrivals[0]) == 3000


def test_what_is_expected_of_a_closed_load_is_what_ends_it() -> None:
    by_time = ClosedLoad(virtual_users=2, duration=Duration(5))
    by_sessions = ClosedLoad(virtual_users=2, sessions=9)
    assert (load_duration_ns(by_time), expected_arrivals(by_time)) == (5, None)
    assert (load_duration_ns(by_sessions), expected_arrivals(by_sessions)) == (None, 9)
