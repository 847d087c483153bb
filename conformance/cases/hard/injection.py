"""What is put into arguments stays there: no header field, no command, no program comes of it."""

import re
from collections.abc import Sequence
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.slowness import sleeps_as_told
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

FIELD: Final = b"X-Mailproof-Injected"
RECEIVED: Final = re.compile(rb"^Received:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.MULTILINE | re.IGNORECASE)
PRODUCT: Final = b"1337*31"          # which a template would work out
WORKED_OUT: Final = b"41447"
ODD_TEXT: Final = re.compile(rb"\(null\)|\b0x[0-9a-f]{6,16}\b|\b[0-9a-f]{12,16}\b")     # what %p, %s and %x leave

# How a line end could be hidden in an argument. {} is where the header field would begin.
HIDDEN: Final = {
    "cr": b"\r", "lf": b"\n", "percent": b"%0d%0a", "backslash": b"\\r\\n", "quoted-cr": b"\\\r", "nul": b"\0",
}


async def _taken(peer: SmtpPeer, command: bytes) -> tuple[bool, Sequence[Answer]]:
    """Send a command in which a line end may hide; say whether it was taken as one command, and all the answers."""
    answers = [await peer.ask(command)]
    while answers[-1].reply is not None and len(answers) < 4:
        answers.append(await peer.answer_or_silence())
    return len(answers) == 2 and answers[0].yes and answers[1].silent, answers


async def _injected(peer: SmtpPeer) -> Judgement:
    """Send a message in the transaction as it is, and look whether the field has come of it."""
    peer.must(await peer.ask(b"DATA"), "354", to=b"DATA")
    answer = await peer.end_of(peer.message())
    if not answer.yes:
        return satisfied(f"{answer} to the message")
    arrived = await peer.stored_before_a_later_one()
    if not arrived:
        raise Undetermined("the message was taken, and a later one arrived before it")
    if _has_field(arrived[0].partition(b"\r\n\r\n")[0]):
        return violated(f"a header field {FIELD.decode()} in what was delivered", "none")
    return satisfied("no header field has come of it")


def _has_field(header: bytes) -> bool:
    return any(line.lower().startswith(FIELD.lower()) for line in re.split(rb"\r\n|\r|\n", header))


@case("hard.inject-mail-cr", variants=HIDDEN)
async def a_reverse_path_makes_no_field(peer: SmtpPeer, mark: bytes) -> Judgement:
    """A line end hidden in the reverse-path makes no header field."""
    local = b"a" + mark + FIELD + b":" + peer.token.encode()
    if mark == b"\\\r":
        local = b'"' + local + b'"'
    await peer.open()
    await peer.mail()
    await peer.control(b"RSET")
    taken, answers = await _taken(peer, b"MAIL FROM:<" + local + b"@" + _domain(peer.sender) + b">")
    if not taken:
        return satisfied(answers[0])
    return await _injected_for(peer, peer.recipient)


@case("hard.inject-rcpt-cr", variants=HIDDEN)
async def a_forward_path_makes_no_field(peer: SmtpPeer, mark: bytes) -> Judgement:
    """A line end hidden in a forward-path makes no header field."""
    local, _, domain = peer.recipient.rpartition(b"@")
    odd = local + mark + FIELD + b":" + peer.token.encode()
    if mark == b"\\\r":
        odd = b'"' + odd + b'"'
    await peer.open()
    await peer.mail()
    taken, answers = await _taken(peer, b"RCPT TO:<" + odd + b"@" + domain + b">")
    if not taken:
        return satisfied(answers[0])
    return await _injected_for(peer, peer.recipient)


async def _injected_for(peer: SmtpPeer, recipient: bytes) -> Judgement:
    """Name somebody whose mail can be read as well, and go on."""
    answer = await peer.ask(b"RCPT TO:<" + recipient + b">")
    return await _injected(peer) if answer.yes else satisfied(f"taken; {answer} to RCPT")


def _domain(address: bytes) -> bytes:
    return address.rpartition(b"@")[2] or b"mailproof.invalid"


NAMES: Final = {
    "comment": b"(x) by evil.example", "open-comment": b"a(b", "semicolon": b"a;b",
    "cr": b"a\r" + FIELD + b": yes", "nul": b"a\0b", "quote": b'a"b', "template": b"${1337*31}.{{1337*31}}.example",
}


@case("hard.inject-ehlo", variants=NAMES)
async def a_name_does_not_forge_the_trace(peer: SmtpPeer, name: bytes) -> Judgement:
    """An odd argument of EHLO is refused, or leaves the trace field well formed."""
    await peer.open()
    answer = await peer.ask(peer.hello_verb + b" " + name)
    if not answer.yes:
        return satisfied(answer) if answer.no or answer.closed else undetermined(answer)
    mail = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    rcpt = await peer.ask(b"RCPT TO:<" + peer.recipient + b">")
    if not (mail.yes and rcpt.yes):
        return satisfied(f"taken; {mail} to MAIL, {rcpt} to RCPT")
    peer.must(await peer.ask(b"DATA"), "354", to=b"DATA")
    final = await peer.end_of(peer.message())
    if not final.yes:
        return satisfied(f"{final} to the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    header = arrived[0].partition(b"\r\n\r\n")[0]
    odd = next((field for field in RECEIVED.findall(header) if not _is_well_formed(field)), None)
    if odd is not None:
        return violated(printable(odd, 300), "a well-formed trace field")
    forged = _has_field(header) or WORKED_OUT in header
    return violated("a forged trace field", "a well-formed one") if forged else satisfied(f"{answer}; well formed")


def _is_well_formed(field: bytes) -> bool:
    """Say whether comments are closed, and one semicolon stands before the date (RFC 5321 §4.4)."""
    outside = field
    while (cut := re.sub(rb"\([^()]*\)", b"", outside)) != outside:
        outside = cut
    once = outside.count(b";") == 1 and len(re.findall(rb"\sby\s", outside)) <= 1
    return once and not re.search(rb"[()\x00]", outside) and outside.count(b'"') % 2 == 0


CONTROLS: Final = {
    "raw": b"SIZE=1\x07", "size-cr": b"SIZE=1\r2", "body-nul": b"BODY=8BITMIME\0",
    "envid-crlf": b"ENVID=a+0D+0AX:y", "envid-nul": b"ENVID=a+00b", "auth-crlf": b"AUTH=a+0D+0AX:y@example.com",
}
KEYWORDS: Final = {b"SIZE": "SIZE", b"BODY": "8BITMIME", b"ENVID": "DSN", b"AUTH": "AUTH"}


@case("hard.inject-param", variants=CONTROLS)
async def parameters_hold_no_controls(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A control octet in a parameter of MAIL is refused, as it is or in xtext."""
    await peer.open()
    peer.require(KEYWORDS[parameter.partition(b"=")[0]])
    await peer.mail()
    await peer.control(b"RSET")
    taken, answers = await _taken(peer, b"MAIL FROM:<" + peer.sender + b"> " + parameter)
    got = f"{answers[0]} to {printable(parameter)}"
    if taken:
        return violated(got, "5yz")
    return undetermined(got) if answers[0].later or answers[0].silent else satisfied(got)


@case("hard.inject-param", variants={"orcpt-crlf": b"ORCPT=rfc822;a+0D+0AX:y", "orcpt-nul": b"ORCPT=rfc822;a+00b"})
async def parameters_of_rcpt_hold_no_controls(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A control octet in a parameter of RCPT is refused, as it is or in xtext."""
    await peer.open()
    peer.require("DSN")
    await peer.mail()
    answer = await peer.ask(b"RCPT TO:<" + peer.recipient + b"> " + parameter)
    to = printable(parameter)
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("5yz", to=to)


# Names that a program would take for something else. Only a server that refuses unknown names shows anything.

SHELL: Final = {
    "semicolon": b'"a;sleep 4;"', "pipe": b'"|sleep 4"', "backtick": b"`sleep${IFS}4`", "dollar": b'"$(sleep 4)"',
    "run": b'"${run{/bin/sleep 4}}"', "newline": b'"a$(printf \'\\n\')sleep 4"',
}
PATHS: Final = {
    "dots": b'"../../../etc/passwd"', "absolute": b"/etc/passwd", "hyphen": b"-oQ", "pipe": b"|cat",
    "include": b'":include:/etc/passwd"', "home": b"~root", "star": b"*",
}


async def _asked_of_strangers(peer: SmtpPeer, local: bytes) -> Answer:
    """Ask for a name nobody can have, once another such name was refused."""
    await peer.open()
    await peer.mail()
    unknown = await peer.ask(_rcpt(peer, b"nobody-" + peer.token.encode()))
    if not unknown.no:
        raise NotApplicable(f"{unknown} to a name that nobody has")
    return await peer.ask(_rcpt(peer, local))


def _rcpt(peer: SmtpPeer, local: bytes) -> bytes:
    return b"RCPT TO:<" + local + b"@" + _domain(peer.recipient) + b">"


@case("hard.shell-local-part", variants=SHELL)
async def names_are_not_run(peer: SmtpPeer, local: bytes) -> Judgement:
    """A local-part written like a command is no more than an unknown name, and nothing runs it."""
    answer = await _asked_of_strangers(peer, local)
    got = f"{answer} to {printable(local)} after {answer.waited_s:.2g} s"
    if answer.yes or await sleeps_as_told(peer.ask, _rcpt(peer, local), answer):
        return violated(got, "5yz at once")
    return undetermined(got) if answer.later or answer.silent else satisfied(got)


@case("hard.path-local-part", variants=PATHS)
async def names_are_no_files(peer: SmtpPeer, local: bytes) -> Judgement:
    """A local-part written like a file's name, or an option, is no more than an unknown name."""
    answer = await _asked_of_strangers(peer, local)
    to = printable(local)
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("5yz", to=to)


FORMATS: Final = b"%s%n%x%p%999999s"
TEMPLATES: Final = {
    "jinja": b"{{1337*31}}", "dollar": b"${1337*31}", "eval": b"${eval:1337*31}", "hash": b"#{1337*31}",
    "erb": b"<%=1337*31%>", "shell": b"$((1337*31))",
}


async def _said_everywhere(peer: SmtpPeer, text: bytes) -> list[tuple[bytes, Answer]]:
    """Put a text into every command; return those, and their answers. A session that ends is begun anew."""
    domain = _domain(peer.sender)
    commands = (
        b"VRFY " + text, b"EXPN " + text, b"HELP " + text, b"NOOP " + text, text, peer.hello_verb + b" " + text,
        b'MAIL FROM:<"' + text + b'"@' + domain + b">", b"MAIL FROM:<a@b." + text + b">",
        b"MAIL FROM:<" + peer.promised_sender + b"> " + text, b'RCPT TO:<"' + text + b'"@' + domain + b">",
    )
    answers: list[tuple[bytes, Answer]] = []
    session = peer
    await session.hello()
    for command in commands:
        answers.append((command, await session.ask(command)))
        if answers[-1][1].reply is None or answers[-1][1].matches("421"):
            session = peer.another()
            await session.hello()
    return answers


@case("hard.format-string")
async def formats_are_text(peer: SmtpPeer) -> Judgement:
    """%s and %n in an argument are text: nothing breaks, nothing is filled in."""
    for command, said in await _said_everywhere(peer, FORMATS):
        answer = said
        if said.closed:          # it may have been one error too many: in a session of its own it is the first
            await (alone := peer.another()).hello()
            answer = await alone.ask(command)
        got = f"{answer} to {printable(command)}"
        if answer.closed or (answer.reply is not None and ODD_TEXT.search(answer.reply.octets.lower())):
            return violated(got, "an answer that fills nothing in")
        if answer.reply is None:
            return undetermined(got)
    return satisfied("an ordinary answer to each")


@case("hard.template-expansion", variants=TEMPLATES)
async def templates_are_text(peer: SmtpPeer, text: bytes) -> Judgement:
    """A template in an argument is text: no answer works it out."""
    assert PRODUCT in text
    for command, answer in await _said_everywhere(peer, text):
        if answer.reply is not None and WORKED_OUT in answer.reply.octets:
            return violated(f"{answer} to {printable(command)}", "nothing worked out")
    return satisfied("nothing was worked out")
