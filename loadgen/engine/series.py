"""Sessions in series: led one after another without a task's turn in between, and tallied where they are led."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadgen.endpoint import Protocol
from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.window import Window
from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, Plan, RetrievalPlan
from loadgen.session import plain_delivery, plain_retrieval
from loadgen.session.correspondence import Correspondence
from loadgen.session.delivery_series import DeliverySeries
from loadgen.session.retrieval_series import RetrievalSeries
from loadgen.session.route import Route
from loadgen.session.series import NextPlan, Series
from loadgen.session.trace import Trace

if TYPE_CHECKING:
    from loadgen.transport.native import Tally


@dataclass(frozen=True, slots=True)
class OneKind(ABC):
    """Sessions of one kind in series over one route, none of which is verified."""

    route: Route
    tally: "Tally"

    @property
    @abstractmethod
    def taken_by(self) -> str:
        """Return the phase at whose end a message is accepted, or has been retrieved."""

    @abstractmethod
    def takes(self, plan: Plan) -> bool:
        """Say whether a session may be one of a series."""

    @abstractmethod
    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, due_ns: int | None) -> Series:
        """Return a series that begins with a plan that is taken."""


@dataclass(frozen=True, slots=True)
class Deliveries(OneKind):
    """Deliveries, which are not tried again."""

    correspondence: Correspondence

    @property
    def taken_by(self) -> str:
        """Return the phase at whose end a message is accepted."""
        assert self.route.stages is not None, "of SMTP"
        return self.route.stages.body.phase

    def takes(self, plan: Plan) -> bool:
        """Say whether a session may be one of a series."""
        return isinstance(plan, DeliveryPlan) and plan.retry is None and plain_delivery.is_plain(self.route, plan)

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, due_ns: int | None) -> DeliverySeries:
        """Return a series that begins with a plan that is taken."""
        assert isinstance(plan, DeliveryPlan), "it was asked which are taken"
        return DeliverySeries(self.route, plan, self.correspondence, trace, self.tally, next_plan, due_ns)


@dataclass(frozen=True, slots=True)
class Retrievals(OneKind):
    """Retrievals."""

    @property
    def taken_by(self) -> str:
        """Return the phase at whose end a message has been retrieved."""
        assert self.route.pop3_stages is not None, "of POP3"
        return self.route.pop3_stages.retr.phase

    def takes(self, plan: Plan) -> bool:
        """Say whether a session may be one of a series."""
        return isinstance(plan, RetrievalPlan) and plain_retrieval.is_plain(self.route, plan)

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, due_ns: int | None) -> RetrievalSeries:
        """Return a series that begins with a plan that is taken."""
        return RetrievalSeries(self.route, plan, trace, self.tally, next_plan, due_ns)


class SessionsInSeries:
    """Sessions of all kinds that go in series; each series is of one."""

    __slots__ = ("_kinds",)

    def __init__(self, kinds: Mapping[str, OneKind]) -> None:
        """`kinds`: by the kind of their plans."""
        self._kinds = kinds

    def takes(self, plan: Plan, behind: Plan | None = None) -> bool:
        """Say whether a session may be one of a series, behind that of another plan, if there is one."""
        kind = self._kinds.get(plan.kind)
        return kind is not None and (behind is None or behind.kind == plan.kind) and kind.takes(plan)

    def accepted_under_way(self) -> int:
        """Count the messages accepted so far in sessions that are not over."""
        return sum(kind.tally.under_way for kind in self._kinds.values() if isinstance(kind, Deliveries))

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None) -> Series:
        """Return a series that begins with a plan, each following one being the `next_plan`.

        One that begins at an instant at which it was due (ns on `clock_ns`) stands by when none follows.
        """
        return self._kinds[plan.kind].series(plan, trace, next_plan, due_ns)

    def tallies(self, origin_ns: int) -> "list[TalliedByLanes]":
        """Return where they are tallied. `origin_ns`: the run's start on `clock_ns`."""
        return [TalliedByLanes(kind, origin_ns) for kind in self._kinds.values()]


@dataclass(frozen=True, slots=True)
class TalliedByLanes:
    """What native lanes have tallied of one kind."""

    kind: OneKind
    origin_ns: int

    def take(self) -> TalliedSessions | None:
        """Return what was tallied since the last time; None: nothing was."""
        route, tally = self.kind.route, self.kind.tally
        if not tally:
            return None
        sessions = TalliedSessions.told(tally.take(), route.endpoint.protocol, self.origin_ns)
        if route.listener is not None:
            route.listener.were_tallied(len(sessions.started_ns))
        return sessions

    def tell_when_full(self, phases: int, told: Callable[[], None]) -> None:
        """Call `told` whenever a session has been tallied and so many phases or more wait to be taken."""
        self.kind.tally.tell_when_full(phases, told)

    def place_by(self, window: Window) -> None:
        """Tell by this window from now on what belongs to the steady phase."""
        steady = self.origin_ns + window.steady_from_ns, self.origin_ns + window.steady_until_ns
        self.kind.tally.begin(self.kind.taken_by, *steady)


def sessions_in_series(routes: Mapping[Protocol, Route], composer: Composer) -> SessionsInSeries | None:
    """Return how sessions go on in series; None: they cannot, without a native lane."""
    kinds: dict[str, OneKind] = {}
    for protocol, route in routes.items():
        lanes = route.native_lanes()
        if lanes is not None and protocol == "smtp":
            assert route.stages is not None, "of SMTP"
            correspondence = Correspondence(route.stages, composer, route.hello_name)
            kinds["smtp-deliver"] = Deliveries(route, lanes.tally(), correspondence)
        elif lanes is not None and protocol == "pop3":
            kinds["pop3-retrieve"] = Retrievals(route, lanes.tally())
    return SessionsInSeries(kinds) if kinds else None
