"""STARTTLS: nothing that was said in clear text counts inside TLS (RFC 3207 §4.2, §6)."""

import re
from base64 import b64encode
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.message import body_of
from conformance.peer import MECHANISMS, SmtpPeer
from conformance.trace.header import received_in
from loadgen.wire.transparency import stuff

FIRST_NAME: Final = b"first.mailproof.invalid"
ANSWERS_MAX: Final = 16
RECORD_OCTETS: Final = 16_384           # the largest that TLS has (RFC 8446 §5.1)
# "with ESMTPS": the registered names that say TLS, RFC 3848 and RFC 6531 §4.3.
WITH_TLS: Final = re.compile(rb"\bwith\s+(?:E|UTF8)?(?:SMTP|LMTP)SA?\b", re.IGNORECASE)
TLS_CLAUSE: Final = re.compile(rb"\btls\s+TLS_[A-Z0-9_]+")


async def _come_into_tls(peer: SmtpPeer) -> None:
    """Say STARTTLS and shake hands; EHLO is not said again."""
    answer = await peer.ask(b"STARTTLS")
    if answer.no:
        raise NotApplicable(f"STARTTLS is refused here: {answer}")
    peer.must(answer, "220", to=b"STARTTLS")
    await peer.must_shake_hands()


async def _offered(peer: SmtpPeer) -> None:
    await peer.hello()
    peer.require("STARTTLS")


@case("smtp.tls.reset-ehlo")
async def hello_does_not_count_in_tls(peer: SmtpPeer) -> Judgement:
    """After the handshake EHLO must be said again before MAIL."""
    mail = b"MAIL FROM:<" + peer.sender + b">"
    await _offered(peer)
    await _come_into_tls(peer)
    answer = await peer.ask(mail)
    if answer.yes:
        careless = peer.another()
        await careless.greet()
        if (await careless.ask(mail)).yes:
            return declined(f"{answer}: no EHLO is needed at all", "5yz to MAIL")
    return answer.expect("5yz", to="MAIL in TLS without EHLO")


@case("smtp.tls.reset-name")
async def the_first_name_does_not_count(peer: SmtpPeer) -> Judgement:
    """The name given in clear text is forgotten: the trace field holds that given inside TLS."""
    await peer.greet()
    await peer.control(peer.hello_verb + b" " + FIRST_NAME)
    await _come_into_tls(peer)
    await peer.ehlo()
    field = await _received_field(peer)
    if FIRST_NAME in field:
        return violated(f"{field!r}", f"{peer.hello_name.decode()} in it")
    return satisfied(f"{field!r}") if peer.hello_name in field else undetermined(f"no name of ours in {field!r}")


