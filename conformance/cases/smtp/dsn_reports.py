"""DSN's reports of success: whom they go to, and what they say (RFC 3461 §5.2, §6, RFC 3464)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.dsn import KEYWORD
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.message import MARK, make_message
from conformance.peer import SmtpPeer
from conformance.report import Fields, Report, read_report
from loadgen.wire.printable import printable

SUCCESS: Final = b"NOTIFY=SUCCESS"
DONE: Final = frozenset({b"delivered", b"relayed", b"expanded"})      # RFC 3464 §2.3.3, of a success
STATUS: Final = re.compile(rb"2\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})(?:[ \t]*\(.*\))?")
MTA: Final = re.compile(rb"([A-Za-z0-9-]+)[ \t]*;[ \t]*([^ \t()]+)")
QUALIFIED: Final = re.compile(rb"[^.]+(\.[^.]+)+\.?|\[.+\]")
BODY: Final = b"This line is for the recipient.\r\n"
STRANGER: Final = b"someone.else@mailproof.invalid"


def reporter(peer: SmtpPeer) -> bytes:
    """Return the reverse-path whose maildrop we read, which reports come to."""
    if b"@" not in peer.recipient:
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return peer.recipient


async def begin(peer: SmtpPeer) -> None:
    """Open the session where DSN is offered."""
    await peer.open()
    peer.require(KEYWORD)


async def send(
    peer: SmtpPeer, of_mail: bytes = b"", of_rcpt: bytes = SUCCESS, *, message: bytes | None = None,
    sender: bytes | None = None, recipient: bytes | None = None,
) -> None:  # fmt: skip
    """Send a message of this case to ourselves, with parameters; Undetermined if it is not taken."""
    reverse_path = reporter(peer) if sender is None else sender
    await peer.control((b"MAIL FROM:<" + reverse_path + b"> " + of_mail).rstrip())
    await peer.control((rcpt_command(peer, recipient) + b" " + of_rcpt).rstrip())
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(peer.message(BODY) if message is None else message), to=b"the message")


def reports_among(arrived: tuple[bytes, ...]) -> list[Report]:
    """Return what is not the message itself: that has our mark in its own header section."""
    return [read_report(octets) for octets in arrived if MARK not in octets.partition(b"\r\n\r\n")[0]]


async def report_to(peer: SmtpPeer) -> Report | None:
    """Return the report of this case's message, None if there is none; Undetermined if not even that arrived."""
    arrived = await peer.stored(2)
    reports = reports_among(arrived)
    if not reports and not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return reports[0] if reports else None


async def success(
    peer: SmtpPeer, of_mail: bytes | None = None, of_rcpt: bytes = SUCCESS, *, recipient: bytes | None = None
) -> Report:
    """Send a message that success is to be reported of, and return the report."""
    await begin(peer)
    await send(peer, envid(peer) if of_mail is None else of_mail, of_rcpt, recipient=recipient)
    report = await report_to(peer)
    if report is None:
        raise Undetermined("no report came in the time allowed (timers.delivery)")
    return report


def envid(peer: SmtpPeer) -> bytes:
    """Return an ENVID by which a report can be told even if it returns nothing of the message."""
    return b"ENVID=" + peer.token.encode()


async def status_of(peer: SmtpPeer, *parameters: bytes) -> Fields:
    """Return what the report of a message with these parameters says of its recipient."""
    report = await success(peer, *parameters)
    if not report.recipients:
        raise Undetermined("the report has no delivery-status part, or says nothing of the recipient in it")
    return report.recipients[0]


async def reports_before_a_later_one(peer: SmtpPeer) -> list[Report]:
    """Return the reports of this case's messages once the report of a later message has come: absence shows so."""
    fence = peer.aside()
    await begin(fence)
    await send(fence, envid(fence))
    if not reports_among(await fence.stored(2)):
        raise Undetermined("a later message that success is to be reported of has no report either")
    return reports_among(await peer.stored_so_far())


@case("smtp.dsn.success-sent")
async def success_is_reported(peer: SmtpPeer) -> Judgement:
    """A delivery is reported to the sender who asked for it."""
    await begin(peer)
    await send(peer, envid(peer))
    report = await report_to(peer)
    return violated("no report came", "one report") if report is None else satisfied("a report came", "one report")


