"""Walks through a session: what is asked of a server, and how a misstep is shown."""

from random import Random

import pytest
from trio.testing import MockClock

from conformance.answer import Answer, Ended
from conformance.cases.smtp.walk import (
    ASIDES_MAX,
    ERRORS_MAX,
    TRANSACTION,
    Misstep,
    State,
    Step,
    choices,
    walk_of,
)
from conformance.judgement import CaseVerdict
from tests.matrix.laboratory import cases_of, judge, with_faults
from tests.session.theatre import Tls


@pytest.mark.parametrize("seed", range(20))
def test_a_walk_errs_seldom_and_strays_seldom(seed: int) -> None:
    state, errors = State.READY, 0
    steps = walk_of(Random(seed), 14)
    for step in steps:
        wanted, state = next(iter(choices(state, step).items()))
        errors += wanted == 5
    assert len(steps) == 14
    assert errors <= ERRORS_MAX
    assert sum(step not in TRANSACTION for step in steps) <= ASIDES_MAX


def test_every_step_is_lawful_to_answer_in_every_state() -> None:
    assert all(choices(state, step) for state in State for step in Step)


async def test_a_misstep_is_shown_with_no_step_too_many(tls: Tls, autojump_clock: MockClock) -> None:
    findings = await judge(tls, cases_of("smtp.order.random-walk"), with_faults("order-nothing-between"))
    finding = findings["smtp.order.random-walk"]
    assert finding.verdict is CaseVerdict.FAIL
    way = finding.got.rpartition(" to RCPT after ")[2].split(", ")
    assert (way[0], len(way)) == ("MAIL", 2)
    assert finding.expected == "2yz to RCPT"


def test_a_misstep_reads_well() -> None:
    assert str(Misstep((Step.NOOP,), Answer(ended=Ended.CLOSED), "")) == "closed the connection to NOOP"
