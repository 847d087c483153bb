"""Faults in ETRN, and in the parameters and limits that few servers have."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, holds, in_transaction, runs_sleeps, says_nothing
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState


def _in_ehlo(pattern: bytes, by: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    found = re.compile(pattern)
    return lambda session, verb, octets: found.sub(by, octets) if verb in {b"EHLO", b"LHLO"} else octets


def _passes_over(pattern: bytes) -> Around:
    """Take MAIL as if a parameter were not there."""
    found = re.compile(pattern)

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb != b"MAIL" or not found.search(argument):
            return go_on()
        return COMMANDS[verb].run(session, found.sub(b"", argument))

    return around


def _bare(session: SmtpState, argument: bytes) -> bool:
    return not argument


def _strange(session: SmtpState, argument: bytes) -> bool:
    return b"unagreed" in argument


def _turns(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets + b"EHLO mail.example.test\r\n" if verb == b"ETRN" and octets.startswith(b"2") else octets


def _tired(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    number = session.memory.get("queues", 0)
    assert isinstance(number, int)
    session.memory["queues"] = number + (verb == b"ETRN")
    return b"" if verb == b"ETRN" and number >= 20 else octets


def _relays_in_clear(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Forget that TLS is required, once MAIL was answered."""
    if verb == b"MAIL" and b"REQUIRETLS" in argument.upper() and session.cipher is not None:
        return COMMANDS[verb].run(session, re.sub(rb" REQUIRETLS\b(?!=)", b"", argument))
    return go_on()


def _fewer_recipients(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    full = verb == b"RCPT" and session.transaction is not None and len(session.transaction.recipients) >= 15
    return replies.TOO_MANY_RECIPIENTS if full else go_on()


def _more_recipients(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"RCPT" and session.transaction is not None:
        del session.transaction.recipients[15:]
    return go_on()


def _fewer_mails(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.TOO_MANY_MAILS if verb == b"MAIL" and session.mails >= 7 else go_on()


_HOLDS: Final = _in_ehlo(rb"250-DSN", b"250-FUTURERELEASE 3600 2030-12-31T00:00:00Z\r\n250-DSN")

FAULTS: Final = (
    Fault("etrn-no", "ETRN is refused for whatever domain", around=answers(b"ETRN", 501, holds(rb"example\.test"))),
    Fault("etrn-go-on", "ETRN for a strange domain is answered 354", around=answers(b"ETRN", 354, _strange)),
    Fault("etrn-silent", "ETRN for a strange domain is not answered", around=says_nothing(b"ETRN", _strange)),
    Fault("etrn-for-nobody", "ETRN needs no name", around=answers(b"ETRN", 250, _bare)),
    Fault("etrn-any-name", "ETRN takes any name",
          around=answers(b"ETRN", 250, holds(rb" |\.\.|-a-|\x01"))),
    Fault("etrn-nests", "ETRN is taken in a transaction", around=answers(b"ETRN", 250, in_transaction)),
    Fault("etrn-turns", "after ETRN the server speaks as a client", outgoing=_turns),
    Fault("etrn-takes-tricks", "ETRN takes quotes and the like", around=answers(b"ETRN", 250, holds(rb"'|;|\$"))),
    runs_sleeps("etrn-runs-tricks", "a command in ETRN is run", b"ETRN"),
    Fault("etrn-tires", "the twentieth ETRN is not answered", outgoing=_tired),
    Fault("turn-works", "TURN is answered 250", around=answers(b"TURN", 250)),
    Fault("by-refused", "BY is refused", around=answers(b"MAIL", 501, holds(rb" BY="))),
    Fault("by-any", "BY may be anything", around=_passes_over(rb" BY=(?:abc|120|120;X|9999;R BY=9999;R)$")),
    Fault("by-zero", "BY=0;R is taken", around=_passes_over(rb" BY=0;R$")),
    Fault("by-less", "the least time is of no account", around=_passes_over(rb" BY=59;R$")),
    Fault("priority-refused", "a priority is refused",
          around=answers(b"MAIL", 501, holds(rb" MT-PRIORITY=(?:-9|9|0)$"))),
    Fault("priority-any", "a priority may be anything",
          around=_passes_over(rb" MT-PRIORITY=(?:10|abc|-10|0 MT-PRIORITY=0)$")),
    Fault("hold-in-vain", "FUTURERELEASE is offered, and HOLDFOR is refused", outgoing=_HOLDS,
          around=answers(b"MAIL", 501, holds(rb" HOLDFOR"))),
    Fault("hold-any", "HOLDFOR may be anything, and HOLDUNTIL stand beside it", outgoing=_HOLDS,
          around=_passes_over(rb" HOLD(?:FOR|UNTIL)=.*")),
    Fault("requiretls-in-clear", "REQUIRETLS is offered in clear text",
          outgoing=_in_ehlo(rb"250-STARTTLS", b"250-STARTTLS\r\n250-REQUIRETLS")),
    Fault("requiretls-value", "REQUIRETLS may have a value", around=_passes_over(rb" REQUIRETLS=1$")),
    Fault("requiretls-taken-in-clear", "REQUIRETLS is taken in clear text",
          around=answers(b"MAIL", 250, lambda session, argument: (
              session.cipher is None and argument.endswith(b" REQUIRETLS")))),
    Fault("requiretls-forgotten", "REQUIRETLS is forgotten", around=_relays_in_clear),
    Fault("limits-words", "a limit has no number", outgoing=_in_ehlo(rb"RCPTMAX=20", b"RCPTMAX=many")),
    Fault("limits-odd", "a limit has no name", outgoing=_in_ehlo(rb"LIMITS ", b"LIMITS =5 ")),
    Fault("limits-fewer-recipients", "fewer recipients are taken than was promised", around=_fewer_recipients),
    Fault("limits-more-recipients", "more recipients are taken than was said", around=_more_recipients),
    Fault("limits-fewer-mails", "fewer transactions are taken than was promised", around=_fewer_mails),
)  # fmt: skip
