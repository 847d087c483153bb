"""Faults in DSN's parameters (RFC 3461 §4, §5.1)."""

import re
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, hears
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

_DSN_PARAMETER: Final = re.compile(rb" (?:NOTIFY|RET)=[A-Z]+")



def _has_a_parameter(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"DSN\r\n", b"DSN 1\r\n")


def _unlisted(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"250-DSN\r\n", b"")


def _after_helo(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take the parameters after HELO as after EHLO."""
    command = COMMANDS.get(verb)
    if verb not in {b"MAIL", b"RCPT"} or command is None or session.client.extended:
        return go_on()
    heard = _DSN_PARAMETER.sub(b"", argument)
    return go_on() if heard == argument or session.state not in command.permitted else command.run(session, heard)


def _refused(verb: bytes, pattern: bytes, code: int = 501) -> Around:
    """Refuse a command whose argument fits a pattern, in just this case of letters."""
    return answers(verb, code, lambda session, argument: re.search(pattern, argument) is not None)


def _short_lines(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.LINE_TOO_LONG if len(verb) + len(argument) + 3 > 512 else go_on()


def _lines_of_700(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.LINE_TOO_LONG if len(verb) + len(argument) + 3 > 700 else go_on()


FAULTS: Final = (
    Fault("dsn-parameter", "DSN has a parameter", outgoing=_has_a_parameter),
    Fault("dsn-unlisted", "DSN is not listed, and works", outgoing=_unlisted),
    Fault("dsn-after-helo", "the parameters of DSN are taken after HELO", around=_after_helo),
    # What is lawful, and refused.
    Fault("notify-refused", "NOTIFY is refused", around=_refused(b"RCPT", rb"NOTIFY=(?!NEVER)")),
    Fault("notify-never-refused", "NOTIFY=NEVER is refused", around=_refused(b"RCPT", rb"NOTIFY=NEVER\Z")),
    Fault("notify-no-delay", "NOTIFY does not know DELAY", around=_refused(b"RCPT", rb"NOTIFY=.*DELAY")),
    Fault("notify-no-lists", "NOTIFY takes no lists", around=_refused(b"RCPT", rb"NOTIFY=[A-Z]+,")),
    Fault("notify-two-words", "NOTIFY takes two words at most", around=_refused(b"RCPT", rb"NOTIFY=[A-Z]+,[A-Z]+,")),
    Fault("notify-in-order", "NOTIFY wants its words in one order", around=_refused(
        b"RCPT", rb"NOTIFY=.*(DELAY,.*SUCCESS|FAILURE,.*SUCCESS)",
    )),
    Fault("notify-capitals", "NOTIFY wants capitals", around=_refused(b"RCPT", rb"(?-i:notify=|NOTIFY=[a-z])")),
    Fault("ret-refused", "RET is refused", around=_refused(b"MAIL", rb"RET=", 555)),
    Fault("ret-capitals", "RET wants capitals", around=_refused(b"MAIL", rb"(?-i:[Rr]et=|RET=[a-z])")),
    Fault("envid-refused", "ENVID is refused", around=_refused(b"MAIL", rb"ENVID=", 555)),
    Fault("envid-alphanumeric", "ENVID takes letters and digits", around=_refused(
        b"MAIL", rb"ENVID=[A-Za-z0-9]*[^A-Za-z0-9]",
    )),
    Fault("envid-short", "ENVID has no more than 80 characters", around=_refused(b"MAIL", rb"ENVID=[^ ]{93}")),
    Fault("orcpt-refused", "ORCPT is refused", around=_refused(b"RCPT", rb"ORCPT=", 555)),
    Fault("orcpt-no-plus", "ORCPT takes no hexadecimal digits", around=_refused(b"RCPT", rb"ORCPT=.*\+")),
    Fault("orcpt-small-type", "the address type wants small letters", around=_refused(b"RCPT", rb"ORCPT=RFC822")),
    Fault("orcpt-short", "ORCPT has no more than 256 characters", around=_refused(b"RCPT", rb"ORCPT=[^ ]{257}")),
    Fault("orcpt-mailboxes-only", "ORCPT must be a mailbox of the Internet", around=_refused(
        b"RCPT", rb"ORCPT=(?!rfc822)(?!RFC822)",
    )),
    Fault("orcpt-known", "ORCPT makes anybody known", around=hears(
        b"RCPT", rb"nobody(?=@example.test> ORCPT)", b"user2",
    )),
    Fault("lines-of-512", "a line has no more than 512 octets", around=_short_lines),
    Fault("lines-of-700", "a line has no more than 700 octets", around=_lines_of_700),
    # What is not lawful, and taken.
    Fault("notify-never-and-more", "NEVER may stand in a list", around=hears(
        b"RCPT", rb"NOTIFY=(NEVER,\w+|\w+,NEVER)", b"NOTIFY=NEVER",
    )),
    Fault("notify-any-word", "NOTIFY passes over what it does not know", around=hears(
        b"RCPT", rb" NOTIFY=(MAYBE|SUCCESS,MAYBE|SUCCESSES|SUCCESS;FAILURE)\Z", b"",
    )),
    Fault("notify-empty", "NOTIFY needs no value", around=hears(b"RCPT", rb" NOTIFY=?\Z", b"")),
    Fault("notify-twice", "the last NOTIFY counts", around=hears(b"RCPT", rb" NOTIFY=\w+(?= NOTIFY=)", b"")),
    Fault("ret-any-word", "RET passes over what it does not know", around=hears(
        b"MAIL", rb" RET=(SOME|HDRSX|FULL,HDRS)\Z", b"",
    )),
    Fault("ret-empty", "RET needs no value", around=hears(b"MAIL", rb" RET=?\Z", b"")),
    Fault("ret-twice", "the last RET counts", around=hears(b"MAIL", rb" RET=\w+(?= RET=)", b"")),
    Fault("envid-no-xtext", "ENVID is taken as it comes", around=hears(b"MAIL", rb" ENVID(=.*|\Z)", b"")),
    Fault("envid-half-a-digit", "a plus at the end of ENVID stands for itself", around=hears(
        b"MAIL", rb"(?<=ENVID=a)\+2?\Z", b"",
    )),
    Fault("envid-twice", "the last ENVID counts", around=hears(b"MAIL", rb" ENVID=\w+(?= ENVID=)", b"")),
    Fault("envid-cut", "a long ENVID is cut", around=hears(b"MAIL", rb"(?<=ENVID=)(x{90})x*", rb"\1")),
    Fault("orcpt-no-xtext", "ORCPT is taken as it comes", around=hears(b"RCPT", rb" ORCPT(?!.* ORCPT)(=.*|\Z)", b"")),
    Fault("orcpt-twice", "the last ORCPT counts", around=hears(b"RCPT", rb" ORCPT=\S+(?= ORCPT=)", b"")),
    Fault("dsn-any-command", "RET and ENVID may stand with RCPT", around=hears(b"RCPT", rb" (RET|ENVID)=\S*", b"")),
    Fault("dsn-any-command-too", "NOTIFY and ORCPT may stand with MAIL", around=hears(
        b"MAIL", rb" (NOTIFY|ORCPT)=\S*", b"",
    )),
)  # fmt: skip
