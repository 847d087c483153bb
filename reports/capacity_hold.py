"""A stage that only holds sessions open: were all of them held at once, and if not, what refused the others."""

from collections.abc import Iterator
from typing import Final

from reports import units
from reports.capacity_result import Broke, CapacityStage
from reports.capacity_stage import Measured, doubts_of
from reports.document import Document
from reports.load_result import LoadResult

_CAUSES_SHOWN: Final = 3


def held_stage(document: Document, measured: Measured) -> CapacityStage:
    """Return what a number of sessions held at once came to."""
    load = document.load
    assert load is not None, "a stage is a load run"
    doubts = [Broke("this host", sentence) for sentence in doubts_of(document)]
    broke = [*_refused(load, measured.level)]
    arrived = load.sessions.arrived
    return CapacityStage(
        number=measured.number, purpose=measured.purpose, level=measured.level, seconds=measured.seconds,
        outcome="void" if doubts else "broke" if broke else "sustained", broke=tuple(doubts or broke),
        result=measured.result, run_id=document.run_id, in_flight_peak=load.in_flight_peak,
        refused_share=load.sessions.refused / arrived if arrived else None,
        errors_share=(arrived - load.sessions.accepted - load.sessions.refused) / arrived if arrived else None,
    )   # fmt: skip


def _refused(load: LoadResult, level: float) -> Iterator[Broke]:
    n = load.sessions
    not_held = n.arrived - n.accepted
    if not_held:
        causes = sorted(load.failures, key=lambda failure: -failure.count)[:_CAUSES_SHOWN]
        how = "; ".join(
            f"{units.count(each.count)} in {each.phase}: {each.cause}{f' ({each.example})' if each.example else ''}"
            for each in causes
        )
        yield Broke(
            "refused", f"{units.count(not_held)} of {units.count(n.arrived)} sessions were not held to the end, and at "
            f"most {units.count(load.in_flight_peak)} were open at once: {how or 'no cause is known'}",
        )   # fmt: skip
    elif load.in_flight_peak < level:
        yield Broke("this host", f"only {units.count(load.in_flight_peak)} sessions were ever open at once")
