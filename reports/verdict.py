"""Verdicts: one word for each of the three answers, and the exit code that follows from them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from reports.exit_codes import ExitCode


class Verdict(StrEnum):
    """The answer to one question about a run. No data is INCONCLUSIVE, never PASS."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"  # nothing was asked: no gate, no ledger, no case


# Worst first: a failure is a fact that missing data elsewhere cannot undo.
_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.NOT_APPLICABLE)


class Verdicts(Struct, frozen=True, forbid_unknown_fields=True):
    """Three answers, never mixed: is it correct, is it fast enough, can this run be believed."""

    correct: Annotated[
        Verdict, Meta(description="Did mail survive and were the RFCs kept: ledger, ledger gates, cases.")
    ]
    fast_enough: Annotated[Verdict, Meta(description="Did every gate on time, rate, errors and counts hold.")]
    valid: Annotated[
        Verdict, Meta(description="Can the run be believed: was the generator itself in good health.")
    ]


# What a document says between its making and its judging; never pass, in case the judging is forgotten.
UNJUDGED = Verdicts(
    correct=Verdict.INCONCLUSIVE, fast_enough=Verdict.INCONCLUSIVE, valid=Verdict.INCONCLUSIVE
)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict given; NOT_APPLICABLE when there is none.

    >>> worst_of([Verdict.PASS, Verdict.INCONCLUSIVE]).value
    'inconclusive'
    """
    given = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in given), Verdict.NOT_APPLICABLE)


def exit_code_for(verdicts: Verdicts, *, interrupted: bool) -> ExitCode:
    """Return the exit status of a command that produced these verdicts.

    An interrupted run always says so. A run that cannot be believed (`valid` is not pass) neither holds nor
    fails anything: 3, even where a gate failed, because the generator may have failed it.
    """
    if interrupted:
        return ExitCode.INTERRUPTED
    if verdicts.valid is not Verdict.PASS:
        return ExitCode.INCONCLUSIVE
    match worst_of((verdicts.correct, verdicts.fast_enough)):
        case Verdict.FAIL:
            return ExitCode.FAILED
        case Verdict.INCONCLUSIVE:
            return ExitCode.INCONCLUSIVE
        case Verdict.PASS | Verdict.NOT_APPLICABLE:
            return ExitCode.HELD
