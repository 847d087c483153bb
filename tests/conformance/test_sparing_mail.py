"""Where nobody hands in mail, what lies in a maildrop has to last for all cases that need some."""

from trio.testing import MockClock

from conformance.case import Case
from conformance.finding import Finding
from conformance.judgement import CaseVerdict, Force, Judgement, satisfied
from conformance.pop3_peer import Pop3Peer
from conformance.refserver.behaviour import Behaviour
from conformance.runner import Manner, Planned, run_cases
from tests.matrix.laboratory import DECLARED, reference_subject
from tests.session.theatre import Tls


async def destroys(peer: Pop3Peer) -> Judgement:
    await peer.empty()
    return satisfied("nothing lies there any more")


async def deletes_one(peer: Pop3Peer) -> Judgement:
    peer.may_destroy()
    await peer.open(least=2)
    await peer.control(b"DELE 1")
    await peer.control(b"QUIT")
    return satisfied("one is gone")


async def needs_some(peer: Pop3Peer) -> Judgement:
    await peer.open(least=2)
    return satisfied("there is some")


async def run(tls: Tls, *, deliverer: bool) -> list[Finding]:
    """Run those that delete mail in front of one that needs some, in a maildrop that was filled before."""
    asks = {"a": destroys, "b": deletes_one, "c": needs_some}
    items = [Planned(Case(f"pop3.{name}", None, ask, "A title"), Force.BINDING) for name, ask in asks.items()]
    one = DECLARED.accounts.__class__(pop3=DECLARED.accounts.pop3[:1])
    declared = DECLARED.__class__(
        addresses=DECLARED.addresses, accounts=one, allow=DECLARED.allow, timers=DECLARED.timers
    )
    async with reference_subject(tls, Behaviour(), protocol="pop3", declared=declared) as subject:
        await run_cases(items[2:], subject, Manner(parallel=1))
        for maildrop in subject.maildrops.every:
            maildrop.lying = None
        if not deliverer:
            subject.deliverer = None
        return await run_cases(items, subject, Manner(parallel=1))


async def test_who_deletes_is_asked_last_and_findings_keep_their_order(tls: Tls, autojump_clock: MockClock) -> None:
    findings = await run(tls, deliverer=False)
    assert [(one.case_id, one.verdict) for one in findings] == [
        ("pop3.a", CaseVerdict.PASS), ("pop3.b", CaseVerdict.PASS), ("pop3.c", CaseVerdict.PASS),
    ]  # fmt: skip


async def test_where_mail_is_handed_in_nobody_waits(tls: Tls, autojump_clock: MockClock) -> None:
    assert [one.verdict for one in await run(tls, deliverer=True)] == [CaseVerdict.PASS] * 3
