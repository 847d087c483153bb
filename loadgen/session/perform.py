"""From a plan to the session that carries it out."""

from collections.abc import Awaitable, Mapping
from typing import assert_never

from loadgen.endpoint import Protocol
from loadgen.message.compose import Composer
from loadgen.schedule.other_plans import (
    AuthPlan,
    ContendPlan,
    HalfOpenPlan,
    OtherPlan,
    ProbePlan,
    ResetPlan,
    RsetLoopPlan,
    SlowReadPlan,
    SlowSendPlan,
)
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, Plan, RetrievalPlan
from loadgen.schedule.steps_plan import StepsPlan
from loadgen.session.auth_storm import storm
from loadgen.session.break_off import reset_in_data, stay_half_open
from loadgen.session.contend import contend
from loadgen.session.deliver import deliver
from loadgen.session.hold import hold
from loadgen.session.outcome import Outcome
from loadgen.session.probe import abort_transactions, probe
from loadgen.session.retrieve import retrieve
from loadgen.session.route import Route
from loadgen.session.slow import read_slowly, send_slowly
from loadgen.session.steps import take_steps
from loadgen.session.trace import Trace


def perform(
    plan: Plan, routes: Mapping[Protocol, Route], composer: Composer, trace: Trace, arrival: int
) -> Awaitable[Outcome]:
    """Carry out what one arrival was planned to do. To be awaited at once."""
    route = routes[plan.protocol]
    match plan:
        case DeliveryPlan():
            return deliver(route, plan, composer, trace, arrival)
        case RetrievalPlan():
            return retrieve(route, plan, trace, arrival)
        case HoldPlan():
            return hold(route, plan, trace, arrival)
        case _:
            return _perform_other(route, plan, composer, trace, arrival)


async def _perform_other(route: Route, plan: OtherPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    match plan:
        case ProbePlan():
            outcome = await probe(route, plan, trace, arrival)
        case RsetLoopPlan():
            outcome = await abort_transactions(route, plan, trace, arrival)
        case AuthPlan():
            outcome = await storm(route, plan, trace, arrival)
        case SlowSendPlan():
            outcome = await send_slowly(route, plan, composer, trace, arrival)
        case SlowReadPlan():
            outcome = await read_slowly(route, plan, trace, arrival)
        case HalfOpenPlan():
            outcome = await stay_half_open(route, plan, trace, arrival)
        case ResetPlan():
            outcome = await reset_in_data(route, plan, composer, trace, arrival)
        case ContendPlan():
            outcome = await contend(route, plan, trace, arrival)
        case StepsPlan():
            outcome = await take_steps(route, plan, composer, trace, arrival)
        case _:
            assert_never(plan)
    return outcome
