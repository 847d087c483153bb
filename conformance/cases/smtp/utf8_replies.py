"""SMTPUTF8 in replies, in VRFY, in trace fields and in header sections (RFC 6531 §3.6, §3.7)."""

import re
from email.header import decode_header
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.smtp.utf8 import HOST, PARAMETER, USER, domain_of, offered, utf8_user
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.message import body_of
from conformance.peer import SmtpPeer
from conformance.report import fields_of
from loadgen.wire.printable import printable

STATUS: Final = re.compile(rb"\A[ ]*[245]\.[0-9]{1,3}\.[0-9]{1,3}[ ]+")
# User Name <Mailbox>, or Mailbox; in brackets is a bare mailbox too.   (RFC 6531 §3.7.4.2)
CONFIRMED: Final = re.compile(rb"(?:[^<>]*<[^<>\s]+@[^<>\s]+>|[^<>\s]+@[^<>\s]+)")
MAILBOX: Final = re.compile(rb"[^\s<>@,]+@[A-Za-z0-9.\[\]:-]+")
WITH_UTF8: Final = re.compile(rb"(?i)\bwith\s+UTF8(?:SMTP|LMTP)S?A?\b")
TRACE: Final = re.compile(rb"(?im)^(?:return-path|received):(?:[^\r\n]|\r\n[ \t])*")
PLAIN_NAMES: Final = ("251", "551")


def _octets(answer: Answer) -> bytes:
    return answer.reply.octets if answer.reply is not None else b""


def _raw(answer: Answer, to: str, expected: str = "a reply in ASCII") -> Judgement:
    """Judge whether a reply is in ASCII."""
    if answer.reply is None:
        return undetermined(f"{answer} to {to}", expected)
    return (satisfied if _octets(answer).isascii() else violated)(f"{answer} to {to}", expected)


@case("smtp.utf8.ehlo-u-label")
async def a_u_label_in_ehlo(peer: SmtpPeer) -> Judgement:
    """What EHLO with a U-label is answered, and whether the session goes on, is recorded."""
    await peer.greet()
    first = await peer.ask(peer.hello_verb + b" " + HOST)
    return observed(f"{first}, then {await peer.still_there()} to NOOP")


ECHOED: Final = {
    "mail": b"MAIL FROM:<%s@%s>",
    "rcpt": b"RCPT TO:<%s@%s>",
    "vrfy": b"VRFY %s@%s",
    "unknown": b"XMAILPROOF %s@%s",
}


@case("smtp.utf8.echo-safe", variants=ECHOED)
async def utf8_is_not_echoed(peer: SmtpPeer, form: bytes) -> Judgement:
    """A refusal does not repeat UTF-8 that was sent without SMTPUTF8."""
    await peer.open()
    if form.startswith(b"RCPT"):
        await peer.begin_transaction()
    domain = domain_of(peer.recipient)
    return _raw(await peer.ask(form % (USER, domain)), form[:4].decode())


@case("smtp.utf8.vrfy-param")
async def vrfy_with_the_parameter(peer: SmtpPeer) -> Judgement:
    """What VRFY and EXPN with SMTPUTF8 are answered is recorded."""
    await offered(peer)
    known = await peer.ask(b"VRFY " + peer.recipient + PARAMETER)
    expanded = await peer.ask(b"EXPN " + peer.recipient + PARAMETER)
    return observed(f"{known} to VRFY, {expanded} to EXPN")


@case("smtp.utf8.vrfy-without", variants={"declared": True, "any": False})
async def vrfy_does_not_tell_in_utf8(peer: SmtpPeer, declared: bool) -> Judgement:
    """VRFY of a user in UTF-8 without SMTPUTF8 is answered 252 or 550, in ASCII."""
    name = utf8_user(peer) if declared else USER + b"@" + domain_of(peer.recipient)
    await offered(peer)
    answer = await peer.ask(b"VRFY " + name)
    to, expected = "VRFY of a user in UTF-8", "252 or 550, in ASCII"
    if not _octets(answer).isascii():
        return violated(f"{answer} to {to}", expected)
    if answer.matches("252", "550"):
        return satisfied(f"{answer} to {to}", expected)
    if answer.matches("250") and not MAILBOX.search(_octets(answer)):
        return violated(f"{answer} to {to}", expected)      # a mailbox in ASCII could be shown
    raise NotApplicable(f"{answer} to {to}: no reply that would need UTF-8")


@case("smtp.utf8.vrfy-form", variants={"ascii": False, "utf8": True})
async def vrfy_names_the_mailbox(peer: SmtpPeer, utf8: bool) -> Judgement:
    """VRFY with SMTPUTF8 that is answered 250 gives the mailbox, alone or in brackets behind a name."""
    name = utf8_user(peer) if utf8 else peer.recipient
    await offered(peer)
    answer = await peer.ask(b"VRFY " + name + PARAMETER)
    if not answer.matches("250") or answer.reply is None:
        raise NotApplicable(f"{answer} to VRFY with SMTPUTF8: nothing was verified")
    formed = all(CONFIRMED.fullmatch(STATUS.sub(b"", text).strip()) for text in answer.reply.texts)
    return (satisfied if formed else violated)(answer, "User Name <mailbox>, or the mailbox")


