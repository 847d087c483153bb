"""The runner: every case comes to a finding, whatever becomes of it."""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock, memory_stream_pair

from conformance.case import Case
from conformance.declared import Timers
from conformance.finding import Finding
from conformance.judgement import CaseVerdict, Force, Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.refserver.behaviour import Behaviour
from conformance.runner import SURVIVES, Manner, Planned, run_cases
from loadgen.endpoint import Endpoint
from loadgen.transport.stream import Transport
from tests.matrix.laboratory import DECLARED, reference_subject
from tests.session.theatre import Tls

Ask = Callable[[SmtpPeer], Awaitable[Judgement]]


async def passes(peer: SmtpPeer) -> Judgement:
    await peer.open()
    return satisfied("well")


async def breaks(peer: SmtpPeer) -> Judgement:
    raise ZeroDivisionError


async def cannot(peer: SmtpPeer) -> Judgement:
    raise Undetermined("the preamble was refused")


async def need_not(peer: SmtpPeer) -> Judgement:
    raise NotApplicable("not offered")


async def waits(peer: SmtpPeer) -> Judgement:
    await trio.sleep(10_000)
    return satisfied("at last")


def planned(name: str, ask: Ask, *, alone: bool = False, slow: bool = False, lacking: str | None = None) -> Planned:
    return Planned(Case(f"smtp.{name}", None, ask, "A title", alone), Force.BINDING, lacking, slow)


async def run(tls: Tls, *items: Planned, manner: Manner | None = None) -> dict[str, Finding]:
    async with reference_subject(tls, Behaviour()) as subject:
        findings = await run_cases(items, subject, manner or Manner())
    return {finding.case_id: finding for finding in findings}


async def test_every_case_comes_to_a_finding(tls: Tls, autojump_clock: MockClock) -> None:
    findings = await run(
        tls, planned("a", passes), planned("b", breaks), planned("c", cannot), planned("d", need_not),
        planned("e", waits), planned("f", passes, lacking="needs TLS"),
    )  # fmt: skip
    assert {id_: finding.verdict.value for id_, finding in findings.items()} == {
        "smtp.a": "pass", "smtp.b": "error", "smtp.c": "inconclusive", "smtp.d": "not-applicable",
        "smtp.e": "inconclusive", "smtp.f": "not-applicable",
    }  # fmt: skip
    assert "ZeroDivisionError" in findings["smtp.b"].got
    assert findings["smtp.e"].got == "the case took longer than its limit"


async def test_slow_cases_wait_beside_the_others(tls: Tls, autojump_clock: MockClock) -> None:
    async def waits_a_minute(peer: SmtpPeer) -> Judgement:
        await trio.sleep(600)
        return satisfied("well")

    before = trio.current_time()
    many = [planned(f"s{number}", waits_a_minute, slow=True) for number in range(50)]
    findings = await run(tls, *many, planned("quick", passes), manner=Manner(parallel=1))
    assert {finding.verdict for finding in findings.values()} == {CaseVerdict.PASS}
    assert trio.current_time() - before == pytest.approx(600, abs=1)


async def test_a_case_that_must_be_alone_is(tls: Tls, autojump_clock: MockClock) -> None:
    others = 0

    async def busy(peer: SmtpPeer) -> Judgement:
        nonlocal others
        others += 1
        await trio.sleep(1)
        others -= 1
        return satisfied("well")

    async def looks_round(peer: SmtpPeer) -> Judgement:
        await trio.sleep(1)
        return violated("somebody was there") if others else satisfied("nobody")

    alone = planned("alone", looks_round, alone=True)
    findings = await run(tls, alone, *[planned(f"b{number}", busy) for number in range(9)])
    assert findings["smtp.alone"].verdict is CaseVerdict.PASS


