"""Faults in who has to have a mailbox (RFC 5321 §4.5.1, RFC 2142)."""

import re
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.fault_kinds import Around, When, answers, hears
from conformance.refserver.smtp_state import SmtpState


def _written(pattern: bytes) -> When:
    """Return the question whether an argument holds a pattern, in just this case."""
    found = re.compile(pattern)
    return lambda session, argument: found.search(argument) is not None


def _unknown(pattern: bytes, code: int = 550) -> Around:
    return answers(b"RCPT", code, _written(pattern), f"{code // 100}.1.1")


def _from_nobody(session: SmtpState, argument: bytes) -> bool:
    transaction = session.transaction
    return b"postmaster" in argument and transaction is not None and transaction.reverse_path.is_null


FAULTS: Final = (
    Fault("postmaster-needs-domain", "<postmaster> is nobody", around=_unknown(rb"<(?i:postmaster)>")),
    Fault("postmaster-syntax", "<postmaster> is a syntax error", around=_unknown(rb"<(?i:postmaster)>", 501)),
    Fault("postmaster-lower-case", "<Postmaster> is nobody", around=_unknown(rb"<(?!postmaster)(?i:postmaster)>")),
    Fault("postmaster-two-cases", "<pOstmasteR> is nobody", around=_unknown(
        rb"<(?!postmaster|Postmaster|POSTMASTER)(?i:postmaster)>",
    )),
    Fault("postmaster-nowhere", "no domain has a postmaster", around=_unknown(rb"<(?i:postmaster)@")),
    Fault("postmaster-lower-case-at-domain", "a domain's postmaster is in lower case", around=_unknown(
        rb"<(?!postmaster)(?i:postmaster)@",
    )),
    Fault("postmaster-not-from-nobody", "postmaster takes no bounces", around=answers(b"RCPT", 550, _from_nobody)),
    Fault("postmaster-discards", "mail for postmaster is thrown away", around=hears(
        b"RCPT", rb"<postmaster(@[^>]*)?>", b"<user3@example.test>",
    )),
    Fault("abuse-unknown", "abuse is nobody", around=_unknown(rb"<abuse@")),
)  # fmt: skip
