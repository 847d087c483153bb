"""The arrivals that were really delivered, against the ones the scenario configured."""

from loadgen.clock import NS_PER_S
from loadgen.engine.recorder import Recorder
from loadgen.scenario.model import ClosedLoad, Load
from loadgen.schedule.arrivals import load_duration_ns
from loadgen.schedule.check import Bounded, check_counts
from reports.arrival_check import ArrivalCheckResult, Within


def arrival_check(load: Load, recorder: Recorder) -> ArrivalCheckResult | None:
    """Hold every second's arrivals against their load. None if there is none to hold them against.

    A load that was cut short is held against the seconds that were over; of one that was not, arrivals that came
    after its end count in its last. The schedule's own instants are put to the same check: of a hundred seeds one
    draws arrivals that are unlikely in themselves.
    """
    if isinstance(load, ClosedLoad):
        return None
    duration_ns = load_duration_ns(load)
    assert duration_ns is not None, "an open load has a schedule"
    cut_short = recorder.load_ended_ns < duration_ns
    delivered, drawn = recorder.seconds.arrivals(
        recorder.load_ended_ns // NS_PER_S if cut_short else -(-duration_ns // NS_PER_S), late=not cut_short
    )
    try:
        check = check_counts(load, delivered)
    except ValueError:             # nothing was due before the load was cut short
        return None
    return ArrivalCheckResult(
        configured=check.configured,
        delivered=check.delivered,
        windows=check.windows,
        ratio=_within(check.ratio),
        dispersion=None if check.dispersion is None else _within(check.dispersion),
        holds=check.holds,
        drawn_holds=check_counts(load, drawn).holds,
        sentence=check.sentence,
    )


def _within(bounded: Bounded) -> Within:
    return Within(value=bounded.value, low=bounded.low, high=bounded.high)
