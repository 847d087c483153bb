"""SMTPUTF8: its parameter, and addresses that are not ASCII (RFC 6531 §3.1 to §3.5)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.enhanced_codes import says
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.smtp.parameters import (
    ask_mail,
    keyword_alone,
    mail_refuses,
    mail_takes,
    rcpt_takes,
    ready_for_mail,
)
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

KEYWORD: Final = "SMTPUTF8"
PARAMETER: Final = b" SMTPUTF8"
SYNTAX: Final = ("500", "501", "502", "503", "504", "555")      # not understood; the other 5yz are policies
USER: Final = "пользователь".encode()
HOST: Final = "bücher.example".encode()
HOST_IN_ASCII: Final = b"xn--bcher-kva.example"


async def offered(peer: SmtpPeer) -> None:
    """Open the session where SMTPUTF8 is offered."""
    await peer.open()
    peer.require(KEYWORD)


async def ready(peer: SmtpPeer) -> None:
    """Come to where MAIL with SMTPUTF8 was taken and RCPT may be said: the control."""
    await offered(peer)
    await peer.mail(PARAMETER.strip())


def domain_of(address: bytes) -> bytes:
    """Return the domain of an address that is known here."""
    domain = address.rpartition(b"@")[2]
    if not domain or b"@" not in address:
        raise NotApplicable("needs an address with a domain (addresses.accepted, addresses.sender)")
    return domain


def understood(answer: Answer, what: str) -> Judgement:
    """Judge the answer to a lawful address: taken, or refused by a policy, but not for its syntax."""
    if answer.matches(*SYNTAX):
        return violated(f"{answer} to {what}", "2yz, or a policy's refusal")
    return answer.expect("2yz", "5yz", to=what)


@case("smtp.utf8.ehlo-no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """EHLO lists SMTPUTF8 without parameters."""
    return await keyword_alone(peer, KEYWORD)


@case("smtp.utf8.requires-8bitmime")
async def eight_bits_come_with_it(peer: SmtpPeer) -> Judgement:
    """Where EHLO lists SMTPUTF8 it lists 8BITMIME."""
    await offered(peer)
    listed = "8BITMIME" in peer.extensions.keywords
    return satisfied("both are listed") if listed else violated("SMTPUTF8 without 8BITMIME", "8BITMIME as well")


@case("smtp.utf8.param-no-value", variants={"value": b"SMTPUTF8=1", "yes": b"SMTPUTF8=YES", "empty": b"SMTPUTF8="})
async def the_parameter_has_no_value(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """SMTPUTF8 with a value is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameter)


WAYS: Final = (b"SMTPUTF8", b"smtputf8", b"SMTPUTF8 BODY=8BITMIME", b"BODY=8BITMIME SMTPUTF8")


@case("smtp.utf8.param-ok")
async def the_parameter_is_taken(peer: SmtpPeer) -> Judgement:
    """MAIL takes SMTPUTF8, in any case, beside BODY, with an address in ASCII."""
    await ready_for_mail(peer, KEYWORD)
    beside = "8BITMIME" in peer.extensions.keywords
    return await mail_takes(peer, *[way for way in WAYS if beside or b"BODY" not in way])


@case("smtp.utf8.sender-ok", variants={"local-part": (True, False), "domain": (False, True), "both": (True, True)})
async def a_sender_in_utf8_is_understood(peer: SmtpPeer, parts: tuple[bool, bool]) -> Judgement:
    """A reverse-path in UTF-8, local-part or U-label, is understood after SMTPUTF8."""
    await ready(peer)
    await peer.control(b"RSET")
    local = USER if parts[0] else b"user"
    domain = HOST if parts[1] else domain_of(peer.sender)
    if parts[1]:                       # some look domains up: of this name, written in ASCII, they think alike
        await peer.control(b"MAIL FROM:<user@" + HOST_IN_ASCII + b">")
        await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + local + b"@" + domain + b">" + PARAMETER)
    return understood(answer, "a sender in UTF-8")


FORWARD: Final = {"cyrillic": USER, "chinese": "用户".encode(), "dots": "é.ß.ñ".encode(), "four-octets": "🙂".encode()}


