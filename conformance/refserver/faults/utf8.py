"""Faults in SMTPUTF8 (RFC 6531)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, hears
from conformance.refserver.mail_data import header_section
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]
Content = Callable[[SmtpState, bytes], bytes]
_PARAMETER: Final = b" SMTPUTF8"


def _listing(listed: bytes, told: bytes) -> Outgoing:
    """Return the function that changes a line of the reply to EHLO."""
    return lambda session, verb, octets: octets.replace(listed, told) if verb in {b"EHLO", b"LHLO"} else octets


def _refused(verb: bytes, code: int, pattern: bytes) -> Around:
    """Refuse a command whose argument fits a pattern, in just this case of letters."""
    return answers(verb, code, lambda session, argument: re.search(pattern, argument) is not None)


def _unasked(session: SmtpState, argument: bytes) -> bool:
    transaction = session.transaction
    return not argument.isascii() and transaction is not None and not transaction.parameters.smtputf8


def _takes_unasked_senders(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take a sender in UTF-8 without SMTPUTF8."""
    due = verb == b"MAIL" and session.state is State.READY and not argument.isascii() and _PARAMETER not in argument
    return COMMANDS[b"MAIL"].run(session, argument + _PARAMETER) if due else go_on()


def _takes_unasked_recipients(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.RECIPIENT_TAKEN if verb == b"RCPT" and _unasked(session, argument) else go_on()


def _sticks(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take every transaction after one with SMTPUTF8 for one with it."""
    if verb != b"MAIL" or session.state is not State.READY:
        return go_on()
    if _PARAMETER in argument.upper():
        session.memory["sticks"] = True
    elif "sticks" in session.memory:
        return COMMANDS[verb].run(session, argument + _PARAMETER)
    return go_on()


def _is_utf8(octets: bytes, errors: str) -> bool:
    try:
        octets.decode("utf-8", errors)
    except UnicodeDecodeError:
        return False
    return True


def _takes_octets(verb: bytes, told: Reply, *, errors: str = "strict", like: bytes = rb"[\x80-\xff]") -> Around:
    """Take an address that is no UTF-8, if it is by other rules or holds what is `like` it."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        permitted = session.state in COMMANDS[verb].permitted
        if said != verb or not permitted or b"@" not in argument or _is_utf8(argument, "strict"):
            return go_on()
        lenient = errors != "strict" and _is_utf8(argument, errors)
        return told if lenient or (errors == "strict" and re.search(like, argument)) else go_on()

    return around


def _dies_of(pattern: bytes) -> Around:
    """Close the connection without a word on an argument that fits a pattern."""
    found = re.compile(pattern)

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if found.search(argument) is None:
            return go_on()
        session.after = After.CLOSE
        return None

    return around


def _stumbles_at_data(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Be gone at DATA once UTF-8 has come without SMTPUTF8."""
    if not argument.isascii() and _PARAMETER not in argument:
        session.memory["confused"] = True
    if verb == b"DATA" and "confused" in session.memory:
        session.after = After.CLOSE
        return None
    return go_on()


def _lines_not_longer(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.LINE_TOO_LONG if verb == b"MAIL" and _PARAMETER in argument and len(argument) > 400 else go_on()


def _echoes(*verbs: bytes) -> Around:
    """Repeat the argument in a refusal."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        unknown = not verbs and verb not in COMMANDS
        if reply is None or argument.isascii() or not (unknown or verb in verbs):
            return reply
        return replies.reply(reply.code, reply.status, f"{reply.texts[0]}: {argument.decode('utf-8', 'replace')}")

    return around


def _tells_in_utf8_always(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer VRFY as if SMTPUTF8 were there."""
    return COMMANDS[verb].run(session, argument + _PARAMETER) if verb == b"VRFY" and argument else go_on()


def _tells_in_utf8_for_ever(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer VRFY as if SMTPUTF8 were there, once it was."""
    if verb != b"VRFY" or argument.endswith(_PARAMETER):
        if verb == b"VRFY":
            session.memory["utf8"] = True
        return go_on()
    return COMMANDS[verb].run(session, argument + _PARAMETER) if "utf8" in session.memory else go_on()


def _says(verb: bytes, reply: Reply, when: Callable[[Reply], bool]) -> Around:
    """Say something else when the lawful reply is of some kind."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        lawful = go_on()
        return reply if said == verb and lawful is not None and when(lawful) else lawful

    return around


def _cut_replies(*verbs: bytes) -> Outgoing:
    """Return the function that cuts the first character that is not ASCII in a reply."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        return re.sub(rb"([\xc0-\xff])[\x80-\xbf]+", rb"\1", octets, count=1) if verb in verbs else octets

    return outgoing


def _header(pattern: bytes, by: bytes) -> Content:
    """Return the function that replaces in a header section what fits a pattern."""
    found = re.compile(pattern)

    def content(session: SmtpState, octets: bytes) -> bytes:
        head = header_section(octets)
        return found.sub(by, head) + octets[len(head):]

    return content


def _recoded(session: SmtpState, content: bytes) -> bytes:
    """Take a header section in UTF-8 for Latin-1, and make UTF-8 of it."""
    head = header_section(content)
    return head.decode("iso-8859-1").encode() + content[len(head):]


def _encoded_wrongly(session: SmtpState, content: bytes) -> bytes:
    """Call UTF-8 Latin-1 in an encoded word."""
    head = header_section(content)

    def word(match: re.Match[bytes]) -> bytes:
        return match[1] + b"=?iso-8859-1?Q?" + b"".join(b"=%02X" % octet for octet in match[2]) + b"?="

    return re.sub(rb"(?m)^([\w-]+: )((?=[^\r\n]*[\x80-\xff])[^\r\n]+)", word, head) + content[len(head):]


_NOT_FOR_YOU: Final = replies.reply(551, "5.1.6", "User not local; please try <δοκιμή@example.test>")

FAULTS: Final = (
    Fault("utf8-parameter", "SMTPUTF8 has a parameter", outgoing=_listing(b"SMTPUTF8\r\n", b"SMTPUTF8 1\r\n")),
    Fault("utf8-alone", "SMTPUTF8 is listed without 8BITMIME", outgoing=_listing(b"250-8BITMIME\r\n", b"")),
    Fault("utf8-unlisted", "SMTPUTF8 is not listed, and works", outgoing=_listing(b"250-SMTPUTF8\r\n", b"")),
    Fault("utf8-any-value", "SMTPUTF8 takes any value", around=hears(b"MAIL", rb"(?<= SMTPUTF8)=\w+", b"")),
    Fault("utf8-empty-value", "SMTPUTF8 takes an empty value", around=hears(b"MAIL", rb"(?<= SMTPUTF8)=\Z", b"")),
    Fault("utf8-refused", "SMTPUTF8 is refused", around=_refused(b"MAIL", 555, _PARAMETER)),
    Fault("utf8-capitals", "SMTPUTF8 wants capitals", around=_refused(b"MAIL", 555, rb" smtputf8")),
    Fault("utf8-no-body", "SMTPUTF8 bears no BODY before it", around=_refused(b"MAIL", 501, rb"BODY=\S+ SMTPUTF8")),
    Fault("utf8-ascii-users", "a sender's local-part must be ASCII", around=_refused(
        b"MAIL", 501, rb"<[^@]*[\x80-\xff]",
    )),
    Fault("utf8-ascii-domains", "a sender's domain must be ASCII", around=_refused(
        b"MAIL", 501, rb"@[^>]*[\x80-\xff]",
    )),
    Fault("utf8-ascii-recipients", "a recipient must be ASCII", around=_refused(b"RCPT", 501, rb"[\x80-\xff]")),
    Fault("utf8-three-octets", "a character has three octets at most", around=_refused(b"RCPT", 501, rb"[\xf0-\xff]")),
    Fault("utf8-no-dots", "a local-part in UTF-8 has no dots", around=_refused(b"RCPT", 500, rb"<[\x80-\xff]+\.")),
    Fault("utf8-nobody", "a user in UTF-8 gets no mail", around=_refused(b"RCPT", 553, "<δοκιμή@".encode())),
    Fault("utf8-no-quotes", "quotes hold ASCII only", around=_refused(b"RCPT", 501, rb'"[^"]*[\x80-\xff]')),
    Fault("utf8-senders-unasked", "a sender in UTF-8 needs no SMTPUTF8", around=_takes_unasked_senders),
    Fault("utf8-recipients-unasked", "a recipient in UTF-8 needs no SMTPUTF8", around=_takes_unasked_recipients),
    Fault("utf8-sticks", "SMTPUTF8 holds for the rest of the session", around=_sticks),
    Fault("utf8-other-code", "its refusal is bad syntax", outgoing=lambda session, verb, octets: octets.replace(
        b"550 5.6.7", b"550 5.1.7",
    ).replace(b"553 5.6.7", b"553 5.1.3")),
    Fault("utf8-after-helo", "SMTPUTF8 is taken after HELO", around=lambda session, verb, argument, go_on: (
        COMMANDS[b"MAIL"].run(session, argument[: -len(_PARAMETER)])
        if verb == b"MAIL" and argument.endswith(_PARAMETER) and not session.client.extended else go_on()
    )),
    Fault("utf8-any-sender", "a sender may be any octets", around=_takes_octets(b"MAIL", replies.SENDER_TAKEN)),
    Fault("utf8-any-recipient", "a recipient may be any octets", around=_takes_octets(
        b"RCPT", replies.RECIPIENT_TAKEN,
    )),
    Fault("utf8-surrogates", "surrogates are taken for characters", around=_takes_octets(
        b"MAIL", replies.SENDER_TAKEN, errors="surrogatepass",
    )),
    Fault("utf8-overlong", "characters may be written too long", around=_takes_octets(
        b"MAIL", replies.SENDER_TAKEN, like=rb"\xc0\xaf",
    )),
    Fault("utf8-dies-in-path", "half a character before > ends the session", around=_dies_of(rb"(\xe2\x82|\xc3)>")),
    Fault("utf8-dies-at-end", "half a character at the end of a line ends it", around=_dies_of(
        rb"(\xe2\x82|\xf0\x9f\x99)\Z",
    )),
    Fault("utf8-mailboxes-only", "ORCPT knows rfc822 alone", around=_refused(b"RCPT", 501, rb"ORCPT=utf-8")),
    Fault("utf8-ascii-orcpt", "ORCPT is ASCII", around=_refused(b"RCPT", 501, rb"ORCPT=[^ ]*[\x80-\xff]")),
    Fault("utf8-no-unitext", "ORCPT has no backslash", around=_refused(b"RCPT", 501, rb"ORCPT=[^ ]*\\")),
    Fault("utf8-short-lines", "a line with SMTPUTF8 is not longer than without", around=_lines_not_longer),
    Fault("utf8-wide-stop", "an ideographic full stop is a dot", around=hears(b"RCPT", "。".encode(), b".")),
    Fault("utf8-wide-at", "a wide at is an at", around=hears(b"RCPT", "＠".encode(), b"@")),
    Fault("utf8-wide-brackets", "wide brackets are brackets", around=hears(b"RCPT", "＜(.*)＞".encode(), rb"<\1>")),
    Fault("utf8-confuses", "after UTF-8 that was not asked for DATA ends the session", around=_stumbles_at_data),
    Fault("utf8-echoes", "a refusal of MAIL or RCPT repeats the address", around=_echoes(b"MAIL", b"RCPT")),
    Fault("utf8-echoes-names", "the reply to VRFY repeats the name", around=_echoes(b"VRFY")),
    Fault("utf8-echoes-commands", "the refusal of an unknown command repeats it", around=_echoes()),
    Fault("utf8-vrfy-always", "VRFY tells in UTF-8 unasked", around=_tells_in_utf8_always),
    Fault("utf8-vrfy-for-ever", "VRFY tells in UTF-8 once it was asked to", around=_tells_in_utf8_for_ever),
    Fault("utf8-vrfy-yes", "VRFY says 250 and no mailbox", around=_says(
        b"VRFY", replies.reply(250, "2.1.5", "That is a user"), lambda reply: reply.code in {250, 252},
    )),
    Fault("utf8-vrfy-half", "VRFY cuts a character", outgoing=_cut_replies(b"VRFY")),
    Fault("utf8-expn-half", "EXPN cuts a character of the name", around=_echoes(b"EXPN"), outgoing=_cut_replies(
        b"EXPN",
    )),
    Fault("utf8-rcpt-half", "RCPT cuts a character of the address", around=_echoes(b"RCPT"), outgoing=_cut_replies(
        b"RCPT",
    )),
    Fault("utf8-forwards", "the new address of who has left is told in UTF-8", around=_says(
        b"RCPT", _NOT_FOR_YOU, lambda reply: reply is replies.NO_SUCH_MAILBOX,
    )),
    Fault("utf8-trace-plain", "Received says ESMTP of SMTPUTF8", stored=lambda message: message.replace(
        b" with UTF8SMTP", b" with ESMTP", 1,
    )),
    Fault("utf8-trace-utf8", "Received has a U-label unasked", stored=lambda message: message.replace(
        b"by mail.", "by bücher.".encode(), 1,
    )),
    Fault("utf8-question-marks", "what is not ASCII in header fields becomes question marks", content=_header(
        rb"[\x80-\xff]+", b"?",
    )),
    Fault("utf8-recoded", "header fields in UTF-8 are made UTF-8 again", content=_recoded),
    Fault("utf8-wrong-words", "header fields in UTF-8 are encoded as Latin-1", content=_encoded_wrongly),
    Fault("utf8-fields-lost", "header fields in UTF-8 are left out", content=_header(
        rb"(?m)^[\w-]+:[^\r\n]*[\x80-\xff][^\r\n]*\r\n", b"",
    )),
)  # fmt: skip
