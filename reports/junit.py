"""JUnit XML, the dialect CI systems read: a test case for each verdict, each gate and each conformance case.

What could not be decided is an `error`, never a success; what was not asked is `skipped`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from reports.capacity_result import Capacity
from reports.capacity_words import level_in_words
from reports.crash_findings import outages_judged
from reports.document import CaseResult, Document, GateResult, Question, Verdict
from reports.monitors import Departure
from reports.overheard import times
from reports.safe import inert

_QUESTIONS: Final[dict[Question, str]] = {
    "correct": "it is correct",
    "fast_enough": "it is fast enough",
    "valid": "the run can be believed",
}
# verdict -> JUnit's element; no row: a success
_ELEMENTS: Final = {
    "fail": "failure",
    "inconclusive": "error",
    "error": "error",
    "not-applicable": "skipped",
    "known": "skipped",
}


@dataclass(frozen=True, slots=True)
class _TestCase:
    name: str
    verdict: str
    message: str
    details: str = ""


def junit(document: Document) -> bytes:
    """Return the document as JUnit XML, UTF-8."""
    suites = _suites_of_gates(document)
    if document.capacity is not None:
        suites["capacity"] = [_of_search(document, document.capacity)]
    if document.load is not None and document.load.monitors is not None:
        suites["monitors"] = [_of_departure(each) for each in document.load.monitors.departures]
    if document.load is not None and document.load.crash is not None:
        judged = outages_judged(document.load.crash)
        suites["crash"] = [_TestCase(server, verdict.value, sentence) for server, verdict, sentence in judged]
    if document.conformance is not None:
        suites["cases"] = [_of_case(case) for case in document.conformance.cases]
    return _xml(f"mailproof {document.run_id}", document.duration_s, [(document, "", suites)])


def junit_of_gates(results: Sequence[tuple[str, Document]]) -> bytes:
    """Return verdicts and gates of several results as JUnit XML, each with the name it was given by."""
    return _xml("mailproof gate", 0.0, [
        (document, f" of {name}" if len(results) > 1 else "", _suites_of_gates(document)) for name, document in results
    ])   # fmt: skip


def _suites_of_gates(document: Document) -> dict[str, list[_TestCase]]:
    return {
        "verdicts": [_of_verdict(document, question) for question in _QUESTIONS],
        "gates": [_of_gate(gate) for gate in document.gates],
    }


def _xml(name: str, seconds: float, parts: Sequence[tuple[Document, str, dict[str, list[_TestCase]]]]) -> bytes:
    root = ET.Element("testsuites", name=inert(name), time=f"{seconds:.3f}")
    for document, whose, suites in parts:
        for suite, cases in suites.items():
            _add_suite(root, suite, whose, cases, document)
    _count(root, [case for _, _, suites in parts for cases in suites.values() for case in cases])
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _of_verdict(document: Document, question: Question) -> _TestCase:
    sentences = "; ".join(reason.sentence for reason in document.reasons if reason.verdict == question)
    return _TestCase(_QUESTIONS[question], getattr(document.verdicts, question).value, sentences)


def _of_gate(gate: GateResult) -> _TestCase:
    return _TestCase(f"{gate.metric} {gate.condition}", gate.verdict.value, gate.sentence)


def _of_search(document: Document, capacity: Capacity) -> _TestCase:
    details = "\n".join(
        f"stage {stage.number}: {stage.purpose} {level_in_words(stage.level, capacity.of)}: {stage.outcome}"
        + "".join(f"; {inert(broke.sentence)}" for broke in stage.broke)
        for stage in capacity.stages
    )
    found = document.verdicts.fast_enough if document.verdicts.valid is Verdict.PASS else document.verdicts.valid
    return _TestCase("a capacity was found", found.value, capacity.sentence, details)


def _of_departure(departure: Departure) -> _TestCase:
    message = f"{departure.level}: expected {departure.expected}; got {departure.got}; {times(departure)}"
    details = "\n".join(inert(line) for line in departure.transcript)
    return _TestCase(f"{departure.protocol} {departure.id}", departure.verdict, message, details)


def _of_case(case: CaseResult) -> _TestCase:
    message = f"{case.level}: expected {case.expected}; got {case.got}"
    verdict: str = case.verdict
    if case.known is not None:
        verdict, message = "known", f"known: {case.known}; {message}"
    return _TestCase(case.id, verdict, message, "\n".join(inert(line) for line in case.transcript))


def _add_suite(root: ET.Element, name: str, whose: str, cases: list[_TestCase], document: Document) -> None:
    suite = ET.SubElement(root, "testsuite", name=inert(name + whose), timestamp=inert(document.started), time="0")
    _count(suite, cases)
    for case in cases:
        class_name = inert(f"mailproof.{name}{whose}")
        made = ET.SubElement(suite, "testcase", classname=class_name, name=inert(case.name), time="0")
        if element := _ELEMENTS.get(case.verdict):
            outcome = ET.SubElement(made, element, message=inert(case.message), type=case.verdict)
            outcome.text = case.details or None
        else:
            ET.SubElement(made, "system-out").text = f"{case.verdict}: {inert(case.message)}"


def _count(element: ET.Element, cases: Iterable[_TestCase]) -> None:
    elements = [_ELEMENTS.get(case.verdict) for case in cases]
    element.set("tests", str(len(elements)))
    for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(elements.count(kind)))
