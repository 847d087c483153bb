"""What the parts cost beside what others would use in their place."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.micro import histogram, planning, transport, wire
from benchmarks.place import CHECKOUT, shown
from benchmarks.servers import holder
from benchmarks.turn import CLIENT_CORE, TurnFailedError, expect_success, pinned, run

PARTS = {
    "histogram": ("recording a time", histogram.SIDES),
    "transport": (f"a command and its reply over loopback, {transport.SESSIONS} sessions", transport.SIDES),
    "wire": ("parsing what a server says", wire.SIDES),
    "planning": ("a plan, and the message for it", planning.SIDES),
}


def comparisons() -> tuple[Comparison, ...]:
    """Return a comparison for each part."""
    return tuple(
        Comparison(
            name=f"cost-{part}",
            group="costs",
            title=title,
            contenders=tuple(Contender(side, _turn(part, side)) for side in sides),
            round_s=2.5 * len(sides),
            quick_s=2.5 * len(sides),
            rounds_max=3,
        )
        for part, (title, sides) in PARTS.items()
    )


def _turn(part: str, side: str) -> Callable[[bool], Taken]:
    def take(_: bool) -> Taken:
        with holder(processes=1, tls=False) if part == "transport" else nullcontext((0, None)) as (port, _authority):
            command = pinned([sys.executable, "-m", "benchmarks.micro", part, side, str(port)], CLIENT_CORE)
            finished = expect_success(run(command, directory=CHECKOUT))
        try:
            metrics = json.loads(finished.output.splitlines()[-1])
        except (ValueError, IndexError):
            raise TurnFailedError("printed no figures") from None
        return Taken(metrics, shown(command))

    return take
