"""Faults in what the next hop is told, and what is told of it (RFC 3461 §5.2, RFC 6152 §3, RFC 6531 §3.2)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.fault_kinds import hears
from conformance.refserver.relay import Outgoing

Bounced = Callable[[Outgoing, Outgoing | None], Outgoing | None]


def _said(pattern: bytes, by: bytes) -> Callable[[bytes], bytes]:
    """Return the function that replaces in MAIL and RCPT what fits a pattern."""
    found = re.compile(pattern)
    return lambda line: found.sub(by, line)


def _in_small_letters(line: bytes) -> bytes:
    command, at, rest = line.partition(b"@")
    verb, bracket, local_part = command.partition(b"<")
    return verb + bracket + local_part.lower() + at + rest if line.startswith(b"RCPT") else line


def _told(pattern: bytes, by: bytes) -> Bounced:
    """Return the function that replaces in a notice of failure what fits a pattern."""
    found = re.compile(pattern)

    def bounced(failed: Outgoing, notice: Outgoing | None) -> Outgoing | None:
        return None if notice is None else replace(notice, message=found.sub(by, notice.message))

    return bounced


def _only_if_asked(failed: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    return notice if failed.asked_for(failed.recipients[0]).notify is not None else None


def _never_if_asked(failed: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    return notice if failed.asked_for(failed.recipients[0]).notify is None else None


FAULTS: Final = (
    Fault("onward-undeclared", "eight bits are sent on without BODY", said_on=_said(rb" BODY=8BITMIME", b"")),
    Fault("onward-eight-bits", "eight bits are sent on to who takes seven", pretends=frozenset({b"8BITMIME"})),
    Fault("onward-utf8", "UTF-8 is sent on to who does not know it", pretends=frozenset({b"SMTPUTF8", b"8BITMIME"})),
    Fault("onward-insists", "nothing goes to who does not know SMTPUTF8", insists=frozenset({b"SMTPUTF8"})),
    Fault("onward-dsn-always", "every next hop is told of DSN", pretends=frozenset({b"DSN"})),
    Fault("onward-small-letters", "a local-part is sent on in small letters", said_on=_in_small_letters),
    Fault("onward-no-envid", "ENVID is not sent on", said_on=_said(rb" ENVID=\S+", b"")),
    Fault("onward-no-ret", "RET is not sent on", said_on=_said(rb" RET=\S+", b"")),
    Fault("onward-no-notify", "NOTIFY is not sent on", said_on=_said(rb" NOTIFY=\S+", b"")),
    Fault("onward-no-orcpt", "ORCPT is not sent on", said_on=_said(rb" ORCPT=\S+", b"")),
    Fault("onward-small-orcpt", "ORCPT is sent on in small letters", said_on=_said(rb"@Example\.ORG", b"@example.org")),
    Fault("onward-small-envid", "ENVID is sent on in small letters", said_on=_said(rb"Mp\+", b"mp+")),
    Fault("onward-more-notify", "NOTIFY is sent on with DELAY", said_on=_said(rb"NOTIFY=[A-Z,]+", rb"\g<0>,DELAY")),
    Fault("onward-invents-notify", "a NOTIFY is invented", said_on=_said(rb"(RCPT [^ ]+)\Z", rb"\1 NOTIFY=FAILURE")),
    Fault("onward-invents-orcpt", "an ORCPT is invented", said_on=_said(
        rb"(RCPT [^ ]+)\Z", rb"\1 ORCPT=rfc822;postmaster@mail.example.test",
    )),
    Fault("onward-asks-for-itself", "a notice asks for a report", said_on=_said(
        rb"(RCPT TO:<from-[^ ]+)\Z", rb"\1 NOTIFY=FAILURE",
    )),
    Fault("onward-ret-of-itself", "a notice has RET", said_on=_said(rb"MAIL FROM:<>\Z", b"MAIL FROM:<> RET=FULL")),
    Fault("failure-untold", "who asks to hear of failures does not", bounced=_never_if_asked),
    Fault("failure-untold-by-default", "who says nothing does not hear of failures", bounced=_only_if_asked),
    Fault("failure-always-told", "who asks for success hears of failures", around=hears(
        b"RCPT", rb"NOTIFY=(SUCCESS|DELAY)\Z", rb"NOTIFY=FAILURE,\1",
    )),
    Fault("failure-told-after-never", "who asks for nothing hears of failures", around=hears(
        b"RCPT", rb"NOTIFY=NEVER\Z", b"NOTIFY=FAILURE",
    )),
    Fault("relaying-always-told", "who asks for nothing hears of a next hop", around=hears(
        b"RCPT", rb"(?<=plain\.test>)\Z", b" NOTIFY=SUCCESS,FAILURE",
    )),
    Fault("relaying-untold", "that a next hop without DSN took it is not told", around=hears(
        b"RCPT", rb"(?<=plain\.test>) NOTIFY=SUCCESS(?= )", b" NOTIFY=FAILURE",
    )),
    Fault("failure-delayed", "a failure is called a delay", bounced=_told(rb"Action: failed", b"Action: delayed")),
    Fault("failure-no-status", "a failure has no Status", bounced=_told(rb"\r\nStatus:[^\r]*", b"")),
    Fault("failure-ok-status", "the Status of a failure is that of a success", bounced=_told(
        rb"Status: 5\.\d\.\d", b"Status: 2.0.0",
    )),
    Fault("failure-nowhere", "who refused is not named", bounced=_told(rb"\r\nRemote-MTA:[^\r]*", b"")),
    Fault("failure-by-address", "who refused is an address", bounced=_told(rb"MTA: dns;[^\r]*", b"MTA: 127.0.0.1")),
    Fault("failure-no-words", "the refusal is not told", bounced=_told(rb"\r\nDiagnostic-Code:[^\r]*", b"")),
    Fault("failure-own-words", "the refusal is told in other words", bounced=_told(
        rb"Diagnostic-Code: smtp; [^\r]*", b"Diagnostic-Code: smtp; it went wrong",
    )),
    Fault("failure-headers-only", "RET=FULL returns headers", around=hears(b"MAIL", rb"RET=FULL", b"RET=HDRS")),
)  # fmt: skip