@case("smtp.utf8.replies-valid", variants={"vrfy": b"VRFY %s SMTPUTF8", "expn": b"EXPN %s SMTPUTF8", "rcpt": b""})
async def utf8_in_replies_is_utf8(peer: SmtpPeer, form: bytes) -> Judgement:
    """What is not ASCII in a reply that may hold UTF-8 is UTF-8."""
    declared = peer.subject.declared.addresses.accepted
    name = next((each.encode() for each in declared if not each.isascii()), USER + b"@" + domain_of(peer.recipient))
    await offered(peer)
    if not form:
        await peer.mail(PARAMETER.strip())
    answer = await peer.ask(form % name if form else rcpt_command(peer, name))
    if answer.reply is None:
        return undetermined(answer, "a reply in UTF-8")
    try:
        _octets(answer).decode("utf-8")
    except UnicodeDecodeError:
        return violated(answer, "a reply in UTF-8")
    return satisfied(answer, "a reply in UTF-8")


@case("smtp.utf8.param-per-command")
async def the_parameter_holds_for_one_command(peer: SmtpPeer) -> Judgement:
    """VRFY with SMTPUTF8 permits UTF-8 in its own reply, not in the next."""
    name = utf8_user(peer)
    await offered(peer)
    first = await peer.ask(b"VRFY " + name + PARAMETER)
    if _octets(first).isascii():
        raise NotApplicable(f"{first} to VRFY with SMTPUTF8: nothing in UTF-8")
    return _raw(await peer.ask(b"VRFY " + name), "VRFY without SMTPUTF8, after one with it")


@case("smtp.utf8.251-ascii")
async def forwarding_is_not_told_in_utf8(peer: SmtpPeer) -> Judgement:
    """RCPT in a transaction without SMTPUTF8 is not answered 251 or 551 with a mailbox in UTF-8."""
    addresses = peer.subject.declared.addresses
    await offered(peer)
    await peer.mail()
    told = []
    for address in (*addresses.accepted, *addresses.rejected):
        if address.isascii():
            answer = await peer.ask(rcpt_command(peer, address.encode()))
            if answer.matches(*PLAIN_NAMES):
                told.append(answer)
    if not told:
        raise NotApplicable("no declared address is forwarded: none was answered 251 or 551")
    worst = next((answer for answer in told if not _octets(answer).isascii()), told[0])
    return _raw(worst, "RCPT without SMTPUTF8")


async def _arrived(peer: SmtpPeer, *parameters: bytes, header: bytes = b"") -> bytes:
    """Send a message with parameters of MAIL and return it as it lies in the maildrop."""
    await peer.mail(*parameters)
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(peer.message(header=header)), to=b"the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return arrived[0]


def _trace(message: bytes) -> bytes:
    head = message[: len(message) - len(body_of(message))]
    return b"\r\n".join(TRACE.findall(head))


@case("smtp.utf8.trace-with")
async def the_trace_says_utf8(peer: SmtpPeer) -> Judgement:
    """A Received field of a message sent with SMTPUTF8 says so: with UTF8SMTP, UTF8SMTPS, UTF8SMTPA, UTF8SMTPSA."""
    await offered(peer)
    trace = _trace(await _arrived(peer, PARAMETER.strip(), header="X-Greeting: Grüße\r\n".encode()))
    if not trace:
        raise Undetermined("the message has no trace fields")
    found = WITH_UTF8.search(trace)
    return satisfied(printable(found[0])) if found else violated(printable(trace, 300), "with UTF8SMTP…")


@case("smtp.utf8.trace-ascii")
async def the_trace_is_ascii_otherwise(peer: SmtpPeer) -> Judgement:
    """The trace fields of a message sent without SMTPUTF8 are ASCII."""
    await offered(peer)
    trace = _trace(await _arrived(peer))
    return (satisfied if trace.isascii() else violated)(printable(trace, 300), "ASCII")


NAMES: Final = {"subject": "Grüße, добрый день, 漢字 🙂", "x-greeting": "naïve café: ça va"}


@case("smtp.utf8.headers-kept", variants={name: name for name in NAMES})
async def header_fields_in_utf8_are_kept(peer: SmtpPeer, name: str) -> Judgement:
    """Header fields in UTF-8 of a message sent with SMTPUTF8 are kept, or encoded so that they read the same."""
    await offered(peer)
    value = NAMES[name]
    # A maildrop that cannot give UTF-8 out may encode it: RFC 6857 §3.
    message = await _arrived(peer, PARAMETER.strip(), header=_field(name, value))
    kept = [raw for raw in _all(message, name) if raw != b"mailproof conformance case"]
    if not kept:
        return violated("the field is gone", value)
    if kept[0] == value.encode():
        return satisfied("kept octet for octet", value)
    read = _read(kept[0])
    return (satisfied if read == value else violated)(f"{printable(kept[0])}, read as {read!r}", value)


def _field(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()


def _all(message: bytes, name: str) -> list[bytes]:
    """Return the values of all the fields of a name, unfolded."""
    head = message[: len(message) - len(body_of(message))]
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
    lines = [line for line in unfolded.split(b"\r\n") if line.lower().startswith(name.encode() + b":")]
    return [fields_of(line)[name] for line in lines]


def _read(value: bytes) -> str:
    """Return a field's text with encoded words decoded (RFC 2047)."""
    try:
        parts = decode_header(value.decode("utf-8", "replace"))
        return "".join(part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in parts)
    except (UnicodeDecodeError, LookupError, ValueError):
        return value.decode("utf-8", "replace")


@case("smtp.utf8.headers-unadvertised")
async def header_fields_in_utf8_unasked(peer: SmtpPeer) -> Judgement:
    """What becomes of header fields in UTF-8 that were sent without SMTPUTF8 is recorded."""
    await peer.begin_mail_data()
    answer = await peer.end_of(peer.message(header=_field("x-greeting", NAMES["x-greeting"])))
    if not answer.yes:
        return observed(f"{answer} to the message")
    arrived = await peer.stored()
    kept = bool(arrived) and NAMES["x-greeting"].encode() in arrived[0]
    return observed(f"{answer}; {'kept' if kept else 'changed, or lost'}")
