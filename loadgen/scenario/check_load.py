"""Whether a load can be meant: every shape's own sense, and that something arrives at all."""

from collections.abc import Iterator
from typing import Final, assert_never

from loadgen.scenario.arrivals import Arrivals, Constant, Curve, Poisson, Ramp, Replay, Spike, Steps, worth
from loadgen.scenario.draft import Draft, kind_of
from loadgen.scenario.model import ClosedLoad, LmtpDeliver, Load, OpenLoad, SmtpDeliver
from loadgen.scenario.problems import Problem, show
from loadgen.scenario.quantities import RATE_PER_S_MAX, Duration

ARRIVALS_MAX: Final = 100_000_000
STAIRS_MAX: Final = 1000
PAUSE_LEAST: Final = Duration.parse("50ms")      # some heartbeats: below, every busy moment is a pause


def load_problems(load: Load) -> Iterator[Problem]:
    """Yield what is wrong with a load by itself."""
    if load.pause_max.ns < PAUSE_LEAST.ns:
        yield Problem("load.pause_max", got=f'"{load.pause_max}"', allowed=f'at least "{PAUSE_LEAST}"')
    match load:
        case OpenLoad():
            total_ns = 0
            found = [list(_shape_problems(each, f"load.arrivals[{i}]")) for i, each in enumerate(load.arrivals)]
            for problems in found:
                yield from problems
            if not any(found):
                total_ns = sum(segment.duration.ns for segment in load.arrivals)
                yield from _amount_problems(load)
        case ClosedLoad(sessions=None, duration=None):
            yield Problem("load", what="a closed load ends by sessions = N or by for = DURATION; neither is given")
            return
        case ClosedLoad(sessions=int(), duration=Duration()):
            yield Problem("load", what="a closed load ends by sessions or by for; both are given")
            return
        case ClosedLoad(duration=Duration(ns=0)):
            yield Problem("load.for", got='"0s"', allowed="more than zero")
            return
        case ClosedLoad(duration=Duration() as duration, ramp=ramp) if ramp.ns >= duration.ns:
            yield Problem("load.ramp", got=f'"{ramp}"', allowed=f'less than the load is long, "{duration}"')
            return
        case ClosedLoad():
            total_ns = load.duration.ns if load.duration is not None else 0
    if 0 < total_ns <= load.warm_up.ns:
        allowed = f'less than the whole schedule, "{Duration(total_ns)}"'
        yield Problem("load.warm_up", got=f'"{load.warm_up}"', allowed=allowed)


def replay_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what a trace tells that the sessions and accounts cannot do."""
    if not isinstance(draft.load, OpenLoad):
        return
    telling = [
        (i, segment) for i, segment in enumerate(draft.load.arrivals)
        if isinstance(segment, Replay) and segment.file.trace.tells_messages
    ]   # fmt: skip
    for i, segment in telling:
        most = segment.file.trace.recipients_max
        if draft.accounts is not None and draft.accounts.file is None and most > draft.accounts.count:
            what = f"a message in it has {most} recipients, but there are only {draft.accounts.count} accounts"
            yield Problem(f"load.arrivals[{i}].file", what=what)
    if not telling or not draft.sessions or None in draft.sessions:
        return
    if not any(isinstance(each, SmtpDeliver | LmtpDeliver) and each.weight for each in draft.sessions):
        what = "tells of messages, and no session delivers any"
        yield Problem(f"load.arrivals[{telling[0][0]}].file", what=what)
    elif len(telling) == len(draft.load.arrivals) and all(_every_message_told(each) for _, each in telling):
        for i, session in enumerate(draft.sessions):
            if session is not None and not isinstance(session, SmtpDeliver | LmtpDeliver):
                what = f"{kind_of(session)} is never chosen: every arrival of the trace is a message to deliver"
                yield Problem(f"session[{i}]", what=what)


def _every_message_told(replay: Replay) -> bool:
    trace = replay.file.trace
    return all(trace.told(i) is not None for i in range(replay.count))


def _amount_problems(load: OpenLoad) -> Iterator[Problem]:
    expected = sum(worth(segment) for segment in load.arrivals)
    if expected == 0:
        yield Problem("load.arrivals", what="every rate is 0, so no session would ever start")
    elif expected > ARRIVALS_MAX:
        what = f"{float(expected):.3g} arrivals are more than one run can hold ({ARRIVALS_MAX:.0e})"
        yield Problem("load.arrivals", what=what)


def _shape_problems(segment: Arrivals, path: str) -> Iterator[Problem]:
    match segment:
        case Constant() | Poisson():
            yield from _lasting(segment.duration, f"{path}.for")
        case Ramp():
            yield from _lasting(segment.duration, f"{path}.over")
        case Steps():
            yield from _lasting(segment.each, f"{path}.each")
            yield from _steps_problems(segment, path)
        case Spike():
            yield from _lasting(segment.duration, f"{path}.for")
            yield from _spike_problems(segment, path)
        case Curve():
            yield from _curve_problems(segment, path)
        case Replay():
            if segment.limit is not None:
                yield from _lasting(segment.limit, f"{path}.for")
        case _:
            assert_never(segment)


def _lasting(duration: Duration, path: str) -> Iterator[Problem]:
    if duration.ns == 0:
        yield Problem(path, got='"0s"', allowed="more than zero")


def _steps_problems(steps: Steps, path: str) -> Iterator[Problem]:
    way = f"from {show(steps.start.plain())} to {show(steps.end.plain())}"
    if steps.by.per_s == 0:
        yield Problem(f"{path}.by", got="0", allowed="more than zero")
    elif steps.count.denominator != 1:
        what = f"the way {way} is no whole number of stairs of {show(steps.by.plain())}"
        yield Problem(f"{path}.by", what=what)
    elif steps.count > STAIRS_MAX:
        what = f"{steps.count} stairs {way} are more than {STAIRS_MAX}"
        yield Problem(f"{path}.by", what=what, hint='shape = "ramp" has none')


def _spike_problems(spike: Spike, path: str) -> Iterator[Problem]:
    if spike.peak.per_s <= spike.base.per_s:
        allowed = f"more than base, {show(spike.base.plain())}"
        yield Problem(f"{path}.peak", got=show(spike.peak.plain()), allowed=allowed)
    if spike.rise.ns == spike.hold.ns == spike.fall.ns == 0:
        yield Problem(f"{path}.hold", what="rise, hold and fall are all 0s, so there is no spike")
    if spike.duration.ns and spike.left_ns < 0:
        needed = Duration(spike.duration.ns - spike.left_ns)
        allowed = f'at least at + rise + hold + fall, "{needed}"'
        yield Problem(f"{path}.for", got=f'"{spike.duration}"', allowed=allowed)


def _curve_problems(curve: Curve, path: str) -> Iterator[Problem]:
    if curve.stretch is not None and curve.over is not None:
        yield Problem(path, what="a curve takes stretch or over; both are given")
    if curve.over is not None:
        yield from _lasting(curve.over, f"{path}.over")
    if (peak := max(curve.rates)) > RATE_PER_S_MAX:
        what = f"the highest rate would be {float(peak):.3g} per second, more than {RATE_PER_S_MAX}"
        yield Problem(f"{path}.scale", what=what)
