"""Connections: several side by side, none closed for an error, none missed when it breaks (RFC 5321 §3.8, §4.5.4.2)."""

from typing import Final

import trio

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import mail_command, rcpt_command
from conformance.judgement import Judgement, NotApplicable, observed, satisfied, undetermined, violated, weakened
from conformance.peer import SmtpPeer

SIDE_BY_SIDE: Final = 40
NOTICED_S: Final = 0.01              # for a broken connection to be noticed


@case("smtp.conn.parallel", alone=True)
async def sessions_run_side_by_side(peer: SmtpPeer) -> Judgement:
    """A session is served while another one is inside a transaction."""
    await peer.open()
    await peer.mail()
    second = peer.another()
    greeting = await second.answer()
    if greeting.reply is not None:
        second.must(greeting, "220")
        await second.ehlo()
        return (await second.ask(b"NOOP")).expect("250", to="NOOP in a second session")
    if not greeting.silent:
        return undetermined(f"{greeting} in a second session")
    await peer.quit()
    third = peer.another()
    await third.greet()
    return violated(f"{greeting} in a second session, until the first one ended", "sessions side by side")


@case("smtp.conn.limit-orderly", alone=True, asks_for_the_end=True)
async def too_many_connections_are_told(peer: SmtpPeer) -> Judgement:
    """A server that has enough connections says so, or takes no more, and keeps those it has."""
    await peer.hello()
    greeted = [peer]
    refusal = ""
    while len(greeted) < SIDE_BY_SIDE and not refusal:
        newest = peer.another()
        answer = await newest.answer()
        if answer.silent:
            return weakened(f"session {len(greeted) + 1} was taken, and {answer}", "a greeting, or a refusal")
        if answer.matches("220"):
            greeted.append(newest)
        else:
            refusal = f"{answer} to session {len(greeted) + 1}"
    for number, one in enumerate(greeted, 1):
        answer = await one.ask(b"NOOP")
        if answer.closed:
            return weakened(f"{answer} in session {number} of {len(greeted)}; {refusal}", "all of them served")
        if answer.reply is None:
            return undetermined(f"{answer} to NOOP in session {number}")
    return satisfied(refusal or f"{len(greeted)} sessions side by side")


# Words all: what begins with no letter is no command but noise, on which Postfix hangs up, and says 221.
UNKNOWN: Final = {"word": b"MAILPROOF", "x": b"XMAILPROOF 1", "long": b"M" * 200}


@case("smtp.conn.no-close-on-unknown", variants=UNKNOWN)
async def an_unknown_command_closes_nothing(peer: SmtpPeer, verb: bytes) -> Judgement:
    """A single unknown command does not end the session."""
    await peer.open()
    await peer.control(b"NOOP")
    return await still_open(peer, verb)


async def still_open(peer: SmtpPeer, *commands: bytes) -> Judgement:
    """Say commands that are refused, and judge whether the session is still there."""
    answer: Answer | None = None
    for command in commands:
        answer = await peer.ask(command)
        to = command.decode("ascii", "backslashreplace")
        if answer.closed:
            return violated(f"{answer} on {to}", "5yz, and the session goes on")
        if answer.reply is None or answer.matches("421"):
            return undetermined(f"{answer} to {to}")
    after = await peer.still_there()
    if after.closed:
        return violated(f"{answer}, then {after}", "the session goes on")
    return satisfied(f"{answer}, then {after}") if after.reply is not None else undetermined(after)


