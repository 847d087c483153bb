"""What a report says of gates beside what they came to: of which part of the run each is, and what goodput was."""

from collections.abc import Sequence

from reports import units
from reports.document import Document, GateResult
from reports.ledger_metric import goodput
from reports.load_result import LoadResult


def part_of(gate: GateResult) -> str:
    """Return which part of the run a gate looked at, in a word or two."""
    return "" if gate.steady is None else "steady phase" if gate.steady else "whole run"


def windows(gates: Sequence[GateResult], load: LoadResult | None) -> str:
    """Return when the parts of the run were that gates looked at; "" when none looked at a load."""
    if load is None or all(gate.steady is None for gate in gates):
        return ""
    steady = f"the steady phase, {_from_to(load)}" if load.steady_s else "the steady phase, which there was none of"
    whole = "the whole run"
    looked = {gate.steady for gate in gates} - {None}
    if looked == {True}:
        return f"looked at in {steady}"
    return f"looked at in {whole}" if looked == {False} else f"times and rates in {steady}; all else in {whole}"


def _from_to(load: LoadResult) -> str:
    end = units.duration((load.warm_up_s + load.steady_s) * units.NS_PER_S)
    if not load.warm_up_s:
        return f"the first {end}"
    return f"{units.duration(load.warm_up_s * units.NS_PER_S)} to {end} after the start"


def goodput_in_words(document: Document) -> tuple[str, str] | None:
    """Return goodput, and what it is of; None: no data."""
    bounds = goodput(document)
    if bounds is None:
        return None
    least, most = (units.rate(bound) for bound in bounds)
    verified = document.ledger is not None and (document.ledger.accepted or document.ledger.not_made is not None)
    return least if least == most else f"{least} to {most}", "delivered once" if verified else "accepted"
