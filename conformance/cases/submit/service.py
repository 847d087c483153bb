"""What a submission server offers, to whom, and what it does to senders and messages (RFC 6409, RFC 8314)."""

import re
from ipaddress import ip_address
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import plain_message
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import END_OF_MAIL_DATA, SmtpPeer
from conformance.subject import Subject
from loadgen.wire.extensions import Extensions
from loadgen.wire.printable import printable

UNQUALIFIED: Final = b"mailproofhost"
RETURN_PATH: Final = re.compile(rb"^Return-Path:[ \t]*<([^>]*)>", re.MULTILINE | re.IGNORECASE)


def _must_be_submission(peer: SmtpPeer) -> None:
    if not peer.subject.is_submission:
        raise NotApplicable("is about a submission server (claims.submission, --profile submission, port 465 or 587)")


def _best_offer(peer: SmtpPeer) -> Extensions:
    """Return what is offered inside TLS; in clear text where no TLS is to be had."""
    found = peer.subject.found
    offer = found.extensions_in_tls or found.extensions
    if offer is None:
        raise Undetermined("EHLO was refused")
    return offer


async def _logged_in(peer: SmtpPeer) -> None:
    """Come to where a user may say MAIL."""
    _must_be_submission(peer)
    await peer.open()
    if peer.subject.declared.session.login:
        return
    if not peer.extensions.auth and peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    await peer.log_in()


@case("submit.auth-offered")
async def users_can_log_in(peer: SmtpPeer) -> Judgement:
    """A submission server offers AUTH."""
    _must_be_submission(peer)
    offer = _best_offer(peer)
    return satisfied(" ".join(sorted(offer.auth))) if offer.auth else violated("no AUTH is offered", "AUTH")


@case("submit.unauth-530", variants={"own": False, "foreign": True})
async def strangers_submit_nothing(peer: SmtpPeer, foreign: bool) -> Judgement:
    """Mail from somebody who has not logged in is refused."""
    _must_be_submission(peer)
    if not peer.subject.declared.claims.no_trusted_networks and (not foreign or _may_be_trusted(peer.subject)):
        raise NotApplicable("this client may be authorised by its network (claims.no_trusted_networks: no client is)")
    others = peer.subject.declared.addresses.foreign
    if foreign and not others:
        raise NotApplicable("needs a foreign address (addresses.foreign)")
    recipient = others[0].encode() if foreign else peer.promised_recipient
    await peer.hello()
    if peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    answers = [await peer.ask(b"MAIL FROM:<" + peer.promised_sender + b">")]
    if answers[0].yes:
        answers.append(await peer.ask(b"RCPT TO:<" + recipient + b">"))
    answer = answers[-1]
    return satisfied(answer) if answer.closed else answer.expect("5yz", to="MAIL and RCPT without a login")


def _may_be_trusted(subject: Subject) -> bool:
    """Say whether we may come from where servers often trust everybody: this host, or a private network."""
    try:
        return not ip_address(subject.endpoint.host or "").is_global
    except ValueError:
        return True          # a name may stand for either


@case("submit.null-path-ok")
async def notices_may_be_submitted(peer: SmtpPeer) -> Judgement:
    """A user may send with the null reverse-path, as notices are."""
    await _logged_in(peer)
    await peer.mail()
    await peer.control(b"RSET")
    return (await peer.ask(b"MAIL FROM:<>")).expect("2yz", to="MAIL FROM:<>")


@case("submit.fqdn", variants={"recipient": None})
async def recipients_are_qualified(peer: SmtpPeer, _: None) -> Judgement:
    """A recipient at a domain of one label is refused, or completed."""
    await _logged_in(peer)
    await peer.mail()
    answer = await peer.ask(b"RCPT TO:<user@" + UNQUALIFIED + b">")
    if answer.yes:
        return declined(f"{answer}: nobody can see here whether it is completed", "5yz, or completed")
    return answer.expect("5yz", to="a recipient at one label")


