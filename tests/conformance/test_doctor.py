"""The doctor: what is missing, and what it would unlock, held against what a run then does."""

from msgspec.structs import replace
from trio.testing import MockClock

from conformance.catalogue.load import catalogue
from conformance.catalogue.need import Need
from conformance.declared import NOTHING_DECLARED, Addresses, Allow
from conformance.doctor import Diagnosis, examine
from conformance.plan import plan_cases
from conformance.refserver.behaviour import Behaviour, Extension
from conformance.subject import Subject
from tests.matrix.laboratory import DECLARED, cases_of, reference_subject
from tests.session.theatre import Tls

CASES = cases_of("smtp.vrfy.", "smtp.rcpt.", "smtp.pipe.", "smtp.dot.")


def of(subject: Subject) -> dict[str, Diagnosis]:
    return {each.need: each for each in examine(CASES, catalogue(), subject, slow=False).diagnoses}


async def test_what_is_given_is_met_and_unlocks_nothing(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour()) as subject:
        found = of(subject)
    assert found[Need.REJECTED_ADDRESS].met
    assert found[Need.REJECTED_ADDRESS].unlocked == 0


async def test_a_missing_need_unlocks_the_rows_that_lack_nothing_else(tls: Tls, autojump_clock: MockClock) -> None:
    less = replace(DECLARED, addresses=replace(DECLARED.addresses, rejected=()))
    async with reference_subject(tls, Behaviour(), declared=less) as subject:
        found = of(subject)
        before = {item.case.requirement for item in plan_cases(CASES, catalogue(), subject, slow=False) if item.lacking}
        subject.declared = DECLARED
        after = {item.case.requirement for item in plan_cases(CASES, catalogue(), subject, slow=False) if item.lacking}
    missing = found[Need.REJECTED_ADDRESS]
    assert not missing.met
    assert missing.unlocked == len(before - after) > 0
    assert missing.rows >= missing.unlocked
    assert missing.words == "an address that the server rejects in the session"
    assert not missing.is_the_servers


async def test_an_extension_that_is_not_offered_is_the_servers_own(tls: Tls, autojump_clock: MockClock) -> None:
    offered = frozenset(Extension) - {Extension.PIPELINING}
    async with reference_subject(tls, Behaviour(extensions=offered)) as subject:
        found = of(subject)
    assert not found["ext:PIPELINING"].met
    assert found["ext:PIPELINING"].is_the_servers
    assert found["ext:PIPELINING"].unlocked > 0


async def test_what_unlocks_most_is_told_first(tls: Tls, autojump_clock: MockClock) -> None:
    nothing = replace(NOTHING_DECLARED, addresses=Addresses(), allow=Allow())
    async with reference_subject(tls, Behaviour(), declared=nothing) as subject:
        examined = examine(CASES, catalogue(), subject, slow=False)
    missing = [each for each in examined.diagnoses if not each.met]
    assert [each.unlocked for each in missing] == sorted((each.unlocked for each in missing), reverse=True)
    assert 0 < examined.ready < examined.rows
