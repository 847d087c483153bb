"""Lawful ways to be another server than the reference server is, made at the same points of a session as faults."""

import quopri
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from conformance.refserver import relay, replies
from conformance.refserver.behaviour import Behaviour, Extension, VrfyPolicy
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers, holds
from conformance.refserver.mail_data import header_section
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]
_ONE_LINE: Final = re.compile(rb"\A(2[0-9]{2}) ([^\r]*)\r\n\Z")
_SPEAKS_FREELY: Final = frozenset({b"NOOP", b"RSET", b"MAIL", b"RCPT", b"VRFY", b".", b"QUIT"})


def _two_lines(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Say everything that is no hello in two lines, each with its enhanced code (RFC 2034 §4)."""
    found = _ONE_LINE.match(octets)
    if verb not in _SPEAKS_FREELY or found is None:
        return octets
    code, text = found[1], found[2]
    return code + b"-" + text + b"\r\n" + code + b" " + text + b", and that was all\r\n"


def _greets_at_length(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb != b"":
        return octets
    first = octets.replace(b"220 ", b"220-", 1)
    return first + b"220-We do not authorize the use of this system\r\n220 to send what nobody wants.\r\n"


def _other_words(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Change the words of one-line replies: they are for people."""
    if verb in {b"", b"EHLO", b"LHLO", b"HELO", b"AUTH", b"HELP", b"VRFY", b"QUIT"} or octets.count(b"\r\n") > 1:
        return octets
    return re.sub(rb"\A([0-9]{3} (?:[245]\.[0-9]+\.[0-9]+ )?)[^\r]*", rb"\g<1>220 354 500, said [1] to 5.5.5", octets)


def _reversed_keywords(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb not in {b"EHLO", b"LHLO"} or not octets.startswith(b"250-"):
        return octets
    first, *keywords = [line[4:] for line in octets.split(b"\r\n") if line]
    lines = [first, *(keyword.lower() if b"SIZE" in keyword else keyword for keyword in reversed(keywords))]
    *before, last = lines
    return b"".join(b"250-" + line + b"\r\n" for line in before) + b"250 " + last + b"\r\n"


def _begins_anew(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Let a second MAIL begin another transaction."""
    if verb == b"MAIL" and b"@" in argument and session.state in {State.MAIL, State.RCPT}:
        session.forget_transaction()
    return go_on()


def _tired(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Say 421 to the ninth command, whatever it is (RFC 5321 §3.8)."""
    said = session.memory.get("said", 0)
    assert isinstance(said, int)
    session.memory["said"] = said + 1
    return replies.SHUTTING_DOWN if said == 8 else go_on()


def _strict_about_errors(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Close after the fourth error, as RFC 5321 §7.8 allows."""
    reply = go_on()
    if reply is not None and reply.refuses:
        errors = session.memory.get("errors", 0)
        assert isinstance(errors, int)
        session.memory["errors"] = errors + 1
        if errors >= 3:
            session.after = After.CLOSE
            return replies.TOO_MANY_ERRORS
    return reply


def _forwards(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Say that a recipient's mail goes elsewhere (RFC 5321 §3.4)."""
    reply = go_on()
    if reply is not replies.RECIPIENT_TAKEN or not argument.isascii():
        return reply
    return replies.reply(251, "2.1.5", "User not local; will forward to <somebody@elsewhere.example>")


def _later(verb: bytes) -> Callable[[SmtpState, bytes, bytes, GoOn], Reply | None]:
    """Put every third of a verb off: 451 may be said at any time."""
    told = replies.reply(451, "4.3.0", "Not just now")

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb:
            return go_on()
        memory = session.service.memory
        memory["asked"] = memory.get("asked", 0) + 1
        return told if memory["asked"] % 3 == 0 else go_on()

    return around


def _asks_for_data(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer DATA 354 although nobody is there to send to, and refuse what comes (RFC 5321 §3.3)."""
    if verb == b"DATA" and session.state is State.MAIL and not argument:
        session.memory["nobody"] = True
        return COMMANDS[b"DATA"].run(session, b"")
    return go_on()


def _spoils_if_nobody(session: SmtpState, content: bytes) -> bytes:
    return content + b"\n" if session.memory.pop("nobody", None) else content


def _as_quoted_printable(session: SmtpState, content: bytes) -> bytes:
    """Encode a body of eight bits, and label it so (RFC 6152 §3)."""
    head = header_section(content)
    label = b"Content-Transfer-Encoding: 8bit"
    if label not in head:
        return content
    lines = content[len(head):].split(b"\r\n")
    encoded = b"\r\n".join(quopri.encodestring(line).replace(b"\n", b"\r\n") for line in lines)
    return head.replace(label, b"Content-Transfer-Encoding: quoted-printable") + encoded


def _as_encoded_words(session: SmtpState, content: bytes) -> bytes:
    """Encode header fields in UTF-8, as for a maildrop that cannot give them out (RFC 6857 §3)."""
    head = header_section(content)

    def word(match: re.Match[bytes]) -> bytes:
        return match[1] + b"=?utf-8?B?" + b64encode(match[2]) + b"?="

    return re.sub(rb"(?m)^([\w-]+: )((?=[^\r\n]*[\x80-\xff])[^\r\n]+)", word, head) + content[len(head):]


def _reports_otherwise(report: relay.Outgoing) -> list[relay.Outgoing]:
    """Write a report in other words: folded, with comments, of mail that a next server has taken."""
    message = report.message.replace(b"Original-Envelope-Id: ", b"Original-Envelope-Id:\r\n ")
    message = message.replace(b"Reporting-MTA: dns; mail.example.test", b"Reporting-MTA: x-local-hostname;backend")
    message = message.replace(b"Action: delivered\r\nStatus: 2.1.5", b"action: Relayed\r\nstatus: 2.0.0 (taken)")
    return [replace(report, message=message.replace(b"Final-Recipient: rfc822; ", b"final-recipient: RFC822;"))]


_ODD: Final = rb'<"|<[^@>]*[!#$%&*/?^`{|}~\']|@\[|<@'

LAWFUL: Final[Mapping[str, Behaviour]] = {
    "no-enhanced-codes": replace(
        Behaviour(), extensions=frozenset(Extension) - {Extension.ENHANCED_STATUS_CODES}
    ),
    "no-pipelining": replace(Behaviour(), extensions=frozenset(Extension) - {Extension.PIPELINING}),
    "no-extensions": replace(Behaviour(), extensions=frozenset()),
    "verifies": replace(Behaviour(), vrfy=VrfyPolicy.TELL),
    **{
        fault.name: replace(Behaviour(), faults=(fault,))
        for fault in (
            Fault("two-lines", "", outgoing=_two_lines),
            Fault("long-greeting", "", outgoing=_greets_at_length),
            Fault("other-words", "", outgoing=_other_words),
            Fault("reversed-keywords", "", outgoing=_reversed_keywords),
            Fault("second-mail-begins-anew", "", around=_begins_anew),
            Fault("tired-at-nine", "", around=_tired),
            Fault("strict-about-errors", "", around=_strict_about_errors),
            Fault("rcpt-251", "", around=_forwards),
            Fault("data-without-recipients", "", around=_asks_for_data, content=_spoils_if_nobody),
            Fault("rcpt-put-off", "", around=_later(b"RCPT")),
            Fault("mail-put-off", "", around=_later(b"MAIL")),
            Fault("odd-senders-550", "", around=answers(b"MAIL", 550, holds(_ODD), "5.7.1")),
            Fault("odd-senders-553", "", around=answers(b"MAIL", 553, holds(_ODD), "5.7.1")),
            Fault("odd-recipients-554", "", around=answers(b"RCPT", 554, holds(_ODD), "5.7.1")),
            Fault("utf8-recipients-553", "", around=answers(b"RCPT", 553, holds(rb"<[^>]*[\x80-\xff]"), "5.6.7")),
            Fault("utf8-senders-550", "", around=answers(b"MAIL", 550, holds(rb"<[^>]*[\x80-\xff]"), "5.6.7")),
            Fault("quoted-printable", "", content=_as_quoted_printable),
            Fault("encoded-words", "", content=_as_encoded_words),
            Fault("reports-otherwise", "", reports=_reports_otherwise),
            Fault("strangers-553", "", around=answers(b"RCPT", 553, holds(rb"nobody"), "5.1.1")),
            Fault("no-sender-domains-450", "", around=answers(
                b"MAIL", 450, holds(rb"@(?!example\.test>|\[)[^>]*>"), "4.1.8",
            )),
            Fault("no-sender-domains-501", "", around=answers(
                b"MAIL", 501, holds(rb"@(?!example\.test>|\[)[^>]*>"), "5.1.8",
            )),
        )
    },
}  # fmt: skip