@case("smtp.dsn.success-not-asked")
async def success_is_not_reported_unasked(peer: SmtpPeer) -> Judgement:
    """A delivery is not reported to a sender who asked for other reports, for none, or for nothing."""
    await begin(peer)
    for asked in (b"NOTIFY=FAILURE", b"NOTIFY=DELAY", b"NOTIFY=FAILURE,DELAY", b"NOTIFY=NEVER", b""):
        await send(peer, b"ENVID=" + (asked[7:].replace(b",", b".") or b"none"), asked)
    reports = await reports_before_a_later_one(peer)
    if not reports:
        return satisfied("no report came")
    name = reports[0].message.get("original-envelope-id", b"")
    return violated(f"a report came, of NOTIFY {printable(name)}", "no report")


@case("smtp.dsn.none-for-null")
async def nothing_is_reported_to_nobody(peer: SmtpPeer) -> Judgement:
    """Nothing is reported of mail from the null reverse-path, not even to the author."""
    await begin(peer)
    author = make_message(reporter(peer), peer.recipient, peer.token, BODY)
    await send(peer, envid(peer), sender=b"", message=author)
    reports = await reports_before_a_later_one(peer)
    return violated("a report came", "no report") if reports else satisfied("no report came")


@case("smtp.dsn.at-most-one")
async def success_is_reported_once(peer: SmtpPeer) -> Judgement:
    """One delivery is reported once, whatever else was asked for."""
    await begin(peer)
    await send(peer, envid(peer), b"NOTIFY=SUCCESS,FAILURE,DELAY")
    count = len(await reports_before_a_later_one(peer))
    return violated(f"{count} reports came", "one") if count > 1 else satisfied(f"{count} reports came")


@case("smtp.dsn.null-envelope")
async def reports_come_from_nobody(peer: SmtpPeer) -> Judgement:
    """A report has the null reverse-path."""
    path = (await success(peer)).header.get("return-path")
    if path is None:
        return undetermined("the report has no Return-Path", "<>")
    return satisfied("<>") if path == b"<>" else violated(printable(path), "<>")


@case("smtp.dsn.to-mail-from", variants={"envelope": False, "header": True})
async def reports_go_to_the_reverse_path(peer: SmtpPeer, header: bool) -> Judgement:
    """A report goes to the reverse-path and is addressed to it, whoever the author is and wants answers to go to."""
    await begin(peer)
    control = peer.aside()
    await begin(control)
    await send(control, envid(control))
    if not reports_among(await control.stored(2)):
        raise Undetermined("no report comes even where the author is the sender")
    reply_to = b"Reply-To: <" + STRANGER + b">\r\n"
    message = make_message(STRANGER, peer.recipient, peer.token, BODY, header=reply_to)
    await send(peer, envid(peer), message=message)
    report = await report_to(peer)
    if not header:
        return satisfied("it came") if report is not None else violated("no report came", "one to the reverse-path")
    if report is None:
        return undetermined("no report came")
    to = report.header.get("to", b"")
    return (satisfied if reporter(peer).lower() in to.lower() else violated)(f"To: {printable(to)}", "the reverse-path")


@case("smtp.dsn.report-type")
async def a_report_is_labelled_as_one(peer: SmtpPeer) -> Judgement:
    """A report is multipart/report with report-type=delivery-status."""
    kind = (await success(peer)).kind
    return (satisfied if kind == "multipart/report/delivery-status" else violated)(
        kind, "multipart/report; report-type=delivery-status"
    )


@case("smtp.dsn.report-parts")
async def a_report_has_its_parts(peer: SmtpPeer) -> Judgement:
    """A report has a delivery-status part, with fields of the message and of each recipient."""
    report = await success(peer)
    expected = "message/delivery-status with Reporting-MTA, and Final-Recipient in a group of its own"
    if not report.has_status:
        return violated("no such part", expected)
    groups = (report.message, *report.recipients)
    got = "; ".join(", ".join(group) for group in groups)
    whole = len(groups) > 1 and all("final-recipient" in group for group in report.recipients)
    return (satisfied if whole else violated)(got, expected)


