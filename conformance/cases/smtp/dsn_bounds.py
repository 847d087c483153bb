"""How far DSN's parameters reach: one recipient, one transaction, and no further (RFC 3461 §5.2.3, §5.2.8, §6.3)."""

from typing import Final

from conformance.case import case
from conformance.cases.smtp.dsn_reports import (
    BODY,
    SUCCESS,
    begin,
    envid,
    reporter,
    reports_among,
    reports_before_a_later_one,
    send,
)
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import Judgement, Undetermined, declined, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.report import Fields
from loadgen.wire.printable import printable

AFTER_RSET: Final = {"after-rset": None}


async def _to_both(peer: SmtpPeer, first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Send a message to two recipients, each with parameters of its own; return them."""
    one, other = peer.recipients(2)
    await begin(peer)
    await peer.control(b"MAIL FROM:<" + reporter(peer) + b"> " + envid(peer))
    await peer.control((rcpt_command(peer, one) + b" " + first).rstrip())
    await peer.control((rcpt_command(peer, other) + b" " + second).rstrip())
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(peer.message(BODY)), to=b"the message")
    if peer.subject.is_lmtp:
        peer.must(await peer.answer(), to=b"the message for the second recipient")
    return one, other


async def _groups(peer: SmtpPeer, *awaited: bytes) -> list[Fields]:
    """Return what the reports of this case's message say of recipients: of all that are awaited, or when time is over.

    One report may tell of all of them, or each have its own.
    """
    groups: list[Fields] = []
    for count in (2, 3):               # the message, and a report or two
        groups = [group for report in reports_among(await peer.stored(count)) for group in report.recipients]
        if {one.lower() for one in awaited} <= {_names(group) for group in groups}:
            break
    if not groups:
        raise Undetermined("no report with a delivery-status part came")
    return groups


def _names(group: Fields) -> bytes:
    return group.get("final-recipient", b"").partition(b";")[2].strip().lower()


@case("smtp.dsn.success-sent", variants={"each-recipient": SUCCESS})
async def each_success_is_reported(peer: SmtpPeer, asked: bytes) -> Judgement:
    """A delivery to two recipients is reported of both, in one report or in two."""
    both = await _to_both(peer, asked, asked)
    named = {_names(group) for group in await _groups(peer, *both)}
    missing = [one for one in both if one.lower() not in named]
    got = f"reported of {', '.join(sorted(map(printable, named)))}"
    return violated(got, "both recipients") if missing else satisfied(got, "both recipients")


@case("smtp.dsn.success-not-asked", variants={"other-recipient": b"NOTIFY=NEVER"})
async def one_recipient_is_not_the_other(peer: SmtpPeer, asked: bytes) -> Judgement:
    """A report tells of the recipient that it was asked for, and not of others."""
    _, other = await _to_both(peer, SUCCESS, asked)
    groups = [group for report in await reports_before_a_later_one(peer) for group in report.recipients]
    told = any(_names(group) == other.lower() for group in groups)
    # RFC 3461 §5.2.8 makes it a SHOULD where the report is owed to another recipient.
    return declined("reported of both", "one recipient") if told else satisfied("reported of one", "one recipient")


@case("smtp.dsn.orcpt-absent", variants={"second-recipient": b"ORCPT=rfc822;Some.Body@example.org"})
async def an_orcpt_is_of_one_recipient(peer: SmtpPeer, orcpt: bytes) -> Judgement:
    """The ORCPT of one recipient is not told of the next."""
    _, other = await _to_both(peer, SUCCESS + b" " + orcpt, SUCCESS)
    group = next((group for group in await _groups(peer, other) if _names(group) == other.lower()), None)
    if group is None:
        raise Undetermined("the second recipient is not reported of")
    value = group.get("original-recipient", b"")
    leaked = value.partition(b";")[2].strip() == orcpt.partition(b";")[2]
    return (violated if leaked else satisfied)(printable(value) or "none", "none, or the recipient's own")


async def _give_up(peer: SmtpPeer, of_mail: bytes, of_rcpt: bytes) -> None:
    """Begin a transaction with parameters, and give it up by RSET."""
    await begin(peer)
    await peer.control((b"MAIL FROM:<" + reporter(peer) + b"> " + of_mail).rstrip())
    await peer.control((rcpt_command(peer) + b" " + of_rcpt).rstrip())
    await peer.control(b"RSET")


@case("smtp.dsn.envid-absent", variants=AFTER_RSET)
async def an_envid_is_of_one_transaction(peer: SmtpPeer, _: None) -> Judgement:
    """The ENVID of a transaction that was given up is not told of the next."""
    await _give_up(peer, b"ENVID=of-another", b"")
    await send(peer, b"", SUCCESS + b" ORCPT=rfc822;" + peer.token.encode() + b"@mailproof.invalid")
    reports = reports_among(await peer.stored(2))
    if not reports:
        raise Undetermined("no report came in the time allowed (timers.delivery)")
    value = reports[0].message.get("original-envelope-id")
    return satisfied("none", "none") if value is None else violated(printable(value), "none")


@case("smtp.dsn.success-not-asked", variants=AFTER_RSET)
async def a_notify_is_of_one_transaction(peer: SmtpPeer, _: None) -> Judgement:
    """What NOTIFY asked for in a transaction that was given up is not done in the next."""
    await _give_up(peer, b"", SUCCESS)
    await send(peer, envid(peer), b"")
    reports = await reports_before_a_later_one(peer)
    return violated("a report came", "no report") if reports else satisfied("no report came", "no report")
