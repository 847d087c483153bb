"""The deadlines of native lanes: looked at together, and when the first of them may have come."""

import math
from functools import partial

import pytest
import trio

from loadgen.transport.epoll import EpollReadiness, serve_epoll
from tests.transport.lane_stage import FAR_S, talk, talking

SOON_S = 5.0


def nobody_goes_on(ended: list[bool]) -> bool:
    """Note that a lane has ended."""
    ended.append(True)
    return False


def test_only_a_deadline_that_is_earlier_than_all_before_is_told_of() -> None:
    told: list[float] = []
    with talking(1, earlier=told.append) as (lanes, _, _):
        with talk(lanes, 1), talk(lanes, 1, limit_s=SOON_S) as (hasty, _), talk(lanes, 1, limit_s=SOON_S):
            assert len(told) == 2
            assert told[0] - told[1] == pytest.approx(FAR_S - SOON_S, abs=1)
            soon = lanes.sweep(told[1])          # nobody is late: they have asked since
            assert told[1] < soon < told[0]
            ended: list[bool] = []
            hasty.when_ended(partial(nobody_goes_on, ended))
            later = lanes.sweep(soon)
            assert ended
            assert soon < later < told[0]
        assert lanes.sweep(later) >= told[0]     # that one is over


def test_after_a_sweep_what_was_the_first_deadline_counts_no_more() -> None:
    told: list[float] = []
    with talking(1, limit_s=SOON_S, earlier=told.append) as (lanes, _, _):
        assert lanes.sweep(told[0] + 1) == math.inf
        with talk(lanes, 1):
            assert len(told) == 2
            assert told[1] > told[0]


async def test_a_sweep_is_brought_forward_for_a_lane_that_has_less_time_than_those_before(
    nursery: trio.Nursery
) -> None:
    readiness: EpollReadiness = await nursery.start(serve_epoll)
    assert readiness.lanes is not None
    with talk(readiness.lanes, 1) as (patient, _), talk(readiness.lanes, 1, limit_s=0.05) as (hasty, _):
        await hasty.ended()
        ended: list[bool] = []
        patient.when_ended(partial(nobody_goes_on, ended))
        assert not ended
