"""Replies: every command has one, and no more than one (RFC 5321 §4.2)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import mail_command, rcpt_command
from conformance.cases.smtp.limits import noop_of
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.extensions import parse_extensions

NONSENSE: Final = b"MAILPROOF"
SYNTAX_ERROR: Final = b"MAIL FROM:<a@@b.example>"
SESSIONS: Final = 3                  # a server that was silent in all of them does not answer
ORDINARY: Final = (b"NOOP", b"VRFY postmaster", b"HELP", b"RSET")
ERRONEOUS: Final = (NONSENSE, SYNTAX_ERROR)
LONG: Final = (noop_of(513), noop_of(2_048), noop_of(16_384))


async def answered_once(peer: SmtpPeer, commands: tuple[bytes, ...]) -> Judgement:
    """Say commands one by one in a session that has said hello, and judge whether a reply is left over."""
    answers = []
    for command in commands:
        answer = await peer.ask(command)
        answers.append(answer)
        if answer.reply is None or answer.matches("421"):
            return undetermined(f"{answer} to {command[:4].decode()}")
    return await no_reply_left(peer, answers)


async def no_reply_left(peer: SmtpPeer, answers: list[Answer]) -> Judgement:
    """Judge whether a reply is left over once all commands have had theirs."""
    late = await peer.out_of_step()
    codes = ", ".join(str(answer.code) for answer in answers)
    if late is None:
        return satisfied(f"{codes}, and no more")
    if late.closed:
        return undetermined(f"{codes}, then {late}")
    return violated(f"{codes}, and {late} was still to come", "one reply to each command")


@case("smtp.reply.exactly-one", variants={"session": ORDINARY, "errors": ERRONEOUS, "long": LONG})
async def every_command_has_one_reply(peer: SmtpPeer, commands: tuple[bytes, ...]) -> Judgement:
    """Every command is answered once, and so is the connection itself."""
    await peer.greet()
    answer = await peer.ask(peer.hello_line)
    if answer.matches("220"):
        return violated(f"{answer} to {peer.hello_verb.decode()}", "one greeting")
    peer.extensions = parse_extensions(peer.must(answer, "250").texts)
    return await answered_once(peer, commands)


@case("smtp.reply.exactly-one", variants={"envelope": False, "message": True})
async def a_transaction_has_one_reply_for_each_command(peer: SmtpPeer, whole: bool) -> Judgement:
    """MAIL, RCPT and DATA are answered once each, and so is the message."""
    await peer.open()
    commands = (mail_command(peer), rcpt_command(peer))
    if not whole:
        return await answered_once(peer, commands)
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("may not leave mail (allow.leave_mail)")
    answers = [await peer.ask(command) for command in (*commands, b"DATA")]
    peer.must(answers[-1], "354")
    answers.append(await peer.end_of(peer.another_message()))
    peer.must(answers[-1], "2yz", "5yz")
    return await no_reply_left(peer, answers)


@case("smtp.reply.exactly-one", variants={"quit": None})
async def nothing_follows_goodbye(peer: SmtpPeer, _: None) -> Judgement:
    """After the answer to QUIT nothing more is said."""
    await peer.open()
    await peer.control(b"QUIT", "221")
    late = await peer.answer_or_silence()
    if late.reply is not None and not late.matches("421"):
        return violated(f"221, then {late}", "one reply to QUIT")
    return satisfied(f"221, then {late}")


@case("smtp.reply.every-command", limit_s=600.0)
async def every_command_is_answered(peer: SmtpPeer) -> Judgement:
    """Each of the required commands is answered, and so are an unknown one and one that is malformed."""
    mail = b"MAIL FROM:<" + peer.promised_sender + b">"
    rcpt = b"RCPT TO:<" + peer.promised_recipient + b">"
    hello = (b"HELO " + peer.hello_name, peer.hello_line)
    said = (*hello, b"NOOP", b"VRFY postmaster", NONSENSE, SYNTAX_ERROR, b"RSET", mail, rcpt, b"DATA")
    await peer.greet()
    for number, command in enumerate(said):
        answer = await peer.ask(command)
        if answer.reply is None:
            before = (mail, rcpt)[:max(0, number - said.index(mail))]
            return await _never_answered(peer, command, before, answer)
    leaving = peer.another()
    await leaving.open()
    answer = await leaving.quit()
    if answer.reply is None:
        return await _never_answered(peer, b"QUIT", (), answer)
    return satisfied(f"{len(said) + 1} commands answered")


async def _never_answered(peer: SmtpPeer, command: bytes, before: tuple[bytes, ...], first: Answer) -> Judgement:
    """Say a command that was not answered in other sessions too, each time after NOOP was."""
    verb = command[:4].decode()
    for _ in range(SESSIONS - 1):
        again = peer.another()
        await (again.greet() if verb in {"EHLO", "LHLO", "HELO"} else again.open())
        await again.control(b"NOOP")
        for needed in before:
            again.must(await again.ask(needed), "2yz", to=needed)
        answer = await again.ask(command)
        if answer.reply is not None:
            raise Undetermined(f"{first} to {verb}, and {answer} in another session")
    return violated(f"{first} to {verb}, in {SESSIONS} sessions in which NOOP was answered", "an answer")


@case("smtp.reply.502-vs-500")
async def what_is_not_known_is_told_from_what_is_not_done(peer: SmtpPeer) -> Judgement:
    """500 is for what is no command, 502 for a command that is not implemented."""
    await peer.open()
    await peer.control(b"NOOP")
    unknown = await peer.ask(NONSENSE)
    if not unknown.matches("500"):
        return unknown.expect("500", to=NONSENSE.decode())
    known = await peer.ask(b"VRFY postmaster")
    if known.matches("500"):
        return violated(f"{known} to VRFY, as to {NONSENSE.decode()}", "502, or VRFY's own codes")
    return satisfied(f"{unknown}; {known} to VRFY") if known.reply is not None else undetermined(known)