@case("smtp.utf8.rcpt-ok", variants=FORWARD)
async def a_recipient_in_utf8_is_understood(peer: SmtpPeer, local: bytes) -> Judgement:
    """A forward-path with a local-part in UTF-8 is understood after SMTPUTF8: taken, or unknown."""
    await ready(peer)
    answer = await peer.ask(rcpt_command(peer, local + b"@" + domain_of(peer.recipient)))
    return understood(answer, "a recipient in UTF-8")


@case("smtp.utf8.rcpt-literal-utf8-user")
async def a_user_in_utf8_gets_mail(peer: SmtpPeer) -> Judgement:
    """Mail for a user whose name is in UTF-8 is taken."""
    await ready(peer)
    answer = await peer.ask(rcpt_command(peer, utf8_user(peer)))
    if not answer.yes:
        return answer.expect("2yz", to="RCPT for a user in UTF-8")
    await peer.control(b"DATA", "354")
    return (await peer.end_of(peer.another_message())).expect("2yz", to="mail for a user in UTF-8")


def utf8_user(peer: SmtpPeer) -> bytes:
    """Return the address of a user whose name is not ASCII."""
    for address in peer.subject.declared.addresses.accepted:
        if not address.isascii():
            return address.encode()
    raise NotApplicable("no accepted address in UTF-8 was declared (addresses.accepted)")


@case("smtp.utf8.quoted-utf8")
async def quotes_may_hold_utf8(peer: SmtpPeer) -> Judgement:
    """A quoted local-part may hold UTF-8."""
    await ready(peer)
    domain = domain_of(peer.recipient)
    control = await peer.ask(rcpt_command(peer, b'"a user"@' + domain))
    if control.matches(*SYNTAX) or control.reply is None:
        raise Undetermined(f"{control} to a quoted local-part in ASCII")
    return understood(await peer.ask(rcpt_command(peer, b'"a ' + USER + b'"@' + domain)), "UTF-8 in quotes")


UNASKED: Final = {"mail-local-part": True, "mail-domain": True, "rcpt-local-part": False, "rcpt-domain": False}


async def _without_parameter(peer: SmtpPeer, name: str) -> Answer:
    """Say an address in UTF-8 in a transaction without SMTPUTF8, after one in ASCII as control."""
    await offered(peer)
    await peer.begin_transaction()
    known = domain_of(peer.recipient)
    address = USER + b"@" + known if name.endswith("local-part") else b"user@" + HOST
    if not name.startswith("mail"):
        return await peer.ask(rcpt_command(peer, address))
    await peer.control(b"RSET")
    return await peer.ask(b"MAIL FROM:<" + address + b">")


@case("smtp.utf8.without-param", variants={name: name for name in UNASKED})
async def utf8_needs_the_parameter(peer: SmtpPeer, name: str) -> Judgement:
    """An address in UTF-8 without SMTPUTF8 is refused."""
    return (await _without_parameter(peer, name)).expect("5yz", to="UTF-8 without SMTPUTF8")


@case("smtp.utf8.without-param", variants={"after-rset": USER})
async def the_parameter_is_of_one_transaction(peer: SmtpPeer, user: bytes) -> Judgement:
    """An address in UTF-8 is refused in a transaction without SMTPUTF8 that follows one with it."""
    await ready(peer)
    await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + user + b"@" + domain_of(peer.recipient) + b">")
    return answer.expect("5yz", to="UTF-8 without SMTPUTF8, after a transaction with it")


@case("smtp.utf8.without-param-code", variants={"mail": "mail-local-part", "rcpt": "rcpt-local-part"})
async def that_refusal_has_its_code(peer: SmtpPeer, name: str) -> Judgement:
    """The refusal of an address in UTF-8 says: addresses that are not ASCII are not permitted."""
    answer = await _without_parameter(peer, name)
    return says(answer, "6.7", to="UTF-8 without SMTPUTF8")


