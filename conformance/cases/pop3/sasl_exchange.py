"""What the cases of POP3's logins have in common: mechanisms, their messages, and logins that must fail (RFC 5034)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_login import WAYS
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.sasl import apop_digest

WRONG: Final = "mailproof-wrong-password"
NOBODY: Final = "mailproof-nobody"
LETS_IN: Final = ("PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "LOGIN")     # mechanisms of which we know the client's side
IN_ONE_RESPONSE: Final = ("PLAIN", "CRAM-MD5", "SCRAM-SHA-256")      # LOGIN takes anything for a name
FAILING: Final = {"user": "USER", "apop": "APOP", "plain": "PLAIN", "cram-md5": "CRAM-MD5"}


def plain_message(login: str, password: str) -> bytes:
    """Return PLAIN's one message in base64 (RFC 4616 §2)."""
    return b64encode(f"\0{login}\0{password}".encode())


def mechanisms(peer: Pop3Peer) -> tuple[str, ...]:
    """Return the mechanisms that are listed where the session stands."""
    found = peer.subject.found.pop3
    listed = found.capabilities_in_tls if peer.in_tls else found.capabilities
    return tuple(name.upper() for name in (listed or {}).get("SASL", ()))


async def ready_for(peer: Pop3Peer, mechanism: str) -> None:
    """Come to where AUTH may be said with a mechanism, in TLS if it is only listed there."""
    await peer.maildrops()               # before the server's patience with who does not log in begins
    await peer.prelude()
    if mechanism not in mechanisms(peer) and peer.subject.found.pop3.has_tls and not peer.in_tls:
        await peer.start_tls()
    if mechanism not in mechanisms(peer):
        raise NotApplicable(f"{mechanism} is not listed")


async def begin(peer: Pop3Peer, mechanism: str = "PLAIN") -> Pop3Answer:
    """Come to where a mechanism awaits the first response; return the answer that asks for it."""
    await ready_for(peer, mechanism)
    answer = await peer.ask(b"AUTH " + mechanism.encode())
    Pop3Peer.must(answer, "+", to=b"AUTH " + mechanism.encode())
    return answer


async def begin_any(peer: Pop3Peer) -> Pop3Answer:
    """Come to where a mechanism awaits its one response that proves something: anything else must be refused."""
    return await begin(peer, await some_mechanism(peer, IN_ONE_RESPONSE))


async def some_mechanism(peer: Pop3Peer, names: Sequence[str] = LETS_IN) -> str:
    """Return the first of some mechanisms that is listed here, or in TLS; the session has come to where it is."""
    for name in names:
        try:
            await ready_for(peer, name)
        except NotApplicable:
            continue
        return name
    raise NotApplicable(f"none of {', '.join(names)} is listed")


async def log_in_once(peer: Pop3Peer) -> None:
    """Log in, in a session of its own, and leave: what was declared is right, and the maildrop free."""
    other = peer.another()
    await other.log_in()
    await other.quit()


async def can_log_in(peer: Pop3Peer, way: str) -> None:
    """See that a way lets in who is right, in a session of its own. NotApplicable if it does not."""
    other = peer.another()
    if way not in {"USER", "APOP"}:
        await ready_for(other, way)
    await other.maildrops()
    await other.prelude()
    if way == "APOP" and not other.timestamp:
        raise NotApplicable("APOP is not offered")
    answer = await other.try_log_in(way)
    if not answer.ok:
        raise NotApplicable(f"{answer} to a right login by {way}")
    await other.quit()


@dataclass(frozen=True, slots=True)
class Failure:
    """A login that failed: every answer up to it."""

    answers: tuple[Pop3Answer, ...]

    @property
    def last(self) -> Pop3Answer:
        """Return the answer that refused it."""
        return self.answers[-1]


async def fail_to_log_in(peer: Pop3Peer, way: str, login: str) -> Failure:
    """Log in with a wrong password, by a way of FAILING. NotApplicable where there is no such way."""
    if way in {"USER", "APOP"}:
        await peer.prelude()
    else:
        await ready_for(peer, way)
    if way == "APOP" and not peer.timestamp:
        raise NotApplicable("APOP is not offered")
    answers: list[Pop3Answer] = []

    async def ask(command: bytes) -> Pop3Answer:
        answers.append(await peer.ask(command))
        return answers[-1]

    if way == "APOP":
        await ask(b"APOP %b %b" % (login.encode(), apop_digest(peer.timestamp, WRONG).encode()))
    else:
        await WAYS[way](ask, login, WRONG, peer.timestamp)
    return Failure(tuple(answers))


async def ends_after_failure(peer: Pop3Peer) -> bool:
    """Say whether the server hangs up on who gives a wrong password: that is its right."""
    other = peer.another()
    login, _ = await other.login()
    way = await some_mechanism(other)
    failure = await fail_to_log_in(other, way, login)
    if failure.last.ok:
        raise Undetermined("a wrong password was taken")
    return failure.last.closed or not (await other.ask(b"AUTH " + way.encode())).continues


async def judge_login(peer: Pop3Peer, answer: Pop3Answer, to: str) -> Judgement:
    """Judge the answer to a right login. -ERR violates where another way takes the same name and password."""
    if not answer.err or answer.not_now:
        return answer.expect("+OK", to=to)
    try:
        await log_in_once(peer)
    except (Undetermined, NotApplicable):
        return undetermined(f"{answer} to {to}", "+OK")
    return violated(f"{answer} to {to}, and {peer.subject.found.pop3.way_in} lets in", "+OK")


def judge_refusal(answer: Pop3Answer, to: str) -> Judgement:
    """Judge an answer that must not let anybody in."""
    if answer.closed:
        return declined(f"{answer} to {to}", "-ERR")
    return satisfied(f"{answer} to {to}") if answer.err else answer.expect("-ERR", to=to)


ANSWERS_MAX: Final = 8


async def answers_to(peer: Pop3Peer, line: bytes) -> list[Pop3Answer]:
    """Send a line, and return all that is answered, up to silence or the end."""
    answers = [await peer.ask(line, multi_line=False)]
    while answers[-1].response is not None and len(answers) < ANSWERS_MAX:
        more = await peer.answer_or_silence()
        if more.silent:
            break
        answers.append(more)
    return answers
