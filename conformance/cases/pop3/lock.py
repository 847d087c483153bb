"""The exclusive-access lock of a maildrop (RFC 1939 §4)."""

from typing import Final

import trio

from conformance.case import case
from conformance.cases.pop3.quit import Left, freed, names_in_the_next_session, names_of
from conformance.cases.pop3.responses import substance
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    diverged,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

LOGINS_AT_ONCE: Final = 50
SEEN_ALIKE: Final = (b"STAT", b"LIST", b"RETR 1", b"RETR 2")


async def come_too(peer: Pop3Peer) -> tuple[Pop3Peer, Pop3Answer]:
    """Log in to a maildrop that a session of the case holds; return the second session and the answer."""
    second = peer.another()
    return second, await second.try_log_in()


@case("pop3.lock.exclusive")
async def one_session_holds_the_maildrop(peer: Pop3Peer) -> Judgement:
    """While a session holds a maildrop nobody else is let in, or nobody sees anything of the other."""
    peer.may_destroy()
    await peer.open(least=3)
    second, answer = await come_too(peer)
    expected = "-ERR to the second login"
    if answer.err and answer.code.startswith(b"LOGIN-DELAY"):
        return undetermined(answer, expected)
    if answer.err:
        return satisfied(answer, expected)
    if answer.silent:                        # it may be made to wait until the first has gone
        await peer.quit()
        later = await second.answer()
        return (declined if later.ok else undetermined)(f"{answer}, and {later} once the first had quit", expected)
    if not answer.ok:
        return undetermined(answer, expected)
    before = [await second.ask(command) for command in SEEN_ALIKE]
    await peer.control(b"DELE 1")
    after = [await second.ask(command) for command in SEEN_ALIKE]
    await peer.ask(b"RSET")
    for command, one, other in zip(SEEN_ALIKE, before, after, strict=True):
        if substance(one) != substance(other):
            got = f"both were let in, and DELE 1 in the first made {other} of {one} to {command.decode()} in the second"
            return violated(got, expected)
    return diverged(f"{answer}, and neither sees anything of the other", expected)


@case("pop3.lock.in-use-code")
async def a_lock_says_what_it_is(peer: Pop3Peer) -> Judgement:
    """A login that is refused because of the lock says [IN-USE]."""
    await peer.open()
    _, answer = await come_too(peer)
    if answer.ok:
        raise NotApplicable("a second session is let in")
    if answer.response is None or answer.code.startswith(b"LOGIN-DELAY"):
        return undetermined(answer, "-ERR [IN-USE]")
    if answer.code.partition(b"/")[0] == b"IN-USE":
        return satisfied(answer, "-ERR [IN-USE]")
    codes = "RESP-CODES" in peer.subject.found.keywords          # else brackets are mere text (RFC 2449 §6.4)
    return (violated if answer.code and codes else declined)(answer, "-ERR [IN-USE]")


@case("pop3.lock.other-users", alone=True)
async def a_lock_is_of_one_maildrop(peer: Pop3Peer) -> Judgement:
    """While one maildrop is held others can be logged in to."""
    await peer.maildrops(2)
    await peer.log_in()
    expected = "+OK to the login of another user"
    try:
        await peer.another().log_in(at=1)
    except Undetermined as why:
        await peer.quit()
        await peer.another().log_in(at=1)        # the control: it works when nothing is held
        return violated(f"{why}, while another maildrop was held", expected)
    return satisfied("+OK", expected)


@case("pop3.lock.both-quit")
async def two_updates_remove_one_message(peer: Pop3Peer) -> Judgement:
    """Where two sessions are let in and both delete a message, that one is removed and no other."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await names_of(peer)
    second, answer = await come_too(peer)
    if not answer.ok:
        raise NotApplicable("a second session is not let in")
    await peer.control(b"DELE 1")
    await second.control(b"DELE 1")
    await peer.control(b"QUIT")
    await second.quit()
    return Left.of(before, await names_in_the_next_session(peer), (1,)).judge()


@case("pop3.lock.storm", alone=True)
async def many_logins_leave_no_lock(peer: Pop3Peer) -> Judgement:
    """Of fifty logins at once one is let in where a second one would not be, and afterwards one can log in again."""
    await peer.open()
    _, while_held = await come_too(peer)
    await peer.control(b"QUIT")
    sessions = [peer.another() for _ in range(LOGINS_AT_ONCE)]
    let_in: list[Pop3Peer] = []

    async def come(session: Pop3Peer) -> None:
        try:
            if (await session.try_log_in()).ok:
                let_in.append(session)
        except Undetermined:                 # no connection, or no greeting: the server has enough of us
            return

    async with trio.open_nursery() as nursery:
        for session in sessions:
            nursery.start_soon(come, session)
    for session in let_in:
        await session.quit()
    answer, waited_s = await freed(peer)
    got = f"{len(let_in)} of {LOGINS_AT_ONCE} were let in; {answer} to a login {waited_s:.3g} s later"
    expected = "one at most, and +OK to a login later" if while_held.err else "+OK to a login later"
    sound = answer.ok and (len(let_in) <= 1 or not while_held.err)
    return (satisfied if sound else violated)(got, expected)
