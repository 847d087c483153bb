"""What each message of a delivery is made of, and who has it unseen: from the seed and the arrival alone."""

from typing import Any

from loadgen.scenario.content import TEXT, Multipart
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from loadgen.schedule.plans import DeliveryPlan, MessagePlan, plan_for


def scenario(**session: Any) -> Scenario:
    data = {
        "scenario": {"name": "s", "seed": 7},
        "accounts": {"count": 10},
        "load": {"model": "closed", "virtual_users": 1, "sessions": 1},
        "session": [{"kind": "smtp-deliver", **session}],
    }
    return scenario_from(data, name="s", directory=None, environ={})


def messages(arrivals: int = 200, **session: Any) -> list[MessagePlan]:
    found: list[MessagePlan] = []
    for k in range(arrivals):
        plan = plan_for(scenario(**session), k, environ={})
        assert isinstance(plan, DeliveryPlan)
        found += plan.messages
    return found


def test_without_bcc_and_content_a_plan_is_what_it_was() -> None:
    plans = messages(recipients={"uniform": [1, 3]}, messages={"uniform": [1, 2]})
    assert {plan.hidden for plan in plans} == {0}
    assert {plan.body for plan in plans} == {TEXT}
    eight_bit = messages(recipients={"uniform": [1, 3]}, messages={"uniform": [1, 2]}, content="8bit")
    assert [plan.recipients for plan in eight_bit] == [plan.recipients for plan in plans]


def test_bcc_adds_recipients_who_are_hidden() -> None:
    plans = messages(recipients={"uniform": [1, 3]}, bcc={"uniform": [0, 2]})
    assert {plan.hidden for plan in plans} == {0, 1, 2}
    assert {len(plan.recipients) - plan.hidden for plan in plans} == {1, 2, 3}
    assert all(len(set(plan.recipients)) == len(plan.recipients) for plan in plans)


def test_attachments_are_drawn_for_each_message() -> None:
    content = {"mime": {"attachments": {"uniform": [0, 2]}, "attachment_size": {"uniform": [1, 1000]}}}
    bodies = [plan.body for plan in messages(messages=2, content=content)]
    assert {len(body.attachments_octets) for body in bodies if isinstance(body, Multipart)} == {0, 1, 2}
    assert len(set(bodies)) > 200
    assert bodies == [plan.body for plan in messages(messages=2, content=content)]
