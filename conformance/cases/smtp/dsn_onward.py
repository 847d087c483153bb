"""DSN where mail is sent on: what the next hop is told, and what the sender is told (RFC 3461 §5.2, §6)."""

import re
from typing import Final

from conformance.case import case
from conformance.cases.smtp.dsn_reports import reports_among
from conformance.cases.smtp.onward import (
    BODY,
    at_plain_sink,
    begin_onward,
    came_to,
    plain_sink,
    send_on,
)
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from conformance.report import Fields, Report
from conformance.sink import REFUSED
from loadgen.wire.printable import printable

KEYWORD: Final = "DSN"
FAILED: Final = re.compile(rb"[45]\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})(?:[ \t]*\(.*\))?")
REMOTE: Final = re.compile(rb"(?i)dns[ \t]*;[ \t]*[^\s;]+.*")
DIAGNOSTIC: Final = re.compile(rb"(?i)smtp[ \t]*;[ \t]*.*550.*", re.DOTALL)
HEX: Final = re.compile(rb"\+([0-9A-F]{2})")


async def _fail(peer: SmtpPeer, asked: bytes = b"", of_mail: bytes = b"", *, sender: bytes | None = None) -> None:
    """Send a message to the sink that one recipient of two is refused for; Undetermined unless the other gets it."""
    refused, taken = peer.at_sink(REFUSED), peer.at_sink()
    await send_on(peer, (refused + b" " + asked).rstrip(), taken, of_mail=of_mail, sender=sender)
    if await came_to(peer, peer.sink) is None:
        raise Undetermined("the message did not come to the sink for its other recipient")


async def _failure(peer: SmtpPeer, asked: bytes = b"", of_mail: bytes = b"") -> Report | None:
    """Return the report of such a failure, None if none came in the time allowed."""
    await begin_onward(peer, KEYWORD)
    await _fail(peer, asked, of_mail)
    return next(iter(reports_among(await peer.stored())), None)


async def _failed(peer: SmtpPeer, of_mail: bytes = b"") -> Fields:
    """Return what the report of such a failure says of the recipient."""
    report = await _failure(peer, of_mail=of_mail)
    if report is None or not report.recipients:
        raise Undetermined("no report with a delivery-status part came")
    return report.recipients[0]


async def _silence(peer: SmtpPeer) -> Judgement:
    """Judge whether no report has come of this case's message, once that of a later failure has."""
    fence = peer.aside()
    await begin_onward(fence)
    await _fail(fence)
    if not reports_among(await fence.stored()):
        raise Undetermined("a later failure is not reported either")
    came = reports_among(await peer.stored_so_far())
    return violated("a report came", "no report") if came else satisfied("no report came", "no report")


@case("smtp.dsn.failure-sent")
async def a_failure_is_reported_as_asked(peer: SmtpPeer) -> Judgement:
    """A failure is reported to the sender who asked for it."""
    report = await _failure(peer, b"NOTIFY=FAILURE")
    return violated("no report came", "one report") if report is None else satisfied("a report came", "one report")


@case("smtp.dsn.failure-default")
async def a_failure_is_reported_unasked(peer: SmtpPeer) -> Judgement:
    """A failure is reported to the sender who said nothing of reports."""
    report = await _failure(peer)
    return violated("no report came", "one report") if report is None else satisfied("a report came", "one report")


@case("smtp.dsn.failure-unasked", variants={"success": b"NOTIFY=SUCCESS", "delay": b"NOTIFY=DELAY"})
async def a_failure_is_not_reported_to_who_asked_for_else(peer: SmtpPeer, asked: bytes) -> Judgement:
    """A failure is not reported to a sender who asked for other reports only."""
    await begin_onward(peer, KEYWORD)
    await _fail(peer, asked)
    return await _silence(peer)


@case("smtp.dsn.never-silent")
async def never_means_never(peer: SmtpPeer) -> Judgement:
    """A failure is not reported to a sender who asked for no reports."""
    await begin_onward(peer, KEYWORD)
    await _fail(peer, b"NOTIFY=NEVER")
    return await _silence(peer)


@case("smtp.dsn.own-notify-never")
async def reports_ask_for_no_reports(peer: SmtpPeer) -> Judgement:
    """A report that is sent on asks for no report of its own, and has no RET."""
    await begin_onward(peer, KEYWORD)
    sender = peer.at_sink(b"from-")
    await _fail(peer, sender=sender)
    report = next((one for one in await peer.sent_on(2) if sender in one.recipients), None)
    if report is None:
        raise Undetermined("no report came to the sink")
    notify, ret = report.asked(b"NOTIFY"), report.asked(b"RET")
    got = f"MAIL with {printable(report.mail_parameters)!r}, RCPT with {printable(report.rcpt_parameters[0])!r}"
    lawful = ret is None and (notify is None or notify.upper() == b"NEVER")
    return (satisfied if lawful else violated)(got, "NOTIFY=NEVER or none, and no RET")


@case("smtp.dsn.action", variants={"failed": b"failed"})
async def the_action_of_a_failure(peer: SmtpPeer, wanted: bytes) -> Judgement:
    """Action of a failure is failed."""
    value = (await _failed(peer)).get("action", b"")
    return (satisfied if value.lower() == wanted else violated)(printable(value) or "no Action", "failed")


@case("smtp.dsn.status", variants={"failed": FAILED})
async def the_status_of_a_failure(peer: SmtpPeer, wanted: re.Pattern[bytes]) -> Judgement:
    """Status of a failure is an enhanced status code 4.y.z or 5.y.z."""
    value = (await _failed(peer)).get("status", b"")
    return (satisfied if wanted.fullmatch(value) else violated)(printable(value) or "no Status", "5.y.z")


