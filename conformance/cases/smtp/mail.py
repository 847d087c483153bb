"""MAIL: who it is from, and how the server takes what is no such thing (RFC 5321 §4.1.1.2)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import Judgement, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

SYNTAX: Final = ("500", "501")          # "not understood"; 550, 553 and 554 are a policy's words


async def _controlled(peer: SmtpPeer) -> None:
    """Open the session, and see that a lawful MAIL is taken in it."""
    await peer.open()
    await peer.mail()
    await peer.control(b"RSET")


def understood(answer: Answer, what: str) -> Judgement:
    """Judge the answer to something lawful: taken, or refused by a policy, but not for its syntax."""
    if answer.matches(*SYNTAX):
        return violated(f"{answer} to {what}", "2yz, or a policy's refusal")
    return answer.expect("2yz", "4yz", "5yz", to=what)


@case("smtp.mail.accepts")
async def mail_is_taken(peer: SmtpPeer) -> Judgement:
    """A lawful reverse-path is answered 250."""
    await peer.open()
    answer = await peer.ask(b"MAIL FROM:<" + peer.promised_sender + b">")
    if answer.no:
        return undetermined(f"{answer}: a policy, perhaps")
    return answer.expect("250", lawful=("2yz",), to="MAIL")


@case("smtp.mail.null-path-syntax")
async def the_null_path_is_understood(peer: SmtpPeer) -> Judgement:
    """The null reverse-path is lawful syntax."""
    await _controlled(peer)
    answer = await peer.ask(b"MAIL FROM:<>")
    if answer.matches(*SYNTAX, "553"):
        return violated(f"{answer} to MAIL FROM:<>", "2yz, or a policy's refusal")
    return answer.expect("2yz", "4yz", "5yz", to="MAIL FROM:<>")


@case("smtp.mail.null-path-accepted")
async def the_null_path_is_taken(peer: SmtpPeer) -> Judgement:
    """Mail from the null reverse-path is taken like other mail: it is how failures are told."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    first = await peer.ask(b"MAIL FROM:<>")
    if not first.yes:
        return first.expect("2yz", to="MAIL FROM:<>")
    return (await peer.ask(b"RCPT TO:<" + peer.recipient + b">")).expect("2yz", to="RCPT after MAIL FROM:<>")


@case("smtp.mail.no-argument", variants={"alone": b"MAIL", "from": b"MAIL FROM:"})
async def mail_needs_a_path(peer: SmtpPeer, command: bytes) -> Judgement:
    """MAIL without a reverse-path is refused."""
    await _controlled(peer)
    return (await peer.ask(command)).expect("5yz", to=command.decode())


BAD: Final = {
    "two-at": b"MAIL FROM:<a@@b.example>",
    "unclosed": b"MAIL FROM:<a@b.example",
    "no-colon": b"MAIL FROM<a@b.example>",
    "no-from": b"MAIL <a@b.example>",
}


@case("smtp.mail.bad-argument-501", variants=BAD)
async def a_malformed_path_is_refused(peer: SmtpPeer, command: bytes) -> Judgement:
    """A reverse-path that is none is refused, with 501."""
    await _controlled(peer)
    return (await peer.ask(command)).expect("501", "550", "553", "555", lawful=("5yz",), to=command.decode())


@case("smtp.mail.bad-keeps-state")
async def a_refused_mail_leaves_no_trace(peer: SmtpPeer) -> Judgement:
    """After a MAIL that was refused, the next one needs no RSET."""
    await _controlled(peer)
    refused = await peer.ask(BAD["two-at"])
    if not refused.no:
        return undetermined(f"{refused} to {BAD['two-at'].decode()}")
    return (await peer.ask(b"MAIL FROM:<" + peer.sender + b">")).expect("2yz", to="MAIL after a refused MAIL")


@case("smtp.mail.space-after-colon")
async def a_space_after_the_colon(peer: SmtpPeer) -> Judgement:
    """White space before the path is no lawful syntax, and some servers take it."""
    await _controlled(peer)
    return observed(await peer.ask(b"MAIL FROM: <" + peer.sender + b">"))


@case("smtp.mail.no-brackets")
async def a_path_without_brackets(peer: SmtpPeer) -> Judgement:
    """A path without its angle brackets is no lawful syntax, and some servers take it."""
    await _controlled(peer)
    return observed(await peer.ask(b"MAIL FROM:" + peer.sender))


