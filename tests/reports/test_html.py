"""The page: well-formed, self-contained, harmless, and with everything in it."""

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Literal

import numpy as np
import pytest
from msgspec import structs

from reports import plots, units
from reports.canvas import WIDE
from reports.document import (
    CaseResult,
    ConformanceResult,
    DeviationCount,
    Document,
    FailureCount,
    LoadResult,
    SessionCounts,
    Verdict,
    Verdicts,
)
from reports.html import html

VOID = frozenset({"meta", "br", "link", "img", "input", "hr", "wbr"})


class Page(HTMLParser):
    """Reads a page strictly: every element that is opened must be closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).replace("\N{NO-BREAK SPACE}", " ").split())

    def values(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def source(good: Document) -> str:
    return html(good)


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


@pytest.fixture(scope="module")
def bad_source(bad: Document) -> str:
    return html(bad)


@pytest.fixture(scope="module")
def bad_page(bad_source: str) -> Page:
    return Page(bad_source)


def test_the_page_is_well_formed_and_has_each_landmark_once(page: Page) -> None:
    assert [page.tags[tag] for tag in ("html", "head", "title", "body", "header", "main", "footer", "h1")] == [1] * 8


def test_ids_are_unique_and_every_reference_finds_its_id(page: Page) -> None:
    ids = page.values("id")
    assert max(Counter(ids).values()) == 1
    references = page.values("aria-labelledby") + [value[1:] for value in page.values("xlink:href")]
    references += re.findall(r"url\(#([^)]+)\)", " ".join(page.values("clip-path")))
    assert references
    assert set(references) <= set(ids)


def test_nothing_is_fetched_and_nothing_runs(bad_source: str, bad_page: Page) -> None:
    text, page = bad_source, bad_page
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert not [value for value in page.values("href") + page.values("xlink:href") if not value.startswith("#")]
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)


def test_a_hostile_server_stays_text(build: Callable[..., Document]) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>&\x1b[2J\u202e'
    document = build(greeting=hostile)
    assert document.load is not None
    load = structs.replace(
        document.load,
        failures=(FailureCount(hostile, hostile, 1, hostile),),
        deviations=(DeviationCount(hostile, hostile, 1, hostile),),
        kinds={hostile: document.load.sessions},
    )
    page = Page(html(structs.replace(document, load=load, run_id=hostile, scenario={"scenario": {"name": hostile}})))
    assert page.tags["script"] == page.tags["img"] == 0
    assert '"><script>alert(1)</script><img src=x onerror=alert(1)>&\\x1b[2J\\u202e' in page.words
    assert "\x1b" not in page.words
    assert "\u202e" not in page.words


def test_hostile_phase_names_stay_text_in_the_pictures(good: Document) -> None:
    assert good.load is not None
    name = "<script>$x^2$</script>"
    load = structs.replace(good.load, phases={name: good.load.phases["smtp.body"]})
    page = Page(html(structs.replace(good, load=load)))
    assert page.tags["script"] == 0
    assert page.words.count(name) >= 3  # the table, and the picture in both widths


def test_sections_come_in_the_order_a_person_asks(page: Page) -> None:
    asked = [
        "Is it correct?",
        "How fast was it?",
        "How did it go over time?",
        "What failed?",
        "Did the mail arrive?",
        "Against what?",
        "From where?",
        "Exactly what ran?",
        "How to read this",
    ]
    assert sorted(asked, key=page.words.index) == asked


def test_the_numbers_of_the_document_are_on_the_page(page: Page, good: Document) -> None:
    assert good.load is not None
    assert good.ledger is not None
    sessions = good.load.sessions
    expected = [units.count(sessions.arrived), units.count(sessions.accepted), units.count(good.ledger.accepted)]
    expected += [units.milliseconds(phase.response_ns.p99) for phase in good.load.phases.values()]
    expected += [reason.sentence for reason in good.reasons]
    expected += [f"{gate.condition}{gate.measured}" for gate in good.gates]
    expected += ["75.2/s", "143/s", "seed 7", "TLS_AES_256_GCM_SHA384", "bench-1", "451", "4.3.0", "250-8BITMIME\\n"]
    expected += ['median = "4 KiB"', "certificate verified"]
    missing = [each for each in expected if each not in page.words]
    assert missing == []


def test_a_verdict_is_a_word_and_a_mark_not_a_colour(bad_page: Page) -> None:
    assert "✕ Failed: not correct and not fast enough" in bad_page.words.replace("✕Failed", "✕ Failed")
    assert bad_page.words.count("✕fail") == 5  # two verdicts, three gates
    assert "✓pass" in bad_page.words


def test_an_unverified_certificate_is_shown_loudly(page: Page, bad_page: Page) -> None:
    assert "Certificate not verified. The connection to smtp://127.0.0.1:2525 was encrypted" in bad_page.words
    assert "certificate NOT verified" in bad_page.words
    assert "not verified" not in page.words.lower()


def test_every_table_has_a_caption_and_every_picture_a_description(page: Page) -> None:
    assert page.tags["table"] == page.tags["caption"] == 10
    assert page.tags["svg"] == 6
    assert page.values("role").count("img") == 6
    assert all(
        len(label) > 20 for name, label in page.attributes if name == "aria-label" and label and "second" in label
    )


def test_the_same_document_gives_the_same_page(good: Document, source: str) -> None:
    assert html(good) == source


def test_the_page_serves_light_dark_paper_and_phone(source: str) -> None:
    for query in ("prefers-color-scheme: dark", "@media print", "max-width: 42rem", 'name="viewport"'):
        assert query in source
    assert not re.findall(r"(?:fill|stroke): #", source[source.index("<body>") :])  # the style sheet colours everything


@pytest.mark.parametrize(
    ("verdicts", "interrupted", "headline"),
    [
        (("pass", "pass", "inconclusive"), None, "This run cannot be believed"),
        (("fail", "fail", "inconclusive"), None, "This run cannot be believed"),
        (("pass", "fail", "pass"), None, "Failed: not fast enough"),
        (("inconclusive", "pass", "pass"), None, "Undecided: something asked for could not be judged"),
        (("not-applicable", "not-applicable", "pass"), None, "Measured, nothing judged"),
        (("pass", "pass", "pass"), "load", "Interrupted: this is not the whole run"),
        (("pass", "pass", "pass"), "audit", "Interrupted: the load is whole, the reading of the maildrops is not"),
        (("pass", "not-applicable", "pass"), None, "Everything asked for held"),
    ],
)
def test_the_headline(
    good: Document, verdicts: tuple[str, str, str], interrupted: Literal["load", "audit"] | None, headline: str
) -> None:
    document = structs.replace(good, load=None, verdicts=Verdicts(*map(Verdict, verdicts)), interrupted=interrupted)
    assert headline in Page(html(document)).words


def test_an_empty_run_still_makes_a_page(good: Document) -> None:
    load = LoadResult(model="closed", sessions=SessionCounts())
    page = Page(html(structs.replace(good, load=load, ledger=None, gates=(), target=(), host=None, scenario={})))
    assert "The run had no steady phase, so there are no rates." in page.words
    assert "No phase was completed in the steady phase: there are no times to show." in page.words
    assert page.tags["svg"] == 0
    assert "Closed model" in page.words


def test_a_conformance_run_makes_a_page(good: Document) -> None:
    case = CaseResult(
        id="smtp.rset.clears-envelope",
        level="MUST",
        verdict="fail",
        expected="503",
        got="250 <b>ok</b>",
        transcript=("C: RSET", "S: 250 <b>ok</b>"),
    )
    result = ConformanceResult(planned=2, executed=1, cases=(case,))
    page = Page(html(structs.replace(good, load=None, ledger=None, conformance=result)))
    assert "1 of 2 cases were put to the server" in page.words
    assert "smtp.rset.clears-envelope MUST" in page.words
    assert "S: 250 <b>ok</b>" in page.words
    assert page.tags["b"] == 0


def test_few_samples_draw_no_percentile_curve(good: Document) -> None:
    assert good.load is not None
    few = structs.replace(good.load.phases["smtp.body"], count=3, response_hdr="")
    assert plots.percentiles(structs.replace(good.load, phases={"smtp.body": few})) is None
    assert plots.over_time(LoadResult(model="open", sessions=SessionCounts())) is None
    assert plots.ranges(LoadResult(model="open", sessions=SessionCounts())) is None


def test_an_axis_of_nothing_says_so_once(good: Document) -> None:
    assert good.load is not None
    nothing = (0,) * good.load.timeline.seconds
    timeline = structs.replace(good.load.timeline, messages_accepted=nothing, messages_retrieved=nothing)
    axes = plots._draw_over_time(structs.replace(good.load, timeline=timeline), WIDE).axes[1]
    labels = [axes.yaxis.get_major_formatter()(tick) for tick in axes.get_yticks() if 0 <= tick <= 1]
    assert labels == sorted(set(labels))


def test_a_second_with_times_between_seconds_without_is_drawn_as_a_dot(good: Document) -> None:
    assert good.load is not None
    p50_ns: list[int | None] = [None] * good.load.timeline.seconds
    p50_ns[0], p50_ns[2], p50_ns[4], p50_ns[5] = 1_000_000, 2_000_000, 3_000_000, 4_000_000
    timeline = structs.replace(good.load.timeline, response_p50_ns=tuple(p50_ns), response_p99_ns=tuple(p50_ns))
    axes = plots._draw_over_time(structs.replace(good.load, timeline=timeline), WIDE).axes[3]
    dots = [line for line in axes.get_lines() if line.get_marker() == "."]
    assert [np.asarray(dot.get_xdata()).tolist() for dot in dots] == [[0.5, 2.5], [0.5, 2.5]]
    assert [np.asarray(dot.get_ydata()).tolist() for dot in dots] == [[1, 2], [1, 2]]