@case("submit.fqdn", variants={"sender": None})
async def senders_are_qualified(peer: SmtpPeer, _: None) -> Judgement:
    """A reverse-path at a domain of one label is refused, or completed."""
    await _logged_in(peer)
    await peer.mail()
    await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + peer.token.encode() + b"@" + UNQUALIFIED + b">")
    if not answer.yes:
        return answer.expect("5yz", to="a reverse-path at one label")
    if not peer.subject.declared.allow.leave_mail or peer.subject.mailbox is None:
        raise NotApplicable("taken; what became of it cannot be read back")
    rcpt = await peer.ask(b"RCPT TO:<" + peer.recipient + b">")
    if rcpt.no:
        return satisfied(f"{rcpt} to RCPT")
    peer.must(await peer.ask(b"DATA"), "354", to=b"DATA")
    final = await peer.end_of(peer.message())
    if final.no:
        return satisfied(f"{final} to the message")
    arrived = await peer.stored()
    path = RETURN_PATH.search(arrived[0]) if arrived else None
    if path is None:
        raise Undetermined("the message did not arrive, or without a Return-Path")
    unqualified = path[1].endswith(b"@" + UNQUALIFIED)
    return (violated if unqualified else satisfied)(f"Return-Path: <{printable(path[1])}>", "refused, or completed")


BAD_PATHS: Final = {"no-local-part": b"<@example.com>", "no-domain": b"<user@>", "space": b"<a b@example.com>"}


@case("submit.bad-syntax", variants=BAD_PATHS)
async def malformed_senders_are_501(peer: SmtpPeer, path: bytes) -> Judgement:
    """A malformed address is answered 501."""
    await _logged_in(peer)
    await peer.mail()
    await peer.control(b"RSET")
    return (await peer.ask(b"MAIL FROM:" + path)).expect("501", to=f"MAIL FROM:{path.decode()}")


@case("submit.554-general")
async def how_mail_is_refused(peer: SmtpPeer) -> Judgement:
    """What a recipient that cannot be reached is answered is recorded."""
    await _logged_in(peer)
    await peer.mail()
    return observed(await peer.ask(b"RCPT TO:<nobody-" + peer.token.encode() + b"@mailproof.invalid>"))


@case("submit.no-etrn")
async def no_queues_are_started(peer: SmtpPeer) -> Judgement:
    """A submission server offers neither ETRN nor ATRN."""
    _must_be_submission(peer)
    offers = (peer.subject.found.extensions, peer.subject.found.extensions_in_tls)
    offered = {keyword for offer in offers if offer is not None for keyword in offer.keywords} & {"ETRN", "ATRN"}
    return violated(" ".join(sorted(offered)), "neither") if offered else satisfied("neither is offered")


def _is_offered(peer: SmtpPeer, keyword: str) -> Judgement:
    _must_be_submission(peer)
    offered = keyword in _best_offer(peer).keywords
    return satisfied(keyword) if offered else violated(f"no {keyword}", keyword)


@case("submit.pipelining")
async def pipelining_is_offered(peer: SmtpPeer) -> Judgement:
    """A submission server offers PIPELINING."""
    return _is_offered(peer, "PIPELINING")


@case("submit.esc")
async def enhanced_codes_are_offered(peer: SmtpPeer) -> Judgement:
    """A submission server offers ENHANCEDSTATUSCODES."""
    return _is_offered(peer, "ENHANCEDSTATUSCODES")


@case("submit.dsn")
async def dsn_is_offered(peer: SmtpPeer) -> Judgement:
    """A submission server offers DSN."""
    return _is_offered(peer, "DSN")


@case("submit.8bitmime")
async def eight_bits_are_offered(peer: SmtpPeer) -> Judgement:
    """A submission server offers 8BITMIME."""
    return _is_offered(peer, "8BITMIME")