@case("smtp.mail.nested")
async def mail_does_not_nest(peer: SmtpPeer) -> Judgement:
    """MAIL inside a transaction is out of order, or begins another one: the recipients do not carry over."""
    await peer.begin_transaction()
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    if not answer.yes:
        return answer.expect("5yz", to="MAIL inside a transaction")
    data = await peer.ask(b"DATA")
    got, expected = f"{answer} to MAIL inside a transaction, then {data} to DATA", "503, or recipients forgotten"
    if data.reply is None or data.later:
        return undetermined(got, expected)
    return violated(got, expected) if data.go_on else satisfied(got, expected)


@case("smtp.mail.unknown-parameter")
async def an_unknown_parameter_is_refused(peer: SmtpPeer) -> Judgement:
    """A parameter that the server does not know is refused, not passed over."""
    await _controlled(peer)
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b"> XMAILPROOF=1")
    return answer.expect("555", "501", "504", lawful=("5yz",), to="MAIL with an unknown parameter")


MALFORMED: Final = {"equals-first": b" =x", "two-equals": b" SIZE=1=2", "empty-value": b" SIZE="}


@case("smtp.mail.malformed-parameter", variants=MALFORMED)
async def a_malformed_parameter_is_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A parameter that is none is refused, not passed over."""
    await _controlled(peer)
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">" + parameter)
    return answer.expect("5yz", to=f"MAIL with the parameter{parameter.decode()}")


@case("smtp.mail.before-ehlo")
async def mail_before_ehlo(peer: SmtpPeer) -> Judgement:
    """What a server does with MAIL before EHLO is its own affair."""
    await peer.greet()
    return observed(await peer.ask(b"MAIL FROM:<" + peer.sender + b">"))


@case("smtp.mail.source-route")
async def a_source_route_is_understood(peer: SmtpPeer) -> Judgement:
    """A source route before the sender is obsolete, and lawful syntax."""
    await _controlled(peer)
    local, _, domain = peer.sender.rpartition(b"@")
    if not local:
        return undetermined("the reverse-path that this server takes is the null one")
    answer = await peer.ask(b"MAIL FROM:<@a.example,@b.example:" + local + b"@" + domain + b">")
    return understood(answer, "a source route")


LITERALS: Final = {"v4": b"[192.0.2.1]", "v6": b"[IPv6:2001:db8::1]"}


@case("smtp.mail.address-literal", variants=LITERALS)
async def an_address_literal_is_understood(peer: SmtpPeer, literal: bytes) -> Judgement:
    """An address literal is a lawful domain of a sender."""
    await _controlled(peer)
    return understood(await peer.ask(b"MAIL FROM:<user@" + literal + b">"), literal.decode())


@case("smtp.mail.case-preserved")
async def the_case_of_the_sender_is_kept(peer: SmtpPeer) -> Judgement:
    """The case of a local-part is the sender's own business: Return-Path has it as it was sent."""
    await peer.open()
    local, _, domain = peer.marked_sender.rpartition(b"@")
    sender = b"MiXeD-" + local + b"@" + domain
    await peer.control(b"MAIL FROM:<" + sender + b">")
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(peer.message())
    peer.must(await peer.end_mail_data(), to=b"the message")
    arrived = await peer.stored()
    if not arrived:
        return undetermined("the message did not arrive in the time allowed (timers.delivery)")
    if sender in arrived[0]:
        return satisfied("kept", "the local-part as it was sent")
    if sender.lower() in arrived[0].lower():
        return violated("its case was changed", "the local-part as it was sent")
    return undetermined("the reverse-path stands nowhere in the message: rewritten, or left out")


@case("smtp.mail.many-transactions")
async def one_session_takes_many_messages(peer: SmtpPeer) -> Judgement:
    """One session may carry several messages, one after another."""
    await peer.open()
    for number in range(1, 4):
        answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
        if not answer.yes:
            return answer.expect("2yz", to=f"MAIL of message {number}")
        await peer.rcpt()
        await peer.control(b"DATA", "354")
        await peer.send(peer.another_message())
        final = await peer.end_mail_data()
        if not final.yes:
            return undetermined(f"{final} to message {number}")
    return satisfied("three messages in one session")


@case("smtp.mail.no-cached-5yz")
async def a_refusal_is_asked_for_again(peer: SmtpPeer) -> Judgement:
    """Whether the same MAIL is refused again is recorded."""
    await _controlled(peer)
    first, second = await peer.ask(BAD["unclosed"]), await peer.ask(BAD["unclosed"])
    return observed(f"{first}; {second}")
