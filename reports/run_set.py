"""Several runs of one thing in brief: what each came to, and how far they lie apart."""

import statistics
from collections.abc import Iterator, Sequence

from reports.bound import shown
from reports.compare_metrics import gated_measures
from reports.compare_runs import Run, why_left_out
from reports.exit_codes import ExitCode


def summary_of_set(runs: Sequence[Run]) -> str:
    """Return lines of text: the runs with their exit status, then the spread of the figures that matter most."""
    return "\n".join([*_each(runs), "", *_spread(runs)]) + "\n"


def exit_code_of_set(runs: Sequence[Run]) -> ExitCode:
    """Return what a set of whole runs comes to: a failure is a fact, and one void run leaves something unsaid."""
    codes = {run.document.exit_code for run in runs}
    for code in (ExitCode.INTERRUPTED, ExitCode.FAILED, ExitCode.INCONCLUSIVE):
        if code in codes:
            return code
    return ExitCode.HELD


def _each(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        left_out = why_left_out(run.document)
        seed = f"seed {run.document.seed}"
        yield f"{run.result}  {seed}, exit {run.document.exit_code}" + (f": {left_out}" if left_out else "")


def _spread(runs: Sequence[Run]) -> Iterator[str]:
    whole = [run.document for run in runs if why_left_out(run.document) is None]
    for measure in gated_measures(whole):
        values = [value for value in (measure.read(document) for document in whole) if value is not None]
        low, middle, high = (
            shown(value, measure.metric.unit) for value in (min(values), statistics.median(values), max(values))
        )
        yield f"{measure.subject:<30} median {middle}, from {low} to {high} in {len(values)} runs"
