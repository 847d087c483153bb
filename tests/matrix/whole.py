"""Every fault against every case, outside `make test`: `make matrix`, hours of two processors; or a piece of it."""

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from conformance.case import CASES
from conformance.judgement import CaseVerdict
from tests.matrix.laboratory import judge, with_faults
from tests.matrix.piece import CAP_S, piece_of
from tests.matrix.test_faults import AREAS, FAULTY, accused, circumstances
from tests.session.theatre import Tls

PIECE = piece_of(FAULTY)


@pytest.mark.timeout(CAP_S)
@pytest.mark.parametrize(("area", "fault"), PIECE, ids=[fault for _, fault in PIECE])
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
