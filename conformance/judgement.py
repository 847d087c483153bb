"""What a case found the server to have done, and what that means for a requirement of a given level."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final


class Did(StrEnum):
    """What the server did, seen from the requirement. Nothing here says how bad that is: the level does."""

    SATISFIED = auto()
    VIOLATED = auto()
    DECLINED = auto()            # took the other way which the RFC leaves open
    DIVERGED = auto()            # broke it in the way in which practice everywhere does
    WEAKENED = auto()            # lawful, and bad for its users
    OBSERVED = auto()            # a fact worth a row; nothing is asked
    UNDETERMINED = auto()        # the case did not come to its question: silence, refusal of the preamble
    NOT_APPLICABLE = auto()      # the question does not arise: not offered, not declared


@dataclass(frozen=True, slots=True)
class Judgement:
    """One case's finding. Both texts are printable: hostile octets have been made safe."""

    did: Did
    got: str
    expected: str = ""


def satisfied(got: object, expected: str = "") -> Judgement:
    """The server did what the requirement says."""
    return Judgement(Did.SATISFIED, str(got), expected)


def violated(got: object, expected: str = "") -> Judgement:
    """The server did what the requirement forbids, or failed to do what it demands."""
    return Judgement(Did.VIOLATED, str(got), expected)


def declined(got: object, expected: str = "") -> Judgement:
    """The server took the other way that the requirement leaves open."""
    return Judgement(Did.DECLINED, str(got), expected)


def diverged(got: object, expected: str = "") -> Judgement:
    """The server broke the requirement as practice everywhere does."""
    return Judgement(Did.DIVERGED, str(got), expected)


def weakened(got: object, expected: str = "") -> Judgement:
    """What the server did is lawful, and bad for its users."""
    return Judgement(Did.WEAKENED, str(got), expected)


def observed(got: object) -> Judgement:
    """Something is worth a row, and nothing is asked."""
    return Judgement(Did.OBSERVED, str(got))


def undetermined(why: object, expected: str = "") -> Judgement:
    """The case did not come to its question."""
    return Judgement(Did.UNDETERMINED, str(why), expected)


def not_applicable(why: object) -> Judgement:
    """The question does not arise with this server."""
    return Judgement(Did.NOT_APPLICABLE, str(why))


class Undetermined(Exception):
    """The case cannot come to its question: its preamble was refused, or the server was silent or gone."""


class NotApplicable(Exception):
    """The question does not arise: what it is about is not offered, or was not declared."""


class AskLater(Exception):
    """The case may delete mail which nobody can replace: it has to come behind those that need mail."""


class CaseVerdict(StrEnum):
    """The nine words a case can end with."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    LATITUDE = "latitude"                # lawful: a SHOULD not followed, or a choice that a MUST leaves
    OBSERVED = "observed"                # a MAY, or a fact
    WEAK = "weak"                        # hardening: no RFC is broken
    DIVERGENCE = "divergence"            # a MUST that practice has relaxed everywhere; red only with --strict
    FAIL = "fail"                        # a MUST broken: the only red
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"                      # our own


class Force(StrEnum):
    """What breaking a requirement amounts to, whatever its keyword."""

    BINDING = auto()         # MUST, MUST NOT, MUST* and what is red by policy
    RELAXED = auto()         # a MUST that nearly every deployed server breaks
    ADVISORY = auto()        # SHOULD
    FREE = auto()            # MAY
    HARDENING = auto()       # HARD


_OF_A_VIOLATION: Final = {
    Force.BINDING: CaseVerdict.FAIL,
    Force.RELAXED: CaseVerdict.DIVERGENCE,
    Force.ADVISORY: CaseVerdict.LATITUDE,
    Force.FREE: CaseVerdict.ERROR,       # a MAY cannot be broken: the case is wrong
    Force.HARDENING: CaseVerdict.WEAK,
}
_OF_THE_REST: Final = {
    Did.SATISFIED: CaseVerdict.PASS,
    Did.DECLINED: CaseVerdict.LATITUDE,
    Did.DIVERGED: CaseVerdict.DIVERGENCE,
    Did.WEAKENED: CaseVerdict.WEAK,
    Did.OBSERVED: CaseVerdict.OBSERVED,
    Did.UNDETERMINED: CaseVerdict.INCONCLUSIVE,
    Did.NOT_APPLICABLE: CaseVerdict.NOT_APPLICABLE,
}


def verdict_of(did: Did, force: Force, *, strict: bool = False) -> CaseVerdict:
    """Say what a finding means. `strict` makes a divergence, and a SHOULD that is not followed, a failure."""
    if did is Did.VIOLATED:
        verdict = _OF_A_VIOLATION[force]
        return CaseVerdict.FAIL if strict and force in {Force.RELAXED, Force.ADVISORY} else verdict
    if force is Force.FREE and did in {Did.SATISFIED, Did.DECLINED}:
        return CaseVerdict.OBSERVED
    if strict and did is Did.DIVERGED:
        return CaseVerdict.FAIL
    return _OF_THE_REST[did]
