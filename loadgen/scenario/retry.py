"""How a delivery session tries again what was put off: the words an operator of a mail system knows from its queue."""

from typing import Annotated

from msgspec import Meta

from loadgen.scenario.distributions import Durations
from loadgen.scenario.quantities import Duration
from loadgen.scenario.table import Table, default, says


class Retry(Table, frozen=True, kw_only=True):
    """Try again, in a new session, what was answered 4yz or not at all; never what was answered 5yz.

    RFC 5321 §4.5.4.1 wants thirty minutes between two attempts and four to five days before giving up: a queue's
    patience. The defaults are a load test's.
    """

    attempts: Annotated[int, says("The most attempts at one message, the first included."), Meta(ge=2, le=100)] = 4
    after: Annotated[
        Durations, says("Wait between the end of the first attempt and the second; drawn anew for each wait.")
    ] = default(Durations, {"exponential": {"mean": "5s", "max": "30s"}})
    factor: Annotated[
        float, says("Each later wait is so many times as long as the one before."), Meta(ge=1, le=100)
    ] = 2.0
    give_up: Annotated[
        Duration, says("No attempt starts later than this after the arrival's intended instant.")
    ] = default(Duration, "2m")
