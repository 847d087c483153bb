"""Faults in reports of delivery (RFC 3461 §5.2, §6, RFC 3464)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, hears
from conformance.refserver.relay import Outgoing
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

Reports = Callable[[Outgoing], Sequence[Outgoing]]
_STRANGER: Final = b"<someone.else@mailproof.invalid>"


def _changed(pattern: bytes, by: bytes) -> Reports:
    """Return the function that replaces in a report what fits a pattern, once."""
    found = re.compile(pattern)
    return lambda report: [replace(report, message=found.sub(by, report.message, count=1))]


def _to_the_author_alone(report: Outgoing) -> Sequence[Outgoing]:
    """Send no report, because it goes to an author who has no maildrop here."""
    return [] if b"\r\nFrom: " + _STRANGER in report.message else [report]


def _addressed_to_the_author(report: Outgoing) -> Sequence[Outgoing]:
    return _changed(rb"\r\nTo: <[^>]*>", b"\r\nTo: " + _STRANGER)(report) if _STRANGER in report.message else [report]


def _with_the_body(report: Outgoing) -> Sequence[Outgoing]:
    """Put the line that cases send as a body behind the header section that is returned."""
    end = report.message.rindex(b"\r\n--")
    body = b"\r\nThis line is for the recipient.\r\n"
    return [replace(report, message=report.message[:end] + body + report.message[end:])]


def _sticks(verb: bytes, parameter: bytes) -> Around:
    """Let a parameter hold for the rest of the session: where it is not said, the last one counts."""
    found = re.compile(rb" " + parameter + rb"=\S+")

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb or session.state not in COMMANDS[verb].permitted:
            return go_on()
        match = found.search(argument)
        if match is None and isinstance(last := session.memory.get(found.pattern.decode()), bytes):
            return COMMANDS[verb].run(session, argument + last)
        if match is not None:
            session.memory[found.pattern.decode()] = match[0]
        return go_on()

    return around


def _without(field: bytes) -> Reports:
    return _changed(rb"\r\n" + field + rb":[^\r]*", b"")


FAULTS: Final = (
    Fault("success-unreported", "no delivery is reported", reports=lambda report: []),
    Fault("success-twice", "every delivery is reported twice", reports=lambda report: [report, report]),
    Fault("failure-means-success", "who asks for failures hears of success", around=hears(
        b"RCPT", rb"NOTIFY=FAILURE\Z", b"NOTIFY=SUCCESS",
    )),
    Fault("never-means-success", "who asks for nothing hears of success", around=hears(
        b"RCPT", rb"NOTIFY=NEVER\Z", b"NOTIFY=SUCCESS",
    )),
    Fault("success-by-default", "who says nothing hears of success", around=hears(
        b"RCPT", rb">\Z", b"> NOTIFY=SUCCESS",
    )),
    Fault("reports-to-somebody", "mail from the null reverse-path is reported to its author", around=hears(
        b"MAIL", rb"FROM:<>", b"FROM:<user1@example.test>",
    )),
    Fault("reports-have-a-sender", "a report comes from postmaster", reports=lambda report: [
        replace(report, reverse_path=b"postmaster@mail.example.test"),
    ]),
    Fault("reports-to-the-author", "a report goes to the author alone", reports=_to_the_author_alone),
    Fault("reports-for-the-author", "a report is addressed to the author", reports=_addressed_to_the_author),
    Fault("report-mixed", "a report is multipart/mixed", reports=_changed(rb"multipart/report", b"multipart/mixed")),
    Fault("report-other-type", "a report is labelled as one of reading", reports=_changed(
        rb"report-type=delivery-status", b"report-type=disposition-notification",
    )),
    Fault("report-in-words", "a report has no delivery-status part", reports=_changed(
        rb"message/delivery-status", b"text/plain",
    )),
    Fault("report-of-nobody", "a report has no fields of a recipient", reports=_changed(
        rb"\r\n\r\nFinal-Recipient:[^\r]*\r\nAction:[^\r]*\r\nStatus:[^\r]*", b"",
    )),
    Fault("report-no-gap", "the fields of the recipient follow those of the message", reports=_changed(
        rb"\r\n\r\nFinal-Recipient", rb"\r\nFinal-Recipient",
    )),
    Fault("report-by-nobody", "there is no Reporting-MTA", reports=_without(b"Reporting-MTA")),
    Fault("report-bare-name", "Reporting-MTA is a bare name", reports=_changed(rb"dns; mail\.[^\r]*", b"dns; mail")),
    Fault("report-no-type", "Reporting-MTA has no type", reports=_changed(rb"dns; mail", b"mail")),
    Fault("report-envid-lost", "the ENVID does not come back", reports=_without(b"Original-Envelope-Id")),
    Fault("report-envid-encoded", "the ENVID comes back encoded", reports=_changed(rb"Id: Mp\+=P", b"Id: Mp+2B+3DP")),
    Fault("report-envid-small", "the ENVID comes back in lower case", reports=_changed(rb"Id: Mp\+=P", b"Id: mp+=p")),
    Fault("report-envid-invented", "who gave no ENVID gets one", reports=_changed(
        rb"(\r\nArrival-Date:[^\r]*)(?!\r\nOriginal-Envelope-Id)\r\n\r\n", rb"\1\r\nOriginal-Envelope-Id: t1\r\n\r\n",
    )),
    Fault("report-orcpt-lost", "the ORCPT does not come back", reports=_without(b"Original-Recipient")),
    Fault("report-orcpt-encoded", "the ORCPT comes back encoded", reports=_changed(
        rb"rfc822;Some\+Tag@", b"rfc822;Some+2BTag+40",
    )),
    Fault("report-orcpt-small", "the ORCPT comes back in small letters", reports=_changed(
        rb"rfc822;Some\.Body@", rb"rfc822;some.body@",
    )),
    Fault("report-orcpt-mailbox", "every ORCPT comes back as a mailbox", reports=_changed(rb"x400;", b"rfc822;")),
    Fault("report-orcpt-invented", "who gave no ORCPT gets one", reports=_changed(
        rb"\r\n\r\nFinal-Recipient:", rb"\r\n\r\nOriginal-Recipient: rfc822; root@example.test\r\nFinal-Recipient:",
    )),
    Fault("report-recipient-lost", "there is no Final-Recipient", reports=_without(b"Final-Recipient")),
    Fault("report-recipient-no-type", "Final-Recipient has no type", reports=_changed(
        rb"Final-Recipient: rfc822; ", b"Final-Recipient: ",
    )),
    Fault("report-recipient-small", "Final-Recipient is in small letters", reports=_changed(
        rb"Final-Recipient: rfc822; USER", b"Final-Recipient: rfc822; user",
    )),
    Fault("report-recipient-maildrop", "Final-Recipient is the maildrop's file", reports=_changed(
        rb"Final-Recipient: rfc822; [^\r]*", b"Final-Recipient: local; /var/mail/user1",
    )),
    Fault("report-failed", "a success is called a failure", reports=_changed(rb"Action: delivered", b"Action: failed")),
    Fault("report-no-action", "there is no Action", reports=_without(b"Action")),
    Fault("report-status-text", "Status is a word", reports=_changed(rb"Status: 2\.1\.5", b"Status: ok")),
    Fault("report-status-zeros", "Status has leading zeros", reports=_changed(rb"Status: 2\.1\.5", b"Status: 2.01.05")),
    Fault("report-no-status", "there is no Status", reports=_without(b"Status")),
    Fault("report-of-one", "only the first of two recipients is reported of", reports=_changed(
        rb"(?s)(Final-Recipient: .*?\r\n\r\n)(?:Original-Recipient: [^\r]*\r\n)?Final-Recipient: .*?\r\n\r\n", rb"\1",
    )),
    Fault("report-of-all", "a report tells of all recipients", reports=_changed(
        rb"\r\n(Final-Recipient: rfc822; user)1(@[^\r]*\r\nAction: delivered\r\nStatus: 2\.1\.5\r\n)",
        rb"\r\n\g<1>1\2\r\n\g<1>2\2",
    )),
    Fault("envid-sticks", "an ENVID holds for the rest of the session", around=_sticks(b"MAIL", b"ENVID")),
    Fault("orcpt-sticks", "an ORCPT holds for the next recipient", around=_sticks(b"RCPT", b"ORCPT")),
    Fault("notify-sticks", "a NOTIFY holds for the rest of the session", around=_sticks(b"RCPT", b"NOTIFY")),
    Fault("report-body", "a report of success returns the body", reports=_with_the_body),
    Fault(
        "envid-injects", "a line break in ENVID becomes one in the report",
        around=hears(b"MAIL", rb"\+0D\+0A", b"%0D%0A"), reports=_changed(rb"%0D%0A", b"\r\n"),
    ),
    Fault(
        "orcpt-injects", "a line break in ORCPT becomes one in the report",
        around=hears(b"RCPT", rb"\+0D\+0A", b"%0D%0A"), reports=_changed(rb"%0D%0A", b"\r\n"),
    ),
    Fault(
        "envid-ends-at-nul", "ENVID is cut at a NUL",
        around=hears(b"MAIL", rb"\+00", b"%00"), reports=_changed(rb"%00[^\r]*", b""),
    ),
    Fault(
        "orcpt-ends-at-nul", "ORCPT is cut at a NUL",
        around=hears(b"RCPT", rb"\+00", b"%00"), reports=_changed(rb"%00[^\r]*", b""),
    ),
)  # fmt: skip