@case("smtp.dsn.reporting-mta")
async def a_report_says_who_reports(peer: SmtpPeer) -> Judgement:
    """Reporting-MTA names the server: as dns if the name is fully qualified, and only then."""
    report = await success(peer)
    if not report.has_status:
        raise Undetermined("the report has no delivery-status part")
    value, expected = report.message.get("reporting-mta", b""), "dns; and a fully qualified name, or another type"
    named = MTA.match(value)
    if named is None:
        return violated(printable(value) or "no Reporting-MTA", expected)
    bare = named[1].lower() == b"dns" and not QUALIFIED.fullmatch(named[2])
    return (violated if bare else satisfied)(printable(value), expected)


@case("smtp.dsn.envid-returned")
async def the_envid_comes_back(peer: SmtpPeer) -> Judgement:
    """Original-Envelope-Id is the ENVID, decoded, its case kept."""
    token = peer.token.encode()
    report = await success(peer, b"ENVID=Mp+2B+3DPx." + token)
    if not report.has_status:
        raise Undetermined("the report has no delivery-status part")
    value, expected = report.message.get("original-envelope-id", b""), b"Mp+=Px." + token
    return (satisfied if value == expected else violated)(printable(value) or "none", printable(expected))


@case("smtp.dsn.envid-absent")
async def no_envid_is_invented(peer: SmtpPeer) -> Judgement:
    """Without ENVID there is no Original-Envelope-Id."""
    marked = b" ORCPT=rfc822;" + peer.token.encode() + b"@mailproof.invalid"
    value = (await success(peer, b"", SUCCESS + marked)).message.get("original-envelope-id")
    return satisfied("none", "none") if value is None else violated(printable(value), "none")


ORCPT: Final = {
    "plain": (b"rfc822;Some.Body@example.org", b"Some.Body@example.org"),
    "encoded": (b"rfc822;Some+2BTag+40Example.ORG", b"Some+Tag@Example.ORG"),
    "other-type": (b"x400;/G+3DGiven/S+3DSurname/", b"/G=Given/S=Surname/"),
}


@case("smtp.dsn.orcpt-returned", variants=ORCPT)
async def the_orcpt_comes_back(peer: SmtpPeer, orcpt: tuple[bytes, bytes]) -> Judgement:
    """Original-Recipient is the ORCPT: its type, and the address decoded."""
    sent, decoded = orcpt
    fields = await status_of(peer, envid(peer), SUCCESS + b" ORCPT=" + sent)
    value = fields.get("original-recipient", b"")
    kind, _, address = value.partition(b";")
    type_, _, encoded = sent.partition(b";")
    got, expected = printable(value) or "no Original-Recipient", printable(type_ + b"; " + decoded)
    if kind.strip().lower() != type_ or address.strip() not in {decoded, encoded}:
        return violated(got, expected)
    # That it is to be decoded stands there of ENVID only.
    return satisfied(got, expected) if address.strip() == decoded else declined(got, expected)


@case("smtp.dsn.orcpt-absent")
async def no_orcpt_is_invented(peer: SmtpPeer) -> Judgement:
    """Without ORCPT there is no Original-Recipient, unless a server on the way has added one, of this very address."""
    value = (await status_of(peer)).get("original-recipient")
    if value is None:
        return satisfied("none", "none")
    same = value.partition(b";")[2].strip().lower() == reporter(peer).lower()
    return (declined if same else violated)(printable(value), "none")


@case("smtp.dsn.final-recipient", variants={"plain": False, "case": True})
async def the_recipient_is_named(peer: SmtpPeer, swapped: bool) -> Judgement:
    """Final-Recipient is rfc822 and the recipient of the envelope, the case of its local-part kept."""
    local, _, domain = reporter(peer).rpartition(b"@")
    local = local.swapcase() if swapped else local
    report = await success(peer, recipient=local + b"@" + domain)
    if not report.recipients:
        raise Undetermined("the report has no delivery-status part, or says nothing of the recipient in it")
    value = report.recipients[0].get("final-recipient", b"")
    kind, _, address = value.partition(b";")
    name, _, at = address.strip().rpartition(b"@")
    same = (kind.strip().lower(), name, at.lower()) == (b"rfc822", local, domain.lower())
    expected = f"rfc822; {printable(local + b'@' + domain)}"
    return (satisfied if same else violated)(printable(value) or "no Final-Recipient", expected)


