"""Faults in the lines of an AUTH exchange, and in AUTH= of MAIL (RFC 4954 §4, §5)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.failed import Failed
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, answers_response, holds
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

_NO: Final = b"535 5.7.8 Authentication credentials invalid\r\n"
_TOO_LONG: Final = b"500 5.5.6 Line too long\r\n"
_UNKNOWN: Final = b"500 5.5.1 Command not recognized\r\n"


def _longer_than(octets: int) -> Callable[[bytes], bool]:
    return lambda response: len(response) > octets


def _passes_over(pattern: bytes) -> Around:
    """Take MAIL as if a part of it were not there."""
    found = re.compile(pattern)

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb != b"MAIL" or not found.search(argument):
            return go_on()
        return COMMANDS[verb].run(session, found.sub(b"", argument))

    return around


def _is_stranger(session: SmtpState, argument: bytes) -> bool:
    return session.account is None and b"AUTH=e" in argument


def _is_known(session: SmtpState, argument: bytes) -> bool:
    return session.account is not None and b"AUTH=e" in argument


def _equals(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.AUTHENTICATED if verb == b"AUTH" and argument == b"PLAIN =" else go_on()


def _bad_base64(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.BAD_SASL_OCTETS if verb == b"AUTH" and argument == b"EXTERNAL =" else go_on()


class _External:
    """EXTERNAL, of which nobody has a certificate."""

    def begin(self, initial: bytes | None) -> bytes | Failed:
        return b"" if initial is None else Failed.CREDENTIALS

    def answer(self, response: bytes) -> Failed:
        return Failed.CREDENTIALS


FAULTS: Final = (
    answers_response("auth-line-512", "a response is no longer than a command", _longer_than(510), _TOO_LONG),
    answers_response("auth-line-2048", "a response has 2,048 octets at most", _longer_than(2046), _TOO_LONG),
    answers_response("auth-cuts-lines", "what is longer than 1,000 octets begins another line",
                     _longer_than(1000), _NO + _UNKNOWN),
    answers_response("auth-cuts-long-lines", "what is longer than 4,096 octets begins another line",
                     _longer_than(4096), _NO + _UNKNOWN),
    answers_response("auth-loses-endless-lines", "a response without an end is never answered",
                     _longer_than(30_000), b""),
    Fault("auth-equals", "= lets in", around=_equals),
    Fault("auth-equals-external", "= is no base64", exchanges={"EXTERNAL": lambda *_: _External()},
          around=_bad_base64),
    Fault("auth-no-submitter", "AUTH=<> is refused", around=answers(b"MAIL", 555, holds(rb" AUTH=<>"))),
    Fault("auth-submitter-of-strangers", "a stranger may not say AUTH=", around=answers(b"MAIL", 503, _is_stranger)),
    Fault("auth-submitter-of-users", "a user may not say AUTH=", around=answers(b"MAIL", 555, _is_known)),
    Fault("auth-submitter-no-hex", "+ZZ is passed over", around=_passes_over(rb" AUTH=\+ZZ$")),
    Fault("auth-submitter-lower-hex", "xtext may be in lower case", around=_passes_over(rb" AUTH=e\+3d\S*$")),
    Fault("auth-submitter-empty", "AUTH= may be empty", around=_passes_over(rb" AUTH=$")),
    Fault("auth-submitter-cut", "xtext may end within a mark", around=_passes_over(rb" AUTH=\S*\+3$")),
    Fault("auth-submitter-twice", "AUTH= may come twice", around=_passes_over(rb" AUTH=<>(?= AUTH)")),
    Fault("auth-mail-512", "MAIL has 512 octets at most",
          around=answers(b"MAIL", 500, lambda session, argument: len(argument) > 505)),
)  # fmt: skip
