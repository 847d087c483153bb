"""Groups of commands, however they are cut into segments or records (RFC 2920 §3.2)."""

import re
from typing import Final

import trio

from conformance.case import case
from conformance.cases.smtp.groups import (
    SHUT,
    as_lines,
    codes_of,
    judge_alike,
    mail_command,
    rcpt_command,
    ready_for_groups,
    send_one_by_one,
    take_answers,
)
from conformance.connection import APART_S
from conformance.judgement import Judgement, Undetermined, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

BIG_GROUP: Final = 512                       # commands of 512 octets: 256 KiB
CUTS_PER_SESSION: Final = 4                  # some servers mind many commands without mail
RECORDS: Final = re.compile(rb"[^\r\n]{1,7}\r?|\r|\n")


@case("smtp.pipe.split-anywhere")
async def segments_are_no_lines(peer: SmtpPeer) -> Judgement:
    """Where a group is cut into segments makes no difference."""
    await ready_for_groups(peer)
    commands = (mail_command(peer), rcpt_command(peer), b"RSET")
    for _ in range(CUTS_PER_SESSION):      # so often as they will be cut, which has to be lawful first
        single = await send_one_by_one(peer, *commands)
        if not all(answer.yes for answer in single):
            raise Undetermined(f"one by one: {codes_of(single)}")
    octets = as_lines(commands)
    for first in range(1, len(octets), CUTS_PER_SESSION):
        session = peer.another()
        await session.open()
        for at in range(first, min(first + CUTS_PER_SESSION, len(octets))):
            await session.send(octets[:at])
            await trio.sleep(APART_S)
            await session.send(octets[at:])
            judged = judge_alike(await take_answers(session, len(commands)), single)
            if judged.did != satisfied("").did:
                return judged
        await session.quit()
    return satisfied(f"{len(octets) - 1} cuts, alike")


@case("smtp.pipe.one-octet-writes")
async def octets_may_come_alone(peer: SmtpPeer) -> Judgement:
    """A session whose octets come one at a time goes like any other."""
    steps = (mail_command(peer), rcpt_command(peer), b"DATA", stuff(peer.another_message()).removesuffix(b"\r\n"))
    control = peer.another()
    await control.open()
    single = await send_one_by_one(control, *steps)
    await peer.open()
    answers = []
    for step in steps:
        await peer.send_one_by_one(step + b"\r\n")
        answers.append(await peer.answer())
    return judge_alike(answers, single)


@case("smtp.pipe.big-group", alone=True)
async def a_client_may_read_late(peer: SmtpPeer) -> Judgement:
    """256 KiB of commands from a client that reads late are all answered."""
    await ready_for_groups(peer)
    octets = (b"NOOP ".ljust(510, b"x") + b"\r\n") * BIG_GROUP
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.send, octets)
        await trio.sleep(peer.subject.quiet_s)
        answers = await take_answers(peer, BIG_GROUP)
        nursery.cancel_scope.cancel()
    if answers[-1].reply is not None and all(answer.yes for answer in answers):
        return satisfied(f"{len(answers)} answers")
    if any(answer.matches(SHUT, "5yz") for answer in answers):
        return declined(f"{len(answers)} answers, among them {next(a for a in answers if not a.yes)}")
    if await slows_idle_talkers(peer.another()):
        return undetermined("the server lets clients wait that say NOOP too often")
    return violated(f"{len(answers) - 1} answers, then it {answers[-1]}", f"{BIG_GROUP} answers")


async def slows_idle_talkers(peer: SmtpPeer) -> bool:
    """Say whether the server, asked so often and one by one, takes its time more and more."""
    await ready_for_groups(peer)
    for _ in range(BIG_GROUP):
        await peer.send(b"NOOP\r\n")
        if not (await peer.answer_or_silence()).yes:
            return True
    return False


@case("smtp.pipe.under-tls")
async def records_are_no_lines(peer: SmtpPeer) -> Judgement:
    """A group inside TLS is answered alike, wherever its records are cut."""
    commands = (b"RSET", mail_command(peer), rcpt_command(peer), b"RSET")
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()
    peer.require("PIPELINING")
    if peer.subject.declared.session.login:
        await peer.log_in()
    single = await send_one_by_one(peer, *commands)
    for record in RECORDS.findall(as_lines(commands)):
        await peer.send(record)
    return judge_alike(await take_answers(peer, len(commands)), single)
