"""What failed logins tell a stranger, and how often he may try."""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.login import say_user
from conformance.judgement import Judgement, satisfied, undetermined, weakened
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

TIMES: Final = 3                    # each of two waits is measured, in turns
APART_S: Final = 0.05               # that the waits must differ by, and one be twice the other
FAILURES: Final = 10
DELAY_S: Final = 0.3                # a wait that nobody needs to refuse a password


async def _fail(peer: Pop3Peer, name: str) -> tuple[Pop3Answer, Pop3Answer | None, float]:
    """Log in with a wrong password in a session of its own; return both answers, and how long they took."""
    session = peer.another()
    await session.prelude()
    user = await session.ask(b"USER " + name.encode())
    failed = await session.ask(b"PASS not-" + peer.token.encode()) if user.ok else None
    await session.quit()
    return user, failed, user.waited_s + (failed.waited_s if failed is not None else 0.0)


def _said(answer: Pop3Answer | None, name: str) -> str:
    """Return an answer for comparing: a name may be repeated in it."""
    if answer is None or answer.response is None:
        return "no answer" if answer is not None else "not asked"
    text = answer.text.replace(name.encode(), b"<name>")
    return f"{'+OK' if answer.ok else '-ERR'} {printable(text)}".strip()


def _like(name: str) -> str:
    """Return a name of the same kind that nobody has."""
    local_part, at, domain = name.partition("@")
    return "zq" + local_part[::-1] + "qz" + at + domain


@case("pop3.user.enum", variants={"user": 0, "pass": 1})
async def answers_do_not_tell_who_exists(peer: Pop3Peer, which: int) -> Judgement:
    """The answers to USER and to a wrong PASS are the same whether there is such a user or not."""
    login, _ = await say_user(peer)
    await peer.quit()
    known, unknown = [(await _fail(peer, name))[:2] for name in (login, _like(login))]
    if which and known[1] is None:
        return undetermined(f"{known[0]} to USER")
    told = _said(known[which], login), _said(unknown[which], _like(login))
    if "no answer" in told:
        return undetermined(" and ".join(told))
    got = f'known: "{told[0]}"; unknown: "{told[1]}"'
    return (satisfied if told[0] == told[1] else weakened)(got, "the same")


@case("pop3.user.enum", variants={"time": None})
async def delays_do_not_tell_who_exists(peer: Pop3Peer, nothing: None) -> Judgement:
    """A wrong password is refused as soon where there is such a user as where there is none."""
    login, _password = await say_user(peer)
    await peer.quit()
    waits: dict[str, list[float]] = {login: [], _like(login): []}
    for _time in range(TIMES):
        for name, waited in waits.items():
            *_, seconds = await _fail(peer, name)
            waited.append(seconds)
    known_s, unknown_s = map(min, waits.values())
    got = f"known: {known_s * 1000:.0f} ms; unknown: {unknown_s * 1000:.0f} ms"
    low, high = sorted((known_s, unknown_s))
    tells = high - low > APART_S and high > 2 * low
    return (weakened if tells else satisfied)(got, "the same")


@case("pop3.pass.brute-force", alone=True)
async def guessing_is_slow(peer: Pop3Peer) -> Judgement:
    """Who guesses passwords is made to wait, or the session is closed."""
    login, _ = await say_user(peer)
    for failures in range(1, FAILURES + 1):
        answer = await peer.ask(b"PASS not-" + peer.token.encode())
        if answer.err and answer.waited_s >= DELAY_S:
            return satisfied(f"{answer} after {answer.waited_s:.1f} s, at failure {failures}")
        again = answer if answer.closed else await peer.ask(b"USER " + login.encode())
        if again.closed:
            return satisfied(f"{again} after {failures} failures")
        if not again.ok or not answer.err:
            return undetermined(f"{answer} to PASS, then {again} to USER")
    return weakened(f"{FAILURES} failures, each refused at once", "a delay, or a close")