@case("smtp.utf8.unadvertised", variants={"helo": False, "ehlo": True})
async def the_parameter_is_refused_where_not_offered(peer: SmtpPeer, extended: bool) -> Judgement:
    """SMTPUTF8 is refused after HELO, and where EHLO did not list it."""
    if extended:
        await peer.open()
        if KEYWORD in peer.extensions.keywords:
            raise NotApplicable("SMTPUTF8 is offered")
    else:
        await peer.greet()
        await peer.helo()
    await peer.mail()
    await peer.control(b"RSET")
    return (await ask_mail(peer, PARAMETER.strip())).expect("5yz", to="SMTPUTF8, which was not offered")


INVALID: Final = {
    "overlong": b"\xc0\xaf",
    "overlong-three": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "truncated": b"\xe2\x82",
    "lone-continuation": b"\x80",
    "too-high": b"\xf4\x90\x80\x80",
    "latin-1": b"us\xe9r",
}


@case("smtp.utf8.invalid", variants=INVALID)
async def octets_that_are_no_utf8_are_refused(peer: SmtpPeer, octets: bytes) -> Judgement:
    """An address whose octets are no UTF-8 is refused, as a sender and as a recipient."""
    await ready(peer)
    await peer.rcpt()
    address = b"a" + octets + b"b@" + domain_of(peer.recipient)
    as_recipient = await peer.ask(rcpt_command(peer, address))
    await peer.control(b"RSET")
    as_sender = await peer.ask(b"MAIL FROM:<" + address + b">" + PARAMETER)
    for answer, verb in ((as_sender, "MAIL"), (as_recipient, "RCPT")):
        if not answer.no:
            return answer.expect("5yz", to=f"{verb} with {printable(octets)}")
    return satisfied(f"{as_sender} to MAIL, {as_recipient} to RCPT", "5yz")


TRUNCATED: Final = {
    "mail-path": b"MAIL FROM:<us\xe2\x82>" + PARAMETER,
    "mail-line": b"MAIL FROM:<us\xe2\x82",
    "rcpt-path": b"RCPT TO:<us\xc3>",
    "rcpt-line": b"RCPT TO:<user@b\xf0\x9f\x99",
}


@case("smtp.utf8.truncated-alive", variants=TRUNCATED)
async def a_truncated_character_harms_nothing(peer: SmtpPeer, command: bytes) -> Judgement:
    """A character cut off before > or the end of the line is refused, and the session goes on."""
    await ready(peer)
    if command.startswith(b"MAIL"):
        await peer.control(b"RSET")
    answer = await peer.ask(command)
    expected = "5yz, and an answer to NOOP"
    if answer.reply is None:
        return weakened(f"{answer} to {printable(command)}", expected)
    after = await peer.still_there()
    got = f"{answer} to {printable(command)}, then {after} to NOOP"
    if answer.later or after.later:
        return undetermined(got, expected)
    return satisfied(got, expected) if answer.no and after.yes else weakened(got, expected)


ORCPT: Final = {
    "xtext": rb"ORCPT=utf-8;us\x{E9}r@b\x{FC}cher.example",
    "unitext": rb"ORCPT=utf-8;us\x{E9}r\x{2B}tag@" + HOST,
    "address": b"ORCPT=utf-8;" + USER + b"@" + HOST,
}


