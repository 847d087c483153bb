"""Which words are commands, in which form, and in which state (RFC 1939 §3)."""

from collections.abc import Callable
from typing import Final

from conformance.case import case
from conformance.cases.pop3.refusals import Come, before_login, judge_refusal, judge_refusal_here, with_a_message
from conformance.cases.pop3.ways_in import judge_login, judge_no_login
from conformance.judgement import Did, Judgement, NotApplicable, Undetermined, not_applicable, satisfied
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

NONSENSE: Final = b"MAILPROOF"


def mixed(command: bytes) -> bytes:
    """Return a command with its letters in turns of the other case.

    >>> mixed(b"QUIT")
    b'qUiT'
    """
    return b"".join(chr(c).lower().encode() if at % 2 == 0 else bytes([c]) for at, c in enumerate(command))


AMID: Final = {verb.lower().replace(" ", "-"): verb.encode() for verb in (
    "NOOP", "STAT", "LIST", "LIST 1", "RETR 1", "RSET", "UIDL", "TOP 1 0", "CAPA",
)}  # fmt: skip


@case("pop3.cmd.case", variants=AMID)
async def keywords_have_no_case(peer: Pop3Peer, usual: bytes) -> Judgement:
    """A keyword may be written in any case."""
    await peer.open(least=1)
    control = await peer.ask(usual)
    if control.err:
        raise NotApplicable(f"{control} to {usual.decode()}")
    peer.must(control, to=usual)
    for form in (usual.lower(), mixed(usual)):
        answer = await peer.ask(form)
        if not answer.ok:
            return answer.expect("+OK", to=form.decode())
    return satisfied(f"as {usual.decode()}")


@case("pop3.cmd.case", variants={"dele": b"DELE 1"})
async def dele_has_no_case(peer: Pop3Peer, usual: bytes) -> Judgement:
    """DELE may be written in any case."""
    peer.may_destroy()
    await peer.open(least=1)
    for form in (usual, usual.lower(), mixed(usual)):
        answer = await peer.ask(form)
        if not answer.ok and form is usual:
            raise Undetermined(f"{answer} to {form.decode()}")
        if not answer.ok:
            return answer.expect("+OK", to=form.decode())
        await peer.control(b"RSET")
    return satisfied("as DELE")


@case("pop3.cmd.case", variants={"quit": b"QUIT"})
async def quit_has_no_case(peer: Pop3Peer, usual: bytes) -> Judgement:
    """QUIT may be written in any case."""
    for form in (usual, usual.lower(), mixed(usual)):
        session = peer.another()
        await session.prelude()
        answer = await session.ask(form)
        if not answer.ok and form is usual:
            raise Undetermined(f"{answer} to {form.decode()}")
        if not answer.ok:
            return answer.expect("+OK", to=form.decode())
    return satisfied("as QUIT")


@case("pop3.cmd.case", variants={"user-lower": bytes.lower, "user-mixed": mixed})
async def user_and_pass_have_no_case(peer: Pop3Peer, form: Callable[[bytes], bytes]) -> Judgement:
    """USER and PASS may be written in any case."""
    if peer.subject.found.pop3.way_in != "USER":
        raise NotApplicable("one does not log in by USER")

    async def log_in(session: Pop3Peer) -> Pop3Answer:
        login, password = await session.login()
        answer = await session.ask(form(b"USER") + b" " + login.encode())
        return await session.ask(form(b"PASS") + b" " + password.encode()) if answer.ok else answer

    return await judge_login(peer, log_in, f"{form(b'USER').decode()} and {form(b'PASS').decode()}")


STATES: Final[dict[str, Come]] = {"before-login": before_login, "logged-in": with_a_message}


@case("pop3.cmd.unknown", variants=STATES)
async def an_unknown_command_is_refused(peer: Pop3Peer, come: Come) -> Judgement:
    """A command that nobody knows is refused."""
    return await judge_refusal(peer, NONSENSE, come)


# What a server may do without; and the capability by which it would say that it can (RFC 2449 §6, RFC 6856 §2, §3.1).
OPTIONAL: Final = {
    "stls": (b"STLS", "STLS", before_login), "utf8": (b"UTF8", "UTF8", before_login),
    "lang": (b"LANG", "LANG", before_login), "top": (b"TOP 1 0", "TOP", with_a_message),
    "uidl": (b"UIDL", "UIDL", with_a_message), "auth": (b"AUTH X-MAILPROOF", "X-MAILPROOF", before_login),
}  # fmt: skip


@case("pop3.cmd.unimplemented", variants=OPTIONAL)
async def what_is_not_implemented_is_refused(peer: Pop3Peer, asked: tuple[bytes, str, Come]) -> Judgement:
    """An optional command that the server does not implement is refused."""
    command, tag, come = asked
    found = peer.subject.found
    if tag in found.keywords:
        return not_applicable(f"{tag} is implemented")
    if found.pop3.capabilities is None and tag in {"STLS", "UTF8", "LANG"}:
        return not_applicable("without CAPA nobody knows what is implemented")
    await come(peer)
    if tag in {"TOP", "UIDL"} and (await peer.ask(command)).ok:
        return not_applicable(f"{tag} is implemented")           # RFC 1939 knows them without CAPA
    return await judge_refusal_here(peer, command, come)


