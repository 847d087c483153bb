"""CRAM-MD5: a challenge that never comes back, and its digest under the password (RFC 2195 §2)."""

import hmac
import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import (
    begin,
    challenge_of,
    judge_login,
    judge_refusal,
    log_in_once,
    ready_for,
    respond,
)
from conformance.judgement import Judgement, declined, satisfied, violated, weakened
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

CRAM: Final = "CRAM-MD5"
MSG_ID: Final = re.compile(rb"<[^<>@\x00-\x20]+@[^<>@\x00-\x20]+>")     # RFC 822 msg-id
SESSIONS: Final = 8
CHALLENGES_OF_EACH: Final = 5        # each is cancelled, which servers count among errors


def _digest(password: str, challenge: bytes) -> bytes:
    return hmac.new(password.encode(), challenge, "md5").hexdigest().encode()


@case("sasl.cram.challenge-form")
async def the_challenge_is_a_message_id(peer: SmtpPeer) -> Judgement:
    """The challenge has the form <random.time@host>."""
    challenge = challenge_of(await begin(peer, CRAM))
    shown = printable(challenge, 120)
    return satisfied(shown) if MSG_ID.fullmatch(challenge) else violated(shown, "<random.time@host>")


@case("sasl.cram.challenge-unique")
async def no_challenge_comes_twice(peer: SmtpPeer) -> Judgement:
    """No challenge comes twice, in one session or in several."""
    sessions = [peer, *[peer.another() for _ in range(SESSIONS - 1)]]
    seen: dict[bytes, list[int]] = {}            # a challenge, and the sessions that it came in
    for session in sessions:
        await ready_for(session, CRAM)
    for _ in range(CHALLENGES_OF_EACH):
        for number, session in enumerate(sessions):
            answer = await session.ask(b"AUTH CRAM-MD5")
            session.must(answer, "334", to=b"AUTH CRAM-MD5")
            seen.setdefault(challenge_of(answer), []).append(number)
            session.must(await session.ask(b"*"), "5yz", to=b"*")
    for challenge, where in seen.items():
        if len(set(where)) > 1:
            return violated(f"{printable(challenge, 120)} came in {len(set(where))} sessions", "never the same")
    # Within a session nobody but the client itself could replay an answer.
    challenge, where = max(seen.items(), key=lambda item: len(item[1]))
    if len(where) > 1:
        return weakened(f"{printable(challenge, 120)} came {len(where)} times in one session", "never the same")
    return satisfied(f"{len(seen)} different ones")


async def _answered(peer: SmtpPeer, response: bytes) -> Answer:
    """Send a response in which {login} and {digest} stand for the right ones."""
    login, password = peer.login
    challenge = challenge_of(await begin(peer, CRAM))
    filled = response.replace(b"{login}", login.encode()).replace(b"{digest}", _digest(password, challenge))
    return await respond(peer, filled)


@case("sasl.cram.digest", variants={"right": b"{login} {digest}", "wrong": b"{login} " + b"0" * 32})
async def the_digest_proves_the_password(peer: SmtpPeer, response: bytes) -> Judgement:
    """The digest of the challenge under the password lets in, and no other."""
    answer = await _answered(peer, response)
    if b"{digest}" in response:
        return await judge_login(peer, answer, CRAM, "the right digest")
    return judge_refusal(answer, "a wrong digest")


@case("sasl.cram.digest", variants={"other-challenge": None})
async def the_digest_is_of_this_challenge(peer: SmtpPeer, _: None) -> Judgement:
    """The digest of another session's challenge lets nobody in."""
    await log_in_once(peer, CRAM)
    login, password = peer.login
    earlier = peer.another()
    stale = _digest(password, challenge_of(await begin(earlier, CRAM)))
    await begin(peer, CRAM)
    return judge_refusal(await respond(peer, login.encode() + b" " + stale), "the digest of an earlier challenge")


@case("sasl.cram.digest", variants={"upper-case": None})
async def digests_are_in_lower_case(peer: SmtpPeer, _: None) -> Judgement:
    """A digest in upper case need not be known."""
    login, password = peer.login
    challenge = challenge_of(await begin(peer, CRAM))
    answer = await respond(peer, login.encode() + b" " + _digest(password, challenge).upper())
    to = "the right digest in upper case"
    return declined(f"{answer} to {to}", "535") if answer.yes else judge_refusal(answer, to)


MALFORMED: Final = {"no-space": b"{login}{digest}", "no-login": b" {digest}", "empty": b"", "login-alone": b"{login} "}


@case("sasl.cram.malformed", variants=MALFORMED)
async def a_malformed_response_lets_nobody_in(peer: SmtpPeer, response: bytes) -> Judgement:
    """A response to CRAM-MD5 of another form is refused, and the session goes on."""
    return judge_refusal(await _answered(peer, response), "a malformed response")


@case("sasl.cram.malformed", variants={"short-digest": None})
async def half_a_digest_lets_nobody_in(peer: SmtpPeer, _: None) -> Judgement:
    """The first half of the right digest lets nobody in."""
    login, password = peer.login
    challenge = challenge_of(await begin(peer, CRAM))
    answer = await respond(peer, login.encode() + b" " + _digest(password, challenge)[:16])
    return judge_refusal(answer, "half of the digest")
