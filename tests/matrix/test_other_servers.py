"""Servers that speak, refuse, limit and put off otherwise, lawfully, are accused of nothing."""

from dataclasses import replace
from typing import Final

import pytest
from trio.testing import MockClock

from tests.matrix.laboratory import LIMITS, cases_of, judge
from tests.matrix.lawful import LAWFUL
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls

CASES: Final = (
    "smtp.addr.", "smtp.limit.", "smtp.order.", "smtp.greet.", "smtp.conn.", "smtp.reply.", "smtp.postmaster.",
    "smtp.role.", "smtp.rset.", "smtp.noop.", "smtp.quit.", "smtp.cmd.",
)  # fmt: skip

# A SHOULD that is not followed is latitude: said, and no accusation.
LATITUDE: Final = {
    "no-extensions": {"smtp.limit.size-advertised"},
    "no-sender-domains-450": {"smtp.reply.command-table"},
}


@pytest.mark.parametrize("server", LAWFUL)
async def test_another_lawful_server_is_accused_of_nothing(server: str, tls: Tls, autojump_clock: MockClock) -> None:
    limits = replace(LIMITS, recipients=150)
    findings = await judge(tls, cases_of(*CASES), LAWFUL[server], limits=limits, slow=False)
    assert set(accused(findings)) - LATITUDE.get(server, set()) == set()
    assert sum(finding.verdict.value == "pass" for finding in findings.values()) > len(findings) // 3
