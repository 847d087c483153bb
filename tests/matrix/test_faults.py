"""The proof: every fault is found by exactly the cases it breaks, a lawful server is accused of nothing."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

import pytest
from trio.testing import MockClock

from conformance.case import CASES
from conformance.catalogue.load import catalogue
from conformance.catalogue.requirement import Level
from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.refserver.faults import FAULTS
from tests.matrix import areas
from tests.matrix.laboratory import cases_of, judge, with_faults
from tests.session.theatre import Tls

ACCUSING: Final = {CaseVerdict.FAIL, CaseVerdict.DIVERGENCE, CaseVerdict.WEAK, CaseVerdict.LATITUDE, CaseVerdict.ERROR}


def _areas() -> Iterator[ModuleType]:
    for module in iter_modules(areas.__path__):
        yield import_module(f"{areas.__name__}.{module.name}")


AREAS: Final = {area.__name__.rpartition(".")[2]: area for area in _areas()}
FAULTY: Final = [(name, fault) for name, area in AREAS.items() for fault in area.BREAKS]


def circumstances(area: ModuleType) -> dict[str, Any]:
    """Return what an area wants otherwise than the laboratory has it."""
    wanted = {"protocol": "PROTOCOL", "limits": "LIMITS", "declared": "DECLARED", "with_sink": "WITH_SINK",
              "implicit_tls": "IMPLICIT_TLS", "x25": "X25", "wire": "WIRE"}
    return {name: getattr(area, constant) for name, constant in wanted.items() if hasattr(area, constant)}


def accused(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Return the cases that say something against the server, each with what it got."""
    return {id_: found.got for id_, found in findings.items() if found.verdict in ACCUSING}


@pytest.mark.parametrize("area", AREAS)
async def test_the_lawful_server_is_accused_of_nothing(area: str, tls: Tls, autojump_clock: MockClock) -> None:
    module = AREAS[area]
    lawful = with_faults(**getattr(module, "CHOICES", {}))
    findings = await judge(tls, cases_of(*module.CASES), lawful, **circumstances(module))
    assert accused(findings) == getattr(module, "KNOWN", {})
    undecided = {id_: found.got for id_, found in findings.items() if found.verdict is CaseVerdict.INCONCLUSIVE}
    assert undecided == {}


@pytest.mark.parametrize(("area", "fault"), FAULTY, ids=[fault for _, fault in FAULTY])
async def test_a_fault_is_found_by_exactly_the_cases_it_breaks(
    area: str, fault: str, tls: Tls, autojump_clock: MockClock
) -> None:
    module = AREAS[area]
    cases = cases_of(*module.CASES)
    others = [CASES[id_] for id_ in module.BREAKS[fault] if id_ in CASES and CASES[id_] not in cases]
    faulty = with_faults(fault, **getattr(module, "CHOICES", {}))
    findings = await judge(tls, [*cases, *others], faulty, **circumstances(module))
    assert sorted(accused(findings)) == sorted(module.BREAKS[fault])


def test_every_case_is_proved_by_some_fault() -> None:
    proved = set().union(*(broken for area in AREAS.values() for broken in area.BREAKS.values()))
    unprovable = {id_ for id_, one in CASES.items() if catalogue()[one.requirement].level is Level.MAY}
    assert sorted(set(CASES) - proved - unprovable) == []


def test_every_fault_breaks_something() -> None:
    assert sorted(set(FAULTS) - {fault for _, fault in FAULTY}) == []
