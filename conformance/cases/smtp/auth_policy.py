"""Who may log in how, who must, and what a server does against those who guess (RFC 4954 §4, §6, §9)."""

import re
from statistics import median
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import judge_refusal, plain_message, ready_for, respond
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from conformance.trace.header import received_in

GUESSES: Final = 20
PAIRS: Final = 15                    # of guesses that are timed
DELAY_S: Final = 0.5                 # a guess answered later is slowed down on purpose
SWITCHES_OF_EACH: Final = 6          # in a session: each cancel counts among its errors
SWITCHING_SESSIONS: Final = 9
APART: Final = 1.25                  # a median so much greater is not the network's doing
# "with ESMTPA": RFC 3848, RFC 6531 §4.3
WITH_LOGIN: Final = re.compile(rb"\bwith\s+(?:E|UTF8)?(?:SMTP|LMTP)S?A\b", re.IGNORECASE)


async def _where_auth_is(peer: SmtpPeer) -> None:
    """Come to where AUTH is offered, in TLS if it is only offered there."""
    await peer.hello()
    if "AUTH" not in peer.extensions.keywords and peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    peer.require("AUTH")


@case("smtp.auth.list-nonempty")
async def some_mechanism_is_named(peer: SmtpPeer) -> Judgement:
    """Where AUTH is offered, and TLS is on or not to be had, it names a mechanism."""
    await _where_auth_is(peer)
    if not peer.extensions.auth and peer.extensions.starttls and not peer.in_tls:
        inside = peer.another()
        await inside.hello()
        await inside.start_tls()
        if inside.extensions.auth:
            return declined("AUTH names no mechanism before TLS", "one at least")
    named = sorted(peer.extensions.auth)
    return satisfied(" ".join(named)) if named else violated("AUTH names no mechanism", "one at least")


@case("smtp.auth.only-listed", variants={"plain": "PLAIN", "login": "LOGIN"})
async def what_is_not_offered_lets_nobody_in(peer: SmtpPeer, mechanism: str) -> Judgement:
    """A mechanism that is not offered does not let in, even with the right password."""
    login, password = peer.login
    await _where_auth_is(peer)
    if mechanism in peer.extensions.auth:
        raise NotApplicable(f"{mechanism} is offered")
    return judge_refusal(await _give_password(peer, mechanism, login, password), f"AUTH {mechanism}, not offered")


async def _give_password(peer: SmtpPeer, mechanism: str, login: str, password: str) -> Answer:
    if mechanism == "PLAIN":
        return await peer.ask(b"AUTH PLAIN " + plain_message(login, password))
    answer = await peer.ask(b"AUTH LOGIN")
    for part in (login, password):
        if answer.go_on:
            answer = await respond(peer, part.encode())
    return answer


@case("smtp.auth.only-listed", variants={"anonymous": b"ANONYMOUS bWFpbHByb29m", "external": b"EXTERNAL ="})
async def nobody_gets_in_by_what_is_not_offered(peer: SmtpPeer, said: bytes) -> Judgement:
    """A mechanism without a password that is not offered does not let in."""
    mechanism = said.split()[0].decode()
    await _where_auth_is(peer)
    if mechanism in peer.extensions.auth:
        raise NotApplicable(f"{mechanism} is offered")
    return judge_refusal(await peer.ask(b"AUTH " + said), f"AUTH {mechanism}, not offered")


@case("smtp.auth.plain-over-tls")
async def plain_is_offered_in_tls(peer: SmtpPeer) -> Judgement:
    """PLAIN is offered inside TLS."""
    offer = peer.subject.found.extensions_in_tls
    if offer is None:
        raise NotApplicable("no TLS is to be had")
    if not offer.auth:
        raise NotApplicable("AUTH is not offered inside TLS")
    named = " ".join(sorted(offer.auth))
    return satisfied(named) if "PLAIN" in offer.auth else violated(named, "PLAIN among them")