INVALID: Final = {
    "retr-word": b"RETR abc", "retr-none": b"RETR", "list-word": b"LIST abc", "list-two-words": b"LIST x y",
    "uidl-word": b"UIDL abc", "top-none": b"TOP", "top-one": b"TOP 1", "top-word": b"TOP abc 0",
    "top-lines-word": b"TOP 1 abc", "top-negative": b"TOP 1 -1", "dele-none": b"DELE", "dele-word": b"DELE abc",
}  # fmt: skip


@case("pop3.cmd.syntax-invalid", variants=INVALID)
async def invalid_syntax_is_refused(peer: Pop3Peer, command: bytes) -> Judgement:
    """A command whose arguments are missing, or are no numbers, is refused."""
    if command.startswith(b"DELE"):
        peer.may_destroy()
    judgement = await judge_refusal(peer, command, with_a_message)
    if command.startswith(b"DELE") and judgement.did is Did.VIOLATED:
        await peer.ask(b"RSET")
    return judgement


TRANSACTION_ONLY: Final = (b"STAT", b"LIST", b"LIST 1", b"RETR 1", b"DELE 1", b"UIDL", b"TOP 1 0", b"RSET")


@case("pop3.cmd.wrong-state", variants={
    command.decode().lower().replace(" ", "-"): command for command in TRANSACTION_ONLY
})  # fmt: skip
async def a_maildrop_is_closed_before_login(peer: Pop3Peer, command: bytes) -> Judgement:
    """What asks about a maildrop is refused before somebody has logged in."""
    return await judge_refusal(peer, command)


async def _after_user(peer: Pop3Peer) -> None:
    login, _ = await peer.login()
    await peer.prelude()
    await peer.control(b"USER " + login.encode())


async def _after_a_failed_login(peer: Pop3Peer) -> None:
    await _after_user(peer)
    await peer.control(b"PASS not-" + peer.token.encode(), "-ERR")


async def _after_a_cancelled_login(peer: Pop3Peer) -> None:
    await peer.prelude()
    found = peer.subject.found.pop3
    listed = ((found.capabilities_in_tls if peer.in_tls else found.capabilities) or {}).get("SASL", ())
    if not listed:
        raise NotApplicable("no SASL mechanism is offered")
    await peer.control(b"AUTH " + listed[0].encode(), "+")
    await peer.control(b"*", "-ERR")


@case("pop3.cmd.wrong-state", variants={
    "after-user": _after_user, "after-a-failed-login": _after_a_failed_login,
    "after-a-cancelled-login": _after_a_cancelled_login,
})  # fmt: skip
async def a_maildrop_is_closed_until_login(peer: Pop3Peer, come: Come) -> Judgement:
    """A login that is not over, or failed, opens no maildrop."""
    if come is not _after_a_cancelled_login and peer.subject.found.pop3.way_in != "USER":
        raise NotApplicable("one does not log in by USER")
    await come(peer)
    return judge_no_login(await peer.ask(b"STAT"), "STAT")


AGAIN: Final = {"user": b"USER {}", "pass": b"PASS {}", "apop": b"APOP {} " + b"0" * 32, "auth": b"AUTH PLAIN"}


@case("pop3.cmd.wrong-state-auth", variants=AGAIN)
async def nobody_logs_in_twice(peer: Pop3Peer, command: bytes) -> Judgement:
    """Who is logged in cannot log in once more."""
    login, password = await peer.login()
    named = password if command.startswith(b"PASS") else login
    return await judge_refusal(peer, command.replace(b"{}", named.encode()), Pop3Peer.log_in)


@case("pop3.cmd.noop-before-login")
async def noop_is_for_transactions(peer: Pop3Peer) -> Judgement:
    """NOOP is refused before somebody has logged in; many servers answer it everywhere."""
    return await judge_refusal(peer, b"NOOP")


LENGTHS: Final = {"1": b"Q", "2": b"CA", "3": b"QUI", "5": b"QUITS", "5-capa": b"CAPAX", "20": b"QUITSERVICEATTHISEND"}


@case("pop3.cmd.three-letter", variants=LENGTHS)
async def keywords_have_three_or_four_letters(peer: Pop3Peer, command: bytes) -> Judgement:
    """A keyword of fewer than three letters, or more than four, is none."""
    return await judge_refusal(peer, command)


LONGER: Final = {
    "stat": b"STATX", "noop": b"NOOPS", "retr": b"RETR1", "list": b"LISTS", "list-1": b"LIST1", "uidl": b"UIDLX",
    "rset": b"RSETX", "top": b"TOPX 1 0", "quit": b"QUITX",
}  # fmt: skip


@case("pop3.cmd.prefix-match", variants=LONGER)
async def more_than_a_keyword_is_none(peer: Pop3Peer, command: bytes) -> Judgement:
    """A word that only begins with a keyword is none."""
    return await judge_refusal(peer, command, with_a_message)


EXTRA: Final = {
    "stat": b"STAT x", "noop": b"NOOP x", "rset": b"RSET x", "quit": b"QUIT x", "list": b"LIST 1 1",
    "uidl": b"UIDL 1 1", "retr": b"RETR 1 1", "top": b"TOP 1 0 0", "dele": b"DELE 1 1",
}  # fmt: skip


@case("pop3.cmd.extra-args", variants=EXTRA)
async def arguments_nobody_asked_for_are_refused(peer: Pop3Peer, command: bytes) -> Judgement:
    """A command with more arguments than it takes is refused; many servers ignore them."""
    if command.startswith(b"DELE"):
        peer.may_destroy()
    judgement = await judge_refusal(peer, command, with_a_message)
    if command.startswith(b"DELE") and judgement.did is Did.VIOLATED:
        await peer.ask(b"RSET")
    return judgement
