"""Whether the crash a scenario wishes for can be had, and tell anything."""

from collections.abc import Iterator

from loadgen.scenario.crash import CRASHES_MAX, Crash
from loadgen.scenario.model import ClosedLoad, Ledger, Load, Target
from loadgen.scenario.problems import Problem
from loadgen.scenario.quantities import Duration


def crash_problems(crash: Crash, load: Load | None, target: Target | None, ledger: Ledger | None) -> Iterator[Problem]:
    """Yield what is wrong with the [crash] section; None stands for a section that could not be read."""
    if ledger is not None and not ledger.verify:
        what = "what was answered 250 is to be looked for after it, and deliveries are not verified"
        yield Problem("crash", what=what, hint="add verify = true under [ledger]")
    if target is not None and target.embedded and target.tls != "none":
        what = "the embedded server has another certificate when it is started again: crash it without TLS"
        yield Problem("crash", what=what)
    for name, duration in (("recover_within", crash.recover_within), ("limit", crash.limit), ("every", crash.every)):
        if duration is not None and not duration.ns:
            yield Problem(f"crash.{name}", got='"0s"', allowed="more than zero")
    if crash.every is not None and crash.every.ns < crash.limit.ns:
        allowed = f'at least crash.limit, "{crash.limit}": the command must have ended before it is run again'
        yield Problem("crash.every", got=f'"{crash.every}"', allowed=allowed)
    if load is not None:
        yield from _instant_problems(crash, load)


def _instant_problems(crash: Crash, load: Load) -> Iterator[Problem]:
    length = _length_ns(load)
    if length is None:
        hint = "say after how long"
        if crash.at.is_share:
            what = "a load that ends by its sessions has no length, and so no share of it"
            yield Problem("crash.at", what=what, hint=hint)
        if crash.every is not None:
            yield Problem("crash.every", what="a load that ends by its sessions has no length to repeat it in")
        return
    first_ns = crash.at.ns(length)
    if first_ns >= length:
        allowed = f'less than the load is long, "{Duration(length)}"'
        yield Problem("crash.at", got=f'"{crash.at.plain()}"', allowed=allowed)
    elif crash.every is not None and crash.every.ns and (length - first_ns) // crash.every.ns >= CRASHES_MAX:
        yield Problem("crash.every", got=f'"{crash.every}"', allowed=f"at most {CRASHES_MAX} times in one load")


def _length_ns(load: Load) -> int | None:
    if isinstance(load, ClosedLoad):
        return None if load.duration is None else load.duration.ns
    return sum(segment.duration.ns for segment in load.arrivals)
