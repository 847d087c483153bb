"""USER and PASS, and the end of a session before login (RFC 1939 §4, §7)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.case import case
from conformance.cases.pop3.refusals import judge_refusal
from conformance.cases.pop3.ways_in import by, judge_login, judge_no_login, way_in
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    diverged,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

CLOSES_WITHIN_S: Final = 10.0
NONSENSE: Final = b"MAILPROOF"
# "mrose's maildrop has 2 messages (320 octets)" (RFC 1939 §7); "2 new messages" would be others.
_HOW_MANY: Final = re.compile(rb"(?<![\w.@-])(\d+) messages?\b(?:[^\r\n\d]{0,12}\b(\d+) octets\b)?", re.IGNORECASE)


async def say_user(peer: Pop3Peer, *, at: int = 0) -> tuple[str, str]:
    """Come to where USER has been taken; return the login. NotApplicable where one does not log in so."""
    if way_in(peer) != "USER":
        raise NotApplicable("one does not log in by USER")
    login, password = await peer.login(at)
    await peer.prelude()
    await peer.control(b"USER " + login.encode())
    return login, password


@case("pop3.auth.some-method")
async def there_is_a_way_in(peer: Pop3Peer) -> Judgement:
    """One can log in by USER and PASS, by APOP, or by AUTH."""
    found = peer.subject.found.pop3
    if found.way_in is not None:
        await peer.log_in()
        return satisfied(f"by {found.way_in}")
    await peer.prelude()
    offered = found.capabilities_in_tls if peer.in_tls else found.capabilities
    if offered is None or peer.timestamp or {"USER", "SASL", "STLS"} & set(offered):
        raise Undetermined("nobody could log in as the first of accounts.pop3")
    return violated("neither USER nor SASL listed, no timestamp in the greeting", "a way to log in")


@case("pop3.user.pass-ok")
async def user_and_pass_let_in(peer: Pop3Peer) -> Judgement:
    """USER and PASS let in with the right password."""
    way_in(peer)
    login, _ = await peer.login()
    await peer.prelude()
    answer = await peer.ask(b"USER " + login.encode())
    if answer.err and "USER" not in peer.subject.found.keywords:
        raise NotApplicable(f"{answer} to USER, which is not offered")
    return await judge_login(peer, by("USER"), "USER and PASS")


@case("pop3.user.unknown")
async def what_a_server_says_to_an_unknown_name(peer: Pop3Peer) -> Judgement:
    """USER of somebody unknown may be taken or refused."""
    await peer.prelude()
    answer = await peer.ask(b"USER nobody-" + peer.token.encode()[-24:])
    return (undetermined if answer.response is None else observed)(f"{answer} to USER of somebody unknown")


@case("pop3.user.no-arg", variants={"bare": b"USER", "space": b"USER "})
async def user_needs_a_name(peer: Pop3Peer, command: bytes) -> Judgement:
    """USER without a name is refused."""
    return await judge_refusal(peer, command)


@case("pop3.pass.without-user")
async def pass_needs_user(peer: Pop3Peer) -> Judgement:
    """PASS without USER before it lets nobody in."""
    _, password = await peer.login()
    await peer.prelude()
    return judge_no_login(await peer.ask(b"PASS " + password.encode()), "PASS without USER")


@case("pop3.pass.not-adjacent", variants={"capa": b"CAPA", "nonsense": NONSENSE, "noop": b"NOOP"})
async def a_command_may_part_user_and_pass(peer: Pop3Peer, between: bytes) -> Judgement:
    """PASS follows USER at once; that something came between that changes nothing is latitude."""
    _, password = await say_user(peer)
    came = await peer.ask(between)
    answer = await peer.ask(b"PASS " + password.encode())
    to = f"PASS, with {between.decode()} ({str(came)[:20]}) behind USER"
    return declined(f"{answer} to {to}", "-ERR") if answer.ok else judge_no_login(answer, to)


@case("pop3.pass.not-adjacent", variants={"another-user": False, "name-refused": True})
async def pass_is_for_the_last_user(peer: Pop3Peer, empty: bool) -> Judgement:
    """PASS belongs to the USER straight before it, not to one before that."""
    _, password = await say_user(peer)
    second = await peer.ask(b"USER" if empty else b"USER nobody-" + peer.token.encode()[-24:])
    answer = await peer.ask(b"PASS " + password.encode())
    to = f"the first's PASS, after a second USER ({str(second)[:20]})"
    if answer.ok and second.err:
        return declined(f"{answer} to {to}", "-ERR")      # a refused command may have changed nothing
    return judge_no_login(answer, to)


@case("pop3.pass.spaces")
async def a_password_may_hold_spaces(peer: Pop3Peer) -> Judgement:
    """A server may take spaces for a part of the password."""
    every = peer.subject.maildrops.every
    at = next((at for at, one in enumerate(every) if " " in one.place.password.strip()), None)
    if at is None:
        raise NotApplicable("needs an account whose password holds a space (accounts.pop3)")
    taken = await peer.maildrops(len(every))
    mine = next(number for number, one in enumerate(taken) if " " in one.place.password.strip())
    answer = await peer.try_log_in("USER", at=mine)
    return (undetermined if answer.response is None else observed)(f"{answer} to a password with spaces")


@case("pop3.pass.trailing-space")
async def a_space_behind_the_password(peer: Pop3Peer) -> Judgement:
    """A server may take a space behind the password for a part of it, or for nothing."""
    _, password = await say_user(peer)
    answer = await peer.ask(b"PASS " + password.encode() + b" ")
    return (undetermined if answer.response is None else observed)(f"{answer} to the password and a space")


def _other_case(password: str) -> str:
    if password.swapcase() == password:
        raise NotApplicable("the password has no letters")
    return password.swapcase()


Change = Callable[[str], str]
WRONG: Final[dict[str, Change]] = {
    "another": lambda password: "not-" + password, "empty": lambda password: "", "first-letter": lambda password:
    password[:1], "shorter": lambda password: password[:-1], "longer": lambda password: password + "x",
    "other-case": _other_case, "star": lambda password: "*", "percent": lambda password: "%",
    "quoted": lambda password: "' or '1'='1",
}  # fmt: skip


@case("pop3.pass.wrong", variants=WRONG)
async def a_wrong_password_is_refused(peer: Pop3Peer, change: Change) -> Judgement:
    """A wrong password lets nobody in."""
    _, password = await say_user(peer)
    wrong = change(password)
    assert wrong != password
    return judge_no_login(await peer.ask(b"PASS " + wrong.encode()), "PASS with a wrong password")


@case("pop3.pass.wrong", variants={"other-user": None})
async def anothers_password_is_wrong(peer: Pop3Peer, nothing: None) -> Judgement:
    """The password of one user does not let in another."""
    await peer.maildrops(2)
    _, other = await peer.login(1)
    _, password = await say_user(peer)
    if other == password:
        raise NotApplicable("needs two accounts with different passwords (accounts.pop3)")
    return judge_no_login(await peer.ask(b"PASS " + other.encode()), "PASS with another user's password")


@case("pop3.pass.retry")
async def one_may_try_again(peer: Pop3Peer) -> Judgement:
    """After a wrong password one can log in; a server may close instead."""
    answer = Pop3Answer()
    for session in (peer, peer.another()):
        _, password = await say_user(session)
        await session.control(b"PASS not-" + password.encode(), "-ERR")
        answer = await session.insist()
        to = "a login after a wrong password"
        if answer.closed:
            return declined(f"{answer} instead of answering {to}", "+OK")
        if not answer.err:
            return answer.expect("+OK", to=to)
        control = peer.another()
        await control.log_in()
        await control.quit()
    return answer.expect("+OK", to="a login after a wrong password")


@case("pop3.pass.after-failed-user-only")
async def a_second_pass_needs_user(peer: Pop3Peer) -> Judgement:
    """After a wrong password, PASS alone does not let in: USER comes first again."""
    _, password = await say_user(peer)
    await peer.control(b"PASS not-" + password.encode(), "-ERR")
    return judge_no_login(await peer.ask(b"PASS " + password.encode()), "a second PASS without USER")


@case("pop3.pass.locked")
async def a_locked_maildrop_is_refused(peer: Pop3Peer) -> Judgement:
    """Who logs in to a maildrop that another session holds is refused."""
    await peer.log_in()
    second = peer.another()
    answer = await second.try_log_in()
    to = "a second login while the maildrop is locked"
    if answer.code.startswith(b"LOGIN-DELAY"):
        return undetermined(f"{answer} to {to}", "-ERR")
    if answer.ok:                                # pop3.lock.exclusive asks whether it does harm
        first = await peer.still_there()
        return (undetermined if first.closed else diverged)(f"{answer} to {to}, {first} in the first session", "-ERR")
    return judge_no_login(answer, to)


@case("pop3.quit.before-login", variants={"at-once": False, "after-user": True})
async def quit_ends_a_session_before_login(peer: Pop3Peer, named: bool) -> Judgement:
    """QUIT before login is answered +OK, and the server closes."""
    await peer.prelude()
    if named and not (user := await peer.ask(b"USER nobody")).ok:
        raise NotApplicable(f"{user} to USER")             # and whoever refuses it may close
    answer = await peer.quit()
    if answer.closed:
        return violated(f"{answer} without an answer to QUIT", "+OK, and a close")
    if not answer.ok:
        return answer.expect("+OK", to="QUIT before login")
    end = await peer.answer(CLOSES_WITHIN_S)
    if end.closed:
        return satisfied(f"{answer}, then {end}")
    after = await peer.ask(b"CAPA", multi_line=False)       # it is late; but is it still at work?
    got = f"{answer}, then {end}, then {after} to CAPA"
    return violated(got, "+OK, and a close") if after.response is not None else satisfied(got)


@case("pop3.login.maildrop-snapshot")
async def a_login_counts_as_stat_does(peer: Pop3Peer) -> Judgement:
    """What the answer to a login says of the maildrop is what STAT says."""
    await peer.prepare(least=2)
    said = (await peer.log_in()).text
    found = _HOW_MANY.search(said)
    messages, octets = await peer.stat()
    got = f'"{printable(said, 80)}", then STAT: {messages} {octets}'
    if found is None:
        return satisfied(got)
    agrees = int(found[1]) == messages and (found[2] is None or int(found[2]) == octets)
    return (satisfied if agrees else violated)(got, "the same counts")
