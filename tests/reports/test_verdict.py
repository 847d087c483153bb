"""Worst-of, and the exit codes: every combination that matters."""

import pytest

from reports.exit_codes import ExitCode
from reports.verdict import UNJUDGED, Verdict, Verdicts, exit_code_for, worst_of

PASS, FAIL, INCONCLUSIVE, NOT_ASKED = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("given", "worst"),
    [
        ([], NOT_ASKED),
        ([NOT_ASKED, PASS], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL, PASS], FAIL),
    ],
)
def test_the_worst_verdict_wins(given: list[Verdict], worst: Verdict) -> None:
    assert worst_of(given) is worst


@pytest.mark.parametrize(
    ("correct", "fast_enough", "valid", "code"),
    [
        # correct     fast_enough    valid         exit
        (PASS, PASS, PASS, ExitCode.HELD),
        (NOT_ASKED, NOT_ASKED, PASS, ExitCode.HELD),  # nothing asked, nothing failed
        (NOT_ASKED, PASS, PASS, ExitCode.HELD),
        (FAIL, PASS, PASS, ExitCode.FAILED),
        (PASS, FAIL, PASS, ExitCode.FAILED),
        (FAIL, INCONCLUSIVE, PASS, ExitCode.FAILED),  # a failure is a fact
        (INCONCLUSIVE, PASS, PASS, ExitCode.INCONCLUSIVE),
        (PASS, INCONCLUSIVE, PASS, ExitCode.INCONCLUSIVE),
        (PASS, PASS, INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (PASS, PASS, FAIL, ExitCode.INCONCLUSIVE),
        (PASS, PASS, NOT_ASKED, ExitCode.INCONCLUSIVE),
        (FAIL, FAIL, INCONCLUSIVE, ExitCode.INCONCLUSIVE),  # the generator may have failed it
    ],
)
def test_exit_codes(correct: Verdict, fast_enough: Verdict, valid: Verdict, code: ExitCode) -> None:
    verdicts = Verdicts(correct=correct, fast_enough=fast_enough, valid=valid)
    assert exit_code_for(verdicts, interrupted=False) is code
    assert exit_code_for(verdicts, interrupted=True) is ExitCode.INTERRUPTED


def test_a_document_that_nobody_judged_does_not_pass() -> None:
    assert exit_code_for(UNJUDGED, interrupted=False) is ExitCode.INCONCLUSIVE
