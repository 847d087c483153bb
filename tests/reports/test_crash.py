"""A crash in the reports: what it says of the server, and that nothing noticed is nothing proved."""

import xml.etree.ElementTree as ET

import pytest
from msgspec import structs

from reports.conclude import conclude
from reports.crash_result import CrashMoment, CrashResult, Outage
from reports.document import Document, SessionCounts
from reports.gate import Gate
from reports.html import html
from reports.junit import junit
from reports.text import plain
from reports.units import NS_PER_S
from reports.verdict import Verdict

S = NS_PER_S
AWAY = Outage(protocol="smtp", refused=40, cut=2, began_ns=10 * S, back_ns=13 * S)


def crash(*moments: CrashMoment, planned: int | None = None, within_s: int = 60) -> CrashResult:
    return CrashResult(
        command="kill <it>", planned=len(moments) if planned is None else planned, recover_within_ns=within_s * S,
        load_ns=30 * S, moments=moments,
    )   # fmt: skip


def moment(*outages: Outage, at_s: int = 10, trouble: str | None = None, output: str = "") -> CrashMoment:
    return CrashMoment(at_ns=at_s * S, took_ns=S, exit_code=0, outages=outages, trouble=trouble, output=output)


def with_crash(good: Document, result: CrashResult) -> Document:
    assert good.load is not None
    return conclude(structs.replace(good, load=structs.replace(good.load, crash=result)), ())


def said(document: Document, question: str) -> list[str]:
    return [reason.sentence for reason in document.reasons if reason.verdict == question]


def test_a_server_that_is_back_in_time_and_has_lost_nothing_has_passed(good: Document) -> None:
    document = with_crash(good, crash(moment(AWAY)))
    assert document.verdicts.correct is Verdict.PASS
    sentence = "SMTP after the crash at 10 s was back after 3 s, at most 1 min is expected"
    assert said(document, "fast_enough") == [sentence]


@pytest.mark.parametrize(
    ("outage", "within_s", "verdict", "sentence"),
    [
        (AWAY, 2, Verdict.FAIL, "was back after 3 s, at most 2 s is expected"),
        (structs.replace(AWAY, back_ns=None), 15, Verdict.FAIL, "was not back after 20 s, at most 15 s is expected"),
        (
            structs.replace(AWAY, back_ns=None), 60, Verdict.INCONCLUSIVE,
            "was not back after 20 s, when the load ended; at most 1 min is expected, so the load must last longer",
        ),
    ],
)   # fmt: skip
def test_one_that_is_late_has_failed_and_one_that_had_no_time_is_undecided(
    good: Document, outage: Outage, within_s: int, verdict: Verdict, sentence: str
) -> None:
    document = with_crash(good, crash(moment(outage), within_s=within_s))
    assert document.verdicts.fast_enough is verdict
    assert said(document, "fast_enough") == [f"SMTP after the crash at 10 s {sentence}"]


def test_one_that_the_next_crash_met_away_is_undecided(good: Document) -> None:
    gone = structs.replace(AWAY, back_ns=None)
    back = structs.replace(AWAY, began_ns=20 * S, back_ns=21 * S)
    document = with_crash(good, crash(moment(gone), moment(back, at_s=20)))
    assert document.verdicts.fast_enough is Verdict.INCONCLUSIVE
    assert "not back after 10 s, when the next crash came" in said(document, "fast_enough")[0]


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (crash(planned=2), "the server was never crashed: the load ended before its time"),
        (crash(moment(AWAY), planned=2), "the server was crashed 1 of 2 times: the load ended before its time"),
        (crash(moment()), "nobody noticed the crash at 10 s"),
        (crash(moment(trouble="the command ended with status 3", output="a\nno")), 'status 3, and said "no"'),
    ],
)   # fmt: skip
def test_what_was_no_crash_proves_nothing(good: Document, result: CrashResult, sentence: str) -> None:
    document = with_crash(good, result)
    assert document.verdicts.correct is Verdict.INCONCLUSIVE
    assert sentence in "\n".join(said(document, "correct"))
    assert document.exit_code == 3


