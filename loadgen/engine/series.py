"""Sessions in series: led one after another without a task's turn in between, and tallied where they are led."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadgen.endpoint import Protocol
from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.window import Window
from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, Plan
from loadgen.session.plain_delivery import is_plain
from loadgen.session.route import Route
from loadgen.session.series import DeliverySeries, NextPlan
from loadgen.session.trace import Trace

if TYPE_CHECKING:
    from loadgen.transport.native import Tally


@dataclass(frozen=True, slots=True)
class DeliveriesInSeries:
    """Deliveries in series over one route, none of which is verified."""

    route: Route
    composer: Composer
    tally: "Tally"

    def takes(self, plan: Plan) -> bool:
        """Say whether a session may be one of a series."""
        return isinstance(plan, DeliveryPlan) and plan.retry is None and is_plain(self.route, plan)

    def waiting(self) -> int:
        """Count what is tallied and not taken yet, in phases."""
        return len(self.tally)

    def series(
        self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None
    ) -> DeliverySeries:
        """Return a series that begins with a plan, each following one being the `next_plan`.

        One that begins at an instant at which it was due (ns on `clock_ns`) stands by when none follows.
        """
        assert isinstance(plan, DeliveryPlan), "it was asked which are taken"
        return DeliverySeries(self.route, plan, self.composer, trace, next_plan, due_ns)

    def tallies(self, origin_ns: int) -> "DeliveriesTallied":
        """Return where they are tallied. `origin_ns`: the run's start on `clock_ns`."""
        return DeliveriesTallied(self.route, self.tally, origin_ns)


@dataclass(frozen=True, slots=True)
class DeliveriesTallied:
    """What a native lane has tallied of them."""

    route: Route
    tally: "Tally"
    origin_ns: int

    def take(self) -> TalliedSessions | None:
        """Return what was tallied since the last time; None: nothing was."""
        if not self.tally:
            return None
        sessions = TalliedSessions.told(self.tally.take(), self.route.endpoint.protocol, self.origin_ns)
        if self.route.listener is not None:
            self.route.listener.were_tallied(len(sessions.started_ns))
        return sessions

    def place_by(self, window: Window) -> None:
        """Tell by this window from now on what belongs to the steady phase."""
        stages = self.route.stages
        assert stages is not None, "of SMTP"
        steady = self.origin_ns + window.steady_from_ns, self.origin_ns + window.steady_until_ns
        self.tally.begin(stages.body.phase, *steady)


def deliveries_in_series(routes: Mapping[Protocol, Route], composer: Composer) -> DeliveriesInSeries | None:
    """Return how deliveries go on in series; None: they cannot, without a native lane."""
    route = routes.get("smtp")
    lanes = None if route is None else route.native_lanes()
    return None if route is None or lanes is None else DeliveriesInSeries(route, composer, lanes.tally)
