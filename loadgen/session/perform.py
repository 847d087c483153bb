"""From a plan to the session that carries it out."""

from collections.abc import Mapping
from typing import assert_never

from loadgen.endpoint import Protocol
from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, Plan, RetrievalPlan
from loadgen.session.deliver import deliver
from loadgen.session.hold import hold
from loadgen.session.outcome import Outcome
from loadgen.session.retrieve import retrieve
from loadgen.session.route import Route
from loadgen.session.trace import Trace


async def perform(
    plan: Plan, routes: Mapping[Protocol, Route], composer: Composer, trace: Trace, arrival: int
) -> Outcome:
    """Carry out what one arrival was planned to do."""
    route = routes[plan.protocol]
    match plan:
        case DeliveryPlan():
            return await deliver(route, plan, composer, trace, arrival)
        case RetrievalPlan():
            return await retrieve(route, plan, trace, arrival)
        case HoldPlan():
            return await hold(route, plan, trace, arrival)
        case _:
            assert_never(plan)