def test_lost_mail_is_a_failure_whatever_else_is_not_known(good: Document) -> None:
    assert good.ledger is not None
    lossy = structs.replace(good, ledger=structs.replace(good.ledger, sent=0, lost=1))
    assert with_crash(lossy, crash(moment())).verdicts.correct is Verdict.FAIL


def test_what_an_outage_refused_and_cut_is_no_error(good: Document) -> None:
    assert good.load is not None
    counts = SessionCounts(arrived=100, accepted=58, failed=40, timed_out=2, outage=41)
    load = structs.replace(good.load, sessions=counts, crash=crash(moment(AWAY)))
    gate = Gate(metric="errors.share", at_most=0.01)
    assert conclude(structs.replace(good, load=load), [gate]).gates[0].value == 0.01
    with pytest.raises(ValueError, match="43 sessions of an outage are more than failed"):
        SessionCounts(arrived=100, accepted=58, failed=40, timed_out=2, outage=43)


def test_every_report_shows_it(good: Document) -> None:
    gone = Outage(protocol="pop3", cut=3, began_ns=11 * S)
    document = with_crash(good, crash(moment(AWAY, gone, output="stopped\n<started>")))
    text = plain(document)
    assert "crash at 10 s" in text
    assert "SMTP away from 10 s: 40 refused, 2 cut, accepted again 3 s later" in text
    assert "POP3 away from 11 s: 0 refused, 3 cut, not back since" in text
    page = html(document)
    assert "What did the crash do?" in page
    assert "kill &lt;it&gt;" in page
    assert "&lt;started&gt;" in page
    suite = ET.fromstring(junit(document)).find("testsuite[@name='crash']")
    assert suite is not None
    assert [(case.get("name"), [each.tag for each in case]) for case in suite] == [
        ("SMTP after the crash at 10 s", ["system-out"]), ("POP3 after the crash at 10 s", ["error"]),
    ]   # fmt: skip


def test_a_crash_that_never_was_is_shown_too(good: Document) -> None:
    document = with_crash(good, crash(planned=1))
    assert "none: the load ended before its time" in plain(document)
    assert "It was never crashed" in html(document)


def test_the_longest_outage_is_the_recovery_and_one_without_an_end_has_none() -> None:
    longer = structs.replace(AWAY, protocol="pop3", back_ns=15 * S)
    assert crash(moment(AWAY, longer)).recovery_ns == 5 * S
    assert crash(moment(AWAY, structs.replace(AWAY, back_ns=None))).recovery_ns is None
    assert crash(moment()).recovery_ns is None


@pytest.mark.parametrize(("within", "verdict"), [("5s", Verdict.PASS), ("1s", Verdict.FAIL)])
def test_recovery_can_be_gated(good: Document, within: str, verdict: Verdict) -> None:
    document = with_crash(good, crash(moment(AWAY)))
    gate = Gate(metric="crash.recovery", at_most=within)
    assert conclude(document, [gate]).gates[0].verdict is verdict
    never = with_crash(good, crash(moment(structs.replace(AWAY, back_ns=None))))
    assert conclude(never, [gate]).gates[0].verdict is Verdict.INCONCLUSIVE


def test_a_copy_too_many_after_a_crash_is_told_as_lawful(good: Document) -> None:
    assert good.ledger is not None
    ledger = structs.replace(good.ledger, sent=0, delivered_once=good.ledger.delivered_once - 1, duplicate_lawful=1)
    document = with_crash(structs.replace(good, ledger=ledger), crash(moment(AWAY)))
    assert document.verdicts.correct is Verdict.PASS
    why = "but for 1 delivered again after a crash, or sent again when a reply was lost"
    assert why in said(document, "correct")[0]
