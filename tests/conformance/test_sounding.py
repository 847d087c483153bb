"""The first look at a server: where no session can be had, only the greeting is judged."""

import pytest
from trio.testing import MockClock

from conformance.judgement import CaseVerdict
from conformance.refserver.behaviour import Behaviour
from reports.errors import PreconditionFailed
from tests.matrix.laboratory import cases_of, judge, with_faults
from tests.session.theatre import Tls


async def verdicts(tls: Tls, behaviour: Behaviour) -> tuple[CaseVerdict, CaseVerdict, str]:
    findings = await judge(tls, cases_of("smtp.greet.code", "smtp.rset.replies-250"), behaviour)
    rset = findings["smtp.rset.replies-250"]
    return findings["smtp.greet.code"].verdict, rset.verdict, rset.got


async def test_a_server_that_refuses_all_service_is_judged_by_its_greeting(
    tls: Tls, autojump_clock: MockClock
) -> None:
    greeting, rset, why = await verdicts(tls, Behaviour(refuses_service=554))
    assert (greeting, rset) == (CaseVerdict.PASS, CaseVerdict.NOT_APPLICABLE)
    assert why == "needs a session, and 554 mail.example.test takes no mail came instead of a greeting"


async def test_a_server_that_says_nothing_is_judged_by_its_greeting(tls: Tls, autojump_clock: MockClock) -> None:
    greeting, rset, why = await verdicts(tls, with_faults("greet-when-asked"))
    assert (greeting, rset) == (CaseVerdict.INCONCLUSIVE, CaseVerdict.NOT_APPLICABLE)
    assert "said nothing for 30 s" in why


@pytest.mark.parametrize("code", [421, 450])
async def test_a_server_that_cannot_just_now_cannot_be_judged(code: int, tls: Tls, autojump_clock: MockClock) -> None:
    with pytest.RaisesGroup(PreconditionFailed):
        await verdicts(tls, Behaviour(refuses_service=code))
