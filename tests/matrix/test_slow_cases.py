"""The cases that wait for minutes wait side by side, and in virtual time here."""

import trio
from trio.testing import MockClock

from conformance.catalogue.load import catalogue
from conformance.judgement import CaseVerdict
from tests.matrix.laboratory import cases_of, judge
from tests.session.theatre import Tls


async def test_all_waits_together_take_as_long_as_the_longest(tls: Tls, autojump_clock: MockClock) -> None:
    slow = [case for case in cases_of("smtp.") if "slow" in catalogue()[case.requirement].needs]
    findings = await judge(tls, slow)
    waits_s = sorted(findings[case.id].seconds for case in slow)
    assert waits_s[-1] >= 297                        # minutes were waited for
    assert sum(waits_s) > 3 * waits_s[-1]            # by several cases
    assert trio.current_time() < waits_s[-1] + 30    # at the same time
    assert {findings[case.id].verdict for case in slow} <= {CaseVerdict.PASS, CaseVerdict.OBSERVED}
