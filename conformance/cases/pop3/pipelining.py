"""PIPELINING: commands that do not wait for the answers to those before them (RFC 2449 §6.6)."""

from collections.abc import Sequence
from typing import Final

import trio

from conformance.case import case
from conformance.cases.pop3.sasl_exchange import WRONG, plain_message, ready_for
from conformance.connection import APART_S
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_connection import wants_lines
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.sasl import apop_digest

TIMES: Final = 1_000
Answers = list[Pop3Answer]

GROUPS: Final[dict[str, tuple[bytes, ...]]] = {
    "all": (b"STAT", b"LIST", b"UIDL", b"RETR 1", b"NOOP"),
    "errors": (b"STAT", b"RETR 999999", b"LIST", b"MAILPROOF", b"NOOP", b"TOP 1 0", b"LIST 1"),
    "capa-between": (b"LIST 1", b"CAPA", b"RETR 1", b"CAPA", b"STAT"),
    "dele-rset": (b"DELE 1", b"STAT", b"LIST 1", b"RSET", b"STAT", b"LIST 1"),
}


async def _each(peer: Pop3Peer, commands: Sequence[bytes]) -> Answers:
    """Ask one after the other."""
    return [await peer.ask(command) for command in commands]


async def _answers(peer: Pop3Peer, commands: Sequence[bytes]) -> Answers:
    """Return what is answered to commands that were sent before, up to the first that is not."""
    answers: Answers = []
    for command in commands:
        answers.append(await peer.answer(multi_line=wants_lines(command)))
        if answers[-1].response is None:
            break
    return answers


def _lines(commands: Sequence[bytes]) -> bytes:
    return b"".join(command + b"\r\n" for command in commands)


def _judge_alike(commands: Sequence[bytes], alone: Answers, together: Answers) -> Judgement:
    """Hold the answers to a group against those to the same commands, each said alone."""
    for command, one, other in zip(commands, alone, together, strict=False):
        to = command.decode()
        if other.response is None:
            got = f"{other} to {to}, number {len(together)} of {len(commands)} in one segment"
            if other.closed and any(before.err for before in together):
                return undetermined(got)         # it may have been one error too many
            return violated(got, str(one)) if other.closed or other.silent else undetermined(got)
        if one.ok != other.ok or _gist(command, one) != _gist(command, other):
            return violated(f"{other} to {to} in a group, {one} to it alone", "the same")
    return satisfied(f"{len(together)} answers, in order")


def _gist(command: bytes, answer: Pop3Answer) -> tuple[bytes, ...]:
    """Return what tells an answer from those to other commands: no words, and no sizes, which some servers estimate."""
    verb = command.partition(b" ")[0]
    if not answer.ok or verb not in {b"STAT", b"LIST", b"UIDL", b"RETR", b"TOP", b"CAPA"}:
        return ()
    if verb in {b"RETR", b"TOP"}:
        return answer.lines[-1:]
    return tuple(line.split(b" ")[0] for line in answer.lines or (answer.text,))


@case("pop3.pipe.order", variants={name: name for name in GROUPS})
async def groups_are_answered_in_order(peer: Pop3Peer, name: str) -> Judgement:
    """Commands in one segment are answered as if each had waited: all of them, and in order."""
    commands = GROUPS[name]
    if b"DELE 1" in commands:
        peer.may_destroy()
    await peer.open(least=1)
    alone = await _each(peer, commands)
    if any(answer.response is None for answer in alone):
        raise Undetermined(", ".join(str(answer) for answer in alone))
    await peer.send(_lines(commands))
    return _judge_alike(commands, alone, await _answers(peer, commands))


@case("pop3.pipe.order", variants={"cut-anywhere": (1, 3, 7, 20)})
async def segments_may_end_anywhere(peer: Pop3Peer, sizes: tuple[int, ...]) -> Judgement:
    """Where the segments of a group end makes no difference."""
    commands = GROUPS["all"]
    await peer.open(least=1)
    alone = await _each(peer, commands)
    if any(answer.response is None for answer in alone):
        raise Undetermined(", ".join(str(answer) for answer in alone))
    rest = _lines(commands)
    for size in (*sizes, len(rest)):
        await peer.send(rest[:size])
        await trio.sleep(APART_S)
        if not (rest := rest[size:]):
            break
    return _judge_alike(commands, alone, await _answers(peer, commands))


async def _login_lines(peer: Pop3Peer, way: str) -> tuple[bytes, ...]:
    """Come to where one may log in by a way, and return what is said for it, all at once."""
    login, password = await peer.login()
    if way == "PLAIN":
        await ready_for(peer, "PLAIN")
        return (b"AUTH PLAIN " + plain_message(login, password),)
    await peer.prelude()
    if way == "APOP" and not peer.timestamp:
        raise NotApplicable("APOP is not offered")
    if way == "APOP":
        return (b"APOP %b %b" % (login.encode(), apop_digest(peer.timestamp, password).encode()),)
    return (b"USER " + login.encode(), b"PASS " + password.encode())


