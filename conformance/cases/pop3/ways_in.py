"""Logging in as the question itself: a login that is refused is only believed where the usual one is not."""

from collections.abc import Awaitable, Callable

from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_login import WAYS
from conformance.pop3_peer import AGAIN_S, Pop3Peer

LogIn = Callable[[Pop3Peer], Awaitable[Pop3Answer]]      # from where one may log in; returns the last answer


def by(way: str) -> LogIn:
    """Return how one logs in by one of conformance.pop3_login.WAYS."""

    async def log_in(peer: Pop3Peer) -> Pop3Answer:
        login, password = await peer.login()
        return await WAYS[way](peer.ask, login, password, peer.timestamp)

    return log_in


def way_in(peer: Pop3Peer) -> str:
    """Return the way in that the sounding found; Undetermined without one."""
    way = peer.subject.found.pop3.way_in
    if way is None:
        raise Undetermined("nobody could log in as the first of accounts.pop3")
    return way


async def judge_login(peer: Pop3Peer, log_in: LogIn, to: str) -> Judgement:
    """Judge a login that has to work where the usual one does: its refusal, and no answer at all, violate.

    It is tried in sessions of its own, more than once: the lock of the session before may linger, and a server may
    want some time between two logins (RFC 2449 §6.5).
    """
    way_in(peer)
    await peer.login()           # a session that was begun would not wait for other cases
    answer = Pop3Answer()
    for pause_s in (*AGAIN_S, 0.0):
        session = peer.another()
        await session.prelude()
        answer = await log_in(session)
        if answer.ok:
            return satisfied(f"{answer} to {to}")
        if answer.silent:
            break
        if answer.response is None and not answer.closed:
            return undetermined(f"{answer} to {to}")
        await session.quit()
        await session.pause(pause_s)
    control = peer.another()
    await control.log_in()
    await control.quit()
    if answer.not_now:
        return undetermined(f"{answer} to {to}")
    return violated(f"{answer} to {to}", "+OK, as to the usual login")


def judge_no_login(answer: Pop3Answer, to: str) -> Judgement:
    """Judge the answer to a login that must let nobody in; a close lets nobody in either."""
    if answer.closed:
        return satisfied(f"{answer} instead of answering {to}")
    return answer.expect("-ERR", to=to)