@case("smtp.dsn.action")
async def the_action_fits(peer: SmtpPeer) -> Judgement:
    """Action of a success is delivered, relayed or expanded."""
    value = (await status_of(peer)).get("action", b"")
    fits = value.lower() in DONE
    return (satisfied if fits else violated)(printable(value) or "no Action", "delivered, relayed or expanded")


@case("smtp.dsn.status")
async def the_status_is_a_code(peer: SmtpPeer) -> Judgement:
    """Status of a success is an enhanced status code 2.y.z."""
    value = (await status_of(peer)).get("status", b"")
    return (satisfied if STATUS.fullmatch(value) else violated)(printable(value) or "no Status", "2.y.z")


@case("smtp.dsn.ret-hdrs")
async def headers_alone_come_back(peer: SmtpPeer) -> Judgement:
    """With RET=HDRS a report returns the header section and not the body."""
    return _without_body(await success(peer, envid(peer) + b" RET=HDRS"))


@case("smtp.dsn.success-headers-only")
async def a_success_returns_no_body(peer: SmtpPeer) -> Judgement:
    """A report of success returns the header section alone, even with RET=FULL."""
    return _without_body(await success(peer, envid(peer) + b" RET=FULL"))


def _without_body(report: Report) -> Judgement:
    returned = BODY.strip() in report.octets
    return (violated if returned else satisfied)("the body came back" if returned else "no body", "no body")


INJECTED: Final = re.compile(rb"(?im)^x-injected:")


@case("smtp.dsn.inject-newline", variants={"envid": True, "orcpt": False})
async def no_line_is_injected(peer: SmtpPeer, of_mail: bool) -> Judgement:
    """A line break in xtext is refused, or makes no line of its own in a report."""
    await begin(peer)
    answer, arrived = await _smuggled(peer, b"a+0D+0AX-Injected:+20b", of_mail=of_mail)
    if not answer.yes:
        return answer.expect("5yz", to="a line break in xtext")
    if not reports_among(arrived):
        return undetermined(f"{answer}, and no report came")
    found = any(INJECTED.search(octets) for octets in arrived)
    return (violated if found else satisfied)("a new header line" if found else "no new line", "5yz, or no new line")


@case("smtp.dsn.inject-nul", variants={"envid": True, "orcpt": False})
async def nothing_is_cut_at_a_nul(peer: SmtpPeer, of_mail: bool) -> Judgement:
    """A NUL in xtext is refused, or carried: neither the mail nor what stands behind the NUL is lost."""
    await begin(peer)
    answer, arrived = await _smuggled(peer, b"before+00behind", of_mail=of_mail)
    if not answer.yes:
        return answer.expect("5yz", to="a NUL in xtext")
    expected = "5yz, or the value whole"
    if not arrived:
        return violated(f"{answer}, and the message did not arrive", expected)
    reports = reports_among(arrived)
    if not reports:
        return undetermined(f"{answer}, and no report came", expected)
    cut = b"behind" not in reports[0].octets
    return (violated if cut else satisfied)("cut at the NUL" if cut else "whole", expected)


async def _smuggled(peer: SmtpPeer, value: bytes, *, of_mail: bool) -> tuple[Answer, tuple[bytes, ...]]:
    """Send a message with a value in ENVID or in ORCPT; return the answer to that, and what arrived."""
    if of_mail:
        answer = await peer.ask(b"MAIL FROM:<" + reporter(peer) + b"> ENVID=" + value)
        rcpt = rcpt_command(peer) + b" " + SUCCESS
        return await _finished(peer, answer, rcpt)
    await peer.control(b"MAIL FROM:<" + reporter(peer) + b"> " + envid(peer))
    answer = await peer.ask(rcpt_command(peer) + b" " + SUCCESS + b" ORCPT=rfc822;" + value)
    return await _finished(peer, answer, None)


async def _finished(peer: SmtpPeer, answer: Answer, rcpt: bytes | None) -> tuple[Answer, tuple[bytes, ...]]:
    if not answer.yes:
        return answer, ()
    if rcpt is not None:
        await peer.control(rcpt)
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(peer.message(BODY)), to=b"the message")
    return answer, await peer.stored(2)
