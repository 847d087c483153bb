"""RCPT: whom it is for (RFC 5321 §4.1.1.3)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.mail import understood
from conformance.judgement import Judgement, NotApplicable, observed, satisfied, undetermined, violated, weakened
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

_IPV4: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
ANSWERED_WITHIN_S: Final = 300.0         # RFC 1123 §5.2.7: before the client of RFC 5321 §4.5.3.2.3 gives up
SECURITY_OR_POLICY: Final = 7      # the subject of an enhanced code: RFC 3463 §3.8


def to(address: bytes) -> bytes:
    """Return the RCPT command for an address."""
    return b"RCPT TO:<" + address + b">"


async def begun(peer: SmtpPeer) -> None:
    """Come to where RCPT may be said, with one good recipient taken: the control."""
    await peer.begin_transaction()


def _parts(peer: SmtpPeer) -> tuple[bytes, bytes]:
    """Return a good recipient's local-part and domain."""
    local, _, domain = peer.recipient.rpartition(b"@")
    if not local:
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return local, domain


@case("smtp.rcpt.accepts")
async def a_good_recipient_is_taken(peer: SmtpPeer) -> Judgement:
    """A recipient declared as accepted is answered 250 or 251."""
    await peer.open()
    await peer.mail()
    return (await peer.ask(to(peer.promised_recipient))).expect("250", "251", lawful=("2yz",), to="RCPT")


@case("smtp.rcpt.before-mail")
async def rcpt_needs_mail(peer: SmtpPeer) -> Judgement:
    """RCPT without MAIL is answered 503."""
    await begun(peer)
    await peer.control(b"RSET")
    return (await peer.ask(to(peer.recipient))).expect("503", to="RCPT without MAIL")


@case("smtp.rcpt.undeliverable")
async def a_bad_recipient_is_refused(peer: SmtpPeer) -> Judgement:
    """A recipient that is known not to exist is refused: at RCPT, or after the data."""
    rejected = peer.rejected
    await peer.open()
    await peer.mail()
    answer = await peer.ask(to(rejected))
    if not answer.yes:
        return answer.expect("5yz", to="RCPT for an address declared as rejected")
    if not peer.subject.declared.allow.leave_mail:
        return undetermined(f"{answer}; may not send the data to see (allow.leave_mail)")
    data = await peer.ask(b"DATA")
    if not data.go_on:
        return data.expect("5yz", to="DATA")
    await peer.send(stuff(peer.another_message()))
    return (await peer.answer()).expect("5yz", to="the message")


@case("smtp.rcpt.refusal-code")
async def how_a_bad_recipient_is_refused(peer: SmtpPeer) -> Judgement:
    """The refusal of a recipient is 550; 551, 553 and 554 say more."""
    await peer.open()
    await peer.mail()
    answer = await peer.ask(to(peer.rejected))
    if answer.yes:
        return undetermined(f"{answer}: not refused at RCPT")
    return answer.expect("550", "551", "553", "554", to="RCPT for an address declared as rejected")


@case("smtp.rcpt.several")
async def several_recipients_are_taken(peer: SmtpPeer) -> Judgement:
    """A transaction has as many recipients as RCPT commands were taken."""
    first, second = peer.recipients(2)
    await peer.open()
    await peer.mail()
    await peer.rcpt(first)
    return (await peer.ask(to(second))).expect("2yz", to="the second RCPT")


@case("smtp.rcpt.partial-failure-data")
async def one_bad_recipient_does_not_end_it(peer: SmtpPeer) -> Judgement:
    """DATA goes on as long as one recipient was taken."""
    rejected = peer.rejected
    await begun(peer)
    refused = await peer.ask(to(rejected))
    if not refused.no:
        return undetermined(f"{refused} to the bad recipient")
    data = await peer.ask(b"DATA")
    if not data.go_on:
        return data.expect("354", to="DATA after a good recipient and a bad one")
    await peer.send(stuff(peer.message()))
    answer = await peer.answer()
    if answer.no:
        await peer.must_take_mail()
    return answer.expect("2yz", to="the message")


@case("smtp.rcpt.all-failed-data")
async def no_recipient_and_data(peer: SmtpPeer) -> Judgement:
    """What DATA is answered when every recipient was refused is recorded."""
    await peer.open()
    await peer.mail()
    refused = await peer.ask(to(peer.rejected))
    return observed(f"{refused} to RCPT, {await peer.ask(b'DATA')} to DATA")


@case("smtp.rcpt.source-route-recognised")
async def a_source_route_is_recognised(peer: SmtpPeer) -> Judgement:
    """A source route before the recipient is obsolete, and lawful syntax."""
    await begun(peer)
    local, domain = _parts(peer)
    return understood(await peer.ask(to(b"@relay.example:" + local + b"@" + domain)), "a source route")


@case("smtp.rcpt.source-route-stripped")
async def a_source_route_is_passed_over(peer: SmtpPeer) -> Judgement:
    """A source route is left out, and the mail goes to the address behind it."""
    await begun(peer)
    local, domain = _parts(peer)
    await peer.control(b"RSET")
    await peer.mail()
    answer = await peer.ask(to(b"@relay.example:" + local + b"@" + domain))
    if not answer.yes:
        return answer.expect("2yz", lawful=("5yz",), to="a source route")
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    peer.must(await peer.answer(), to=b"the message")
    return satisfied("it arrived") if await peer.stored() else violated("it did not arrive", "delivery to the address")


