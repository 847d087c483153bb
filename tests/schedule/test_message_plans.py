"""What each message of a delivery is made of, and who has it unseen: from the seed and the arrival alone."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.content import TEXT, Multipart
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario, SmtpDeliver
from loadgen.schedule.draws import Draws
from loadgen.schedule.other_plans import drawn_addresses
from loadgen.schedule.plans import READY_MAX, DeliveryPlan, MessagePlan, Planner, plan_for


def scenario(count: int = 10, **session: Any) -> Scenario:
    data = {
        "scenario": {"name": "s", "seed": 7},
        "accounts": {"count": count},
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


def counts(least: int) -> st.SearchStrategy[object]:
    """How many, from so many up to 4: always the same, or drawn."""
    numbers = st.integers(least, 4)
    return (
        numbers
        | numbers.map(lambda most: {"uniform": [least, most]})
        | numbers.map(lambda number: {"choice": [[number, 1], [least, 2]]})
        | st.just({"exponential": {"mean": 2, "max": 4}})
    )


CONTENTS = ["text", "8bit", {"mime": {"attachments": {"uniform": [0, 2]}, "attachment_size": {"uniform": [1, 1000]}}}]
SESSIONS = st.fixed_dictionaries(
    {
        "messages": counts(1), "recipients": counts(1), "bcc": counts(0), "content": st.sampled_from(CONTENTS),
        "size": st.sampled_from([0, 700, {"uniform": [0, 9]}, {"lognormal": {"median": 900, "sigma": 1, "max": 9999}}]),
    }
)  # fmt: skip


ALIKE = {"messages": 1, "recipients": 1, "bcc": 0, "content": "8bit", "size": 700}      # all but whom it is for


@given(SESSIONS, st.sampled_from([10, READY_MAX + 1]), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
@example(ALIKE, 10, [*range(50)])
@example(ALIKE, READY_MAX, [*range(50)])
@example(ALIKE, READY_MAX + 1, [*range(50)])
@example({**ALIKE, "messages": 20}, READY_MAX, [*range(50)])
@example({**ALIKE, "messages": {"uniform": [1, 20]}}, 10, [*range(50)])
@example({**ALIKE, "bcc": {"uniform": [0, 0]}}, 10, [*range(50)])
def test_what_never_changes_is_held_ready_and_that_makes_no_difference(
    session: Any, count: int, numbers: list[int]
) -> None:
    """Held against the rule: every number is drawn, in this order, from the stream of the arrival."""
    made = scenario(count, **session)
    book = open_accounts(made.accounts, environ={})
    planner, draws = Planner(made, book), Draws("7/plan")
    (how,) = made.sessions
    assert isinstance(how, SmtpDeliver)
    for k in numbers:
        draws.of(k)
        expected = []
        for index in range(max(1, how.messages.sample(draws))):
            visible, hidden = max(1, how.recipients.sample(draws)), how.bcc.sample(draws)
            recipients = drawn_addresses(visible + hidden, draws, book)
            size_octets, body = how.size.sample(draws), how.content.draw(draws)
            expected.append(MessagePlan(index, recipients, size_octets, hidden, body))
        plan = planner.plan_for(k)
        assert isinstance(plan, DeliveryPlan)
        assert list(plan.messages) == expected
        assert [plan.messages[index] for index in range(len(plan.messages))] == expected
        for start, stop in ((0, 3), (2, None), (-1, None), (30, 40)):
            assert list(plan.messages[start:stop]) == expected[start:stop], "with the numbers they have in the session"