@case("pop3.pipe.login", variants={"user": "USER", "apop": "APOP", "plain": "PLAIN"})
async def a_login_may_be_in_a_group(peer: Pop3Peer, way: str) -> Judgement:
    """A login in one segment with what follows it is answered, and so is what follows."""
    lines = await _login_lines(peer, way)
    control = peer.another()
    control_lines = lines if way != "APOP" else await _login_lines(control, way)
    if way != "APOP":
        await _login_lines(control, way)
    alone = await _each(control, control_lines)
    if not alone[-1].ok:
        raise Undetermined(f"{alone[-1]} to the login")
    await control.quit()
    commands = (*lines, b"STAT", b"LIST")
    await peer.send(_lines(commands))
    answers = await _answers(peer, commands)
    got = ", ".join(str(answer) for answer in answers)
    if any(answer.not_now for answer in answers):
        return undetermined(got)
    if answers[-1].response is None:
        lost = answers[-1].closed or answers[-1].silent
        return violated(got, f"{len(commands)} answers") if lost else undetermined(got)
    return satisfied(got) if all(answer.ok for answer in answers) else violated(got, "+OK to each, as to each alone")


@case("pop3.pipe.bad-login")
async def a_bad_login_lets_nobody_in(peer: Pop3Peer) -> Judgement:
    """USER, a wrong PASS and STAT in one segment: each is answered, and STAT is refused."""
    login, _ = await peer.login()
    await peer.prelude()
    commands = (b"USER " + login.encode(), b"PASS " + WRONG.encode(), b"STAT")
    control = peer.another()
    await control.prelude()
    alone = await _each(control, commands[:2])
    if not alone[0].ok or not alone[1].err:
        raise Undetermined(f"{alone[0]} to USER, {alone[1]} to a wrong PASS")
    leaves = (await control.ask(b"STAT")).closed
    await peer.send(_lines(commands))
    answers = await _answers(peer, commands)
    got = ", ".join(str(answer) for answer in answers)
    if len(answers) == len(commands) and answers[-1].closed and leaves and answers[1].err:
        return declined(got, "+OK, -ERR, -ERR")          # a site may hang up on a wrong password
    for answer, wanted in zip(answers, ("+OK", "-ERR", "-ERR"), strict=False):
        if answer.closed or answer.silent or (answer.response is not None and not answer.matches(wanted)):
            return undetermined(got) if answer.not_now else violated(got, "+OK, -ERR, -ERR")
    return satisfied(got) if answers[-1].err else undetermined(got)


@case("pop3.pipe.thousand")
async def a_thousand_commands_are_answered(peer: Pop3Peer) -> Judgement:
    """A thousand RETR are answered once somebody reads, and the session goes on."""
    await peer.open(least=1)
    alone = await peer.ask(b"RETR 1")
    if not alone.ok:
        return alone.expect("+OK", to="RETR 1")
    await peer.send(b"RETR 1\r\n" * TIMES)
    for number in range(1, TIMES + 1):
        answer = await peer.answer(multi_line=True)
        if not answer.ok or _gist(b"RETR 1", answer) != _gist(b"RETR 1", alone):
            got = f"{answer} to RETR 1, number {number} of {TIMES}"
            return undetermined(got) if answer.not_now else violated(got, str(alone))
    after = await peer.still_there()
    got = f"{TIMES} answers, then {after} to NOOP"
    return satisfied(got) if after.ok else violated(got, "+OK to NOOP")


@case("pop3.pipe.quit-last", variants={"half-closed": True, "open": False})
async def what_comes_before_quit_is_done(peer: Pop3Peer, half_closed: bool) -> Judgement:
    """DELE and QUIT in one segment delete, though nothing can be said any more."""
    peer.may_destroy()
    await peer.open(least=1)
    sizes = await peer.sizes()
    first = (await peer.unique_ids()).get(1)
    if first is None:
        raise Undetermined("UIDL lists no message 1")
    await peer.send(b"DELE 1\r\nQUIT\r\n")
    if half_closed:
        await peer.send_eof()
    answers = await _answers(peer, (b"DELE 1", b"QUIT"))
    got = ", ".join(str(answer) for answer in answers)
    if any(answer.err for answer in answers):
        return undetermined(f"{got} to DELE 1 and QUIT")
    again = peer.another()
    await again.log_in()
    gone = first not in (await again.unique_ids()).values()
    got = f"{got}; {'deleted' if gone else 'still there'}, of {len(sizes)} messages"
    return satisfied(got) if gone and all(answer.ok for answer in answers) else violated(got, "+OK, +OK, deleted")


HELD: Final = {"one": (b"STAT",), "group": (b"NOOP", b"STAT", b"NOOP"), "errors": (b"MAILPROOF", b"STAT")}


@case("pop3.pipe.flush", variants=HELD)
async def answers_are_not_held_back(peer: Pop3Peer, commands: tuple[bytes, ...]) -> Judgement:
    """The last command of a group is answered at once, and not when the next one is said."""
    await peer.log_in()
    await peer.control(b"NOOP")
    await peer.send(_lines(commands))
    answers = await _answers(peer, commands)
    if all(answer.response is not None for answer in answers):
        return satisfied(f"{len(answers)} answers")
    got = f"{answers[-1]} to {commands[len(answers) - 1].decode()}"
    if not answers[-1].silent:
        tired = any(before.err for before in answers)        # of errors, as it may be
        return violated(got, "an answer") if answers[-1].closed and not tired else undetermined(got)
    later = await peer.ask(b"NOOP")
    return violated(f"{got}, until NOOP was said", "an answer") if later.response is not None else undetermined(got)


@case("pop3.pipe.unadvertised")
async def nobody_was_asked_to_pipeline(peer: Pop3Peer) -> Judgement:
    """What becomes of a group where PIPELINING is not listed is recorded."""
    await peer.log_in()
    if "PIPELINING" in peer.subject.found.keywords:
        raise NotApplicable("PIPELINING is listed")
    commands = (b"NOOP", b"STAT", b"NOOP")
    await peer.send(_lines(commands))
    return observed(", ".join(str(answer) for answer in await _answers(peer, commands)))