@case("smtp.rcpt.domain-case")
async def the_domain_has_no_case(peer: SmtpPeer) -> Judgement:
    """The case of a domain makes no difference."""
    await begun(peer)
    local, domain = _parts(peer)
    return (await peer.ask(to(local + b"@" + domain.upper()))).expect("2yz", to="the domain in capitals")


def same_mailbox(answer: Answer, what: str) -> Judgement:
    """Judge RCPT with another spelling of a mailbox that is taken: a policy against the spelling tells nothing."""
    status = None if answer.reply is None else answer.reply.enhanced
    if answer.no and status is not None and status.subject == SECURITY_OR_POLICY:
        return undetermined(f"{answer} to {what}", "2yz, or a policy's refusal")
    return answer.expect("2yz", to=what)


@case("smtp.rcpt.quoted-equivalent")
async def a_quoted_local_part_is_the_same(peer: SmtpPeer) -> Judgement:
    """A local-part in quotes that needs none names the same mailbox."""
    await begun(peer)
    local, domain = _parts(peer)
    return same_mailbox(await peer.ask(to(b'"' + local + b'"@' + domain)), "the quoted local-part")


@case("smtp.rcpt.quoted-pair-equivalent")
async def quoted_pairs_are_the_same(peer: SmtpPeer) -> Judgement:
    """A local-part of quoted pairs names the same mailbox."""
    await begun(peer)
    local, domain = _parts(peer)
    pairs = b"".join(b"\\" + bytes([octet]) for octet in local)
    return same_mailbox(await peer.ask(to(b'"' + pairs + b'"@' + domain)), "the local-part in quoted pairs")


@case("smtp.rcpt.unknown-parameter")
async def an_unknown_parameter_is_refused(peer: SmtpPeer) -> Judgement:
    """A parameter that the server does not know is refused, not passed over."""
    await begun(peer)
    answer = await peer.ask(to(peer.recipient) + b" XMAILPROOF=1")
    return answer.expect("555", "501", "504", lawful=("5yz",), to="RCPT with an unknown parameter")


@case("smtp.rcpt.null-path")
async def nobody_is_no_recipient(peer: SmtpPeer) -> Judgement:
    """The null path is no forward-path."""
    await begun(peer)
    return (await peer.ask(b"RCPT TO:<>")).expect("5yz", to="RCPT TO:<>")


@case("smtp.rcpt.no-argument", variants={"alone": b"RCPT", "to": b"RCPT TO:"})
async def rcpt_needs_a_path(peer: SmtpPeer, command: bytes) -> Judgement:
    """RCPT without a forward-path is refused."""
    await begun(peer)
    return (await peer.ask(command)).expect("5yz", to=command.decode())


@case("smtp.rcpt.rejected-keeps-others")
async def a_bad_recipient_leaves_the_others(peer: SmtpPeer) -> Judgement:
    """A refused recipient changes nothing for those before and after it."""
    (first, third), second = peer.recipients(2), peer.rejected
    await peer.open()
    await peer.mail()
    await peer.rcpt(first)
    refused = await peer.ask(to(second))
    if not refused.no:
        return undetermined(f"{refused} to the bad recipient")
    after = await peer.ask(to(third))
    if not after.yes:
        return after.expect("2yz", to="a good recipient after a bad one")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after good, bad, good")


@case("smtp.rcpt.duplicate")
async def the_same_recipient_twice(peer: SmtpPeer) -> Judgement:
    """How many copies a recipient gets who is named twice is recorded."""
    await begun(peer)
    again = await peer.ask(to(peer.recipient))
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    peer.must(await peer.answer(), to=b"the message")
    return observed(f"{again} to the second RCPT; {len(await peer.stored_before_a_later_one())} copies arrived")


@case("smtp.rcpt.empty-quoted")
async def an_empty_quoted_local_part(peer: SmtpPeer) -> Judgement:
    """An empty quoted local-part is answered, and the server lives."""
    await begun(peer)
    _, domain = _parts(peer)
    answer = await peer.ask(to(b'""@' + domain))
    if answer.closed:
        return weakened(f"{answer} on an empty quoted local-part", "an answer")
    return answer.expect("2yz", "4yz", "5yz", to='""@…')


@case("smtp.rcpt.own-literal")
async def the_servers_own_literal(peer: SmtpPeer) -> Judgement:
    """A recipient at the server's own address literal is lawful syntax."""
    address = peer.subject.declared.claims.address or peer.subject.endpoint.host or ""
    if not _IPV4.fullmatch(address):
        raise NotApplicable("the server's IPv4 address is not known (claims.address)")
    await begun(peer)
    local, _ = _parts(peer)
    answer = await peer.ask(to(local + b"@[" + address.encode() + b"]"))
    return understood(answer, "the server's own address literal")


@case("smtp.rcpt.reply-latency", limit_s=ANSWERED_WITHIN_S + 60)
async def rcpt_is_answered_in_time(peer: SmtpPeer) -> Judgement:
    """RCPT is answered within five minutes."""
    await peer.open()
    await peer.mail()
    await peer.send(to(peer.promised_recipient) + b"\r\n")
    answer = await peer.answer(ANSWERED_WITHIN_S)
    if answer.silent:
        return violated(answer, "an answer within 5 minutes")
    return satisfied(f"{answer.waited_s:.3g} s") if answer.reply is not None else undetermined(answer)


@case("smtp.rcpt.trailing-dot-domain")
async def a_dot_behind_the_domain(peer: SmtpPeer) -> Judgement:
    """A domain with a dot behind it is no lawful syntax, and some servers take it."""
    await begun(peer)
    local, domain = _parts(peer)
    return observed(await peer.ask(to(local + b"@" + domain + b".")))
