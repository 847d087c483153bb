"""What CAPA says of a site's rules: how often one may log in, and how long mail is kept (RFC 2449 §6.5, §6.7)."""

import re
from typing import Final

import trio

from conformance.case import case
from conformance.cases.pop3.offers import required
from conformance.judgement import (
    Judgement,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import PLAIN

WAITED_FOR_S: Final = 60             # longer delays are believed
AGAIN_S: Final = 0.2                  # between two looks into a maildrop
MARGIN_S: Final = 0.5                # for a server that counts whole seconds, and from the end of a session
_EXPIRE: Final = re.compile(r"(?:NEVER|[0-9]+)(?: USER)?", re.IGNORECASE)


async def _login(peer: Pop3Peer) -> Pop3Answer:
    """Log in and leave at once, in a session of its own; return the answer to the login, asked for once."""
    session = peer.another()
    answer = await session.try_log_in()
    if answer.ok:
        await session.quit()
    return answer


@case("pop3.login-delay.honest", limit_s=WAITED_FOR_S + 60)
async def logins_may_be_too_many(peer: Pop3Peer) -> Judgement:
    """Who logs in again within LOGIN-DELAY is refused, and is not refused once it is over."""
    answer = await _login(peer)
    words = (peer.subject.found.pop3.capabilities or {}).get("LOGIN-DELAY", ())
    if not words or not words[0].isdigit():
        raise Undetermined(f"LOGIN-DELAY {' '.join(words)}".strip())
    delay_s = int(words[0])
    if not answer.ok and delay_s <= WAITED_FOR_S:        # somebody was here before
        await peer.pause(delay_s + MARGIN_S)
        answer = await _login(peer)
    Pop3Peer.must(answer, to=b"the first login")
    early = await _login(peer)
    if early.response is None or delay_s == 0:
        return undetermined(f"{early} at once, LOGIN-DELAY {delay_s}")
    if early.ok:
        return violated(f"{early} at once, LOGIN-DELAY {delay_s}", "-ERR")
    if delay_s > WAITED_FOR_S:
        return satisfied(f"{early} at once; {delay_s} s were not waited for")
    await peer.pause(delay_s + MARGIN_S)
    late = await _login(peer)
    got = f"{early} at once, {late} after {delay_s} s"
    return satisfied(got) if late.ok else declined(got, "+OK after the delay")


@case("pop3.expire.form", variants={"before-login": False, "after-login": True})
async def how_long_mail_is_kept(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """EXPIRE has a number of days or NEVER, and perhaps USER behind it."""
    if logged_in:
        await peer.log_in()
    else:
        await peer.prelude()
    said = " ".join(await required(peer, "EXPIRE"))
    return (satisfied if _EXPIRE.fullmatch(said) else violated)(f"EXPIRE {said}", "EXPIRE NEVER, or a number of days")


async def _unique_ids(peer: Pop3Peer) -> tuple[bytes, ...]:
    return tuple((await peer.unique_ids()).values())


async def _with_a_message(peer: Pop3Peer) -> tuple[Pop3Peer, tuple[bytes, ...]]:
    """Deliver a message, and return a session that sees it: nothing was retrieved before."""
    await peer.deliver(PLAIN)
    deadline = trio.current_time() + peer.subject.declared.timers.delivery
    while True:
        await (session := peer.another()).log_in()
        if there := await _unique_ids(session):
            return session, there
        await session.quit()
        if trio.current_time() >= deadline:
            raise Undetermined("a message was taken and did not arrive in the time allowed (timers.delivery)")
        await session.pause(AGAIN_S)


@case("pop3.expire.zero")
async def mail_is_kept_as_long_as_promised(peer: Pop3Peer) -> Judgement:
    """What was retrieved, and not deleted, stays, unless EXPIRE is 0."""
    peer.may_destroy()               # EXPIRE 0 is a leave to delete (RFC 2449 §6.7)
    await peer.log_in()
    days = (await required(peer, "EXPIRE"))[:1]
    before = await _unique_ids(peer)
    if not before:
        await peer.quit()
        peer, before = await _with_a_message(peer)
    await peer.control(b"RETR 1")
    await peer.control(b"QUIT")
    peer.forget_maildrop()
    again = peer.another()
    await again.log_in()
    stays = before[0] in await _unique_ids(again)
    await again.quit()
    got = f"{'kept' if stays else 'gone'} after RETR and QUIT, EXPIRE {' '.join(days)}"
    if days == ("0",):
        return satisfied(got)
    return satisfied(got) if stays else violated(got, "kept")
