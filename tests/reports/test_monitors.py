"""A load's replies held against the RFCs: what every report says of them, and what they do to the verdict."""

import xml.etree.ElementTree as ET

import jsonschema
import msgspec
from msgspec import structs

from reports.conclude import conclude
from reports.document import Document, decode, encode
from reports.html import html
from reports.junit import junit
from reports.monitors import Departure, MonitorsResult
from reports.schema import result_json_schema
from reports.text import plain
from reports.verdict import Verdict
from tests.reports.conftest import BuildDocument

BARE = Departure(
    id="smtp.reply.crlf", protocol="smtp", level="MUST", verdict="fail", title="Lines end with CRLF",
    sources=("RFC 5321 §2.3.8",), expected="CRLF", got='a line ended by LF alone: "250 <b>\\x1b"', broken=3, looked=40,
    transcript=("C: NOOP", "S: 250 <b>\\x1b\\n [no CRLF]"),
)   # fmt: skip
ODD = structs.replace(BARE, id="core.same-banner", verdict="weak")


def with_monitors(document: Document, *departures: Departure) -> Document:
    assert document.load is not None
    monitors = MonitorsResult(
        connections=500, judged=40, odd=4, odd_judged=3, replies=320, requirements=30, departures=departures
    )
    load = structs.replace(document.load, monitors=monitors)
    return conclude(structs.replace(document, load=load, ledger=None), ())


def test_a_must_that_replies_broke_makes_the_run_incorrect(build: BuildDocument) -> None:
    document = with_monitors(build(), BARE, ODD)
    assert document.verdicts.correct is Verdict.FAIL
    [why] = [reason.sentence for reason in document.reasons if reason.verdict == "correct"]
    assert why.startswith("replies to the load broke smtp.reply.crlf (RFC 5321 §2.3.8) 3 times: a line ended by LF")


def test_what_is_no_failure_and_what_was_not_seen_decide_nothing(build: BuildDocument) -> None:
    assert with_monitors(build(), ODD).verdicts.correct is Verdict.NOT_APPLICABLE
    assert with_monitors(build()).verdicts.correct is Verdict.NOT_APPLICABLE


def test_every_report_tells_of_it(build: BuildDocument) -> None:
    document = with_monitors(build(), BARE)
    text = plain(document, width=200)
    assert "320 were held against 30 requirements: those of 40 of 500 connections, 3 of the 4 odd ones" in text
    assert "3 of 40 times" in text
    assert "S: 250 <b>" in text
    page = html(document)
    assert "Were the replies lawful?" in page
    assert "250 &lt;b&gt;" in page
    suites = ET.fromstring(junit(document))
    [case] = suites.findall("./testsuite[@name='monitors']/testcase")
    assert case.get("name") == "smtp smtp.reply.crlf"
    assert case.find("failure") is not None
    assert "nothing amiss" in plain(with_monitors(build()), width=200)


def test_it_is_written_and_read_back(build: BuildDocument) -> None:
    document = with_monitors(build(), BARE)
    assert decode(encode(document)) == document
    jsonschema.validate(msgspec.json.decode(encode(document)), result_json_schema())
