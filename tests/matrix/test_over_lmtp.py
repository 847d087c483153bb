"""SMTP's rows over LMTP: the lawful server is accused of nothing, and faults of SMTP's are found there too."""

from typing import Final

import pytest
from trio.testing import MockClock

from conformance.case import CASES, OVER_LMTP
from conformance.judgement import CaseVerdict
from conformance.over_lmtp import with_twins
from tests.matrix.laboratory import cases_of, judge, with_faults
from tests.matrix.test_faults import AREAS, accused, circumstances
from tests.session.theatre import Tls

SMTP_AREAS: Final = [name for name, area in AREAS.items() if getattr(area, "PROTOCOL", "smtp") == "smtp"]
TWINS: Final = {case.usual_id: case.id for case in with_twins(CASES.values()) if case.over_lmtp}

# Of every area a few faults that do not hang on EHLO or HELO.
CHOSEN: Final = {
    "auth": ("auth-again", "auth-takes-cancel", "auth-any-password", "auth-in-transaction"),
    "commands": ("verbs-in-capitals", "acts-early", "unknown-ends-transaction", "no-rset", "data-with-argument"),
    "dots": ("dots-never-undone", "dots-of-the-first-line", "end-at-the-dot"),
    "envelope": ("mail-nests", "mail-any-parameter", "rcpt-takes-rejected", "rcpt-bad-ends-all"),
    "hello": ("lists-chunking-in-vain",),
    "mail_data": ("data-for-nobody", "data-remembers", "body-trims", "delivers-twice", "delivers-what-was-cut-off"),
    "other_commands": ("rset-keeps-envelope", "noop-forgets-envelope", "quit-stays", "quit-delivers"),
    "pipelining": ("pipe-swaps", "pipe-loses-behind-dot", "pipe-holds-rcpt"),
    "smuggling": ("ends-at-lf-dot-lf", "cr-ends-commands"),
    "starttls": ("tls-keeps-input", "tls-second-greeting"),
}
FAULTY: Final = [(area, fault) for area, faults in CHOSEN.items() for fault in faults]


@pytest.mark.parametrize("area", SMTP_AREAS)
async def test_the_lawful_lmtp_server_is_accused_of_nothing(area: str, tls: Tls, autojump_clock: MockClock) -> None:
    module = AREAS[area]
    lawful = with_faults(**getattr(module, "CHOICES", {}))
    findings = await judge(tls, cases_of(*module.CASES), lawful, **circumstances(module) | {"protocol": "lmtp"})
    known = {TWINS[id_]: got for id_, got in getattr(module, "KNOWN", {}).items() if id_ in TWINS}
    assert accused(findings) == known
    undecided = {id_: found.got for id_, found in findings.items() if found.verdict is CaseVerdict.INCONCLUSIVE}
    assert undecided == {}


@pytest.mark.parametrize(("area", "fault"), FAULTY, ids=[fault for _, fault in FAULTY])
async def test_a_fault_is_found_over_lmtp_by_the_same_cases(
    area: str, fault: str, tls: Tls, autojump_clock: MockClock
) -> None:
    module = AREAS[area]
    faulty = with_faults(fault, **getattr(module, "CHOICES", {}))
    findings = await judge(tls, cases_of(*module.CASES), faulty, **circumstances(module) | {"protocol": "lmtp"})
    broken = {TWINS.get(id_, f"{id_}#{OVER_LMTP}") for id_ in module.BREAKS[fault]}
    asked = {id_ for id_, found in findings.items() if found.verdict is not CaseVerdict.NOT_APPLICABLE}
    assert set(accused(findings)) == broken & asked
    assert accused(findings)


def test_every_area_of_smtp_is_looked_into() -> None:
    assert set(CHOSEN) <= set(SMTP_AREAS)
