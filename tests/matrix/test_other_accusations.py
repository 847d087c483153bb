"""A fault is no reason to accuse a server of something else: what was once read wrongly on real servers."""

import pytest
from trio.testing import MockClock

from tests.matrix.laboratory import cases_of, judge, with_faults
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls

OTHERS = {
    # OpenSMTPD greets once: its 503 to another EHLO is no late answer to what was said before.
    "ehlo-only-once": ("smtp.reply.exactly-one", "smtp.limit.command-512", "smtp.limit.command-over"),
}


@pytest.mark.parametrize("fault", OTHERS)
async def test_a_fault_is_held_against_its_own_requirement_only(
    fault: str, tls: Tls, autojump_clock: MockClock
) -> None:
    findings = await judge(tls, cases_of(*OTHERS[fault]), with_faults(fault))
    assert findings
    assert accused(findings) == {}
