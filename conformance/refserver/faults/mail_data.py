"""Faults in DATA and in what becomes of a message (RFC 5321 §4.1.1.4, §4.5.2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers, does_but_answers
from conformance.refserver.mail_data import DataReader, header_section
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import Reading, SmtpState, State
from conformance.refserver.transaction import Transaction

_CONTROL: Final = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _data_without_mail(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.SEND_MAIL_DATA if verb == b"DATA" and session.transaction is None else go_on()


def _data_for_nobody(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer DATA 354 after MAIL, and read the mail data as if somebody were to get them."""
    if verb != b"DATA" or session.state is not State.MAIL:
        return go_on()
    session.data = DataReader(session.service.limits.message_octets)
    session.reading = Reading.MAIL_DATA
    return replies.SEND_MAIL_DATA


Content = Callable[[SmtpState, bytes], bytes]


def _changed(pattern: bytes, by: bytes) -> Content:
    """Return the function that replaces in mail data whatever fits a pattern."""
    found = re.compile(pattern)
    return lambda session, content: found.sub(by, content)


def _without_controls(session: SmtpState, content: bytes) -> bytes:
    head = header_section(content)
    return head + _CONTROL.sub(b"", content[len(head):])


def _remembers_recipients(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take RCPT and DATA after a message as if MAIL and RCPT had been said again."""
    if verb in {b"RSET", b"EHLO", b"HELO", b"MAIL"}:
        session.memory.pop("transaction", None)
    elif verb == b"DATA" and session.state is State.RCPT:
        session.memory["transaction"] = session.transaction
    elif verb in {b"RCPT", b"DATA"} and isinstance(last := session.memory.get("transaction"), Transaction):
        session.transaction, session.state = last, State.RCPT
    return go_on()


def _wants_from_and_date(session: SmtpState, content: bytes) -> bytes:
    """Spoil, so that it is refused, what has no From, no Date, or two of them."""
    header = b"\r\n" + header_section(content).lower()
    lawful = header == b"\r\n" or all(header.count(b"\r\n" + name) == 1 for name in (b"from:", b"date:"))
    return content if lawful else content + b"\n"


def _spoils_if(pattern: bytes) -> Content:
    """Return the function that spoils a message, so that it is refused, if it holds a pattern."""
    found = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    return lambda session, content: content + b"\n" if found.search(content) else content


def _cuts_what_is_too_big(session: SmtpState, content: bytes) -> bytes:
    if len(content) <= session.service.limits.message_octets:
        return content
    session.memory["cut"] = True
    return content[:1000] + b"\r\n"


def _says_that_it_was_too_big(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return replies.MESSAGE_TOO_BIG.octets if session.memory.pop("cut", None) else octets


def _delivers_what_there_is(session: SmtpState) -> None:
    if session.transaction is not None and session.data is not None:
        so_far = session.data.so_far().rstrip(b"\r\n.") + b"\r\n"
        session.transaction.deliver(so_far, session.client, session.service, session.dialect.name, each=False)


def _takes_full_maildrops(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == b"RCPT" and reply is replies.MAILDROP_FULL:
        session.memory["full"] = True
        return replies.RECIPIENT_TAKEN
    return reply


def _fails_for_all(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return replies.MAILDROP_FULL.octets if verb == b"." and session.memory.pop("full", None) else octets


def _end_answered(told: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that answers the end of mail data otherwise when they were taken."""
    return lambda session, verb, octets: told if verb == b"." and octets.startswith(b"250") else octets


def _executes_lines(session: SmtpState, octets: bytes) -> bytes:
    """End mail data before a line that reads QUIT."""
    return octets.replace(b"\r\nQUIT\r\n", b"\r\n.\r\nNOOP\r\n") if session.reading is Reading.MAIL_DATA else octets


FAULTS: Final = (
    Fault("data-250", "DATA is answered 250", around=does_but_answers(b"DATA", 250)),
    Fault("data-refused", "DATA is refused", around=answers(b"DATA", 554)),
    Fault("data-for-nobody", "DATA is taken without a recipient", around=_data_for_nobody),
    Fault("data-without-mail", "DATA is answered 354 without MAIL", around=_data_without_mail),
    Fault("data-remembers", "sender and recipients outlive their message", around=_remembers_recipients),
    Fault("end-354", "the end of mail data is answered 354", outgoing=_end_answered(b"354 More\r\n")),
    Fault("end-unanswered", "the end of mail data is never answered", outgoing=_end_answered(b"")),
    Fault("body-runs-commands", "a line that reads QUIT ends the message", incoming=_executes_lines),
    Fault("body-trims", "spaces at the end of a line are lost", content=_changed(rb"[ \t]+\r\n", b"\r\n")),
    Fault("body-adds-a-line", "an empty line is added", content=_changed(rb"\r\n\Z", b"\r\n\r\n")),
    Fault("body-loses-blank-lines", "blank lines at the end are lost", content=_changed(rb"(\r\n){2,}\Z", b"\r\n")),
    Fault("body-loses-controls", "control octets are dropped", content=_without_controls),
    Fault("wants-a-header", "a message without a header is refused", content=_spoils_if(rb"\Aonly text")),
    Fault("wants-from-and-date", "a message without From or Date is refused", content=_wants_from_and_date),
    Fault("wants-resent-pairs", "Resent fields that do not match are refused", content=_spoils_if(rb"^resent-to:")),
    Fault("reads-received", "a Received field that it did not write is refused", content=_spoils_if(rb"^received:")),
    Fault("counts-header-recipients", "500 addresses in Cc are too many", content=_spoils_if(rb"user499@")),
    Fault("loses-what-it-took", "a message is answered 250 and thrown away", stored=lambda message: b""),
    Fault("delivers-twice", "every message is delivered twice", copies=2),
    Fault("delivers-what-was-cut-off", "mail data without an end are delivered", gone=_delivers_what_there_is),
    Fault(
        "delivers-what-it-refused", "what is above the limit is refused, and delivered in part",
        content=_cuts_what_is_too_big, outgoing=_says_that_it_was_too_big,
    ),
    Fault(
        "fails-for-all", "a full maildrop refuses the message, and the others have it",
        around=_takes_full_maildrops, outgoing=_fails_for_all,
    ),
)  # fmt: skip
