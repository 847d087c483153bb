"""STARTTLS: how it is offered, asked for and refused (RFC 3207 §2, §4)."""

from typing import Final

from conformance.case import case
from conformance.cases.tls_records import NO_CLIENT_HELLO, SHAKES_HANDS_WITHIN_S, judge_no_handshake
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    not_applicable,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer

STALLS_S: Final = 600.0                  # how long it may wait for one
PASSWORDS: Final = frozenset({"PLAIN", "LOGIN"})


async def _offered(peer: SmtpPeer) -> None:
    """Come to where STARTTLS may be said."""
    await peer.hello()
    peer.require("STARTTLS")


@case("smtp.tls.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """The keyword STARTTLS has no parameters."""
    await _offered(peer)
    parameters = peer.extensions.keywords["STARTTLS"]
    return violated(f"STARTTLS {' '.join(parameters)}", "STARTTLS alone") if parameters else satisfied("STARTTLS alone")


@case("smtp.tls.starttls-220")
async def starttls_begins_tls(peer: SmtpPeer) -> Judgement:
    """STARTTLS is answered 220, and TLS begins."""
    await _offered(peer)
    answer = await peer.ask(b"STARTTLS")
    if not answer.matches("220"):
        return answer.expect("220", to="STARTTLS")
    trouble = await peer.handshake()
    return satisfied(answer) if trouble is None else violated(f"{answer}, then {trouble}", "a handshake")


@case("smtp.tls.args")
async def starttls_takes_no_argument(peer: SmtpPeer) -> Judgement:
    """STARTTLS with an argument is refused."""
    await _offered(peer)
    await peer.control(b"NOOP")
    return (await peer.ask(b"STARTTLS now")).expect("5yz", to="STARTTLS with an argument")


@case("smtp.tls.before-ehlo")
async def starttls_before_hello(peer: SmtpPeer) -> Judgement:
    """What STARTTLS is answered before EHLO is recorded."""
    await peer.greet()
    return observed(await peer.ask(b"STARTTLS"))


@case("smtp.tls.after-helo")
async def starttls_after_helo(peer: SmtpPeer) -> Judgement:
    """What STARTTLS is answered after HELO is recorded."""
    await peer.greet()
    await peer.helo()
    return observed(await peer.ask(b"STARTTLS"))


@case("smtp.tls.in-transaction")
async def starttls_in_a_transaction(peer: SmtpPeer) -> Judgement:
    """What STARTTLS is answered after MAIL is recorded."""
    await _offered(peer)
    await peer.mail()
    return observed(await peer.ask(b"STARTTLS"))


@case("smtp.tls.not-readvertised")
async def starttls_is_not_offered_in_tls(peer: SmtpPeer) -> Judgement:
    """EHLO inside TLS does not offer STARTTLS."""
    await _offered(peer)
    await peer.start_tls()
    return violated("STARTTLS listed", "not listed") if peer.extensions.starttls else satisfied("not listed")


@case("smtp.tls.second-refused")
async def starttls_is_refused_in_tls(peer: SmtpPeer) -> Judgement:
    """STARTTLS inside TLS is refused."""
    await _offered(peer)
    await peer.start_tls()
    return (await peer.ask(b"STARTTLS")).expect("5yz", to="STARTTLS inside TLS")


@case("smtp.tls.garbage-handshake", limit_s=SHAKES_HANDS_WITHIN_S + 60)
async def plain_text_is_no_handshake(peer: SmtpPeer) -> Judgement:
    """Plain text where TLS should begin is answered by an alert or a close, and runs no command."""
    await _offered(peer)
    await peer.control(b"STARTTLS", "220")
    return await judge_no_handshake(peer, b"NOOP\r\n", (b"2",))


@case("smtp.tls.handshake-failed-then-plain", limit_s=SHAKES_HANDS_WITHIN_S + 60)
async def a_failed_handshake_ends_the_session(peer: SmtpPeer) -> Judgement:
    """After a handshake that failed, commands in clear text are not run."""
    await _offered(peer)
    await peer.control(b"STARTTLS", "220")
    await peer.send(NO_CLIENT_HELLO)
    return await judge_no_handshake(peer, b"NOOP\r\n", (b"2",))


@case("smtp.tls.handshake-stall", limit_s=STALLS_S + 60)
async def nobody_waits_for_ever_for_a_handshake(peer: SmtpPeer) -> Judgement:
    """A client that says nothing after 220 is hung up on within ten minutes."""
    await _offered(peer)
    await peer.control(b"STARTTLS", "220")
    answer = await peer.answer(STALLS_S)
    return violated(answer, "a close") if answer.silent else satisfied(f"{answer} after {answer.waited_s:.3g} s")


@case("smtp.tls.not-required-public")
async def the_public_needs_no_tls(peer: SmtpPeer) -> Judgement:
    """A public mail exchanger does not demand TLS."""
    if not peer.subject.declared.claims.public_mx:
        return not_applicable("needs a public mail exchanger (claims.public_mx)")
    await peer.hello()
    answer = await peer.ask(b"MAIL FROM:<" + (peer.subject.found.sender or "").encode() + b">")
    return violated(f"{answer} to MAIL without TLS", "not 530") if answer.matches("530") else satisfied(answer)


async def _refused_for_want_of_tls(peer: SmtpPeer) -> str:
    """Return what MAIL is refused with in clear text; NotApplicable if it is not, or if it is in TLS as well."""
    mail = b"MAIL FROM:<" + (peer.subject.found.sender or "").encode() + b">"
    await _offered(peer)
    refused = await peer.ask(mail)
    inside = peer.another()
    await inside.hello()
    await inside.start_tls()
    taken = await inside.ask(mail)
    wants_login = taken.matches("530")
    if not refused.no or not (taken.yes or wants_login):
        raise NotApplicable(f"the server does not insist on TLS: {refused} to MAIL without it, {taken} with it")
    return str(refused)


@case("smtp.tls.required-530")
async def who_insists_on_tls_says_530(peer: SmtpPeer) -> Judgement:
    """A server that insists on TLS answers 530 to what comes without."""
    refused = await _refused_for_want_of_tls(peer)
    return satisfied(refused) if refused.startswith("530") else violated(refused, "530")


@case("smtp.tls.required-exempt", variants={"noop": b"NOOP", "quit": b"QUIT"})
async def who_insists_on_tls_lets_one_leave(peer: SmtpPeer, command: bytes) -> Judgement:
    """A server that insists on TLS answers NOOP and QUIT normally without."""
    await _refused_for_want_of_tls(peer)
    answer = await peer.ask(command)
    to = f"{command.decode()} without TLS"
    return violated(f"{answer} to {to}", f"2yz to {to}") if answer.matches("530") else answer.expect("2yz", to=to)


@case("smtp.tls.ext-set-differs")
async def what_is_offered_in_tls(peer: SmtpPeer) -> Judgement:
    """Extensions may be offered in TLS only, or in clear text only."""
    outside, inside = peer.subject.found.extensions, peer.subject.found.extensions_in_tls
    if outside is None or inside is None or peer.subject.endpoint.implicit_tls:
        return not_applicable("EHLO was not answered both in clear text and in TLS")
    only = " ".join(sorted(set(inside.keywords) - set(outside.keywords))) or "nothing"
    gone = " ".join(sorted(set(outside.keywords) - set(inside.keywords))) or "nothing"
    return observed(f"only in TLS: {only}; only in clear text: {gone}")


@case("smtp.tls.mechs-in-clear")
async def passwords_are_not_asked_for_in_clear(peer: SmtpPeer) -> Judgement:
    """Mechanisms that send the password are not offered before TLS."""
    await _offered(peer)
    offered = sorted(PASSWORDS & peer.extensions.auth)
    return violated(f"AUTH {' '.join(offered)}", "neither PLAIN nor LOGIN") if offered else satisfied("none offered")


@case("sasl.external.no-cert")
async def external_needs_a_certificate(peer: SmtpPeer) -> Judgement:
    """EXTERNAL proves nothing where no client certificate was given."""
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()
    if "EXTERNAL" not in peer.extensions.auth:
        raise NotApplicable("EXTERNAL is not offered")
    answer = await peer.ask(b"AUTH EXTERNAL =")
    if answer.go_on:
        answer = await peer.ask(b"")
    if answer.reply is None and not answer.closed:
        raise Undetermined(str(answer))
    return satisfied(answer) if not answer.yes else violated(answer, "a refusal")


@case("smtp.tls.new-ehlo-list")
async def ehlo_is_answered_in_tls(peer: SmtpPeer) -> Judgement:
    """EHLO is answered afresh inside TLS."""
    await _offered(peer)
    await peer.control(b"STARTTLS", "220")
    await peer.must_shake_hands()
    answer = await peer.ask(peer.hello_line)
    if answer.later:
        return undetermined(answer)
    return satisfied(answer) if answer.matches("250") else violated(f"{answer} to EHLO inside TLS", "250")


@case("smtp.tls.no-greeting")
async def there_is_one_greeting(peer: SmtpPeer) -> Judgement:
    """The handshake is not followed by a second greeting."""
    await _offered(peer)
    await peer.control(b"STARTTLS", "220")
    await peer.must_shake_hands()
    answer = await peer.answer_or_silence()
    if answer.silent:
        return satisfied(answer)
    return violated(f"{answer} after the handshake", "silence") if answer.matches("220") else undetermined(answer)