@case("smtp.auth.no-plaintext-in-clear", variants={"plain": "PLAIN", "login": "LOGIN"})
async def passwords_are_not_taken_in_clear(peer: SmtpPeer, mechanism: str) -> Judgement:
    """Where TLS is to be had, no password is taken in clear text."""
    login, password = peer.login
    await peer.hello()
    peer.require("STARTTLS")
    answer = await _give_password(peer, mechanism, login, password)
    return judge_refusal(answer, f"AUTH {mechanism} in clear text")


@case("smtp.auth.rset-keeps-auth")
async def a_login_outlives_rset(peer: SmtpPeer) -> Judgement:
    """After RSET one is still logged in: MAIL is taken as before it."""
    await _where_auth_is(peer)
    await peer.log_in()
    await peer.mail()
    await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    if answer.matches("530"):
        return violated(f"{answer} to MAIL after RSET", "2yz")
    peer.must(answer, to=b"MAIL after RSET")
    await peer.control(b"RSET")
    again = await peer.ask(b"AUTH PLAIN")
    if again.go_on:
        return violated(f"{again} to AUTH after RSET: nobody is logged in", "503")
    return satisfied(f"{answer} to MAIL, {again} to AUTH") if again.no else undetermined(again)


# A server that takes no mail from strangers.


async def _refused_to_strangers(peer: SmtpPeer) -> Answer:
    """Return what MAIL, or RCPT, is refused with before a login; NotApplicable if it is not, or after one too."""
    commands = (b"MAIL FROM:<" + peer.promised_sender + b">", b"RCPT TO:<" + peer.promised_recipient + b">")
    for session, logs_in in ((peer, False), (peer.another(), True)):
        await session.hello()
        if session.subject.declared.session.tls == "starttls" and not session.in_tls:
            await session.start_tls()
        if logs_in:
            if not session.extensions.auth and session.extensions.starttls and not session.in_tls:
                await session.start_tls()
            await session.log_in()
        answers = [await session.ask(command) for command in commands]
        if not logs_in:
            refused = next((answer for answer in answers if answer.no), None)
            if refused is None:
                raise NotApplicable(f"no login is required: {answers[-1]} to RCPT without")
        elif not all(answer.yes for answer in answers):
            raise NotApplicable(f"{answers[-1]} to RCPT with a login too")
    assert refused is not None
    return refused


@case("smtp.auth.required-530")
async def who_wants_a_login_says_530(peer: SmtpPeer) -> Judgement:
    """A server that requires a login answers 530 to mail without one."""
    refused = await _refused_to_strangers(peer)
    if refused.reply is not None and b"TLS" in refused.reply.octets.upper():
        raise NotApplicable(f"it is TLS that is wanted: {refused}")
    return refused.expect("530", to="mail without a login")


EXEMPT: Final = {
    "ehlo": b"", "helo": b"HELO", "noop": b"NOOP", "rset": b"RSET", "quit": b"QUIT", "auth": b"AUTH PLAIN",
}


@case("smtp.auth.required-exempt", variants=EXEMPT)
async def what_strangers_may_say(peer: SmtpPeer, command: bytes) -> Judgement:
    """A server that requires a login answers everything but mail without one."""
    await _refused_to_strangers(peer)
    await peer.control(b"RSET", "2yz", "530")
    if command == b"AUTH PLAIN" and "PLAIN" not in peer.extensions.auth:
        raise NotApplicable("PLAIN is not offered")
    if command == b"HELO" and peer.subject.is_lmtp:
        raise NotApplicable("LMTP has no HELO")
    line = {b"": peer.hello_line, b"HELO": b"HELO " + peer.hello_name}.get(command, command)
    answer = await peer.ask(line)
    to = f"{line.decode()} without a login"
    return violated(f"{answer} to {to}", "not 530") if answer.matches("530") else answer.expect("2yz", "334", to=to)


# Those who guess.


async def _guess(peer: SmtpPeer, login: str, password: str) -> Answer:
    return await peer.ask(b"AUTH PLAIN " + plain_message(login, password))


