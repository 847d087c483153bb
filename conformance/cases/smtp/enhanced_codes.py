"""Enhanced status codes: where they stand, and that each says what is meant (RFC 2034 §4, RFC 3463 §3)."""

import re
from typing import Final

from conformance.answer import SHUTTING_DOWN, Answer
from conformance.case import case
from conformance.cases.smtp.data import deliver_too_much
from conformance.cases.smtp.groups import as_lines, rcpt_command, take_answers
from conformance.cases.smtp.parameters import ask_mail, keyword_alone, ready_for_mail, ready_for_rcpt
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer

KEYWORD: Final = "ENHANCEDSTATUSCODES"
A_POLICYS: Final = "7."        # codes: RFC 3463 §3.8
STATUS: Final = re.compile(rb" *[0-9]\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9])")
GROUP: Final = 50                    # so many RCPT at once, where the server takes groups
BEYOND: Final = 2                    # so many above the declared limit are tried


async def _offered(peer: SmtpPeer) -> None:
    """Open the session where codes are offered."""
    await peer.open()
    peer.require(KEYWORD)


def _status(answer: Answer) -> str | None:
    """Return a reply's subject and detail, as in "5.1"; None: no code stands in its first line."""
    found = STATUS.match(answer.reply.texts[0]) if answer.reply is not None else None
    return f"{int(found[1])}.{int(found[2])}" if found else None


def says(answer: Answer, *wanted: str, to: str, lawful: tuple[str, ...] = (), later: bool = False) -> Judgement:
    """Judge a refusal's code by subject and detail: the class is another requirement's, and so is having one at all.

    "Other or undefined" (x.0.0, x.y.0) is never wrong, only less than could be said. `later`: a 4yz says it as well.
    """
    got, expected = f"{answer} to {to}", " or ".join(f"x.{each}" for each in wanted)
    refused = answer.no or (later and answer.later)
    if not refused or answer.code == SHUTTING_DOWN:
        return undetermined(got, expected)
    status = _status(answer)
    if status is None:
        return undetermined(f"{got}: without a code", expected)
    if status in wanted:
        return satisfied(got, expected)
    if answer.matches("451") or (answer.later and status.startswith(A_POLICYS)):
        return undetermined(f"{got}: put off, for another reason it seems", expected)
    if status in lawful or status.endswith(".0"):
        return declined(got, expected)
    return violated(got, expected)