@case("smtp.utf8.dsn-orcpt", variants=ORCPT)
async def orcpt_takes_utf8(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """ORCPT takes addresses of the type utf-8 in all their forms."""
    await ready(peer)
    peer.require("DSN")
    await peer.rcpt()
    return await rcpt_takes(peer, parameter)


@case("smtp.utf8.size-of-param")
async def the_line_is_longer_by_the_parameter(peer: SmtpPeer) -> Judgement:
    """The longest MAIL that is taken without SMTPUTF8 is taken with it."""
    await ready(peer)
    await peer.control(b"RSET")
    domain = domain_of(peer.sender)
    sender = b"x" * 64 + b"@" + domain
    parameters = {
        "8BITMIME": b"BODY=8BITMIME",
        "SIZE": b"SIZE=1000",
        "DSN": b"RET=HDRS ENVID=" + b"x" * 94,
        "AUTH": b"AUTH=" + b"+78" * 60 + b"@" + domain,
    }
    given = [text for keyword, text in parameters.items() if keyword in peer.extensions.keywords]
    line = b" ".join([b"MAIL FROM:<" + sender + b">", *given])
    await peer.control(line)
    await peer.control(b"RSET")
    return (await peer.ask(line + PARAMETER)).expect("2yz", to=f"MAIL of {len(line + PARAMETER)} octets")


@case("smtp.utf8.normal-forms")
async def normal_forms(peer: SmtpPeer) -> Judgement:
    """Whether the composed and the decomposed form of a name are one user is recorded."""
    await ready(peer)
    domain = domain_of(peer.recipient)
    composed = await peer.ask(rcpt_command(peer, "josé".encode() + b"@" + domain))
    decomposed = await peer.ask(rcpt_command(peer, "jose\u0301".encode() + b"@" + domain))
    return observed(f"{composed} to the composed form, {decomposed} to the decomposed one")


CONFUSABLE: Final = {"full-stop": (b".", "。"), "at": (b"@", "＠"), "brackets": (b"<>", "＜＞")}


@case("smtp.utf8.confusable-dot", variants=CONFUSABLE)
async def what_looks_alike_is_not_the_same(peer: SmtpPeer, signs: tuple[bytes, str]) -> Judgement:
    """A sign that only looks like a dot, an at or a bracket is not one."""
    ascii_signs, others = signs
    await ready(peer)
    await peer.rcpt()
    line = rcpt_command(peer, _nobody(peer))
    if not (control := await peer.ask(_with_signs(line, ascii_signs, others))).no:
        raise Undetermined(f"{control} even for a recipient that does not exist")
    answer = await peer.ask(_with_signs(rcpt_command(peer), ascii_signs, others))
    got, expected = f"{answer} to a known recipient with {others}", "5yz"
    if answer.reply is None or answer.later:
        return undetermined(got, expected)
    return weakened(got, expected) if answer.yes else satisfied(got, expected)


def _nobody(peer: SmtpPeer) -> bytes:
    return f"nobody-{peer.token}@".encode() + domain_of(peer.recipient)


def _with_signs(line: bytes, ascii_signs: bytes, others: str) -> bytes:
    """Return a command with some signs replaced: the last dot alone, every other sign."""
    if ascii_signs == b".":
        return others.encode().join(line.rsplit(b".", 1))
    return re.sub(b"[" + ascii_signs + b"]", lambda match: others[ascii_signs.index(match[0])].encode(), line)


UNANNOUNCED: Final = {"vrfy": b"VRFY " + USER, "mail": b"MAIL FROM:<" + USER + b"@" + HOST + b">"}


@case("smtp.utf8.after-plain-vrfy", variants=UNANNOUNCED)
async def a_transaction_after_unasked_utf8(peer: SmtpPeer, command: bytes) -> Judgement:
    """After UTF-8 that was not asked for, the next transaction is an ordinary one."""
    control = peer.another()
    await control.begin_mail_data()
    await peer.open()
    first = await peer.ask(command)
    if first.closed:
        return weakened(f"{first} at {printable(command)}", "an answer")
    await peer.control(b"RSET")
    await peer.begin_transaction()
    answer = await peer.ask(b"DATA")
    if answer.closed:
        return weakened(f"{answer} at DATA", "354")
    return answer.expect("354", to="DATA after UTF-8 that was not asked for")


@case("smtp.utf8.recipient-cannot")
async def a_message_in_utf8(peer: SmtpPeer) -> Judgement:
    """What becomes of a message in UTF-8 from a sender in UTF-8 is recorded."""
    await offered(peer)
    first = await peer.ask(b"MAIL FROM:<" + USER + b"@" + domain_of(peer.sender) + b">" + PARAMETER)
    if not first.yes:
        return observed(f"{first} to MAIL")
    second = await peer.ask(rcpt_command(peer))
    if not second.yes:
        return observed(f"{second} to RCPT")
    await peer.control(b"DATA", "354")
    message = peer.another_message().replace(b"Subject: ", "Subject: Grüße, ".encode(), 1)
    return observed(f"{await peer.end_of(message)} to the message")
