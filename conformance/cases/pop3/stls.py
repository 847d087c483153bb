"""STLS: how it is offered, asked for and refused (RFC 2595 §4)."""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.offers import offered
from conformance.cases.pop3.refusals import judge_refusal
from conformance.cases.pop3.sasl_exchange import plain_message
from conformance.cases.tls_records import NO_CLIENT_HELLO, SHAKES_HANDS_WITHIN_S, judge_no_handshake
from conformance.judgement import (
    Judgement,
    NotApplicable,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_peer import Pop3Peer

REPLIES: Final = (b"+OK", b"-ERR")


def needs_stls(peer: Pop3Peer) -> None:
    """Go on only if TLS begins in mid-session here."""
    if peer.subject.endpoint.implicit_tls:
        raise NotApplicable("TLS is implicit here")
    if not peer.subject.found.pop3.has_tls and "STLS" not in peer.subject.found.keywords:
        raise NotApplicable("STLS is not offered")


async def in_clear(peer: Pop3Peer) -> None:
    """Come to where STLS may be said."""
    needs_stls(peer)
    await peer.greet()


async def in_tls(peer: Pop3Peer) -> None:
    """Come to where TLS has begun: by STLS, or with the connection."""
    await peer.greet()
    if not peer.in_tls:
        await peer.start_tls()


@case("pop3.stls.ok", variants={"begins": True})
async def stls_begins_tls(peer: Pop3Peer, _: bool) -> Judgement:
    """STLS is answered with +OK, and TLS begins."""
    await in_clear(peer)
    answer = await peer.ask(b"STLS")
    if not answer.ok:
        return answer.expect("+OK", to="STLS")
    trouble = await peer.handshake()
    return satisfied(answer) if trouble is None else violated(f"{answer}, then {trouble}", "a handshake")


@case("pop3.stls.ok", variants={"no-greeting": False})
async def there_is_one_greeting(peer: Pop3Peer, _: bool) -> Judgement:
    """The handshake is not followed by a second greeting."""
    await in_clear(peer)
    await peer.start_tls()
    answer = await peer.answer_or_silence()
    if answer.silent:
        return satisfied(answer)
    return violated(f"{answer} after the handshake", "silence") if answer.ok or answer.err else undetermined(answer)


@case("pop3.stls.capa-exists")
async def stls_is_listed(peer: Pop3Peer) -> Judgement:
    """A server that knows STLS lists it in CAPA."""
    await in_clear(peer)
    answer = await peer.ask(b"CAPA")
    if answer.response is None or answer.not_now:
        return undetermined(answer)
    tags = {line.split(b" ")[0].upper() for line in answer.lines}
    if b"STLS" in tags:
        return satisfied("STLS is listed")
    other = peer.another()
    await other.greet()
    begun = await other.ask(b"STLS")
    got = f"{begun} to STLS, {'STLS is not listed' if answer.ok else f'{answer} to CAPA'}"
    return violated(got, "STLS listed") if begun.ok else undetermined(got)


@case("pop3.stls.only-authorization")
async def stls_comes_before_the_login(peer: Pop3Peer) -> Judgement:
    """STLS is refused once somebody has logged in."""
    needs_stls(peer)
    if peer.subject.declared.session.tls == "starttls":
        raise NotApplicable("logins are in TLS here (session.tls)")
    await peer.log_in()
    await peer.control(b"NOOP")
    return (await peer.ask(b"STLS")).expect("-ERR", to="STLS after the login")


@case("pop3.stls.twice")
async def stls_in_tls(peer: Pop3Peer) -> Judgement:
    """What STLS is answered inside TLS is recorded."""
    await in_clear(peer)
    await peer.start_tls()
    return observed(await peer.ask(b"STLS"))


@case("pop3.stls.tag-gone")
async def stls_is_not_listed_in_tls(peer: Pop3Peer) -> Judgement:
    """CAPA inside TLS does not list STLS."""
    await in_clear(peer)
    await peer.start_tls()
    return violated("STLS listed", "not listed") if "STLS" in await offered(peer) else satisfied("not listed")


@case("pop3.stls.args", variants={"word": b"STLS now", "version": b"STLS TLSv1.3"})
async def stls_takes_no_argument(peer: Pop3Peer, command: bytes) -> Judgement:
    """STLS with an argument is refused."""
    return await judge_refusal(peer, command, in_clear)


@case("pop3.stls.capa-after")
async def capa_is_answered_in_tls(peer: Pop3Peer) -> Judgement:
    """CAPA is answered afresh inside TLS."""
    await in_clear(peer)
    if (before := await peer.ask(b"CAPA")).err:
        raise NotApplicable(f"CAPA is not offered: {before}")
    Pop3Peer.must(before, to=b"CAPA")
    await peer.start_tls()
    answer = await peer.ask(b"CAPA")
    if answer.silent:
        return violated(f"{answer} to CAPA inside TLS, {before} before it", "+OK")
    return answer.expect_open(to="CAPA inside TLS")


# At least as long as the head of a TLS record, which a server has to wait for (RFC 8446 §5.1).
GARBAGE: Final = {"command": b"NOOP\r\n", "login": b"USER mailproof\r\nPASS mailproof\r\n"}


@case("pop3.stls.garbage", variants=GARBAGE, limit_s=SHAKES_HANDS_WITHIN_S + 60)
async def plain_text_is_no_handshake(peer: Pop3Peer, octets: bytes) -> Judgement:
    """Plain text where TLS should begin is answered by an alert or a close, and runs no command."""
    await in_clear(peer)
    await peer.control(b"STLS")
    return await judge_no_handshake(peer, octets, REPLIES)


@case("pop3.stls.garbage", variants={"bad-record": NO_CLIENT_HELLO}, limit_s=SHAKES_HANDS_WITHIN_S + 60)
async def a_failed_handshake_ends_the_session(peer: Pop3Peer, octets: bytes) -> Judgement:
    """After a handshake that failed, commands in clear text are not run."""
    await in_clear(peer)
    await peer.control(b"STLS")
    await peer.send(octets)
    return await judge_no_handshake(peer, b"NOOP\r\n", REPLIES)


# Passwords in clear text.


@case("pop3.stls.required")
async def a_password_needs_tls(peer: Pop3Peer) -> Judgement:
    """USER and PASS are not taken in clear text where TLS can be had."""
    needs_stls(peer)
    login, password = await peer.login()
    await peer.greet()
    name = await peer.ask(b"USER " + login.encode())
    if not name.ok:
        return undetermined(name) if name.response is None or name.not_now else satisfied(f"{name} to USER")
    answer = await peer.ask(b"PASS " + password.encode())
    if answer.response is None or answer.not_now:
        return undetermined(f"{answer} to PASS")
    return violated(f"{answer} to PASS in clear text", "-ERR") if answer.ok else satisfied(f"{answer} to PASS")


@case("pop3.sasl.no-clear")
async def plain_needs_tls(peer: Pop3Peer) -> Judgement:
    """PLAIN is not listed in clear text where TLS can be had, or it is refused."""
    needs_stls(peer)
    login, password = await peer.login()
    await peer.greet()
    listed = (await offered(peer)).get("SASL", ())
    if "PLAIN" not in (name.upper() for name in listed):
        return satisfied(f"SASL {' '.join(listed)}" if listed else "SASL is not listed")
    answer = await peer.ask(b"AUTH PLAIN " + plain_message(login, password))
    if answer.response is None or answer.not_now:
        return undetermined(f"{answer} to AUTH PLAIN")
    return satisfied(f"{answer} to AUTH PLAIN") if answer.err else violated(f"{answer} to AUTH PLAIN", "-ERR")


@case("pop3.sasl.plain-with-tls")
async def plain_is_there_in_tls(peer: Pop3Peer) -> Judgement:
    """PLAIN is listed inside TLS."""
    await in_tls(peer)
    listed = (await offered(peer)).get("SASL", ())
    got = f"SASL {' '.join(listed)}" if listed else "SASL is not listed"
    return (satisfied if "PLAIN" in (name.upper() for name in listed) else violated)(got, "PLAIN among SASL")


# Where TLS comes first (RFC 8314 §3.1).


def _is_implicit(peer: Pop3Peer) -> None:
    if not peer.subject.endpoint.implicit_tls:
        raise NotApplicable("needs a server with implicit TLS (pop3s://)")


@case("pop3.tls.implicit")
async def tls_comes_before_the_greeting(peer: Pop3Peer) -> Judgement:
    """Where TLS is implicit, the greeting comes inside it, and clear text gets no answer."""
    _is_implicit(peer)
    greeting = await peer.answer()
    if not greeting.ok:
        return greeting.expect("+OK", to="a connection")
    clear = peer.another()
    await clear.connect(tls=False)
    return await judge_no_handshake(clear, b"CAPA\r\nQUIT\r\n", REPLIES)


STLS_THERE: Final = {"tag": False, "command": True}


@case("pop3.tls.implicit-no-stls", variants=STLS_THERE)
async def tls_is_not_begun_twice(peer: Pop3Peer, said: bool) -> Judgement:
    """Where TLS is implicit, STLS is neither listed nor taken."""
    _is_implicit(peer)
    await peer.greet()
    if said:
        return (await peer.ask(b"STLS")).expect("-ERR", to="STLS")
    return violated("STLS listed", "not listed") if "STLS" in await offered(peer) else satisfied("not listed")