@case("smtp.esc.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """EHLO lists ENHANCEDSTATUSCODES without parameters."""
    return await keyword_alone(peer, KEYWORD)


ASKED: Final = (b"NOOP", b"RSET", b"XMAILPROOF")


@case("smtp.esc.after-helo")
async def helo_has_codes_too(peer: SmtpPeer) -> Judgement:
    """A server that has enhanced status codes has them after HELO as well."""
    control = peer.another()
    await _offered(control)
    for command in ASKED:
        if _status(await control.ask(command)) is None:
            raise Undetermined(f"{command.decode()} is answered without a code after EHLO")
    await peer.greet()
    await peer.helo()
    for command in ASKED:
        answer = await peer.ask(command)
        if answer.reply is None:
            return undetermined(f"{answer} to {command.decode()}")
        if _status(answer) is None:
            return violated(f"{answer} to {command.decode()} after HELO", "an enhanced status code")
    return satisfied("codes after HELO")


@case("smtp.esc.starttls-220")
async def starttls_has_a_code(peer: SmtpPeer) -> Judgement:
    """The 220 before a TLS handshake has an enhanced status code."""
    await peer.hello()
    peer.require(KEYWORD)
    peer.require("STARTTLS")
    answer = await peer.ask(b"STARTTLS")
    if not answer.matches("220"):
        return undetermined(f"{answer} to STARTTLS")
    return satisfied(answer) if _status(answer) is not None else violated(answer, "220 with 2.0.0")


@case("smtp.esc.unknown-command", variants={"word": b"XMAILPROOF", "argument": b"XMAILPROOF one two"})
async def an_unknown_command_is_invalid(peer: SmtpPeer, command: bytes) -> Judgement:
    """The refusal of an unknown command says: invalid command, or syntax error."""
    await _offered(peer)
    return says(await peer.ask(command), "5.1", "5.2", to=command.decode())


@case("smtp.esc.bad-sequence", variants={"rcpt": None, "data": b"DATA"})
async def what_is_out_of_order_is_invalid(peer: SmtpPeer, command: bytes | None) -> Judgement:
    """The refusal of a command out of order says: invalid command, or a protocol status."""
    await _offered(peer)
    await peer.begin_transaction()
    await peer.control(b"RSET")
    asked = command or rcpt_command(peer)
    return says(await peer.ask(asked), "5.1", "5.0", to=f"{asked[:4].decode()} without MAIL")


@case("smtp.esc.bad-argument", variants={"malformed": b"=x", "unknown": b"XMAILPROOF=1"})
async def a_bad_parameter_is_an_argument(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """The refusal of a parameter says: invalid arguments, or syntax error."""
    await ready_for_mail(peer, KEYWORD)
    return says(await ask_mail(peer, parameter), "5.4", "5.2", to=f"MAIL with {parameter.decode()}")


POLICY: Final = tuple(f"7.{detail}" for detail in range(31))


@case("smtp.esc.bad-mailbox")
async def nobody_is_a_bad_mailbox(peer: SmtpPeer) -> Judgement:
    """The refusal of an unknown user says: bad destination mailbox address."""
    rejected = peer.rejected
    await ready_for_rcpt(peer, KEYWORD)
    return says(await peer.ask(rcpt_command(peer, rejected)), "1.1", lawful=POLICY, to="RCPT for an unknown user")


SYNTAX: Final = ("5.2", "5.4")         # less exact than the address's own codes, and not wrong


MALFORMED: Final = {"two-at": b"<a@@%s>", "unclosed": b"<a@%s"}       # at a domain that nobody need look up


@case("smtp.esc.bad-address-syntax", variants=MALFORMED)
async def a_malformed_recipient_is_bad_syntax(peer: SmtpPeer, form: bytes) -> Judgement:
    """The refusal of a malformed recipient says: bad destination mailbox address syntax."""
    await ready_for_rcpt(peer, KEYWORD)
    path = form % peer.recipient.rpartition(b"@")[2]
    answer = await peer.ask(b"RCPT TO:" + path)
    return says(answer, "1.3", lawful=(*SYNTAX, *POLICY), to=f"RCPT TO:{path.decode()}")


@case("smtp.esc.bad-sender-syntax", variants=MALFORMED)
async def a_malformed_sender_is_bad_syntax(peer: SmtpPeer, form: bytes) -> Judgement:
    """The refusal of a malformed sender says: bad sender's mailbox address syntax."""
    await ready_for_mail(peer, KEYWORD)
    path = form % (peer.sender.rpartition(b"@")[2] or b"example.org")
    return says(await peer.ask(b"MAIL FROM:" + path), "1.7", lawful=SYNTAX, to=f"MAIL FROM:{path.decode()}")


@case("smtp.esc.mailbox-full")
async def a_full_maildrop_is_full(peer: SmtpPeer) -> Judgement:
    """The refusal of mail for a full maildrop says: mailbox full."""
    full = next(iter(peer.subject.declared.addresses.over_quota), None)
    if full is None:
        raise NotApplicable("needs an address whose maildrop is full (addresses.over_quota)")
    await _offered(peer)
    await peer.mail()
    answer = await peer.ask(rcpt_command(peer, full.encode()))
    if answer.yes:
        if not peer.subject.declared.allow.leave_mail:
            return undetermined(f"{answer} to RCPT; may not send the data to see (allow.leave_mail)")
        await peer.control(b"DATA", "354")
        answer = await peer.end_of(peer.another_message())
    return says(answer, "2.2", lawful=("3.1",), to="mail for a full maildrop", later=True)


@case("smtp.esc.too-big", variants={"declared": True, "sent": False})
async def what_is_too_big_is_too_big(peer: SmtpPeer, declares: bool) -> Judgement:
    """The refusal of a message that is too big says: too big for the system, or above an administrative limit."""
    limit = peer.subject.declared.claims.message_octets_max
    if limit is None:
        raise NotApplicable("needs a low limit on the size of a message (claims.message_octets_max)")
    await ready_for_mail(peer, KEYWORD)
    if declares:
        peer.require("SIZE")
        return says(await ask_mail(peer, b"SIZE=%d" % (limit + 1)), "3.4", "2.3", to="MAIL with SIZE above the limit")
    return says(await deliver_too_much(peer), "3.4", "2.3", to="a message above the limit")


@case("smtp.esc.too-many-recipients")
async def too_many_recipients_are_too_many(peer: SmtpPeer) -> Judgement:
    """The refusal of a recipient too many says: too many recipients."""
    limit = peer.subject.declared.claims.recipients_max
    if limit is None:
        raise NotApplicable("needs a limit on recipients (claims.recipients_max)")
    await _offered(peer)
    await peer.mail()
    left = limit + BEYOND
    while left > 0:
        count = min(left, GROUP if peer.extensions.pipelining else 1)
        left -= count
        await peer.send(as_lines([rcpt_command(peer)] * count))
        for answer in await take_answers(peer, count):
            if not answer.yes:
                return says(answer, "5.3", to="a recipient too many", later=True)
    return undetermined(f"{limit + BEYOND} recipients were taken")


@case("smtp.esc.relay-denied")
async def relaying_is_not_authorised(peer: SmtpPeer) -> Judgement:
    """The refusal to relay says: delivery not authorised, or another matter of policy."""
    foreign = next(iter(peer.subject.declared.addresses.foreign), None)
    if foreign is None:
        raise NotApplicable("needs an address that is not the server's own (addresses.foreign)")
    await peer.hello()                    # a login might be a licence to relay
    peer.require(KEYWORD)
    await peer.mail()
    await peer.rcpt()
    return says(await peer.ask(rcpt_command(peer, foreign.encode())), "7.1", lawful=POLICY, to="RCPT elsewhere")