async def test_of_several_repetitions_the_gravest_counts_and_flaky_is_said(
    tls: Tls, autojump_clock: MockClock
) -> None:
    answers = iter([satisfied("yes"), violated("no"), satisfied("yes")])

    async def changes(peer: SmtpPeer) -> Judgement:
        return next(answers)

    findings = await run(tls, planned("flaky", changes), manner=Manner(repeat=3))
    assert findings["smtp.flaky"].verdict is CaseVerdict.FAIL
    assert [verdict.value for verdict in findings["smtp.flaky"].verdicts_seen] == ["pass", "fail", "pass"]


async def test_a_server_that_does_not_survive_a_case_is_told_of(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour()) as subject:

        async def kills(peer: SmtpPeer) -> Judgement:
            async def nobody(endpoint: object, deadline: float) -> object:
                raise Undetermined("connection refused")

            subject.dial = nobody  # type: ignore[assignment]
            return satisfied("well")

        findings = await run_cases([planned("killer", kills)], subject, Manner())
    assert [finding.case_id for finding in findings] == ["smtp.killer", "core.survives-input#smtp.killer"]
    assert findings[1].verdict is CaseVerdict.WEAK


async def test_a_server_that_is_full_for_a_while_has_survived(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour()) as subject:
        dial = subject.dial

        async def fills(peer: SmtpPeer) -> Judgement:
            full_until = trio.current_time() + 3.0

            async def dropped(endpoint: Endpoint, deadline: float) -> Transport:
                if trio.current_time() > full_until:
                    return await dial(endpoint, deadline)
                ours, theirs = memory_stream_pair()
                await theirs.aclose()
                return Transport.over(ours)

            subject.dial = dropped
            return satisfied("well")

        findings = await run_cases([planned("filler", fills)], subject, Manner())
    assert [finding.case_id for finding in findings] == ["smtp.filler"]


@pytest.mark.parametrize("refusal", [b"421 4.3.2 too many\r\n", b""])
async def test_a_server_that_takes_few_sessions_at_once_is_asked_by_fewer(
    tls: Tls, autojump_clock: MockClock, refusal: bytes
) -> None:
    begun: Counter[float] = Counter()      # sessions by the instant: each of them lasts a second

    async def crowded(endpoint: Endpoint, deadline: float) -> Transport:
        begun[trio.current_time()] += 1
        ours, theirs = memory_stream_pair()
        full = begun[trio.current_time()] > 3
        if octets := refusal if full else b"220 mail.example.test ESMTP\r\n":
            await theirs.send_all(octets)
        if full:
            await theirs.aclose()
        return Transport.over(ours)

    async def dawdles(peer: SmtpPeer) -> Judgement:
        await peer.greet()
        await trio.sleep(1)
        return satisfied("well")

    async with reference_subject(tls, Behaviour()) as subject:
        subject.dial, subject.declared = crowded, replace(DECLARED, timers=Timers(reply=0.25))
        findings = await run_cases([planned(f"a{number}", dawdles) for number in range(40)], subject, Manner())
    verdicts = {finding.verdict for finding in findings if finding.requirement != SURVIVES}
    assert verdicts == {CaseVerdict.PASS}


@pytest.mark.parametrize(
    ("raised", "verdict"),
    [
        ([Undetermined("busy"), Undetermined("busy")], CaseVerdict.INCONCLUSIVE),
        ([NotApplicable("not offered")], CaseVerdict.NOT_APPLICABLE),
        ([Undetermined("busy"), ZeroDivisionError()], CaseVerdict.ERROR),
    ],
)
async def test_what_a_cases_own_tasks_raise_counts_as_if_the_case_did(
    tls: Tls, autojump_clock: MockClock, raised: list[Exception], verdict: CaseVerdict
) -> None:
    async def asks_side_by_side(peer: SmtpPeer) -> Judgement:
        async def ask(error: Exception) -> None:
            raise error

        async with trio.open_nursery() as nursery:
            for error in raised:
                nursery.start_soon(ask, error)
        return satisfied("well")

    findings = await run(tls, planned("several", asks_side_by_side))
    assert findings["smtp.several"].verdict is verdict