async def _received_field(peer: SmtpPeer) -> bytes:
    """Deliver a message in the session as it is, and return the newest Received field it got."""
    if peer.subject.declared.session.login:
        await peer.log_in()
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    peer.must(await peer.answer(), to=b"a message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    fields = received_in(arrived[0])
    if not fields:
        raise NotApplicable("the message has no Received field")
    # A server that passes mail on to itself writes more than one: the one about us names us.
    return next((field for field in fields if peer.hello_name in field or FIRST_NAME in field), fields[0])


@case("smtp.tls.reset-envelope")
async def the_envelope_does_not_count(peer: SmtpPeer) -> Judgement:
    """A transaction begun in clear text does not go on inside TLS."""
    await _offered(peer)
    await peer.mail()
    await peer.rcpt()
    await _come_into_tls(peer)
    await peer.ehlo()
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA in TLS after RCPT in clear text")


@case("smtp.tls.reset-auth")
async def the_login_does_not_count(peer: SmtpPeer) -> Judgement:
    """A login in clear text does not hold inside TLS."""
    fresh = peer.another()
    await fresh.hello()
    await fresh.start_tls()
    begin = _begin_login(fresh)
    fresh.must(await fresh.ask(begin), "334", to=begin)
    await peer.hello()
    await peer.log_in()
    await _come_into_tls(peer)
    await peer.ehlo()
    answer = await peer.ask(begin)
    if answer.go_on:
        return satisfied(f"{answer} to {begin.decode()}")
    return violated(f"{answer} to {begin.decode()}", "334") if answer.matches("503") else undetermined(answer)


def _begin_login(peer: SmtpPeer) -> bytes:
    name = next((name.upper() for name in MECHANISMS if name.upper() in peer.extensions.auth), None)
    if name is None or name.startswith("SCRAM"):
        raise NotApplicable("no mechanism of AUTH is offered that a challenge begins")
    return f"AUTH {name}".encode()


# What stands behind STARTTLS in one segment: somebody else could have put it there.

COMMANDS: Final = {"noop": b"NOOP", "rset": b"RSET", "vrfy": b"VRFY postmaster", "ehlo": None}


async def _inject(peer: SmtpPeer, octets: bytes) -> Answer | None:
    """Send STARTTLS and something behind it, and shake hands; return what ended that, if it did."""
    await _offered(peer)
    await peer.send(b"STARTTLS\r\n" + octets)
    answer = await peer.answer()
    if not answer.matches("220"):
        return answer
    return await peer.handshake()


async def _all_answers(peer: SmtpPeer) -> list[Answer]:
    """Return every answer until the server is silent or gone."""
    answers: list[Answer] = []
    while len(answers) < ANSWERS_MAX and (answer := await peer.answer_or_silence()).reply is not None:
        answers.append(answer)
    return answers


@case("smtp.tls.inject-command", variants=COMMANDS)
async def a_command_behind_starttls_is_not_run(peer: SmtpPeer, command: bytes | None) -> Judgement:
    """A command that came behind STARTTLS in clear text is not run inside TLS."""
    ended = await _inject(peer, (command or peer.hello_verb + b" injected.invalid") + b"\r\n")
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    unasked = [answer for answer in await _all_answers(peer) if not answer.matches("220")]
    await peer.send(b"NOOP\r\n")
    unasked += (await _all_answers(peer))[1:]
    return violated(f"{unasked[0]} inside TLS", "no answer to it") if unasked else satisfied("no answer to it")


@case("smtp.tls.inject-mail")
async def a_transaction_behind_starttls_is_none(peer: SmtpPeer) -> Judgement:
    """MAIL and RCPT that came behind STARTTLS in clear text do not begin a transaction inside TLS."""
    lines = (peer.hello_line, b"MAIL FROM:<" + peer.sender + b">", b"RCPT TO:<" + peer.recipient + b">")
    ended = await _inject(peer, b"".join(line + b"\r\n" for line in lines))
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    await peer.send(b"DATA\r\n")
    answers = await _all_answers(peer)
    asked = [answer for answer in answers if answer.go_on]
    return violated(f"{asked[0]} to DATA", "5yz") if asked else satisfied(answers[-1] if answers else "a close")


@case("smtp.tls.inject-partial")
async def half_a_command_is_not_completed(peer: SmtpPeer) -> Judgement:
    """Half a command in clear text is not joined with what is said inside TLS."""
    ended = await _inject(peer, b"NO")
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    return (await peer.ask(b"OP")).expect("5yz", to='"NO" in clear text and "OP" in TLS')


@case("smtp.tls.inject-auth")
async def half_a_login_is_not_completed(peer: SmtpPeer) -> Judgement:
    """An AUTH command begun in clear text is not joined with what is said inside TLS."""
    inside = peer.subject.found.extensions_in_tls
    if inside is None or "PLAIN" not in inside.auth:
        raise NotApplicable("PLAIN is not offered inside TLS")
    login, password = peer.login
    ended = await _inject(peer, peer.hello_line + b"\r\nAUTH PLAIN ")
    if ended is not None:
        return satisfied(f"no TLS came of it: {ended}")
    await peer.send(b64encode(f"\0{login}\0{password}".encode()) + b"\r\n")
    answers = await _all_answers(peer)
    joined = [answer for answer in answers if answer.matches("235")]
    return violated(joined[0], "no login") if joined else satisfied(answers[-1] if answers else "a close")


# What TLS leaves in the message, and what it must leave alone.


@case("smtp.tls.received-with")
async def the_trace_field_tells_of_tls(peer: SmtpPeer) -> Judgement:
    """The trace field of what came in TLS says with ESMTPS."""
    await _offered(peer)
    await peer.start_tls()
    field = await _received_field(peer)
    return satisfied(f"{field!r}") if WITH_TLS.search(field) else violated(f"{field!r}", "with ESMTPS")


@case("smtp.tls.received-cipher")
async def the_trace_field_names_the_suite(peer: SmtpPeer) -> Judgement:
    """The trace field of a submission in TLS names the cipher suite."""
    await _offered(peer)
    await peer.start_tls()
    if not peer.subject.declared.session.login:
        await peer.log_in()
    field = await _received_field(peer)
    return satisfied(f"{field!r}") if TLS_CLAUSE.search(field) else violated(f"{field!r}", "tls TLS_...")


@case("smtp.tls.large-record-split", variants={"one-octet": 1, "16-kib": RECORD_OCTETS})
async def records_are_no_lines(peer: SmtpPeer, octets: int) -> Judgement:
    """How a message is cut into records of TLS makes no difference."""
    await _offered(peer)
    await peer.start_tls()
    if peer.subject.declared.session.login:
        await peer.log_in()
    body = b"".join(b"line %d\r\n" % number for number in range(20 if octets == 1 else 5_000))
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    sent = stuff(peer.message(body))
    for at in range(0, len(sent), octets):
        await peer.send(sent[at : at + octets])
    answer = await peer.answer()
    if answer.no:
        await peer.must_take_mail()
    if not answer.yes:
        return answer.expect("2yz", to="the message")
    kept = body_of((await peer.stored() or (b"",))[0])
    return satisfied(answer) if kept == body else violated(f"{answer}, and kept otherwise than sent", "kept as sent")
