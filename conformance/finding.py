"""What became of one case: the verdict, and the evidence for it."""

from dataclasses import dataclass

from conformance.judgement import CaseVerdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One case's verdict on one server. Every text is printable."""

    case_id: str
    requirement: str
    title: str
    verdict: CaseVerdict
    expected: str
    got: str
    transcript: tuple[str, ...] = ()
    seconds: float = 0.0
    verdicts_seen: tuple[CaseVerdict, ...] = ()      # of several repetitions, where they were not all the same
    without_load: CaseVerdict | None = None          # of the same case, put again when the load was over
    seen_in: str = ""                                # the case whose conversation shows it, where it is not its own


# Of several repetitions the gravest counts. An error of ours hides what the server did.
GRAVEST_FIRST = (
    CaseVerdict.ERROR,
    CaseVerdict.FAIL,
    CaseVerdict.DIVERGENCE,
    CaseVerdict.WEAK,
    CaseVerdict.INCONCLUSIVE,
    CaseVerdict.LATITUDE,
    CaseVerdict.OBSERVED,
    CaseVerdict.PASS,
    CaseVerdict.NOT_APPLICABLE,
)


def gravest(verdicts: list[CaseVerdict]) -> CaseVerdict:
    """Return the gravest of some verdicts, at least one."""
    return min(verdicts, key=GRAVEST_FIRST.index)