@case("smtp.auth.three-tries", asks_for_the_end=True)
async def three_guesses_are_answered(peer: SmtpPeer) -> Judgement:
    """A session is not ended before the third wrong password."""
    login, password = peer.login
    await ready_for(peer, "PLAIN")
    for number in range(1, 4):
        answer = await _guess(peer, login, f"{password}-{number}")
        if number < 3 and (answer.matches("421") or answer.closed):
            return violated(f"{answer} to wrong password number {number}", "three are answered")
        if not answer.matches("5yz", "421") and not answer.closed:
            return answer.expect("5yz", to=f"wrong password number {number}")
    return satisfied(f"{answer} to wrong password number 3")


@case("smtp.auth.brute-force")
async def guessing_has_an_end(peer: SmtpPeer) -> Judgement:
    """Twenty wrong passwords in a session are slowed down, or end it."""
    login, password = peer.login
    await ready_for(peer, "PLAIN")
    for number in range(1, GUESSES + 1):
        answer = await _guess(peer, login, f"{password}-{number}")
        if answer.closed or answer.matches("421"):
            return satisfied(f"{answer} to wrong password number {number}")
        if answer.waited_s >= max(DELAY_S, peer.subject.quiet_s):
            return satisfied(f"wrong password number {number} was answered after {answer.waited_s:.2g} s")
        if answer.matches("530"):
            return undetermined(answer)
        if not answer.no:
            return answer.expect("5yz", to=f"wrong password number {number}")
    return violated(f"{GUESSES} wrong passwords, each answered at once", "a delay, 421, or a close")


@case("smtp.auth.user-enum-time")
async def who_exists_does_not_show_in_time(peer: SmtpPeer) -> Judgement:
    """An unknown user and a wrong password are answered in the same time."""
    login, password = peer.login
    times: dict[str, list[float]] = {login: [], f"nobody-{peer.token}": []}
    for _ in range(PAIRS):
        for name, waits in times.items():
            session = peer.another()
            await ready_for(session, "PLAIN")
            answer = await _guess(session, name, f"{password}x")
            session.must(answer, "4yz", "5yz", to=b"a wrong login")
            waits.append(answer.waited_s)
            await session.quit()
    known, unknown = times.values()
    got = f"medians {median(known) * 1000:.3g} ms (wrong password) and {median(unknown) * 1000:.3g} ms (unknown user)"
    # Every one of the one kind slower than every one of the other: by chance once in 10^8 times.
    separate = max(known) < min(unknown) or max(unknown) < min(known)
    slower, faster = max(median(known), median(unknown)), min(median(known), median(unknown))
    return violated(got, "overlapping") if separate and slower > faster * APART else satisfied(got)


@case("smtp.auth.mech-switch")
async def mechanisms_may_be_changed(peer: SmtpPeer) -> Judgement:
    """Exchanges that are begun and cancelled, by one mechanism after another, do a server no harm."""
    await _where_auth_is(peer)
    names = sorted(peer.extensions.auth & {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"})
    if not names:
        raise NotApplicable("no mechanism is offered that we know")
    for number in range(SWITCHING_SESSIONS):
        session = peer.another()
        await _where_auth_is(session)
        for switch in range(SWITCHES_OF_EACH):
            name = names[(number + switch) % len(names)]
            answer = await session.ask(f"AUTH {name}".encode())
            if answer.go_on:
                answer = await session.ask(b"*")
            if answer.closed:
                return violated(f"{answer} after AUTH {name}, begun and cancelled", "5yz")
            session.must(answer, "5yz", to=b"*")
        session.must(await session.still_there(), to=b"NOOP")
    return satisfied(f"{SWITCHES_OF_EACH} exchanges in each of {SWITCHING_SESSIONS} sessions")


@case("smtp.auth.received-a")
async def the_trace_field_tells_of_the_login(peer: SmtpPeer) -> Judgement:
    """The trace field of what came after a login says with ESMTPA, or ESMTPSA in TLS."""
    await _where_auth_is(peer)
    await peer.log_in()
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(peer.message()), to=b"a message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    fields = received_in(arrived[0])
    if not fields:
        raise NotApplicable("the message has no Received field")
    ours = next((field for field in fields if peer.hello_name in field), fields[0])
    return satisfied(f"{ours!r}") if WITH_LOGIN.search(ours) else violated(f"{ours!r}", "with ESMTPA")
