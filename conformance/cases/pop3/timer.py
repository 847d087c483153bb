"""The autologout timer (RFC 1939 §3), and clients that read slowly.

The times are the RFC's, times the scale that was declared (timers.scale). Each case has a maildrop of its own while it
waits: with as many accounts as there are slow cases, and one more, all of them wait side by side.
"""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.quit import names_in_the_next_session, names_of
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import Sample

IDLE_S: Final = 590.0                # RFC 1939 §3: at least ten minutes; the server began to count before we did
STEP_S: Final = 240.0                # between two commands that ought to start the timer anew
STEPS: Final = 4
AT_ONCE: Final = 0.1                 # of a step: a server that closes so soon has had enough of errors, not of silence
LONGEST_S: Final = 2_000.0           # a server that still waits has no autologout that a run could wait for
SLOW_S: Final = 660.0                # a download that takes longer than the timer
READINGS: Final = 22
AWAY_S: Final = 30.0                 # how long a client does not read at all
BULK_OCTETS: Final = 16 << 20        # more than the kernels between keep for a client that does not read
PIECE_OCTETS: Final = 1 << 16        # may come at one reading
LIMIT_S: Final = 3_600.0


def scaled(peer: Pop3Peer, seconds: float) -> float:
    """Return a time of the RFC's by the declared scale."""
    return seconds * peer.subject.declared.timers.scale


@case("pop3.timer.min-10", limit_s=LIMIT_S, asks_for_the_end=True)
async def a_silent_client_has_ten_minutes(peer: Pop3Peer) -> Judgement:
    """A session in which nothing is said lasts ten minutes."""
    await peer.open()
    return await _waits(peer, "NOOP")


async def _waits(peer: Pop3Peer, word: str) -> Judgement:
    """Say nothing for nearly ten minutes, and judge whether the server is there still."""
    wait_s = scaled(peer, IDLE_S)
    expected = f"+OK to {word} after {wait_s:.4g} s"
    silence = await peer.answer(wait_s)
    if not silence.silent:
        return violated(f"{silence} after {silence.waited_s:.4g} s", expected)
    answer = await peer.ask(word.encode())
    if answer.closed:
        return violated(f"{answer} after {wait_s:.4g} s of silence", expected)
    return answer.expect("+OK", to=f"{word} after {wait_s:.4g} s of silence")


@case("pop3.timer.min-10", variants={"marked": None}, limit_s=LIMIT_S, asks_for_the_end=True)
async def whatever_has_been_said(peer: Pop3Peer, _: None) -> Judgement:
    """A session in which something was read and marked lasts ten minutes as well."""
    peer.may_destroy()
    await peer.open(least=2)
    await peer.control(b"RETR 1")
    await peer.control(b"DELE 2")
    judgement = await _waits(peer, "RSET")
    await peer.quit()
    return judgement


@case("pop3.timer.reset-by-command", limit_s=LIMIT_S, asks_for_the_end=True)
async def a_command_starts_the_timer_anew(peer: Pop3Peer) -> Judgement:
    """A session in which a command comes every four minutes lasts longer than ten."""
    await peer.open()
    return await _kept_alive(peer, b"NOOP")


@case("pop3.timer.reset-by-error", limit_s=LIMIT_S, asks_for_the_end=True)
async def so_does_a_command_that_is_refused(peer: Pop3Peer) -> Judgement:
    """A command that is refused starts the timer anew as well."""
    await peer.open()
    return await _kept_alive(peer, b"XNOOP")


