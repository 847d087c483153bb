"""What a finding means: the level decides, and nothing else."""

import pytest

from conformance.judgement import CaseVerdict, Did, Force, verdict_of


@pytest.mark.parametrize(
    ("force", "verdict", "strictly"),
    [
        (Force.BINDING, CaseVerdict.FAIL, CaseVerdict.FAIL),
        (Force.RELAXED, CaseVerdict.DIVERGENCE, CaseVerdict.FAIL),
        (Force.ADVISORY, CaseVerdict.LATITUDE, CaseVerdict.FAIL),
        (Force.HARDENING, CaseVerdict.WEAK, CaseVerdict.WEAK),
        (Force.FREE, CaseVerdict.ERROR, CaseVerdict.ERROR),
    ],
)
def test_the_level_says_what_a_violation_is(force: Force, verdict: CaseVerdict, strictly: CaseVerdict) -> None:
    assert verdict_of(Did.VIOLATED, force) is verdict
    assert verdict_of(Did.VIOLATED, force, strict=True) is strictly


@pytest.mark.parametrize("did", [did for did in Did if did is not Did.VIOLATED])
@pytest.mark.parametrize("force", Force)
def test_only_a_violation_can_fail(did: Did, force: Force) -> None:
    assert verdict_of(did, force) is not CaseVerdict.FAIL


@pytest.mark.parametrize("force", [Force.BINDING, Force.ADVISORY])
def test_the_other_lawful_way_fails_not_even_strictly(force: Force) -> None:
    assert verdict_of(Did.DECLINED, force, strict=True) is CaseVerdict.LATITUDE


def test_what_a_may_leaves_open_is_observed_whatever_it_was() -> None:
    assert verdict_of(Did.SATISFIED, Force.FREE) is verdict_of(Did.DECLINED, Force.FREE) is CaseVerdict.OBSERVED