async def _stored_header(peer: SmtpPeer, message: bytes) -> bytes | Answer:
    """Submit a message; return its header as it lies in the maildrop, or the answer that refused it."""
    await _logged_in(peer)
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(message + END_OF_MAIL_DATA)
    answer = await peer.answer()
    if answer.no:
        return answer
    peer.must(answer, to=b"the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return arrived[0].partition(b"\r\n\r\n")[0]


def _without(message: bytes, name: bytes) -> bytes:
    """Return a message without one of its header fields."""
    return re.sub(rb"(?mi)^" + name + rb":[^\r]*\r\n", b"", message, count=1)


def _has(header: bytes, name: bytes) -> bool:
    return re.search(rb"(?mi)^" + name + rb":", header) is not None


@case("submit.adds-message-id")
async def messages_get_an_id(peer: SmtpPeer) -> Judgement:
    """A message without Message-ID gets one."""
    header = await _stored_header(peer, _without(peer.message(), b"Message-ID"))
    if isinstance(header, Answer):
        return undetermined(header)
    return satisfied("added") if _has(header, b"Message-ID") else violated("not added", "added")


@case("submit.adds-date")
async def messages_may_get_a_date(peer: SmtpPeer) -> Judgement:
    """What becomes of a message without Date is recorded."""
    header = await _stored_header(peer, _without(peer.message(), b"Date"))
    return observed(header if isinstance(header, Answer) else "added" if _has(header, b"Date") else "not added")


@case("submit.adds-sender")
async def messages_may_get_a_sender(peer: SmtpPeer) -> Judgement:
    """What becomes of a message whose author is not the user is recorded."""
    message = re.sub(rb"\AFrom: [^\r]*", b"From: <somebody.else@mailproof.invalid>", peer.message())
    header = await _stored_header(peer, message)
    return observed(header if isinstance(header, Answer) else "added" if _has(header, b"Sender") else "as it was")


@case("submit.bcc")
async def blind_copies_may_stay(peer: SmtpPeer) -> Judgement:
    """Whether Bcc is left in a message is recorded."""
    header = await _stored_header(peer, b"Bcc: <hidden@mailproof.invalid>\r\n" + peer.message())
    return observed(header if isinstance(header, Answer) else "kept" if _has(header, b"Bcc") else "removed")


@case("submit.sender-spoof")
async def users_do_not_send_as_others(peer: SmtpPeer) -> Judgement:
    """A user may not send with somebody else's reverse-path."""
    login = peer.login[0].partition("@")[0]
    others = [one for one in peer.subject.declared.addresses.accepted if one.partition("@")[0] != login]
    if not others:
        raise NotApplicable("needs an address of somebody else (addresses.accepted)")
    await _logged_in(peer)
    answer = await peer.ask(b"MAIL FROM:<" + others[-1].encode() + b">")
    if answer.yes:
        answer = await peer.ask(b"RCPT TO:<" + peer.recipient + b">")
    return answer.expect("5yz", to=f"mail from {others[-1]}")


@case("submit.same-denial")
async def a_password_is_not_confirmed_in_clear(peer: SmtpPeer) -> Judgement:
    """Where no password is taken in clear text, a right one and a wrong one are refused alike."""
    _must_be_submission(peer)
    login, password = peer.login
    answers = []
    for session, given in ((peer, password), (peer.another(), f"{password}x")):
        await session.hello()
        session.require("STARTTLS")
        answers.append(await session.ask(b"AUTH PLAIN " + plain_message(login, given)))
    right, wrong = answers
    if right.yes:
        raise NotApplicable("passwords are taken in clear text")
    if right.reply is None or wrong.reply is None:
        raise Undetermined(f"{right}; {wrong}")
    got = f"{right} to the right password, {wrong} to a wrong one"
    return satisfied(got) if str(right) == str(wrong) else violated(got, "the same")


@case("submit.starttls-587")
async def tls_is_offered(peer: SmtpPeer) -> Judgement:
    """A submission server that begins in clear text offers STARTTLS."""
    _must_be_submission(peer)
    if peer.subject.endpoint.implicit_tls:
        raise NotApplicable("TLS is implicit here")
    await peer.hello()
    return satisfied("offered") if peer.extensions.starttls else violated("no STARTTLS", "STARTTLS")


@case("submit.no-broken-starttls")
async def what_is_offered_works(peer: SmtpPeer) -> Judgement:
    """STARTTLS, where it is offered, leads to TLS."""
    _must_be_submission(peer)
    await peer.hello()
    peer.require("STARTTLS")
    answer = await peer.ask(b"STARTTLS")
    if answer.later:
        return undetermined(answer)
    trouble = await peer.handshake() if answer.matches("220") else answer
    return satisfied(answer) if trouble is None else violated(f"{answer}, then {trouble}", "a handshake")