async def _kept_alive(peer: Pop3Peer, command: bytes) -> Judgement:
    """Say a command every four minutes, and judge whether it is answered each time."""
    step_s = scaled(peer, STEP_S)
    expected = f"an answer to {command.decode()} every {step_s:.4g} s"
    for at in range(1, STEPS + 1):
        silence = await peer.answer(step_s)
        if not silence.silent:
            got = f"{silence} {silence.waited_s:.4g} s after command {at - 1} of one every {step_s:.4g} s"
            return (undetermined if silence.waited_s < AT_ONCE * step_s else violated)(got, expected)
        answer = await peer.ask(command)
        if answer.response is None:
            gone = f"{answer} to {command.decode()} after {at * step_s:.4g} s"
            if not answer.closed:
                raise Undetermined(gone)
            return violated(gone, expected)
    return satisfied(f"{answer} after {STEPS * step_s:.4g} s", expected)


async def _the_end(peer: Pop3Peer) -> Pop3Answer:
    """Say nothing until the server has had enough, and return what it does first."""
    answer = await peer.answer(scaled(peer, LONGEST_S))
    if answer.silent:
        raise NotApplicable(f"{answer}: it waits for longer than this case does")
    return answer


@case("pop3.timer.no-delete", limit_s=LIMIT_S, asks_for_the_end=True)
async def an_autologout_removes_nothing(peer: Pop3Peer) -> Judgement:
    """What was marked is still there when the server has logged its client out."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await names_of(peer)
    await peer.control(b"DELE 1")
    end = await _the_end(peer)
    if not end.closed:
        await peer.answer()
    after = await names_in_the_next_session(peer)
    got = f"{end} after {end.waited_s:.4g} s; {len(after)} of {len(before)} messages are there"
    return (satisfied if before[0] in after else violated)(got, f"all {len(before)} messages")


@case("pop3.timer.silent-close", limit_s=LIMIT_S, asks_for_the_end=True)
async def an_autologout_says_nothing(peer: Pop3Peer) -> Judgement:
    """A server that logs its client out closes without a word."""
    await peer.open()
    end = await _the_end(peer)
    got = f"{end} after {end.waited_s:.4g} s"
    return (satisfied if end.closed else violated)(got, "a close, and nothing sent")


@case("pop3.retr.slow-reader", limit_s=LIMIT_S)
async def a_client_may_stop_reading(peer: Pop3Peer) -> Judgement:
    """A message comes whole when its client stops reading for half a minute."""
    sample, number = await _large(peer)
    await peer.send(b"RETR %d\r\n" % number)
    await peer.pause(AWAY_S)
    return await _whole(peer, sample, number, f"the whole message after {AWAY_S:.4g} s in which nothing was read")


@case("pop3.timer.during-retr", limit_s=LIMIT_S)
async def a_slow_download_is_no_silence(peer: Pop3Peer) -> Judgement:
    """A message comes whole when reading it takes longer than the timer."""
    sample, number = await _large(peer)
    took_s = scaled(peer, SLOW_S)
    await peer.send(b"RETR %d\r\n" % number)
    heard = 0
    for reading in range(1, READINGS + 1):
        await peer.pause(took_s / READINGS)
        while heard + PIECE_OCTETS <= len(sample.body) * reading // READINGS:
            came = await peer.hear(peer.subject.reply_s)
            if not came:
                break
            heard += came
    return await _whole(peer, sample, number, f"the whole message, read in {took_s:.4g} s")


async def _large(peer: Pop3Peer) -> tuple[Sample, int]:
    """Log in to a maildrop in which a message lies that no kernel keeps for us, and return it and its number."""
    peer.may_destroy()
    sample = peer.largest(BULK_OCTETS)
    return sample, await peer.with_one_more(sample)


async def _whole(peer: Pop3Peer, sample: Sample, number: int, expected: str) -> Judgement:
    """Judge the rest of a RETR that was asked, and remove the message."""
    answer = await peer.answer(multi_line=True)
    if answer.ok:
        await peer.ask(b"DELE %d" % number)
        await peer.quit()
        got = answer.body.partition(b"\r\n\r\n")[2]
        return (satisfied if len(got) == len(sample.body) else violated)(f"{len(got)} octets of body", expected)
    if answer.closed:
        return violated(f"{answer} before the end of the message", expected)
    return answer.expect("+OK", to=f"RETR {number}")
