"""The server's pace under a load: asked for again, and again for as long as it is judged."""

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

import trio

from conformance.answer import Answer
from conformance.judgement import NotApplicable, Undetermined
from conformance.peer import SmtpPeer
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.pop3_sounding import measure_pop3
from conformance.pressure import Pressure
from conformance.sounding import measure
from conformance.subject import Subject
from reports.errors import PreconditionFailed

ROUND_S: Final = 0.25                # between two sessions that measure
TRIES: Final = 5                     # to have a session at all
PAUSE_S: Final = 1.0                 # between two of them


async def time_again(subject: Subject) -> None:
    """Measure a sounded server's pace now that a load goes on; the slower of before and now counts.

    Raises PreconditionFailed if no session can be had to measure it in.
    """
    before, trouble = subject.found, ""
    for _ in range(TRIES):
        async with AsyncExitStack() as stack:
            try:
                await (measure_pop3 if subject.is_pop3 else measure)(subject, stack)
            except Undetermined as error:
                trouble = str(error)
            else:
                latency_s = max(before.latency_s, subject.found.latency_s)
                slowest_s = max(before.slowest_s, subject.found.slowest_s)
                subject.found = replace(subject.found, latency_s=latency_s, slowest_s=slowest_s)
                return
        await trio.sleep(PAUSE_S)
    raise PreconditionFailed(f"{subject.endpoint} cannot be judged under this load: {trouble}")


async def keep_pace(subject: Subject, pressure: Pressure) -> None:
    """Measure the server's answers to plain commands in short sessions of our own. Runs until cancelled.

    Short, because some servers count commands that bring no mail, and hold them against a client.
    """
    token = f"{subject.run_token}-pace"
    while True:
        async with AsyncExitStack() as stack:
            try:
                if subject.is_pop3:
                    await _pop3_session(Pop3Peer(subject, token, stack), pressure)
                else:
                    await _smtp_session(SmtpPeer(subject, token, stack), pressure)
            except (Undetermined, NotApplicable):
                pressure.turned_away += 1
            finally:
                pressure.asked_s = None
        await trio.sleep(ROUND_S)


async def _smtp_session(peer: SmtpPeer, pressure: Pressure) -> None:
    """Go through what most cases go through. A refusal is an answer."""
    pressure.asked_s = trio.current_time()
    if not _timed(await peer.answer(), pressure).yes:
        pressure.turned_away += 1
        return
    found = peer.subject.found
    commands = [peer.hello_line, b"NOOP"]
    if found.sender is not None and found.recipients:
        commands += [b"MAIL FROM:<" + peer.sender + b">", b"RCPT TO:<" + peer.recipient + b">", b"RSET"]
    for command in (*commands, b"QUIT"):
        pressure.asked_s = trio.current_time()
        answer = _timed(await peer.ask(command), pressure)
        if answer.reply is None:
            return


async def _pop3_session(peer: Pop3Peer, pressure: Pressure) -> None:
    pressure.asked_s = trio.current_time()
    greeting = await peer.answer()
    _note(greeting, pressure)
    if not greeting.ok:
        pressure.turned_away += 1
        return
    for command in (b"CAPA", b"QUIT"):
        pressure.asked_s = trio.current_time()
        answer = await peer.ask(command)
        _note(answer, pressure)
        if answer.response is None:
            return


def _timed(answer: Answer, pressure: Pressure) -> Answer:
    _note(answer, pressure)
    return answer


def _note(answer: Answer | Pop3Answer, pressure: Pressure) -> None:
    """Note how long an answer took: of a silence, how long it was."""
    if answer.silent or answer.ended is None:
        pressure.heard(answer.waited_s)
