"""One attempt at what an arrival is to deliver, and whether there is to be another (RFC 5321 §4.5.4.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec import structs

from loadgen.scenario.model import Retry
from loadgen.schedule.plans import DeliveryPlan, Plan

# Of each message that is not settled, by its index: the places of the recipients who are still to have it.
Left = tuple[tuple[int, tuple[int, ...]], ...]
Fates = Mapping[tuple[int, str], int | None]
BackOff = Callable[[int, int, Retry], int]      # (arrival, attempt, retry) -> ns to wait after it


class Attempt(msgspec.Struct, frozen=True, order=True, gc=False):
    """An attempt that is to come; the first that is due comes first.

    All that is kept of a message that waits: the plan and the seed make it anew, the same octets with the same id.
    """

    due_ns: int          # ns from the run's start
    arrival: int
    number: int          # from 1
    intended_ns: int     # of the arrival
    left: Left = ()      # a first attempt is at everything
    bounced: bool = False    # something of it has been refused for good


@dataclass(frozen=True, slots=True)
class Upshot:
    """What one attempt came to, for each delivery it was at: one message for one recipient."""

    taken_ns: list[int]  # when each of these was accepted, on clock_ns
    refused: int         # for good: 5yz
    left: Left           # put off, or cut short

    @property
    def put_off(self) -> int:
        """Count the deliveries that are left."""
        return sum(len(places) for _, places in self.left)

    @property
    def deliveries(self) -> int:
        """Count them all."""
        return len(self.taken_ns) + self.refused + self.put_off


def retry_of(plan: Plan) -> Retry | None:
    """Return how a session tries again, if it does."""
    return plan.retry if isinstance(plan, DeliveryPlan) else None


def plan_again(plan: Plan, left: Left) -> Plan:
    """Return an arrival's plan with nothing in it but what is left."""
    assert isinstance(plan, DeliveryPlan), "nothing else is tried again"
    places_of = dict(left)
    messages = tuple(
        [
            structs.replace(message, left=tuple([message.recipients[place] for place in places_of[message.index]]))
            for message in plan.messages
            if message.index in places_of
        ]
    )
    return structs.replace(plan, messages=messages)


def upshot_of(plan: Plan, fates: Fates) -> Upshot:
    """Return what an attempt at a plan came to."""
    assert isinstance(plan, DeliveryPlan), "nothing else is tried again"
    taken_ns: list[int] = []
    refused = 0
    left = []
    for message in plan.messages:
        wanted = frozenset(message.envelope)
        places = []
        for place, recipient in enumerate(message.recipients):
            if recipient not in wanted:
                continue
            if (message.index, recipient) not in fates:
                places.append(place)
            elif (at_ns := fates[message.index, recipient]) is None:
                refused += 1
            else:
                taken_ns.append(at_ns)
        if places:
            left.append((message.index, tuple(places)))
    return Upshot(taken_ns, refused, tuple(left))


def attempt_after(
    attempt: Attempt, upshot: Upshot, retry: Retry, *, now_ns: int, back_off: BackOff
) -> Attempt | None:
    """Return the attempt that follows one which left something; None: the sender gives up."""
    if attempt.number == retry.attempts:
        return None
    due_ns = now_ns + back_off(attempt.arrival, attempt.number, retry)
    if due_ns - attempt.intended_ns > retry.give_up.ns:
        return None
    bounced = attempt.bounced or bool(upshot.refused)
    return Attempt(due_ns, attempt.arrival, attempt.number + 1, attempt.intended_ns, upshot.left, bounced)
