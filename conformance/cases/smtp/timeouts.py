"""How long a server waits for its client (RFC 5321 §4.5.3.2.7), and what it does when it no longer does.

The times are the RFC's, times the scale that was declared (timers.scale). Who has no time leaves `--slow` away.
"""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

COMMAND_S: Final = 300.0             # RFC 5321 §4.5.3.2.7
BLOCK_S: Final = 180.0               # RFC 5321 §4.5.3.2.5: what a client allows for a part of the data
LONGEST_S: Final = 1_000.0           # a server that still waits is none that times out soon
NEARLY: Final = 0.99                 # of a time: the server began to count before we did
DRIP_S: Final = 20.0
SUBMISSION_S: Final = 120.0          # RFC 6409 §5.3
GREETING_S: Final = 300.0            # RFC 5321 §4.5.3.2.1: a client's patience


async def nothing_for(peer: SmtpPeer, seconds: float) -> Answer:
    """Say nothing for nearly so long, by the declared scale, and return what the server does."""
    return await peer.answer(NEARLY * seconds * peer.subject.declared.timers.scale)


def waited(answer: Answer, peer: SmtpPeer, seconds: float) -> Judgement:
    """Judge what a server did while nothing was said: it must only have waited."""
    expected = f"silence for {seconds * peer.subject.declared.timers.scale:.4g} s"
    if answer.silent:
        return satisfied(answer, expected)
    return violated(f"{answer} after {answer.waited_s:.4g} s", expected)


@case("smtp.timeout.idle-command", asks_for_the_end=True)
async def a_silent_client_has_five_minutes(peer: SmtpPeer) -> Judgement:
    """A server waits five minutes for the next command."""
    await peer.hello()
    await peer.control(b"NOOP")
    return waited(await nothing_for(peer, COMMAND_S), peer, COMMAND_S)


@case("smtp.timeout.idle-in-transaction", asks_for_the_end=True)
async def five_minutes_inside_a_transaction_too(peer: SmtpPeer) -> Judgement:
    """A server waits five minutes for the next command inside a transaction too."""
    await peer.begin_transaction()
    return waited(await nothing_for(peer, COMMAND_S), peer, COMMAND_S)


@case("smtp.timeout.idle-in-data", asks_for_the_end=True)
async def three_minutes_inside_the_data(peer: SmtpPeer) -> Judgement:
    """A server waits three minutes for more of the mail data."""
    await peer.begin_mail_data()
    await peer.send(peer.another_message())
    return waited(await nothing_for(peer, BLOCK_S), peer, BLOCK_S)


async def the_end(peer: SmtpPeer) -> Answer:
    """Say nothing until the server has had enough, and return what it does first."""
    answer = await nothing_for(peer, LONGEST_S)
    if answer.silent:
        raise NotApplicable(f"{answer}: it waits for longer than this case does")
    return answer


@case("smtp.timeout.421-first", asks_for_the_end=True)
async def who_is_given_up_is_told(peer: SmtpPeer) -> Judgement:
    """A server that will wait no longer says 421 before it closes."""
    await peer.hello()
    await peer.control(b"NOOP")
    answer = await the_end(peer)
    got = f"{answer} after {answer.waited_s:.4g} s"
    return (satisfied if answer.matches("421") else violated)(got, "421, then a close")


@case("smtp.timeout.idle-after-data-not-delivered", asks_for_the_end=True)
async def half_a_message_is_none(peer: SmtpPeer) -> Judgement:
    """A message whose end never came is not delivered when the server has waited long enough."""
    await peer.begin_mail_data()
    await peer.send(peer.message())
    answer = await the_end(peer)
    if answer.reply is not None:
        await peer.answer(peer.subject.quiet_s)
    arrived = await peer.stored_before_a_later_one()
    got = f"{answer} after {answer.waited_s:.4g} s"
    return violated(f"{got}; {len(arrived)} messages arrived", "none") if arrived else satisfied(got)


@case("smtp.timeout.drip-command", asks_for_the_end=True)
async def a_dripping_command_comes_to_an_end(peer: SmtpPeer) -> Judgement:
    """A command that comes an octet every twenty seconds is answered, or the session is ended."""
    await peer.hello()
    await peer.control(b"NOOP")
    for octet in b"NOOP\r\n":
        await peer.send(bytes([octet]))
        answer = await peer.answer(DRIP_S * peer.subject.declared.timers.scale)
        if not answer.silent:
            return satisfied(answer)
    answer = await peer.answer()
    return weakened(answer, "an answer, or the end") if answer.silent else satisfied(answer)


@case("smtp.timeout.submission-2min", limit_s=900.0, asks_for_the_end=True)
async def submissions_are_answered_soon(peer: SmtpPeer) -> Judgement:
    """Who submits mail has every answer within two minutes."""
    await peer.hello()
    if peer.extensions.starttls and not peer.extensions.auth:
        await peer.start_tls()
    await peer.log_in()
    slowest_s = 0.0
    mail, rcpt = (b"MAIL FROM:<" + peer.sender + b">\r\n", b"RCPT TO:<" + peer.recipient + b">\r\n")
    for said in (mail, rcpt, b"DATA\r\n", stuff(peer.another_message())):
        await peer.send(said)
        answer = await peer.answer(SUBMISSION_S)
        if answer.silent:
            return violated(f"{answer} to {said[:4].decode()}", "an answer within 2 minutes")
        if not (answer.yes or answer.go_on):
            return undetermined(f"{answer} to {said[:4].decode()}")
        slowest_s = max(slowest_s, answer.waited_s)
    return satisfied(f"{slowest_s:.3g} s at most")


@case("smtp.timeout.greeting-5min", limit_s=GREETING_S + 60, asks_for_the_end=True)
async def how_long_the_greeting_takes(peer: SmtpPeer) -> Judgement:
    """How long the greeting takes is recorded; a client waits for five minutes."""
    answer = await peer.answer(GREETING_S)
    return observed(f"{answer} after {answer.waited_s:.3g} s")
