"""The passive requirements in a run: what the cases' conversations come to."""

from conformance.catalogue.load import catalogue
from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.monitors.follow import Side
from conformance.passive import Overhearing
from conformance.selection import Selection
from conformance.transcript import Transcript

EHLO = b"250-mail.example.test\r\n250 ENHANCEDSTATUSCODES\r\n"


def session(*replies: bytes, greeting: bytes = b"220 mail.example.test\r\n") -> Transcript:
    """A conversation: a greeting, EHLO, and NOOP for each further reply."""
    transcript = Transcript()
    transcript.received(greeting, 0.0)
    transcript.sent(b"EHLO x\r\n", 0.1)
    transcript.received(EHLO, 0.2)
    for reply in replies:
        transcript.sent(b"NOOP\r\n", 0.3)
        transcript.received(reply, 0.4)
    transcript.note("the server closed", 0.5, Side.CLOSED)
    return transcript


def findings(
    overhearing: Overhearing, selection: Selection | None = None, *, strict: bool = False
) -> dict[str, Finding]:
    made = overhearing.findings(catalogue(), selection or Selection(), strict=strict)
    return {finding.case_id: finding for finding in made}


async def test_what_was_broken_in_any_case_is_a_failure_with_its_conversation() -> None:
    overhearing = Overhearing("smtp")
    await overhearing.hear("smtp.a", [session(b"250 2.0.0 ok\r\n")])
    await overhearing.hear("smtp.b", [session(b"250 2.0.0 ok\r\n"), session(b"250 2.0.0 ok\n", b"260 2.0.0 ok\r\n")])
    made = findings(overhearing)
    bare = made["smtp.reply.crlf"]
    assert bare.verdict is CaseVerdict.FAIL
    assert bare.seen_in == "smtp.b"
    assert bare.got == 'a line ended by LF alone: "250 2.0.0 ok\\n"; 1 of 10 times'
    assert "S: 250 2.0.0 ok\\n" in "\n".join(bare.transcript)
    assert made["smtp.reply.second-digit"].verdict is CaseVerdict.FAIL
    assert made["smtp.reply.first-digit"].verdict is CaseVerdict.PASS
    assert made["smtp.reply.first-digit"].got == "nothing amiss, 10 times"


async def test_a_monitor_that_never_looked_has_passed_nothing() -> None:
    overhearing = Overhearing("smtp")
    await overhearing.hear("smtp.a", [session()])
    made = findings(overhearing)
    assert made["smtp.rcpt.251-551-text"].verdict is CaseVerdict.NOT_APPLICABLE
    assert made["smtp.reply.421-then-close"].verdict is CaseVerdict.NOT_APPLICABLE
    assert made["core.same-banner"].verdict is CaseVerdict.NOT_APPLICABLE


async def test_what_is_only_advised_is_latitude_and_what_is_hardening_is_weak() -> None:
    overhearing = Overhearing("smtp")
    await overhearing.hear("smtp.a", [session(b"250\r\n"), session(greeting=b"220 other.example.test\r\n")])
    made = findings(overhearing)
    assert made["smtp.reply.text-present"].verdict is CaseVerdict.LATITUDE
    assert made["core.same-banner"].verdict is CaseVerdict.WEAK
    assert findings(overhearing, strict=True)["smtp.reply.text-present"].verdict is CaseVerdict.FAIL


async def test_with_only_some_cases_asked_for_departures_are_told_and_the_rest_is_not() -> None:
    overhearing = Overhearing("smtp")
    await overhearing.hear("smtp.a", [session(b"250 2.0.0 ok\n")])
    assert set(findings(overhearing, Selection(only=("smtp.a",)))) == {"smtp.reply.crlf"}
    assert set(findings(overhearing, Selection(only=("smtp.reply.first*",)))) == {
        "smtp.reply.crlf", "smtp.reply.first-digit",
    }


async def test_what_is_skipped_or_not_in_the_set_is_never_told() -> None:
    overhearing = Overhearing("smtp")
    await overhearing.hear("smtp.a", [session(b"250 2.0.0 ok\n")])
    assert "smtp.reply.crlf" not in findings(overhearing, Selection(skip=("smtp.reply.*",)))
    assert set(findings(overhearing, Selection(requirements=frozenset({"smtp.reply.ascii"})))) == {"smtp.reply.ascii"}


async def test_lmtp_has_its_own_findings_and_pop3_none() -> None:
    smtp, lmtp = Overhearing("smtp"), Overhearing("lmtp")
    for overhearing in (smtp, lmtp):
        await overhearing.hear("a", [session()])
    assert "lmtp.data.multiline-counts-once" not in findings(smtp)
    assert {"lmtp.data.multiline-counts-once", "smtp.reply.crlf#lmtp"} <= set(findings(lmtp))
    assert findings(lmtp)["smtp.reply.crlf#lmtp"].requirement == "smtp.reply.crlf"
    passive = [row for row in catalogue().values() if row.passive and row.family != "pop3"]
    assert len(findings(lmtp)) == len(passive)
    assert len(findings(smtp)) == len(passive) - 1
