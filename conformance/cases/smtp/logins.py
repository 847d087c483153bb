"""Logging in: what the cases of AUTH and of the SASL mechanisms have in common (RFC 4954 §4)."""

from base64 import b64encode
from typing import Final

from conformance.answer import Answer
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import MECHANISMS, SmtpPeer
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.sasl import decode_challenge

NOT_NOW: Final = ("535", "530", "534", "538")                # the login may have been declared wrongly
BAD_LOGIN: Final = "535"


async def ready_for(peer: SmtpPeer, mechanism: str) -> None:
    """Come to where AUTH may be said with a mechanism, in TLS if it is only offered there."""
    await peer.hello()
    wants_tls = peer.subject.declared.session.tls == "starttls" or mechanism not in peer.extensions.auth
    if wants_tls and peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    if mechanism not in peer.extensions.auth:
        raise NotApplicable(f"{mechanism} is not offered")


async def begin(peer: SmtpPeer, mechanism: str = "PLAIN") -> Answer:
    """Come to where a mechanism awaits the first response; return the answer that asks for it."""
    await ready_for(peer, mechanism)
    answer = await peer.ask(f"AUTH {mechanism}".encode())
    peer.must(answer, "334", to=f"AUTH {mechanism}".encode())
    return answer


async def respond(peer: SmtpPeer, octets: bytes) -> Answer:
    """Send a response in base64, and return the answer."""
    return await peer.ask(b64encode(octets))


def challenge_of(answer: Answer) -> bytes:
    """Return what a challenge says."""
    assert answer.reply is not None
    try:
        return decode_challenge(answer.reply.text)
    except RemoteProtocolError as error:
        raise Undetermined(f"{answer}: {error.why}") from None


def plain_message(login: str, password: str, *, actor: str = "") -> bytes:
    """Return PLAIN's one message in base64 (RFC 4616 §2)."""
    return b64encode(f"{actor}\0{login}\0{password}".encode())


async def log_in_once(peer: SmtpPeer, mechanism: str = "PLAIN") -> None:
    """Log in, in a session of its own: the control of what must not let in."""
    other = peer.another()
    await ready_for(other, mechanism)
    await other.log_in(mechanism.lower())
    await other.quit()


async def judge_login(peer: SmtpPeer, answer: Answer, mechanism: str, to: str) -> Judgement:
    """Judge the answer to the right login.

    535 may be due to a wrong declaration: it violates where another mechanism takes the same login.
    """
    if not answer.matches(*NOT_NOW):
        return answer.expect("235", to=to)
    others = [name for name in MECHANISMS if name.upper() != mechanism and name.upper() in peer.extensions.auth]
    for other in others if answer.matches(BAD_LOGIN) else ():
        try:
            await log_in_once(peer, other.upper())
        except (Undetermined, NotApplicable):
            continue
        return violated(f"{answer} to {to}, and AUTH {other.upper()} lets in", "235")
    return undetermined(f"{answer} to {to}", "235")


def judge_refusal(answer: Answer, to: str) -> Judgement:
    """Judge an answer that must not let anybody in."""
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("5yz", "4yz", to=to)
