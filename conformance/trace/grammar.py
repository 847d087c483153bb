"""Where a Received field is not as RFC 5321 §4.4 has it. Nothing is held against it for that: much mail is not."""

import re
from collections.abc import Iterator
from typing import Final

from conformance.trace.host import address_of
from conformance.trace.moment import moment_of
from conformance.trace.received import KEYWORDS, NOTHING, Clause, Received

_DOMAIN: Final = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_PATH: Final = re.compile(rb"<?[^<>@\s]+@[^<>@\s]+>?")
_TCP_INFO: Final = re.compile(rb"(?:[A-Za-z0-9._-]+ )?\[[^\[\]\s]+\]")
# The registered words (RFC 3848, RFC 6531 §4.3; HTTP and MMS by IANA).
_PROTOCOLS: Final = frozenset(
    f"{prefix}{base}{end}".encode()
    for prefix, base, ends in (
        ("", "SMTP", ("",)), ("E", "SMTP", ("", "A", "S", "SA")), ("", "LMTP", ("", "A", "S", "SA")),
        ("UTF8", "SMTP", ("", "A", "S", "SA")), ("UTF8", "LMTP", ("", "A", "S", "SA")),
    )
    for end in ends
) | {b"HTTP", b"MMS"}  # fmt: skip


def departures(field: Received) -> tuple[str, ...]:
    """Return in what a field departs from the grammar, a phrase each; none: in nothing."""
    return tuple(_departures(field))


def _departures(field: Received) -> Iterator[str]:
    keywords = [clause.keyword for clause in field.clauses]
    for keyword in KEYWORDS[:2]:
        clause = field.clause(keyword)
        if clause is NOTHING:
            yield f"no {keyword.decode()} clause"
        elif not _is_extended_domain(clause):
            yield f"no domain or address literal behind {keyword.decode()}"
    if keywords and not keywords[0]:
        yield "something stands before the first clause"
    known = [KEYWORDS.index(keyword) for keyword in keywords if keyword]
    if known != sorted(known) or len(set(known)) < len(known):
        yield "the clauses are not from, by, via, with, id, for, each once"
    protocol, recipient = field.clause(b"with").value, field.clause(b"for")
    if protocol and protocol.upper() not in _PROTOCOLS:
        yield "the word behind with is not registered"
    if recipient is not NOTHING and (len(recipient.words) != 1 or not _PATH.fullmatch(recipient.value)):
        yield "not one path behind for"
    if not field.semicolon:
        yield "no semicolon before the date"
    moment = moment_of(field.date)
    if moment is None or not moment.strict:
        yield "no date in the form of RFC 5322 §3.3" if moment is None else "a date in an obsolete form, or a wrong one"


def _is_extended_domain(clause: Clause) -> bool:
    """Say whether this is a domain, or a literal with what the server saw in parentheses behind it."""
    value = clause.value
    if value.startswith(b"[") and address_of(value) is not None:
        return clause.keyword == b"by" or any(map(_TCP_INFO.fullmatch, clause.comments))
    return bool(_DOMAIN.fullmatch(value))