MAIL: Final = b"MAIL FROM:"
RCPT: Final = b"RCPT TO:"
# Errors, a few for each session: servers end one after three (Exim) or so, and may (RFC 5321 §7.8).
ERRORS: Final = {
    "syntax": (MAIL + b"<a@@b.example>",),
    "path": (MAIL, RCPT),
    "parameter": (MAIL + b"<a@b.example> XMAILPROOF=1", MAIL + b"<a@b.example> =x"),
    "argument": (b"RSET x", b"VRFY"),
    "data": (b"DATA",),
    "rcpt": (RCPT + b"<a@b.example>",),
    "nothing-in-it": (MAIL + b"<@>", MAIL + b"<a@>"),
    "half-a-literal": (MAIL + b"<a@[>", MAIL + b"<a@[IPv6:]>"),
    "half-a-quote": (MAIL + b'<"', MAIL + b'<"\\'),
    "half-a-route": (MAIL + b"<@a.example,:a@b>", MAIL + b"<@a.example:>"),
    "spaces": (MAIL + b"   ", b"MAIL  FROM :<>"),
    "percent": (MAIL + b"<%s%n%s%n@%s%n>",),
}
INSIDE: Final = {
    "rcpt-nothing-in-it": (RCPT + b"<@>", RCPT + b"<a@>"),
    "rcpt-half-a-literal": (RCPT + b"<a@[>",),
    "rcpt-half-a-quote": (RCPT + b'<"', RCPT + b'<"\\'),
    "rcpt-half-a-route": (RCPT + b"<@a.example,:a@b>", RCPT + b"<@a.example:>"),
    "mail-again": (MAIL + b"<>",),
}


@case("smtp.conn.no-close-on-error", variants=ERRORS)
async def an_error_closes_nothing(peer: SmtpPeer, commands: tuple[bytes, ...]) -> Judgement:
    """An error or two do not end the session."""
    await peer.open()
    await peer.control(b"NOOP")
    return await still_open(peer, *commands)


@case("smtp.conn.no-close-on-error", variants=INSIDE)
async def an_error_inside_closes_nothing(peer: SmtpPeer, commands: tuple[bytes, ...]) -> Judgement:
    """An error or two inside a transaction do not end the session."""
    await peer.open()
    await peer.mail()
    return await still_open(peer, *commands)


@case("smtp.conn.no-close-on-error", variants={"hello": None})
async def a_nameless_hello_closes_nothing(peer: SmtpPeer, _: None) -> Judgement:
    """A hello without a name does not end the session."""
    await peer.open()
    await peer.control(b"NOOP")
    return await still_open(peer, peer.hello_verb)


@case("smtp.conn.no-close-on-error", variants={"rejected": None})
async def a_bad_recipient_closes_nothing(peer: SmtpPeer, _: None) -> Judgement:
    """A recipient who is refused does not end the session."""
    command = rcpt_command(peer, peer.rejected)
    await peer.open()
    await peer.mail()
    return await still_open(peer, command)


@case("smtp.conn.abrupt-client-close", alone=True, variants={"mail": "MAIL", "rcpt": "RCPT", "data": "DATA"})
async def a_broken_connection_is_no_harm(peer: SmtpPeer, after: str) -> Judgement:
    """Whoever comes after a connection that broke inside a transaction is served."""
    await peer.open()
    await peer.mail()
    if after != "MAIL":
        await peer.rcpt()
    if after == "DATA":
        await peer.control(b"DATA", "354")
        await peer.send(b"Subject: cut off\r\n\r\ncut o")
    await peer.reset()
    await trio.sleep(NOTICED_S)
    later = peer.another()
    greeting = await later.answer()
    if greeting.closed or greeting.silent:
        return violated(f"{greeting} in the next session", "the next session is served")
    later.must(greeting, "220")
    await later.ehlo()
    answer = await later.ask(mail_command(peer))
    if answer.matches("530"):
        raise NotApplicable(f"{answer}: needs a login or TLS first")
    return answer.expect("2yz", to="MAIL in the next session")


@case("smtp.conn.half-close")
async def half_a_connection(peer: SmtpPeer) -> Judgement:
    """Whether QUIT is answered when our direction was closed behind it is recorded."""
    await peer.open()
    await peer.send(b"QUIT\r\n")
    await peer.send_eof()
    return observed(await peer.answer())
