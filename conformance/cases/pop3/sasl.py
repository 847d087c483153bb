"""AUTH in POP3: mechanisms, initial responses, challenges, and what is no base64 (RFC 5034 §4)."""

from base64 import b64decode, b64encode
from typing import Final

from conformance.case import case
from conformance.cases.pop3 import refusals
from conformance.cases.pop3.sasl_exchange import (
    LETS_IN,
    begin,
    begin_any,
    ends_after_failure,
    judge_login,
    judge_refusal,
    log_in_once,
    mechanisms,
    plain_message,
    ready_for,
)
from conformance.judgement import (
    Judgement,
    NotApplicable,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

UNKNOWN: Final = b"X-MAILPROOF-NONE"
PASSWORDS: Final = ("PLAIN", "LOGIN")
CLIENT_FIRST: Final = {"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256"}


def _words(answer: Pop3Answer, mechanism: str) -> bytes:
    """Return a refusal's words without the name of the mechanism."""
    return answer.text.upper().replace(mechanism.upper().encode(), b"")


@case("pop3.capa.sasl-honest", variants={"first": False, "in-tls": True})
async def listed_mechanisms_are_known(peer: Pop3Peer, inside: bool) -> Judgement:
    """AUTH with each mechanism that SASL lists begins an exchange, or is refused for a reason of its own."""
    await peer.prelude()
    if inside and not peer.in_tls:
        if not peer.subject.found.pop3.has_tls:
            raise NotApplicable("TLS is not offered")
        await peer.start_tls()
    names = mechanisms(peer)
    if not names:
        raise NotApplicable("SASL is not listed")
    unknown = await peer.ask(b"AUTH " + UNKNOWN)
    refused = []
    for name in names:
        session = peer.another()
        await (session.greet() if peer.in_tls and not peer.subject.endpoint.implicit_tls else session.prelude())
        if peer.in_tls and not session.in_tls:
            await session.start_tls()
        answer = await session.ask(b"AUTH " + name.encode())
        if answer.err and not answer.not_now:
            same = unknown.err and _words(answer, name) == _words(unknown, UNKNOWN.decode())
            if same and name in LETS_IN:         # which can always begin
                return violated(f"{answer} to AUTH {name}, as to an unknown mechanism", "a challenge")
            refused.append(f"{answer} to AUTH {name}")
        elif answer.ok:
            return violated(f"{answer} to AUTH {name}", "a challenge")
        elif not answer.continues:
            return undetermined(f"{answer} to AUTH {name}")
        await session.hang_up()
    return declined(", ".join(refused), "a challenge to each") if refused else satisfied(", ".join(names))


@case("pop3.sasl.plain-ir")
async def plain_in_one_line(peer: Pop3Peer) -> Judgement:
    """AUTH PLAIN with the right message as initial response lets in."""
    await ready_for(peer, "PLAIN")
    message = plain_message(*await peer.login())
    answer = await peer.ask(b"AUTH PLAIN " + message)
    if answer.err:                           # the lock of a session that was here before may linger
        control = peer.another()
        await control.log_in()
        await control.quit()
        again = peer.another()
        await ready_for(again, "PLAIN")
        answer = await again.ask(b"AUTH PLAIN " + message)
    return await judge_login(peer, answer, "AUTH PLAIN with the right message")


@case("pop3.sasl.plain-no-ir", variants={name.lower(): name for name in LETS_IN})
async def a_response_lets_in(peer: Pop3Peer, mechanism: str) -> Judgement:
    """AUTH without an initial response is answered by a challenge, and the right responses let in."""
    await ready_for(peer, mechanism)
    answer = await peer.ask(b"AUTH " + mechanism.encode())
    if not answer.continues:
        return answer.expect("+", to=f"AUTH {mechanism}")
    session = peer.another()
    await ready_for(session, mechanism)
    await peer.hang_up()
    answer = await session.insist(mechanism)
    to = f"the right responses of {mechanism}"
    if answer.err and mechanism not in PASSWORDS:        # which want a secret that not every user need have
        return declined(f"{answer} to {to}", "+OK")
    return await judge_login(peer, answer, to)


@case("pop3.sasl.empty-challenge", variants=CLIENT_FIRST)
async def an_empty_challenge_is_empty(peer: Pop3Peer, mechanism: str) -> Judgement:
    """An empty challenge is a plus and a space."""
    answer = await begin(peer, mechanism)
    expected = '"+ ", and nothing behind it'
    return (satisfied if answer.octets == b"+ \r\n" else violated)(repr(answer.octets)[1:], expected)


@case("pop3.sasl.cancel", variants={name.lower(): name for name in LETS_IN})
async def a_star_cancels(peer: Pop3Peer, mechanism: str) -> Judgement:
    """A lone * is answered with -ERR, and the session goes on."""
    await begin(peer, mechanism)
    answer = await peer.ask(b"*")
    if not answer.err:
        return answer.expect_open("-ERR", to="*")
    again = await peer.ask(b"AUTH " + mechanism.encode())
    got = f"{answer} to *, then {again} to AUTH"
    if again.continues:
        return satisfied(got)
    if again.closed and not await ends_after_failure(peer):
        return violated(got, "-ERR, and the session goes on")
    return declined(got, "-ERR, and the session goes on") if again.closed or again.err else undetermined(got)


NO_BASE64: Final = {"no-alphabet": b"!!!!", "pad-first": b"=AAA", "pad-inside": b"AAA=BBB", "nothing-but-pads": b"===="}


@case("pop3.sasl.bad-base64", variants=NO_BASE64)
async def what_is_no_base64_is_refused(peer: Pop3Peer, response: bytes) -> Judgement:
    """A response that is no base64 is refused."""
    await begin_any(peer)
    return judge_refusal(await peer.ask(response), response.decode())


@case("pop3.sasl.bad-base64", variants={f"{name}-at-once": octets for name, octets in NO_BASE64.items()})
async def an_initial_response_is_base64_too(peer: Pop3Peer, response: bytes) -> Judgement:
    """An initial response that is no base64 is refused."""
    await begin(peer.another())
    await ready_for(peer, "PLAIN")
    return judge_refusal(await peer.ask(b"AUTH PLAIN " + response), f"AUTH PLAIN {response.decode()}")


def _noisy(message: bytes) -> bytes:
    return message[:5] + b"!" + message[5:]


def _led_by_a_pad(message: bytes) -> bytes:
    return b"=" + message


def _in_two_pieces(message: bytes) -> bytes:
    """Encode both halves, each with its own pads."""
    octets = b64decode(message)
    half = next(at for at in range(4, len(octets)) if at % 3)
    return b64encode(octets[:half]) + b64encode(octets[half:])


def _with_a_space(message: bytes) -> bytes:
    return message[:6] + b" " + message[6:]


SPOILT: Final = {
    "right-and-noise": _noisy, "right-and-pad": _led_by_a_pad, "right-in-pieces": _in_two_pieces,
    "right-and-space": _with_a_space,
}


@case("pop3.sasl.bad-base64", variants=SPOILT)
async def nothing_is_skipped_in_base64(peer: Pop3Peer, spoil: object) -> Judgement:
    """The right message with an octet in it that is no base64 lets nobody in."""
    await log_in_once(peer)
    assert callable(spoil)
    response = bytes(spoil(plain_message(*await peer.login())))
    await begin(peer)
    return judge_refusal(await peer.ask(response), "the right message, spoilt")


@case("pop3.sasl.ir-server-first")
async def who_speaks_second_has_no_initial_response(peer: Pop3Peer) -> Judgement:
    """CRAM-MD5, in which the server speaks first, takes no initial response."""
    await begin(peer.another(), "CRAM-MD5")
    await ready_for(peer, "CRAM-MD5")
    answer = await peer.ask(b"AUTH CRAM-MD5 " + b64encode(b"mailproof 0123456789abcdef0123456789abcdef"))
    return judge_refusal(answer, "AUTH CRAM-MD5 with an initial response")


@case("pop3.sasl.equals", variants={"plain": "PLAIN"})
async def an_equals_sign_is_no_login(peer: Pop3Peer, mechanism: str) -> Judgement:
    """= as the initial response of PLAIN is an empty one, which lets nobody in."""
    await begin(peer.another(), mechanism)
    await ready_for(peer, mechanism)
    answer = await peer.ask(b"AUTH PLAIN =")
    if answer.continues:
        return declined(f"{answer} to AUTH PLAIN =", "-ERR")
    return judge_refusal(answer, "AUTH PLAIN =")


@case("pop3.sasl.equals", variants={"external": "EXTERNAL"})
async def an_equals_sign_is_an_empty_response(peer: Pop3Peer, mechanism: str) -> Judgement:
    """= as the initial response of EXTERNAL is an empty one, and not bad base64."""
    later = peer.another()
    await ready_for(later, mechanism)
    empty = await later.ask(b"AUTH EXTERNAL")
    if empty.continues:
        empty = await later.ask(b"")
    if empty.ok:
        await later.quit()
    await ready_for(peer, mechanism)
    answer = await peer.ask(b"AUTH EXTERNAL =")
    got = f"{answer} to AUTH EXTERNAL =, {empty} to an empty response"
    if answer.response is None or empty.response is None or answer.not_now or empty.not_now:
        return undetermined(got)
    return satisfied(got) if (answer.ok, answer.code) == (empty.ok, empty.code) else violated(got, "the same")


@case("pop3.sasl.unknown", variants={"alone": b"AUTH " + UNKNOWN, "with-response": b"AUTH " + UNKNOWN + b" dGVzdA=="})
async def unknown_mechanisms_are_refused(peer: Pop3Peer, command: bytes) -> Judgement:
    """AUTH with a mechanism that nobody knows is refused."""
    return await refusals.judge_refusal(peer, command)


@case("pop3.sasl.no-arg")
async def what_auth_alone_is_answered(peer: Pop3Peer) -> Judgement:
    """What AUTH without a mechanism is answered is recorded: RFC 1734 knew no list, and servers have one."""
    await peer.prelude()
    answer = await peer.ask(b"AUTH")
    if not answer.ok:
        return observed(answer)
    more = await peer.answer_or_silence()
    return observed(f"{answer}; {'no list' if more.silent and not peer.pending else 'a list'}")
