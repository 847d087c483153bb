"""A case that waits for others to leave a maildrop is not held to its time meanwhile."""

import trio
from trio.testing import MockClock

from conformance.case import Case
from conformance.judgement import CaseVerdict, Force, Judgement, satisfied
from conformance.pop3_peer import Pop3Peer
from conformance.refserver.behaviour import Behaviour
from conformance.runner import Manner, Planned, run_cases
from tests.matrix.laboratory import reference_subject
from tests.session.theatre import Tls


async def keeps_it(peer: Pop3Peer) -> Judgement:
    await peer.maildrops()
    await trio.sleep(60.0)
    return satisfied("done")


async def test_to_wait_for_a_maildrop_takes_no_time(tls: Tls, autojump_clock: MockClock) -> None:
    items = [Planned(Case(f"pop3.{at}", None, keeps_it, "A title"), Force.BINDING) for at in range(9)]
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject:
        findings = await run_cases(items, subject, Manner(limit_s=70.0))
    assert {finding.verdict for finding in findings} == {CaseVerdict.PASS}


async def test_what_a_case_does_with_its_maildrop_does(tls: Tls, autojump_clock: MockClock) -> None:
    item = Planned(Case("pop3.a", None, keeps_it, "A title"), Force.BINDING)
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject:
        finding, = await run_cases([item], subject, Manner(limit_s=50.0))
    assert finding.verdict is CaseVerdict.INCONCLUSIVE
