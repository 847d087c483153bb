"""What a server says about itself, and to those who are no clients of mail."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import END_OF_MAIL_DATA, SmtpPeer
from loadgen.wire.printable import printable

# "3.7.11", "4.96", "v2.1-rc1": not an enhanced status code, not an address, not a part of a name.
VERSION: Final = re.compile(
    rb"(?:(?<=[\s/(v])|^)(?!\d+\.\d+\.\d+\.\d+)v?\d{1,4}\.\d{1,4}(?:\.\d{1,4})?[a-z0-9+~-]*(?=[\s;,)\]]|$)",
    re.IGNORECASE,
)
STATUS: Final = re.compile(rb"^[245]\.\d{1,3}\.\d{1,3}(?= |$)")
RECEIVED: Final = re.compile(rb"^Received:[^\r]*(?:\r\n[ \t][^\r]*)*", re.MULTILINE | re.IGNORECASE)
MAILBOX: Final = re.compile(rb"[^\s<>@,]+@[A-Za-z0-9.\[\]:-]+")
SESSIONS: Final = 6
FORGED: Final = b"192.0.2.77"
PROXIES: Final = {
    "v1": b"PROXY TCP4 192.0.2.77 192.0.2.78 56324 25\r\n",
    "v2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x4d\xc0\x00\x02\x4e\xdc\x04\x00\x19",
}
SLOW_ANSWERS_MAX: Final = 12


def _version_in(texts: tuple[bytes, ...]) -> bytes | None:
    """Return the first version number, if there is one."""
    found = (VERSION.search(STATUS.sub(b"", text)) for text in texts)
    return next((match[0] for match in found if match is not None), None)


@case("hard.banner-version", variants={"greeting": None, "ehlo": b"EHLO", "help": b"HELP"})
async def no_version_is_told(peer: SmtpPeer, verb: bytes | None) -> Judgement:
    """Greeting, EHLO and HELP do not say which version this is."""
    reply = await peer.greet()
    if verb is not None:
        answer = await peer.ask(peer.hello_line)
        answer = await peer.ask(verb) if verb == b"HELP" else answer
        if answer.reply is None:
            return undetermined(answer)
        reply = answer.reply
    version = _version_in(reply.texts)
    return satisfied("no version number") if version is None else violated(printable(version), "no version number")


@case("hard.banner-version", variants={"received": None})
async def no_version_is_left(peer: SmtpPeer, _: None) -> Judgement:
    """The trace field does not say which version this is."""
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("mail may not be left (allow.leave_mail)")
    peer.must(await peer.deliver(peer.message()), to=b"a message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    for field in RECEIVED.findall(arrived[0]):
        version = _version_in((field.partition(b";")[0],))
        if version is not None and peer.hello_name in field:
            return violated(f"{printable(version)} in {printable(field, 200)}", "no version number")
    return satisfied("no version number")


@case("hard.vrfy-off")
async def vrfy_does_not_tell_names_apart(peer: SmtpPeer) -> Judgement:
    """VRFY answers alike for a name that exists and one that does not."""
    known = peer.promised_recipient
    unknown = b"nobody-" + peer.token.encode() + b"@" + (known.rpartition(b"@")[2] or b"mailproof.invalid")
    await peer.hello()
    first, second = await peer.ask(b"VRFY " + known), await peer.ask(b"VRFY " + unknown)
    if first.reply is None or second.reply is None or first.later or second.later:
        return undetermined(f"{first}; {second}")
    got = f"{first.code} to a known name, {second.code} to an unknown one"
    return satisfied(got) if first.code == second.code else violated(got, "the same code")


@case("hard.expn-off")
async def expn_lists_nobody(peer: SmtpPeer) -> Judgement:
    """EXPN lists nobody to strangers."""
    await peer.hello()
    answer = await peer.ask(b"EXPN postmaster")
    if answer.reply is not None and answer.matches("250") and MAILBOX.search(answer.reply.octets):
        return violated(f"{answer} to EXPN", "502, 252 or 550")
    return answer.expect("5yz", "252", lawful=("2yz",), to="EXPN")


DEBUG_VERBS: Final = {
    "debug": b"DEBUG", "wiz": b"WIZ", "kill": b"KILL", "showq": b"SHOWQ", "xclient": b"XCLIENT ADDR=192.0.2.77",
    "xforward": b"XFORWARD ADDR=192.0.2.77", "xexch50": b"XEXCH50 1 1", "xauth": b"XAUTH x", "onex": b"ONEX",
    "verb": b"VERB",
}


@case("hard.debug-verbs", variants=DEBUG_VERBS)
async def strangers_do_not_debug(peer: SmtpPeer, command: bytes) -> Judgement:
    """What was once for debugging, or is for servers among themselves, is refused to strangers."""
    await peer.hello()
    keyword = command.partition(b" ")[0].decode()
    if keyword in peer.extensions.keywords:
        raise NotApplicable(f"{keyword} is offered: this client is trusted")
    answer = await peer.ask(command)
    return satisfied(answer) if answer.closed else answer.expect("5yz", to=command.decode())


async def _said_first(peer: SmtpPeer, octets: bytes) -> list[Answer]:
    """Send octets before anything else; return all that comes of it, the greeting first."""
    await peer.send(octets)
    return await _all_answers(peer)


async def _all_answers(peer: SmtpPeer) -> list[Answer]:
    answers = [await peer.answer()]
    while answers[-1].reply is not None and len(answers) < SLOW_ANSWERS_MAX:
        answers.append(await peer.answer_or_silence())
    return answers


@case("hard.proxy-header", variants=PROXIES)
async def strangers_are_no_proxies(peer: SmtpPeer, header: bytes) -> Judgement:
    """The header of a proxy is refused, or ends the session: nobody may say from where they come."""
    await (control := peer.another()).hello()
    await control.quit()
    answers = await _said_first(peer, header)
    told = next((answer for answer in answers if answer.no or answer.later), None)
    if told is not None or answers[-1].closed:
        return satisfied(told or answers[-1])
    if answers[0].silent:
        return undetermined(f"{answers[0]} to a proxy's header")
    hello = await peer.ask(peer.hello_line)
    got = f"no answer to a proxy's header, {hello} to {peer.hello_verb.decode()}"
    return violated(got, "5yz or a close") if hello.yes else satisfied(got)


@case("hard.http-cross-protocol", variants={"get": b"GET", "post": b"POST"})
async def browsers_send_no_mail(peer: SmtpPeer, method: bytes) -> Judgement:
    """Commands in the body of a request of HTTP are not run."""
    body = peer.hello_line + b"\r\nMAIL FROM:<" + peer.promised_sender + b">\r\nNOOP\r\nRSET\r\nQUIT\r\n"
    head = b" / HTTP/1.1\r\nHost: mailproof.invalid\r\nContent-Length: %d\r\n\r\n" % len(body)
    await (control := peer.another()).hello()
    await control.quit()
    await peer.greet()
    await peer.send(method + head + body)
    answers = await _all_answers(peer)
    ran = [answer for answer in answers if answer.matches("250")]
    return violated(f"{ran[0]} to what stands in HTTP", "5yz or a close") if ran else satisfied(answers[0])


@case("hard.fin-before-reply", variants={"quit": False, "dot": True})
async def last_words_are_said(peer: SmtpPeer, ends_mail: bool) -> Judgement:
    """A client that has said its last, and closed its direction, still gets the answer."""
    await (control := peer.another()).open()
    await control.quit()
    if ends_mail:
        if not peer.subject.declared.allow.leave_mail:
            raise NotApplicable("mail may not be left (allow.leave_mail)")
        await peer.begin_mail_data()
        await peer.send(peer.message() + END_OF_MAIL_DATA)
    else:
        await peer.open()
        await peer.send(b"QUIT\r\n")
    if peer.in_tls:
        raise NotApplicable("in TLS the end of one direction ends the other")
    await peer.send_eof()
    answer = await peer.answer()
    if answer.reply is not None:
        return satisfied(answer)
    return violated(f"{answer} after we closed our direction", "the answer") if answer.closed else undetermined(answer)


@case("hard.self-rcpt-loop")
async def loops_have_an_end(peer: SmtpPeer) -> Judgement:
    """A message with 101 Received fields goes round in circles: it is refused, or comes back."""
    hop = b"Received: from a.example by b.example with SMTP id %d; Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    message = b"".join(hop % number for number in range(101)) + peer.message()
    answer = await peer.deliver(message)
    if not answer.yes:
        return satisfied(answer) if answer.no or answer.closed else undetermined(answer)
    arrived = await peer.stored_before_a_later_one()
    got = f"{answer}, and {'delivered' if arrived else 'not delivered'}"
    return violated(got, "5yz, or a bounce") if arrived else satisfied(got)


@case("core.cross-session", variants={"replies": None})
async def replies_are_ones_own(peer: SmtpPeer, _: None) -> Judgement:
    """No reply tells of another session that goes on beside it."""
    sessions = [peer, *[peer.another() for _ in range(SESSIONS - 1)]]
    marks = [b"%s-s%dx" % (peer.token.encode(), number) for number in range(SESSIONS)]
    domain = peer.sender.rpartition(b"@")[2] or b"mailproof.invalid"
    for session in sessions:
        await session.open()
    for line in (b"MAIL FROM:<%s@" + domain + b">", b"RCPT TO:<%s@" + domain + b">", b"VRFY %s", b"NOOP %s", b"%s"):
        for session, mark in zip(sessions, marks, strict=True):
            await session.send(line.replace(b"%s", mark) + b"\r\n")
        for session, mark in zip(sessions, marks, strict=True):
            answer = await session.answer()
            octets = b"" if answer.reply is None else answer.reply.octets
            other = next((one for one in marks if one != mark and one in octets), None)
            if other is not None:
                return violated(f"{answer} in a session of {mark.decode()}", "nothing of another session")
    return satisfied(f"{SESSIONS} sessions, each told of itself alone")


@case("core.cross-session", variants={"messages": None})
async def messages_are_ones_own(peer: SmtpPeer, _: None) -> Judgement:
    """No message holds anything of another that is sent beside it."""
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("mail may not be left (allow.leave_mail)")
    sessions = [peer, *[peer.another() for _ in range(SESSIONS - 1)]]
    for session in sessions:
        await session.begin_mail_data()
    for number, session in enumerate(sessions):
        half = peer.message(b"mark %d of %s\r\n" % (number, peer.token.encode()) * 20)
        await session.send(half)
    for session in sessions:
        await session.send(END_OF_MAIL_DATA)
    for session in sessions:
        peer.must(await session.answer(), to=b"a message")
    arrived = await peer.stored(SESSIONS)
    if len(arrived) < SESSIONS:
        raise Undetermined(f"{len(arrived)} of {SESSIONS} messages arrived in the time allowed (timers.delivery)")
    marks = [sorted(set(re.findall(rb"mark (\d+) of " + re.escape(peer.token.encode()), one))) for one in arrived]
    mixed = next((found for found in marks if len(found) != 1), None)
    twice = len({found[0] for found in marks if found}) < SESSIONS
    if mixed is not None or twice:
        return violated("a message holds what another session sent", "each its own")
    return satisfied(f"{SESSIONS} messages, each its own")
