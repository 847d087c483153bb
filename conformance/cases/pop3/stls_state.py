"""STLS: nothing that was said in clear text counts inside TLS, and a handshake is no login (RFC 2595 §4)."""

from typing import Final

import trustme

from conformance.answer import Answer, Ended
from conformance.case import case
from conformance.cases.pop3.sasl_exchange import plain_message
from conformance.cases.pop3.stls import in_clear, in_tls, needs_stls
from conformance.cases.tls_records import (
    TLS_1_0,
    TLS_1_1,
    USUAL_CBC,
    client_hello,
    flight_after,
    judge_refusal,
)
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.transport.tls import TlsPolicy, make_client_context

ANSWERS_MAX: Final = 16
VERSIONS: Final = {"1.0": TLS_1_0, "1.1": TLS_1_1}


@case("pop3.stls.user-forgotten")
async def the_name_does_not_count(peer: Pop3Peer) -> Judgement:
    """USER in clear text and PASS inside TLS let nobody in."""
    needs_stls(peer)
    login, password = await peer.login()
    await in_clear(peer)
    await peer.ask(b"USER " + login.encode())
    await peer.start_tls()
    answer = await peer.ask(b"PASS " + password.encode())
    to = "PASS inside TLS after USER in clear text"
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("-ERR", to=to)


async def _inject(peer: Pop3Peer, octets: bytes) -> Answer | Pop3Answer | None:
    """Send STLS and something behind it, and shake hands; return what ended that, if it did."""
    await in_clear(peer)
    await peer.send(b"STLS\r\n" + octets)
    answer = await peer.answer()
    return await peer.handshake() if answer.ok else answer


async def _all_answers(peer: Pop3Peer) -> list[Pop3Answer]:
    """Return all that comes until the server is silent or gone; what is no answer ends it, and is the last."""
    answers: list[Pop3Answer] = []
    while len(answers) < ANSWERS_MAX:
        answer = await peer.answer_or_silence()
        if answer.silent or answer.closed:
            break
        answers.append(answer)
        if answer.response is None:
            break
    return answers


INJECTED: Final = {
    "noop": b"NOOP", "capa": b"CAPA", "user": b"USER mailproof", "unknown": b"MAILPROOF", "quit": b"QUIT",
}


@case("pop3.stls.inject", variants=INJECTED)
async def a_command_behind_stls_is_not_run(peer: Pop3Peer, command: bytes) -> Judgement:
    """A command that came behind STLS in clear text is not run inside TLS."""
    ended = await _inject(peer, command + b"\r\n")
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    unasked = await _all_answers(peer)
    if unasked:
        return violated(f"{unasked[0]} inside TLS", "no answer to it")
    await peer.send(b"MAILPROOF\r\n")            # nobody knows it: one -ERR is due, whatever the state
    answers = await _all_answers(peer)
    if len(answers) > 1 or (answers and not answers[0].err):
        got = ", ".join(str(answer) for answer in answers)
        return violated(f"{got} to one unknown command inside TLS", "-ERR, and no answer to it")
    return satisfied("no answer to it") if answers else _judge_silence(command)


def _judge_silence(command: bytes) -> Judgement:
    """Judge a session that ends when something is said: QUIT may have been run, other commands were not."""
    if command == b"QUIT":
        return violated("the session ended when something was said inside TLS", "no answer to it, and no end")
    return undetermined("no answer to an unknown command inside TLS")


@case("pop3.stls.inject", variants={"login": None})
async def a_login_behind_stls_is_none(peer: Pop3Peer, _: None) -> Judgement:
    """USER and PASS that came behind STLS in clear text open no maildrop inside TLS."""
    needs_stls(peer)
    login, password = await peer.login()
    ended = await _inject(peer, f"USER {login}\r\nPASS {password}\r\n".encode())
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    await peer.send(b"STAT\r\n")
    answers = await _all_answers(peer)
    let_in = next((answer for answer in answers if answer.ok), None)
    if let_in is not None or len(answers) > 1:
        return violated(f"{let_in or answers[0]} inside TLS", "-ERR to STAT, and no more")
    return satisfied(answers[0] if answers else "a close")