@case("smtp.dsn.remote-mta")
async def the_next_hop_is_named(peer: SmtpPeer) -> Judgement:
    """Remote-MTA names the next hop that refused the recipient."""
    value = (await _failed(peer)).get("remote-mta", b"")
    return (satisfied if REMOTE.fullmatch(value) else violated)(printable(value) or "no Remote-MTA", "dns; its name")


@case("smtp.dsn.diagnostic-code")
async def its_words_are_given(peer: SmtpPeer) -> Judgement:
    """Diagnostic-Code is the reply of the next hop that refused the recipient."""
    value = (await _failed(peer)).get("diagnostic-code", b"")
    given = DIAGNOSTIC.fullmatch(value)
    return (satisfied if given else violated)(printable(value) or "no Diagnostic-Code", "smtp; and the reply 550")


@case("smtp.dsn.ret-full")
async def a_failure_returns_the_message(peer: SmtpPeer) -> Judgement:
    """With RET=FULL a report of failure returns the whole message."""
    report = await _failure(peer, of_mail=b"RET=FULL")
    if report is None:
        raise Undetermined("no report came")
    whole = BODY.strip() in report.octets
    return (satisfied if whole else violated)("the body came back" if whole else "no body", "the whole message")


def _decoded(xtext: bytes | None) -> bytes | None:
    return None if xtext is None else HEX.sub(lambda match: bytes([int(match[1], 16)]), xtext)


@case("smtp.dsn.relay-keeps", variants={"given": True, "none": False})
async def a_next_hop_with_dsn_is_told(peer: SmtpPeer, given: bool) -> Judgement:
    """ENVID, RET, NOTIFY and ORCPT go on unchanged to a next hop with DSN, and none that was not given."""
    await begin_onward(peer, KEYWORD)
    orcpt = b"rfc822;Some+2BBody@Example.ORG"
    of_rcpt = b" NOTIFY=SUCCESS,FAILURE ORCPT=" + orcpt if given else b""
    of_mail = b"RET=HDRS ENVID=Mp+2B+3DPx" if given else b""
    await send_on(peer, peer.at_sink() + of_rcpt, of_mail=of_mail)
    came = await came_to(peer, peer.sink)
    if came is None:
        raise Undetermined("the message did not come to the sink")
    names = (b"RET", b"ENVID", b"NOTIFY", b"ORCPT")
    ret, envid, notify, original = (came.asked(name) for name in names)
    got = f"MAIL with {printable(came.mail_parameters)!r}, RCPT with {printable(came.rcpt_parameters[0])!r}"
    if given:
        words = frozenset((notify or b"").upper().split(b","))
        kept = (ret or b"").upper() == b"HDRS" and _decoded(envid) == b"Mp+=Px" and words == {b"SUCCESS", b"FAILURE"}
        same = kept and (_decoded(original) or b"").partition(b";")[2] == b"Some+Body@Example.ORG"
        return (satisfied if same else violated)(got, "what was given")
    own = (_decoded(original) or b"").partition(b";")[2] == peer.at_sink()        # may be added: RFC 3461 §5.2.1(d)
    invented = (ret, envid, notify) != (None, None, None) or not (original is None or own)
    return (violated if invented else satisfied)(got, "none of RET, ENVID, NOTIFY; ORCPT of this address at most")


@case("smtp.dsn.relay-no-dsn-hop", variants={"silent": False, "reported": True})
async def a_next_hop_without_dsn_is_not_told(peer: SmtpPeer, reported: bool) -> Judgement:
    """A next hop without DSN gets none of its parameters; that it took the message is reported as relayed."""
    await begin_onward(peer, KEYWORD)
    address = at_plain_sink(peer)
    await send_on(peer, address + b" NOTIFY=SUCCESS ORCPT=rfc822;" + address, of_mail=b"RET=HDRS ENVID=QQ314159")
    came = await came_to(peer, plain_sink(peer))
    if came is None:
        raise Undetermined("the message did not come to the sink")
    if not reported:
        names = (b"RET", b"ENVID", b"NOTIFY", b"ORCPT")
        got = f"MAIL with {printable(came.mail_parameters)!r}, RCPT with {printable(came.rcpt_parameters[0])!r}"
        return (violated if any(came.asked(name) is not None for name in names) else satisfied)(got, "none of them")
    report = next(iter(reports_among(await peer.stored())), None)
    if report is None:
        return violated("no report came", "a report with Action relayed")
    if not report.recipients:
        return undetermined("a report without a delivery-status part came", "a report with Action relayed")
    action = report.recipients[0].get("action", b"")
    return (satisfied if action.lower() == b"relayed" else violated)(printable(action), "relayed")


QUIET: Final = {"never-refused": (REFUSED, b" NOTIFY=NEVER"), "unasked-taken": (b"", b"")}


@case("smtp.dsn.relay-no-dsn-quiet", variants=QUIET)
async def nobody_is_told_unasked_of_a_next_hop_without_dsn(peer: SmtpPeer, sent: tuple[bytes, bytes]) -> Judgement:
    """Of a next hop without DSN nothing is reported to who asked for no reports, nor of success to who did not ask."""
    prefix, asked = sent
    await begin_onward(peer, KEYWORD)
    await send_on(peer, at_plain_sink(peer, prefix) + asked, at_plain_sink(peer, b"other-"))
    if await came_to(peer, plain_sink(peer)) is None:
        raise Undetermined("the message did not come to the sink")
    return await _silence(peer)
