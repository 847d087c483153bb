"""The times of a chain: each line was written after the one below it."""

from collections.abc import Iterator
from itertools import pairwise

from conformance.trace.hop import Hop
from conformance.trace.moment import DAY_S, ZONE_MINUTES_MAX, Moment
from conformance.trace.remark import Remark, Weight

SKEW_S = 60                            # two clocks that agree
WRONG_S = 1_800                        # no two clocks that are looked after differ by more
FUTURE_S = DAY_S
QUEUED_S = 5 * DAY_S                   # RFC 5321 §4.5.4.1: then a sender gives up
_ZONE_S = ZONE_MINUTES_MAX * 60


def remarks_on_times(chain: tuple[Hop, ...], now_s: int) -> Iterator[Remark]:
    """Say where time runs backwards, where it stands in the future, and what dates there cannot be."""
    for hop in chain:
        yield from _alone(hop, now_s)
    dated = [(hop, hop.moment) for hop in chain if hop.moment is not None]
    for at, ((upper, later), (lower, earlier)) in enumerate(pairwise(dated)):
        above = dated[at - 1][1] if at else None
        below = dated[at + 2][1] if at + 2 < len(dated) else None
        # The lines around it agree without the one or the other: then it is one clock that is wrong, and no chain.
        lone = _in_order(above, earlier) or _in_order(later, below)
        yield from _beside(upper, later, lower, earlier, lone_clock=lone)


def _alone(hop: Hop, now_s: int) -> Iterator[Remark]:
    moment = hop.moment
    if moment is None:
        yield Remark(hop.line, Weight.DOUBT, "date", "no date can be read in it")
        return
    if moment.wrong:
        yield Remark(hop.line, Weight.CONTRADICTION, "date", moment.wrong)
    ahead_s = moment.epoch_s - now_s - _allowed(moment)
    if ahead_s > FUTURE_S:
        yield Remark(hop.line, Weight.CONTRADICTION, "future", f"it is dated {spell(ahead_s)} in the future")
    elif ahead_s > WRONG_S:
        yield Remark(hop.line, Weight.DOUBT, "future", f"it is dated {spell(ahead_s)} in the future")


def _in_order(later: Moment | None, earlier: Moment | None) -> bool:
    """Say whether both are there, and in order."""
    if later is None or earlier is None:
        return False
    return later.epoch_s - earlier.epoch_s >= -SKEW_S - _allowed(later) - _allowed(earlier)


def _beside(upper: Hop, later: Moment, lower: Hop, earlier: Moment, *, lone_clock: bool) -> Iterator[Remark]:
    took_s = later.epoch_s - earlier.epoch_s
    allowed_s = _allowed(later) + _allowed(earlier)
    if took_s < -allowed_s - SKEW_S:
        weight = Weight.CONTRADICTION if took_s < -allowed_s - WRONG_S and not lone_clock else Weight.DOUBT
        sentence = (
            f"time runs backwards: line {lower.line}, below it, is {spell(-took_s)} later; "
            "a clock or a zone is wrong, or a line was not written by a server"
        )
        yield Remark(upper.line, weight, "time", sentence)
    elif took_s > QUEUED_S + allowed_s:
        yield Remark(upper.line, Weight.DOUBT, "delay", f"it comes {spell(took_s)} after line {lower.line}, below it")


def _allowed(moment: Moment) -> int:
    return 0 if moment.zone_known else _ZONE_S


def spell(seconds: int) -> str:
    """Return a length of time for people: "42 s", "3 min", "5 h 20 min", "12 days"."""
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7_200:
        return f"{seconds // 60} min"
    if seconds < 2 * DAY_S:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // DAY_S:,} days"