async def _halves(peer: Pop3Peer, name: str) -> tuple[bytes, bytes]:
    """Return half a command for clear text, and the rest of it for TLS."""
    login, password = await peer.login()
    if name == "auth":
        inside = peer.subject.found.pop3.capabilities_in_tls or {}
        if "PLAIN" not in inside.get("SASL", ()):
            raise NotApplicable("PLAIN is not offered inside TLS")
        return b"AUTH PLAIN ", plain_message(login, password)
    return (b"USE", b"R " + login.encode()) if name == "user" else (b"CA", b"PA")


@case("pop3.stls.inject-partial", variants={"user": "user", "capa": "capa", "auth": "auth"})
async def half_a_command_is_not_completed(peer: Pop3Peer, name: str) -> Judgement:
    """Half a command in clear text is not joined with what is said inside TLS."""
    needs_stls(peer)
    begun, rest = await _halves(peer, name)
    ended = await _inject(peer, begun)
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    answer = await peer.ask(rest, multi_line=False)
    to = f'"{begun.decode()}" in clear text and its rest in TLS'
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("-ERR", to=to)


@case("pop3.stls.stays-authorization", variants={"no-certificate": False, "certificate": True})
async def a_handshake_is_no_login(peer: Pop3Peer, with_certificate: bool) -> Judgement:
    """After the handshake nobody is logged in, though the client may have shown a certificate."""
    needs_stls(peer)
    login, _ = await peer.login()
    await in_clear(peer)
    await peer.control(b"STLS")
    tls = peer.subject.tls
    if with_certificate:
        tls = make_client_context(TlsPolicy(verify=False))
        trustme.CA().issue_cert(login if "@" in login else f"{login}@mailproof.invalid").configure_cert(tls)
    trouble = await peer.handshake(tls)
    if trouble is not None:
        raise Undetermined(f"no TLS: {trouble}")
    answer = await peer.ask(b"STAT")
    return satisfied(answer) if answer.closed else answer.expect("-ERR", to="STAT after the handshake")


# TLS itself, and how it ends.


@case("pop3.stls.min-version", variants=VERSIONS)
async def old_versions_are_refused(peer: Pop3Peer, version: int) -> Judgement:
    """A client that knows no more than TLS 1.0, or 1.1, is refused."""
    if peer.subject.endpoint.implicit_tls:
        await peer.connect(tls=False)
    else:
        await in_clear(peer)
        await peer.control(b"STLS")
    flight = await flight_after(peer, client_hello(version, USUAL_CBC))
    return judge_refusal(flight, f"no more than TLS 1.{version - TLS_1_0}")


@case("pop3.stls.close-notify", variants={"before-login": False, "after-login": True})
async def the_end_is_announced(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """After QUIT inside TLS the server sends close_notify before it closes."""
    if logged_in:
        await peer.maildrops()
    await in_tls(peer)
    if logged_in:
        await peer.log_in()
    Pop3Peer.must(await peer.quit(), to=b"QUIT")
    answer = await peer.answer()
    if answer.ended is not Ended.CLOSED:
        raise Undetermined(f"{answer} after QUIT")
    return violated(f"{answer}, {answer.detail}", "close_notify") if answer.detail else satisfied(answer)


@case("pop3.stls.truncation", variants={"cut": True, "close-notify": False})
async def what_is_cut_off_deletes_nothing(peer: Pop3Peer, cut: bool) -> Judgement:
    """A connection that ends inside TLS without QUIT deletes nothing, though DELE was said."""
    peer.may_destroy()
    await peer.prepare(least=1)
    await in_tls(peer)
    await peer.log_in()
    before = (await peer.unique_ids()).get(1)
    if before is None:
        raise Undetermined("UIDL lists no message 1")
    await peer.control(b"DELE 1")
    await (peer.reset() if cut else peer.hang_up())
    again = peer.another()
    await again.log_in()
    kept = before in (await again.unique_ids()).values()
    await again.quit()
    return satisfied("kept") if kept else violated("deleted without QUIT", "kept")
