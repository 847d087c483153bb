"""The report's section on the generator: every sign is in it, and every doubt stands at the head of the page too."""

import pytest
from msgspec import structs

from reports.conclude import conclude
from reports.document import Document, decode, encode
from reports.health import Pause
from reports.html import html
from reports.schema import result_json_schema
from reports.signs import signs
from reports.text import plain
from tests.reports.test_html import Page

STOPPED = Pause(at_ns=4_200_000_000, length_ns=312_000_000, busy_ns=3_000_000)


@pytest.fixture(scope="module")
def doubtful(good: Document) -> Document:
    """A run whose generator was stopped once, and late for it."""
    assert good.load is not None
    health = structs.replace(
        good.load.health, longest_pause_ns=STOPPED.length_ns, pauses=(STOPPED,), pauses_count=1, cpu_share=0.99
    )
    return conclude(structs.replace(good, load=structs.replace(good.load, health=health)), [])


@pytest.fixture(scope="module")
def good_page(good: Document) -> Page:
    return Page(html(good))


@pytest.fixture(scope="module")
def doubtful_page(doubtful: Document) -> Page:
    return Page(html(doubtful))


def shown(text: str) -> str:
    """Return words as they can be compared: white space of any kind is one space."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("which", ["good", "doubtful"])
def test_every_sign_is_in_the_page(which: str, request: pytest.FixtureRequest) -> None:
    document: Document = request.getfixturevalue(which)
    assert document.load is not None
    assert document.host is not None
    page: Page = request.getfixturevalue(f"{which}_page")
    words = shown(page.words)
    found = list(signs(document.load, document.host.cpus))
    assert len(found) > 14
    for sign in found:
        for part in (sign.name, sign.measured, sign.allowed, sign.note, sign.doubt or ""):
            assert shown(part) in words


def test_a_sign_past_its_limit_is_marked_and_no_other(good_page: Page, doubtful_page: Page) -> None:
    assert "too much" not in good_page.words
    assert doubtful_page.words.count("too much") == 2


def test_every_doubt_is_in_the_summary_and_never_only_in_the_page(doubtful: Document) -> None:
    text = shown(plain(doubtful))
    assert "INCONCLUSIVE" in text
    assert "the generator stood still for 312 ms, 4.2 s after" in text
    assert "only pauses below 200 ms are allowed" in text


def test_an_arrival_check_and_littles_law_are_printed(good: Document) -> None:
    text = shown(plain(good))
    assert "arrivals came for 9,400 configured" in text
    assert "302 on average, by the books 301 (Little's law)" in text


def test_all_of_it_survives_the_way_into_a_file_and_back(doubtful: Document) -> None:
    assert decode(encode(doubtful)) == doubtful


def test_a_result_of_the_first_days_still_reads_and_what_it_lacks_is_not_known(good: Document) -> None:
    assert good.load is not None
    old = structs.replace(
        good,
        load=structs.replace(
            good.load, arrival_check=None, machine=None, timeline=structs.replace(good.load.timeline, started=()),
            health=structs.replace(good.load.health, in_flight=None, open_files_max=None),
        ),
    )   # fmt: skip
    assert decode(encode(old)) == old
    assert Page(html(old)).words.count("not known") == 2
    assert "by the books" not in plain(old)


def test_the_schema_says_what_each_part_means() -> None:
    definitions = result_json_schema()["$defs"]
    assert isinstance(definitions, dict)
    for name in ("Pause", "InFlight", "ArrivalCheckResult", "Machine", "TcpCounters", "Ports", "Processors"):
        assert definitions[name]["description"]
