"""The table of conformance results: cells that are honest, rows in their sections, pages that are well-formed."""

import pytest

from reports.document import CaseResult, CaseVerdict, ConformanceResult, Document, EndpointFacts
from reports.errors import DocumentError
from reports.matrix import Cell, Matrix, Row, matrix
from reports.matrix_html import matrix_html
from reports.matrix_markdown import cell_text, markdown
from reports.page import CASE_MARKS, CASE_SIGNS
from reports.verdict import UNJUDGED
from tests.reports.test_html import Page

SECTIONS = [("10 RSET", ["smtp.rset.replies-250", "smtp.rset.clears"]), ("32 POP3", ["pop3.stat.format"])]


def document(
    verdicts: dict[str, CaseVerdict], *, got: str = "did so", requirement_set: str | None = None,
    profile: str | None = None, version: str = "0.1.0", known: str | None = None,
) -> Document:  # fmt: skip
    cases = tuple(
        CaseResult(id=id_, level="MUST", verdict=verdict, title=f"About {id_.partition('#')[0]}", got=got, known=known,
                   sources=("RFC 5321 §4.1.1.5",))
        for id_, verdict in verdicts.items()
    )
    return Document(
        kind="conformance", mailproof=version, run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED,
        exit_code=0,
        conformance=ConformanceResult(
            planned=len(cases), executed=len(cases), cases=cases, requirement_set=requirement_set, profile=profile
        ),
        target=(EndpointFacts(protocol="smtp", url="smtp://127.0.0.1:25", greeting="220 mail.example.test"),),
    )  # fmt: skip


def table(*results: Document, differing: bool = False) -> Matrix:
    named = [(name, result) for name, result in zip("abcdef", results, strict=False)]
    return matrix(named, SECTIONS, differing=differing)


def rows(of: Matrix) -> dict[str, Row]:
    return {row.requirement: row for group in of.groups for row in group.rows}


@pytest.mark.parametrize(
    ("verdicts", "cell"),
    [
        (["pass"], Cell("pass", 1, 1, False, "did so")),
        (["pass", "fail", "fail"], Cell("fail", 2, 3, False, "did so")),
        (["pass", "not-applicable"], Cell("pass", 1, 2, False, "did so")),
        (["not-applicable", "not-applicable"], Cell("not-applicable", 2, 2, False, "did so")),
        (["inconclusive", "pass", "latitude"], Cell("inconclusive", 1, 3, False, "did so")),
        (["weak", "divergence"], Cell("divergence", 1, 2, False, "did so")),
        (["error", "fail"], Cell("fail", 1, 2, False, "did so")),
    ],
)
def test_of_several_variants_the_worst_is_shown_with_how_many_they_are(
    verdicts: list[CaseVerdict], cell: Cell
) -> None:
    result = document({f"smtp.rset.clears#v{at}": verdict for at, verdict in enumerate(verdicts)})
    assert rows(table(result))["smtp.rset.clears"].cells == (cell,)


def test_what_one_result_does_not_know_was_not_asked_and_is_no_pass() -> None:
    made = table(document({"smtp.rset.clears": "pass"}), document({"pop3.stat.format": "pass"}))
    assert [cell.verdict for cell in rows(made)["smtp.rset.clears"].cells] == ["pass", "not-asked"]
    assert made.servers[1].counts == {"pass": 1, "not-asked": 1}


def test_rows_stand_in_their_sections_and_strangers_at_the_end() -> None:
    made = table(document({"x.new": "pass", "pop3.stat.format": "pass", "smtp.rset.clears": "pass"}))
    assert [(group.title, [row.requirement for row in group.rows]) for group in made.groups] == [
        ("10 RSET", ["smtp.rset.clears"]), ("32 POP3", ["pop3.stat.format"]),
        ("Of no section of this catalogue", ["x.new"]),
    ]  # fmt: skip


def test_only_rows_in_which_somebody_differs_are_kept_if_asked() -> None:
    one = document({"smtp.rset.clears": "pass", "smtp.rset.replies-250": "pass", "pop3.stat.format": "not-applicable"})
    other = document({"smtp.rset.clears": "fail", "smtp.rset.replies-250": "pass", "pop3.stat.format": "pass"})
    made = table(one, other, differing=True)
    assert list(rows(made)) == ["smtp.rset.clears"]      # no occasion is no other behaviour
    assert made.left_out == 2


def test_a_known_failure_says_so() -> None:
    made = table(document({"smtp.rset.clears": "fail"}, known="since 1998"))
    assert cell_text(rows(made)["smtp.rset.clears"].cells[0]) == "✕ known fail"


def test_results_that_are_not_alike_are_told_apart_in_the_head() -> None:
    made = table(
        document({"smtp.rset.clears": "pass"}, requirement_set="2026.1"),
        document({"smtp.rset.clears": "pass"}, profile="smtp-mx", version="0.2.0"),
    )
    assert made.unlike == (
        "These results are of different requirement sets: a 2026.1, b all.",
        "These results are of different profiles: a none, b smtp-mx.",
        "These results are of different versions of mailproof: a 0.1.0, b 0.2.0.",
    )
    assert made.unlike[0] in Page(matrix_html(made, "Servers", "0.1.0")).words
    assert f"**{made.unlike[0]}**" in markdown(made, "Servers")


def test_the_result_of_a_load_is_refused_by_its_name() -> None:
    load = Document(
        kind="load", mailproof="0.1.0", run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=0
    )
    with pytest.raises(DocumentError, match=r"^a is the result of a load"):
        table(load)


def test_every_verdict_has_a_sign_and_a_word_of_its_own() -> None:
    assert len(set(CASE_SIGNS.values())) == len(CASE_SIGNS)
    verdicts: dict[str, CaseVerdict] = {
        f"x.{verdict}": verdict  # type: ignore[misc]
        for verdict in CASE_SIGNS if verdict != "not-asked"
    }
    made = table(document(verdicts), document({"x.pass": "pass"}))
    page, text = Page(matrix_html(made, "Servers", "0.1.0")), markdown(made, "Servers")
    for word, sign in CASE_MARKS.values():
        assert f"{sign} {word}" in text
        assert word in page.words
    assert page.tags["tbody"] == 3      # the servers, the counts, one section
    assert ("scope", "rowgroup") in page.attributes


def test_what_a_server_said_is_text_and_never_markup() -> None:
    hostile = "<script>alert(1)</script> | **b** \x1b[2J"
    made = table(document({"smtp.rset.clears": "fail"}, got=hostile), document({"smtp.rset.clears": "pass"}))
    page = matrix_html(made, hostile, "0.1.0")
    assert "<script" not in page
    assert "\x1b" not in page
    lines = markdown(made, hostile).splitlines()
    assert lines[0] == "# &lt;script>alert(1)&lt;/script> \\| \\*\\*b\\*\\* \\\\x1b[2J"
    assert all(line.count("|") - line.count("\\|") in {0, 4, 5, 8} for line in lines)


def test_a_table_without_rows_says_so() -> None:
    one = document({"smtp.rset.clears": "pass"})
    assert "There is no row to show." in Page(matrix_html(table(one, one, differing=True), "Servers", "0.1.0")).words
