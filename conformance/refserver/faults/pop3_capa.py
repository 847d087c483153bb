"""Faults in CAPA: a list that does not end, and capabilities that are not true (RFC 2449)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import COMMANDS
from conformance.refserver.pop3_fault_kinds import (
    Around,
    When,
    always,
    answers,
    before_login,
    changes,
    ends_at,
    logged_in,
    with_argument,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

_REFUSED: Final = b"-ERR Command not recognized\r\n"


def lists(how: Callable[[list[bytes]], list[bytes]], when: When = always) -> Around:
    """Change the lines of CAPA."""

    def change(response: bytes) -> bytes:
        first, *tags, end, _ = response.split(b"\r\n")
        return b"\r\n".join([first, *how(tags), end, b""])

    return changes(b"CAPA", lambda response: change(response) if response.startswith(b"+OK") else response, when)


def adds(*tags: bytes, when: When = always) -> Around:
    """List further capabilities, in place of those of the same name."""
    names = {tag.partition(b" ")[0] for tag in tags}
    return lists(lambda listed: [tag for tag in listed if tag.partition(b" ")[0] not in names] + [*tags], when)


def drops(*names: bytes, when: When = always) -> Around:
    """Leave capabilities out of the list."""
    return lists(lambda listed: [tag for tag in listed if tag.partition(b" ")[0] not in names], when)


def _ignores_argument(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    return COMMANDS[b"CAPA"].run(session, b"") if verb == b"CAPA" and argument else go_on()


def _minds_case(session: Pop3State, octets: bytes) -> bytes:
    return re.sub(rb"\A(?!CAPA)(?i:capa)\r\n", b"CAPAS\r\n", octets)


def _fault(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    _fault("capa-no-end", "CAPA's list has no line with a dot",
           changes(b"CAPA", lambda response: response.removesuffix(b".\r\n"))),
    _fault("capa-one-line", "CAPA is answered in one line", answers(b"CAPA", b"+OK USER TOP UIDL\r\n")),
    _fault("capa-no-end-later", "CAPA's list has no line with a dot once one has logged in",
           changes(b"CAPA", lambda response: response.removesuffix(b".\r\n"), logged_in)),
    _fault("capa-ignores-argument", "CAPA takes an argument", _ignores_argument),
    _fault("capa-dies-of-argument", "CAPA with an argument ends the session", ends_at(b"CAPA", with_argument)),
    _fault("capa-only-before-login", "CAPA is refused after the login", answers(b"CAPA", _REFUSED, logged_in)),
    _fault("capa-only-after-login", "CAPA is refused before the login", answers(b"CAPA", _REFUSED, before_login)),
    _fault("capa-takes-user-back", "USER is not listed after the login", drops(b"USER", when=logged_in)),
    _fault("capa-takes-sasl-back", "SASL is not listed after the login", drops(b"SASL", when=logged_in)),
    _fault("capa-takes-codes-back", "RESP-CODES is not listed after the login", drops(b"RESP-CODES", when=logged_in)),
    Fault("capa-minds-case", "CAPA must be in upper case", pop3=Pop3Points(incoming=_minds_case)),
    _fault("capa-top-lies", "TOP is listed, and unknown", answers(b"TOP", _REFUSED)),
    _fault("capa-uidl-lies", "UIDL is listed, and unknown", answers(b"UIDL", _REFUSED)),
    _fault("capa-top-unlisted", "TOP is not listed", drops(b"TOP")),
    _fault("capa-uidl-unlisted", "UIDL is not listed before the login", drops(b"UIDL", when=before_login)),
    _fault("capa-user-lies", "USER is listed, and refused", answers(b"USER", b"-ERR Use APOP\r\n")),
    _fault("capa-pass-lies", "USER is listed, and every PASS refused", answers(b"PASS", b"-ERR [AUTH] Use APOP\r\n")),
    _fault("capa-apop", "APOP is a capability", adds(b"APOP")),
    _fault("capa-version", "IMPLEMENTATION names a version", adds(b"IMPLEMENTATION Mailer-2.3.19")),
    _fault("capa-long-line", "a capability has more than 512 octets", adds(b"X-LONG " + b"x" * 600)),
    _fault("capa-two-spaces", "two spaces stand between a tag and its parameter", adds(b"X-ODD  1")),
    _fault("capa-own-tag", "a tag that nobody registered", adds(b"TURBO")),
)
