"""QUIT: 221, and then the server closes (RFC 5321 §4.1.1.10)."""

from typing import Final

from conformance.answer import Ended
from conformance.case import case
from conformance.judgement import Judgement, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

CLOSES_WITHIN_S: Final = 10.0


@case("smtp.quit.replies-221")
async def quit_is_answered_221(peer: SmtpPeer) -> Judgement:
    """QUIT is answered 221."""
    await peer.open()
    answer = await peer.quit()
    if answer.closed:
        return violated(f"{answer} without an answer to QUIT", "221 to QUIT")
    return answer.expect("221", to="QUIT")


@case("smtp.quit.closes")
async def the_server_closes_after_quit(peer: SmtpPeer) -> Judgement:
    """After its 221 the server closes the connection, and runs no command any more."""
    await peer.open()
    await peer.control(b"QUIT", "221")
    answer = await peer.answer(CLOSES_WITHIN_S)
    if answer.closed:
        return satisfied(answer)
    # It is late, which the RFC sets no limit for; but is it still at work?
    after = await peer.ask(b"NOOP")
    return violated(f"{answer}, then {after} to NOOP", "a close") if after.reply is not None else satisfied(after)


@case("smtp.quit.clean-close")
async def how_the_server_closes(peer: SmtpPeer) -> Judgement:
    """The server may close in good order or by a reset."""
    await peer.open()
    await peer.control(b"QUIT", "221")
    answer = await peer.answer(CLOSES_WITHIN_S)
    return observed("a reset" if answer.ended is Ended.RESET else answer)


@case("smtp.quit.before-ehlo")
async def quit_needs_no_hello(peer: SmtpPeer) -> Judgement:
    """QUIT may be said before EHLO."""
    await peer.greet()
    return (await peer.quit()).expect("221", to="QUIT before EHLO")


@case("smtp.quit.aborts")
async def quit_delivers_nothing(peer: SmtpPeer) -> Judgement:
    """A transaction that QUIT cuts short delivers nothing."""
    await peer.open()
    await peer.control(b"MAIL FROM:<" + peer.marked_sender + b">")
    await peer.rcpt()
    await peer.control(b"QUIT", "221")
    arrived = await peer.stored_before_a_later_one()
    return violated(f"{len(arrived)} messages arrived", "none") if arrived else satisfied("nothing arrived")


@case("smtp.quit.host-word")
async def whom_quit_says_goodbye_from(peer: SmtpPeer) -> Judgement:
    """The text of 221 may begin with the host's name."""
    await peer.open()
    answer = await peer.quit()
    return observed(answer) if answer.reply is not None else undetermined(answer)
