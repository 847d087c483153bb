"""A result as Markdown: nothing in it acts, everything bad is in it, and it stays short."""

import pytest
from msgspec import structs

from reports.capacity_result import Broke, Capacity, CapacityStage
from reports.document import CaseResult, CaseVerdict, ConformanceResult, Document, EndpointFacts, FailureCount
from reports.markdown import CELL_MAX, ROWS_MAX, markdown
from tests.reports.conftest import HOSTILE

ACTING = "a|b `c` <b>d</b> [e](f) @team \x1b[2J\n# g"
INERT = "a\\|b \\`c\\` \\<b\\>d\\</b\\> \\[e\\](f) <code>@</code>team \\\\x1b\\[2J\\\\n\\# g"


def conformance(document: Document, *verdicts: CaseVerdict, known: str | None = None) -> Document:
    cases = tuple(
        CaseResult(id=f"smtp.case-{n}", level="MUST", verdict=verdict, expected="250", got=ACTING, known=known)
        for n, verdict in enumerate(verdicts)
    )
    result = ConformanceResult(planned=len(cases), executed=len(cases), cases=cases)
    return structs.replace(document, kind="conformance", load=None, ledger=None, gates=(), conformance=result)


def test_a_load_that_held_says_so_with_its_gates_counts_and_times(good: Document) -> None:
    text = markdown(good)
    assert text.startswith("### Load: ✅ correct: pass · ✅ fast enough: pass · ✅ believable: pass\n")
    assert "| ✅ | p99 of smtp.body.response | below 500 ms |" in text
    assert good.load is not None
    assert f"| all | {good.load.sessions.arrived:,} |" in text
    assert "| smtp.body | " in text


def test_a_load_that_did_not_hold_gives_every_reason(bad: Document) -> None:
    text = markdown(bad)
    assert "❌ correct: fail" in text
    assert "3 lost" in text
    assert "certificate not verified" in text
    assert text.count("- **") >= 1 + len([r for r in bad.reasons if getattr(bad.verdicts, r.verdict) == "fail"])
    assert "\x1b" not in text


def test_no_data_is_told_as_no_data(good: Document) -> None:
    gates = tuple(structs.replace(gate, measured=None, verdict="inconclusive") for gate in good.gates)
    assert "| ❔ | p99 of smtp.body.response | below 500 ms | no data |" in markdown(structs.replace(good, gates=gates))


def test_cases_that_failed_are_shown_and_the_others_folded_away(good: Document) -> None:
    text = markdown(conformance(good, "fail", "pass", "latitude"))
    shown, folded = text.split("<details>")
    assert "3 of 3 cases put to the server: fail 1, latitude 1, pass 1" in shown
    assert "| FAIL | smtp.case-0 | MUST |" in shown
    assert "| latitude | smtp.case-2 | MUST |" in folded
    assert "smtp.case-1" not in text


def test_a_known_failure_is_folded_away_with_its_reason(good: Document) -> None:
    shown, folded = markdown(conformance(good, "fail", known="goes in 2.0")).split("<details>")
    assert "smtp.case-0" not in shown
    assert "| known fail | smtp.case-0 | MUST |  | 250 | goes in 2.0 |" in folded


def test_nothing_that_a_server_said_acts(good: Document) -> None:
    said = conformance(good, "fail")
    assert INERT in markdown(said)
    endpoint = EndpointFacts(protocol="smtp", url=ACTING, greeting=HOSTILE)
    assert ACTING not in markdown(structs.replace(said, target=(endpoint,)))


@pytest.mark.parametrize("rows", [ROWS_MAX, ROWS_MAX + 7])
def test_a_long_table_ends_and_says_how_much_more_there_is(good: Document, rows: int) -> None:
    verdicts: list[CaseVerdict] = ["fail"] * rows
    text = markdown(conformance(good, *verdicts))
    assert text.count("| FAIL |") == ROWS_MAX
    assert ("… and 7 more: see the report" in text) is (rows > ROWS_MAX)


def test_a_long_cell_is_cut(good: Document) -> None:
    assert good.load is not None
    failure = FailureCount(phase="smtp.mail", cause="x" * 2 * CELL_MAX, count=3)
    text = markdown(structs.replace(good, load=structs.replace(good.load, failures=(failure,))))
    assert f"| 3 | smtp.mail | {'x' * CELL_MAX} … |" in text


def test_a_search_gives_its_answer_what_broke_first_and_every_stage(good: Document) -> None:
    broke = Broke("gate", "p99 of smtp.session.response is 3 s, not below 2 s")
    stages = (
        CapacityStage(number=1, purpose="double", level=100.0, seconds=5, outcome="sustained", throughput_per_s=99.5),
        CapacityStage(number=2, purpose="double", level=200.0, seconds=5, outcome="broke", broke=(broke,)),
    )
    found = Capacity(of="rate", finding="found", sentence="it sustains 100/s", broke_first=(broke,), stages=stages)
    searched = structs.replace(good, kind="capacity", load=None, ledger=None, gates=(), capacity=found)
    text = markdown(searched)
    assert text.startswith("### Capacity: ✅")
    assert "**it sustains 100/s**" in text
    assert "- broke first: p99 of smtp.session.response is 3 s, not below 2 s" in text
    assert "| 1 | double | 100/s | 99.5/s | – | – | – | – | sustained |  |" in text
    assert "| 2 | double | 200/s | – |" in text
