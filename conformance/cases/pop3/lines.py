"""How a command line is read: its spaces, its length, its end, and what is no line at all (RFC 1939 §3)."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from conformance.answer import Ended
from conformance.case import case
from conformance.cases.pop3.refusals import Come, before_login, judge_refusal, with_a_message
from conformance.cases.pop3.ways_in import judge_login, way_in
from conformance.judgement import (
    Judgement,
    NotApplicable,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_login import WAYS
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

NONSENSE: Final = b"MAILPROOF"
LINE_OCTETS: Final = 255                 # RFC 2449 §4, with CRLF
ARGUMENT_OCTETS: Final = 40              # RFC 1939 §3
OVER_LONG_OCTETS: Final = 10_000
ENDLESS_OCTETS: Final = 1 << 20
PIECE_OCTETS: Final = 1 << 16
ERRORS: Final = 5
_TOO_LONG: Final = re.compile(rb"\b(?:too|long|length|limit|exceed\w*|syntax)\b", re.IGNORECASE)

SPACED: Final = {"two-spaces": b"LIST  1", "tab": b"LIST\t1", "leading": b" NOOP"}


@case("pop3.cmd.arg-single-space", variants=SPACED)
async def how_arguments_may_be_set_apart(peer: Pop3Peer, command: bytes) -> Judgement:
    """A server may take more than one space, or a TAB, before an argument."""
    await peer.open(least=1)
    answer = await peer.ask(command, multi_line=False)
    return (undetermined if answer.response is None else observed)(f'{answer} to "{printable(command)}"')


@case("pop3.cmd.trailing-space", variants={"noop": b"NOOP ", "retr": b"RETR 1 "})
async def a_space_at_the_end(peer: Pop3Peer, command: bytes) -> Judgement:
    """A server may take a space at the end of a command."""
    await peer.open(least=1)
    answer = await peer.ask(command)
    return (undetermined if answer.response is None else observed)(f'{answer} to "{printable(command)}"')


async def _as_a_short_one(peer: Pop3Peer, verb: bytes, argument: bytes) -> Judgement:
    """Judge a long argument, of USER or of PASS behind a USER, by the answer to a short one."""
    answers = []
    short = f"mailproof-{len(argument)}".encode()
    for said in (short, argument):
        session = peer.another()
        await session.prelude()
        if verb == b"PASS" and not (opened := await session.ask(b"USER " + short)).ok:
            raise NotApplicable(f"{opened} to USER of somebody unknown")
        answers.append(await session.ask(verb + b" " + said))
        if said is argument and answers[-1].response is not None:
            more = await session.answer_or_silence()
            if more.response is not None:
                return violated(f"{answers[-1]}, then {more}, to one line", "one response")
        await session.quit()
    control, answer = answers
    if verb == b"USER" and control.err and peer.subject.found.pop3.way_in != "USER":
        raise NotApplicable(f"{control} to USER")
    to = f"{verb.decode()} and {len(argument)} octets"
    expected = f"as to a short one: {control}"
    if answer.response is None or control.response is None or answer.not_now:
        return undetermined(f"{answer} to {to}", expected)
    if _TOO_LONG.search(answer.text) is not None and _TOO_LONG.search(control.text) is None:
        return violated(f"{answer} to {to}", expected)
    alike = answer.ok == control.ok or (verb == b"USER" and answer.err)       # so long a name may be nobody's
    return (satisfied if alike else violated)(f"{answer} to {to}", expected)


@case("pop3.cmd.arg-40", variants={"user": b"USER", "pass": b"PASS"})
async def an_argument_may_have_40_octets(peer: Pop3Peer, verb: bytes) -> Judgement:
    """An argument of 40 octets is not too long."""
    return await _as_a_short_one(peer, verb, b"mailproof".ljust(ARGUMENT_OCTETS, b"x"))


@case("pop3.cmd.255", variants={"user": b"USER", "pass": b"PASS"})
async def a_line_may_have_255_octets(peer: Pop3Peer, verb: bytes) -> Judgement:
    """A command line of 255 octets is not too long for a server that knows CAPA."""
    if peer.subject.found.pop3.capabilities is None:
        raise NotApplicable("CAPA is not offered")
    return await _as_a_short_one(peer, verb, b"mailproof".ljust(LINE_OCTETS - len(verb) - len(b" \r\n"), b"x"))


async def _one_refusal(peer: Pop3Peer, line: str) -> Judgement:
    """Judge what comes of a line nobody could want: one -ERR, or the end of the session."""
    first = await peer.answer()
    if first.closed:
        return satisfied(f"{first}, at {line}")
    if first.ended is Ended.UNREADABLE:
        return violated(f"{first}, to {line}", "one -ERR, or a close")
    if not first.err:
        return first.expect("-ERR", to=line)
    second = await peer.answer_or_silence()
    if second.response is not None:
        return violated(f"{first}, then {second}, to {line}", "one -ERR, or a close")
    return satisfied(f"{first} to {line}")


@case("pop3.cmd.over-long", variants={"line": OVER_LONG_OCTETS, "endless": ENDLESS_OCTETS})
async def an_over_long_line_is_one_line(peer: Pop3Peer, octets: int) -> Judgement:
    """An over-long line is refused as a whole: no part of it is a command, and the server lives on."""
    await peer.prelude()
    line = b"X" * (octets - 2) + b"\r\n"
    for at in range(0, octets, PIECE_OCTETS):
        await peer.send(line[at:at + PIECE_OCTETS])
    return await _one_refusal(peer, f"a line of {octets} octets")


@case("pop3.cmd.empty-line", variants={"before-login": before_login, "logged-in": with_a_message})
async def an_empty_line_is_refused(peer: Pop3Peer, come: Come) -> Judgement:
    """An empty line is refused."""
    return await judge_refusal(peer, b"", come)


ODD: Final = {
    "colon": b":", "dot": b".", "star": b"*", "nul": b"\0", "0xff": b"\xff", "user-colon": b"USER:",
    "percent": b"%s%n%x", "space": b" ",
}  # fmt: skip


@case("pop3.cmd.odd-verb", variants=ODD)
async def odd_octets_are_refused(peer: Pop3Peer, command: bytes) -> Judgement:
    """A line of octets that are no word is refused, as any unknown word is."""
    judgement = await judge_refusal(peer, command)
    control = peer.another()
    await control.prelude()
    usual = await control.ask(NONSENSE)
    if not usual.err:
        return undetermined(f"{usual} to {NONSENSE.decode()}; {judgement.got}")
    return judgement


@case("pop3.cmd.bare-lf", variants={"before-login": b"CAPA", "logged-in": b"NOOP"})
async def lf_ends_no_command(peer: Pop3Peer, command: bytes) -> Judgement:
    """A line that ends in a bare LF is no command; most servers take it for one."""
    await (peer.prelude() if command == b"CAPA" else peer.log_in())
    control = await peer.ask(command)
    if control.err:
        raise NotApplicable(f"{control} to {command.decode()}")
    peer.must(control, to=command)
    await peer.send(command + b"\n")
    answer = await peer.answer_or_silence()
    return (violated if answer.ok else satisfied)(f"{answer} to {command.decode()} and LF", "silence or -ERR")


@case("pop3.cmd.bare-cr", variants={"amid": b"{}\r{}\r\n", "at-the-end": b"{}\r", "before-lf-later": b"{}\r{}\r\r\n"})
async def cr_ends_no_command(peer: Pop3Peer, form: bytes) -> Judgement:
    """A bare CR ends no line: what has one inside is one line."""
    await peer.prelude()
    command = b"CAPA" if (await peer.ask(b"CAPA")).ok else NONSENSE
    await peer.send(form.replace(b"{}", command))
    if not form.endswith(b"\n"):
        early = await peer.answer_or_silence()
        return (violated if early.ok else satisfied)(f"{early} to {command.decode()} and CR", "silence")
    first = await peer.answer(multi_line=command == b"CAPA")
    if first.response is None:
        return undetermined(f"{first} to one line")
    second = await peer.answer_or_silence()
    if second.response is None:
        return satisfied(f"{first} to one line")
    return violated(f"{first}, then {second}, to one line", "one response")


Send = Callable[[Pop3Peer, bytes], Awaitable[None]]


async def _octet_by_octet(peer: Pop3Peer, line: bytes) -> None:
    await peer.send_one_by_one(line)


async def _cut_inside_crlf(peer: Pop3Peer, line: bytes) -> None:
    await peer.send(line[:-1])
    await peer.pause(0.02)
    await peer.send(line[-1:])


async def _cut_in_words(peer: Pop3Peer, line: bytes) -> None:
    for piece in re.findall(rb"\S+\s*|\s+", line):
        await peer.send(piece)
        await peer.pause(0.02)


@case("pop3.cmd.fragmented", variants={
    "octets": _octet_by_octet, "inside-crlf": _cut_inside_crlf, "words": _cut_in_words,
})  # fmt: skip
async def segments_make_no_difference(peer: Pop3Peer, send: Send) -> Judgement:
    """How a login is cut into segments makes no difference."""
    way = way_in(peer)

    async def log_in(session: Pop3Peer) -> Pop3Answer:
        async def ask(command: bytes) -> Pop3Answer:
            await send(session, command + b"\r\n")
            return await session.answer()

        login, password = await session.login()
        return await WAYS[way](ask, login, password, session.timestamp)

    return await judge_login(peer, log_in, "a login in segments")


@case("pop3.cmd.survives-errors")
async def five_errors_do_no_harm(peer: Pop3Peer) -> Judgement:
    """After five errors one can log in; a server may have had enough of them before."""
    answer = Pop3Answer()
    for session in (peer, peer.another()):
        await session.prelude()
        for errors in range(ERRORS):
            refused = await session.ask(NONSENSE)
            if refused.closed:
                return declined(f"{refused} after {errors} errors", "a login after five")
            if not refused.err:
                return undetermined(f"{refused} to {NONSENSE.decode()}")
        answer = await session.insist()
        if answer.closed:
            return declined(f"{answer} after {ERRORS} errors", "a login after five")
        if not answer.err:
            return answer.expect("+OK", to=f"a login after {ERRORS} errors")
        control = peer.another()
        await control.log_in()
        await control.quit()
    return answer.expect("+OK", to=f"a login after {ERRORS} errors")
