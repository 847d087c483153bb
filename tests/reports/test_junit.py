"""JUnit XML as a CI system reads it."""

from xml.etree import ElementTree as ET

from msgspec import structs

from reports.document import CaseResult, ConformanceResult, Document, Reason, Verdict, Verdicts
from reports.junit import junit


def test_every_verdict_and_every_gate_is_a_test_case(good: Document) -> None:
    root = ET.fromstring(junit(good))
    assert [suite.get("name") for suite in root] == ["verdicts", "gates"]
    assert [case.get("name") for case in root[0]] == ["it is correct", "it is fast enough", "the run can be believed"]
    assert [case.get("name") for case in root[1]] == [f"{gate.metric} {gate.condition}" for gate in good.gates]
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("8", "0", "0", "0")


def test_what_failed_is_a_failure_with_its_sentence(bad: Document) -> None:
    root = ET.fromstring(junit(bad))
    assert (root.get("failures"), root.get("errors")) == ("5", "0")
    messages = [failure.get("message") for failure in root.iter("failure")]
    assert "ledger.lost was 3, the gate allows exactly 0" in messages


def test_what_could_not_be_decided_is_an_error_and_what_was_not_asked_is_skipped(good: Document) -> None:
    verdicts = Verdicts(Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.PASS)
    root = ET.fromstring(junit(structs.replace(good, verdicts=verdicts)))
    assert [[child.tag for child in case] for case in root[0]] == [["error"], ["skipped"], ["system-out"]]
    assert (root[0].get("errors"), root[0].get("skipped"), root[0].get("failures")) == ("1", "1", "0")


def test_cases_are_test_cases(good: Document) -> None:
    cases = tuple(
        CaseResult(id=f"smtp.{verdict}", level="MUST", verdict=verdict, transcript=("C: RSET", "S: \x1b[2J"))
        for verdict in ("pass", "latitude", "divergence", "fail", "inconclusive", "error", "not-applicable")
    )
    conformance = ConformanceResult(planned=7, executed=7, cases=cases)
    root = ET.fromstring(junit(structs.replace(good, conformance=conformance)))
    tags = {case.get("name"): case[0].tag for case in root[2]}
    assert tags == {
        "smtp.pass": "system-out",
        "smtp.latitude": "system-out",
        "smtp.divergence": "system-out",
        "smtp.fail": "failure",
        "smtp.inconclusive": "error",
        "smtp.error": "error",
        "smtp.not-applicable": "skipped",
    }
    [failure] = root[2].iter("failure")
    assert failure.text == "C: RSET\nS: \\x1b[2J"


def test_hostile_text_is_still_xml(good: Document) -> None:
    reasons = (Reason("correct", "]]><evil a='\x00\x1b\ufffe\ud800'/>"),)
    root = ET.fromstring(junit(structs.replace(good, reasons=reasons, run_id="<&\x01")))
    assert root.get("name") == "mailproof <&\\x01"
    assert root[0][0][0].text == "pass: ]]><evil a='\\x00\\x1b\\ufffe\\ud800'/>"
