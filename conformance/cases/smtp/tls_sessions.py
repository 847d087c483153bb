"""TLS itself, as mail servers have it: versions, suites, names, and how a session in it begins and ends (RFC 8314)."""


from conformance.answer import Ended
from conformance.case import case
from conformance.cases.tls_records import (
    CERTIFICATE_REQUEST,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SSL_3,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    USUAL,
    USUAL_CBC,
    WEAK,
    Flight,
    client_hello,
    flight_after,
    judge_refusal,
)
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff


async def _before_tls(peer: SmtpPeer) -> None:
    """Come to where TLS begins, and do not begin it."""
    if peer.subject.endpoint.implicit_tls:
        await peer.connect(tls=False)
        return
    await peer.hello()
    peer.require("STARTTLS")
    await peer.control(b"STARTTLS", "220")


async def _flight(peer: SmtpPeer, hello: bytes, *, until: int = SERVER_HELLO) -> Flight:
    await _before_tls(peer)
    return await flight_after(peer, hello, until=until)


@case("smtp.tls.inject-clienthello-glued")
async def a_hasty_handshake(peer: SmtpPeer) -> Judgement:
    """What a ClientHello in one segment with STARTTLS leads to is recorded."""
    if peer.subject.endpoint.implicit_tls:
        raise NotApplicable("TLS is implicit here")
    await peer.hello()
    peer.require("STARTTLS")
    await peer.send(b"STARTTLS\r\n" + client_hello(TLS_1_2, (*USUAL, *USUAL_CBC)))
    first = await peer.octets(peer.subject.reply_s)
    if not isinstance(first, bytes) or not first.startswith(b"220"):
        return observed(printable(first, 80) if isinstance(first, bytes) else first)
    second = await peer.octets(peer.subject.quiet_s)
    return observed(printable(second, 40) if isinstance(second, bytes) else f"220, then {second}")


@case("smtp.tls.min-version", variants={"1.0": TLS_1_0, "1.1": TLS_1_1})
async def old_versions_are_refused(peer: SmtpPeer, version: int) -> Judgement:
    """A client that knows no more than TLS 1.0, or 1.1, is refused."""
    flight = await _flight(peer, client_hello(version, USUAL_CBC))
    return judge_refusal(flight, f"no more than TLS 1.{version - TLS_1_0}")


@case("smtp.tls.no-sslv3")
async def ssl_is_refused(peer: SmtpPeer) -> Judgement:
    """A client that knows no more than SSL 3.0 is refused."""
    return judge_refusal(await _flight(peer, client_hello(SSL_3, USUAL_CBC)), "no more than SSL 3.0")


@case("smtp.tls.weak-suites", variants=WEAK)
async def weak_suites_are_refused(peer: SmtpPeer, suites: tuple[int, ...]) -> Judgement:
    """A client that knows weak suites only is refused."""
    return judge_refusal(await _flight(peer, client_hello(TLS_1_2, suites)), "weak suites only")


@case("smtp.tls.has-12")
async def tls_1_2_is_there(peer: SmtpPeer) -> Judgement:
    """A submission server knows TLS 1.2 or 1.3."""
    if not peer.subject.is_submission:
        raise NotApplicable("is about submission servers (claims.submission, --profile submission)")
    flight = await _flight(peer, client_hello(TLS_1_2, (*USUAL, *USUAL_CBC)))
    if flight.accepts:
        return satisfied(flight)
    modern = peer.another()
    await _before_tls(modern)
    trouble = await modern.handshake()
    if trouble is None:
        return satisfied(f"{flight} to TLS 1.2, and a handshake in TLS 1.3")
    got = f"{flight} to TLS 1.2, {trouble} to TLS 1.3"
    return violated(got, "a handshake") if flight.refuses else undetermined(got)


