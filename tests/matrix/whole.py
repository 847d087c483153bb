"""Every fault against every case, outside `make test`: `make matrix`, half an hour."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from conformance.case import CASES
from conformance.judgement import CaseVerdict
from tests.matrix.laboratory import judge, with_faults
from tests.matrix.test_faults import AREAS, FAULTY, accused, circumstances
from tests.session.theatre import Tls


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("area", "fault"), FAULTY, ids=[fault for _, fault in FAULTY])
async def test_among_all_cases_a_fault_is_found_by_those_it_breaks(
    area: str, fault: str, tls: Tls, autojump_clock: MockClock, record_property: Callable[[str, object], None]
) -> None:
    """What else it breaks, outside its area, is no mistake; it stands in the JUnit file that `make matrix` leaves."""
    module = AREAS[area]
    faulty = with_faults(fault, **getattr(module, "CHOICES", {}))
    findings = await judge(tls, list(CASES.values()), faulty, **circumstances(module), slow=False)
    found = set(accused(findings))
    asked = {id_ for id_, one in findings.items() if one.verdict is not CaseVerdict.NOT_APPLICABLE}
    record_property("accused", " ".join(sorted(found)))
    assert set(module.BREAKS[fault]) & asked <= found
    assert [id_ for id_, one in findings.items() if one.verdict is CaseVerdict.ERROR] == []
