"""Servers that speak, refuse, limit and put off otherwise, lawfully, are accused of nothing."""

from dataclasses import replace
from typing import Final

import pytest
from trio.testing import MockClock

from tests.matrix.laboratory import LIMITS, cases_of, judge
from tests.matrix.lawful import LAWFUL
from tests.matrix.test_faults import accused
from tests.session.theatre import Tls

CASES: Final = {
    "commands": (
        "smtp.addr.", "smtp.limit.", "smtp.order.", "smtp.greet.", "smtp.conn.", "smtp.reply.", "smtp.postmaster.",
        "smtp.role.", "smtp.rset.", "smtp.noop.", "smtp.quit.", "smtp.cmd.",
    ),
    "extensions": ("smtp.esc.", "smtp.8bit.", "smtp.utf8."),
    "reports": ("smtp.dsn.",),
}  # fmt: skip

# A SHOULD that is not followed is latitude: said, and no accusation.
LATITUDE: Final = {
    "no-extensions": {"smtp.limit.size-advertised", "smtp.8bit.offered"},
    "no-sender-domains-450": {"smtp.reply.command-table"},
    "no-sender-domains-501": {"smtp.esc.bad-sender-syntax#two-at"},
}


@pytest.mark.parametrize("about", CASES)
@pytest.mark.parametrize("server", LAWFUL)
async def test_another_lawful_server_is_accused_of_nothing(
    server: str, about: str, tls: Tls, autojump_clock: MockClock
) -> None:
    limits = replace(LIMITS, recipients=150)
    findings = await judge(tls, cases_of(*CASES[about]), LAWFUL[server], limits=limits, slow=False)
    assert set(accused(findings)) - LATITUDE.get(server, set()) == set()
    asked = [finding.verdict.value for finding in findings.values() if finding.verdict.value != "not-applicable"]
    assert asked.count("pass") > len(asked) // 3
