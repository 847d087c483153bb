"""The baseline: what is known fails no gate, until it expires; what is gone is told."""

from datetime import date
from pathlib import Path

import pytest

from conformance.baseline import read_baseline
from reports.conclude import conclude
from reports.document import CaseResult, CaseVerdict, ConformanceResult, Document
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.verdict import UNJUDGED

TODAY = date(2026, 5, 1)
IDS = {"smtp.a", "smtp.b#x", "smtp.c"}
TEXT = """
[[known]]
id = "smtp.a"
reason = "the next release mends it"
expires = 2026-05-01
[[known]]
id = "smtp.b#x"
reason = "nobody asks for it"
expires = 2026-04-30
"""


def result(id_: str, verdict: CaseVerdict) -> CaseResult:
    return CaseResult(id=id_, level="MUST", verdict=verdict)


def judged(tmp_path: Path, *cases: CaseResult) -> tuple[Document, list[str]]:
    (tmp_path / "known.toml").write_text(TEXT)
    baseline = read_baseline(tmp_path / "known.toml", IDS)
    result = ConformanceResult(planned=len(cases), executed=len(cases), cases=baseline.applied(cases, TODAY))
    document = Document(
        kind="conformance", mailproof="0.1.0", run_id="r", started="2026-05-01T00:00:00Z", duration_s=1.0,
        verdicts=UNJUDGED, exit_code=3, conformance=result,
    )  # fmt: skip
    return conclude(document, ()), list(baseline.notes(cases, TODAY))


def test_a_known_failure_fails_nothing_and_gives_its_reason(tmp_path: Path) -> None:
    document, notes = judged(tmp_path, result("smtp.a", "fail"), result("smtp.c", "pass"))
    assert (document.exit_code, notes) == (ExitCode.HELD, [])
    assert document.conformance is not None
    assert document.conformance.cases[0].known == "the next release mends it (until 2026-05-01)"


def test_a_new_failure_fails_beside_a_known_one(tmp_path: Path) -> None:
    document, _ = judged(tmp_path, result("smtp.a", "fail"), result("smtp.c", "fail"))
    assert document.exit_code == ExitCode.FAILED
    assert document.reasons[0].sentence == "1 of 2 cases failed: smtp.c"


def test_a_failure_fails_again_when_its_day_is_over_and_that_is_said(tmp_path: Path) -> None:
    document, notes = judged(tmp_path, result("smtp.b#x", "fail"))
    assert document.exit_code == ExitCode.FAILED
    assert notes == ["the baseline knew smtp.b#x until 2026-04-30: it fails again from that day on"]


@pytest.mark.parametrize("verdict", ["pass", "latitude", "divergence", "weak"])
def test_a_failure_that_is_gone_is_told(tmp_path: Path, verdict: CaseVerdict) -> None:
    document, notes = judged(tmp_path, result("smtp.a", verdict))
    assert document.exit_code == ExitCode.HELD
    assert notes == [f"smtp.a fails no more ({verdict}): it can be taken out of the baseline"]


@pytest.mark.parametrize("verdict", ["inconclusive", "not-applicable"])
def test_a_failure_that_was_not_looked_for_is_not_gone(tmp_path: Path, verdict: CaseVerdict) -> None:
    assert judged(tmp_path, result("smtp.a", verdict), result("smtp.c", "pass"))[1] == []
    assert judged(tmp_path, result("smtp.c", "pass"))[1] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[known]]\nid = 'smtp.d'\nreason = 'x'\nexpires = 2026-05-01", "no case and no passive requirement smtp.d"),
        (TEXT + "[[known]]\nid = 'smtp.a'\nreason = 'x'\nexpires = 2026-05-01", r"known\[2\]\.id: smtp\.a is there"),
        ("[[known]]\nid = 'smtp.a'\nreason = 'x'", r"known\[0\]: Object missing required field `expires`"),
        ("[[known]]\nid = 'smtp.a'\nreason = ''\nexpires = 2026-05-01", r"known\[0\]\.reason"),
        ("[[known]]\nid = 'smtp.a'\nreason = 'x'\nexpires = 'soon'", r"known\[0\]\.expires"),
        ("[[knwon]]\nid = 'smtp.a'", "unknown field `knwon`"),
        ("known =", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_baseline(tmp_path / "known.toml", IDS)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*nowhere\.toml: No such file"):
        read_baseline(tmp_path / "nowhere.toml", IDS)
