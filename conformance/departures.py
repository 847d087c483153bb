"""From what the monitors saw in a load to what is told of it: the catalogue's rows say what each departure means."""

from collections.abc import Iterator, Mapping

from conformance.catalogue.load import catalogue
from conformance.catalogue.requirement import Requirement
from conformance.finding import GRAVEST_FIRST
from conformance.judgement import CaseVerdict, Did, verdict_of
from conformance.monitors.monitor import Tally
from conformance.plan import force_of
from loadgen.endpoint import Protocol
from reports.monitors import Departure

TOLD = frozenset({CaseVerdict.FAIL, CaseVerdict.DIVERGENCE, CaseVerdict.WEAK, CaseVerdict.LATITUDE})


Evidence = Mapping[str, tuple[str, ...]]       # a transcript for each requirement


def departures(seen: Mapping[Protocol, tuple[Tally, Evidence]]) -> tuple[Departure, ...]:
    """Return what must be told, gravest first."""
    found: list[tuple[CaseVerdict, Departure]] = []
    for protocol, (tally, evidence) in seen.items():
        found += _of_one(protocol, tally, evidence)
    found.sort(key=lambda one: GRAVEST_FIRST.index(one[0]))
    return tuple(departure for _, departure in found)


def _of_one(protocol: Protocol, tally: Tally, evidence: Evidence) -> Iterator[tuple[CaseVerdict, Departure]]:
    rows = catalogue()
    for requirement, broken in tally.broken.items():
        row: Requirement = rows[requirement]
        verdict = _verdict(row)
        if verdict not in TOLD:
            continue
        first, *others = tally.examples[requirement]
        yield verdict, Departure(
            id=requirement,
            protocol=protocol,
            level=row.level.value,
            verdict=verdict.value,
            title=f"{row.idea[0].upper()}{row.idea[1:]}",
            sources=row.sources,
            expected=row.passes,
            got=first + (f", else {' and '.join(others)}" if others else ""),
            broken=broken,
            looked=tally.looked[requirement],
            transcript=evidence.get(requirement, ()),
        )


def _verdict(row: Requirement) -> CaseVerdict:
    """Return what a departure from a requirement means; of a MAY, that it was seen."""
    return CaseVerdict.OBSERVED if row.level.value == "MAY" else verdict_of(Did.VIOLATED, force_of(row))