@case("smtp.tls.no-client-cert-request")
async def users_need_no_certificate(peer: SmtpPeer) -> Judgement:
    """A submission server to which nobody logs in by certificate asks for none."""
    if not peer.subject.is_submission:
        raise NotApplicable("is about submission servers (claims.submission, --profile submission)")
    inside = peer.subject.found.extensions_in_tls
    if inside is not None and "EXTERNAL" in inside.auth:
        raise NotApplicable("EXTERNAL is offered: certificates are asked for on purpose")
    flight = await _flight(peer, client_hello(TLS_1_2, (*USUAL, *USUAL_CBC)), until=SERVER_HELLO_DONE)
    if SERVER_HELLO_DONE not in flight.messages:
        raise Undetermined(f"{flight}: no handshake in TLS 1.2, where a request could be seen")
    asked = CERTIFICATE_REQUEST in flight.messages
    return violated("CertificateRequest", "none") if asked else satisfied("no CertificateRequest")


@case("smtp.tls.sni", variants={"none": None, "own": b"", "unknown": b"unknown.mailproof.invalid"})
async def names_in_the_handshake(peer: SmtpPeer, name: bytes | None) -> Judgement:
    """What a handshake without a name, with the server's own, and with an unknown one leads to is recorded."""
    if name == b"":
        name = (peer.subject.endpoint.host or "localhost").encode()
    return observed(await _flight(peer, client_hello(TLS_1_2, (*USUAL, *USUAL_CBC), name=name)))


async def _in_tls(peer: SmtpPeer) -> None:
    """Come to where EHLO has been answered inside TLS."""
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()


@case("smtp.tls.close-notify")
async def the_end_is_announced(peer: SmtpPeer) -> Judgement:
    """After 221 inside TLS the server sends close_notify before it closes."""
    await _in_tls(peer)
    peer.must(await peer.quit(), "221", to=b"QUIT")
    answer = await peer.answer()
    if answer.ended is not Ended.CLOSED:
        raise Undetermined(f"{answer} after 221")
    return violated(f"{answer}, {answer.detail}", "close_notify") if answer.detail else satisfied(answer)


@case("smtp.tls.client-close-notify")
async def the_end_is_understood(peer: SmtpPeer) -> Judgement:
    """A client that ends TLS in mid-session is hung up on."""
    await _in_tls(peer)
    peer.must(await peer.still_there(), to=b"NOOP")
    await peer.send_eof()
    answer = await peer.answer()
    if answer.silent:
        return violated(f"{answer} after close_notify", "a close")
    return satisfied(f"{answer} after close_notify")


@case("smtp.tls.truncation-not-end")
async def what_is_cut_off_is_no_message(peer: SmtpPeer) -> Judgement:
    """A message whose connection is cut within it is not stored, though it was in TLS."""
    await _in_tls(peer)
    if peer.subject.declared.session.login:
        await peer.log_in()
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()).removesuffix(b".\r\n"))
    await peer.reset()
    arrived = await peer.stored_before_a_later_one()
    return violated("stored without its end", "nothing stored") if arrived else satisfied("not stored")


@case("smtp.tls.implicit-no-starttls")
async def tls_is_not_begun_twice(peer: SmtpPeer) -> Judgement:
    """Where TLS is implicit, STARTTLS is not offered."""
    if not peer.subject.endpoint.implicit_tls:
        raise NotApplicable("needs a server with implicit TLS (smtps://)")
    await peer.hello()
    return violated("STARTTLS listed", "not listed") if peer.extensions.starttls else satisfied("not listed")


@case("smtp.tls.implicit-plain-client")
async def clear_text_is_not_answered(peer: SmtpPeer) -> Judgement:
    """Where TLS is implicit, a client that speaks in clear text gets an alert or a close, and no reply."""
    if not peer.subject.endpoint.implicit_tls:
        raise NotApplicable("needs a server with implicit TLS (smtps://)")
    await peer.connect(tls=False)
    await peer.send(peer.hello_line + b"\r\nNOOP\r\n")
    came = await peer.octets(peer.subject.reply_s)
    if not isinstance(came, bytes):
        return satisfied(came) if came.closed else undetermined(came)
    got = printable(came, 80)
    return violated(f"{got} in clear text", "an alert or a close") if came[:3].isdigit() else satisfied(got)
