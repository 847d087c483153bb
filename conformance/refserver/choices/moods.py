"""When a server puts mail off, hangs up or takes its time: 4yz and 421 may answer any command (RFC 5321 §3.8, §4.2.1),
and a client waits for minutes (§4.5.3.2)."""

from collections.abc import Callable, Collection
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around
from conformance.refserver.replies import Reply, reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import Reading, SmtpState

_NOT_NOW: Final = reply(451, "4.3.0", "Please try again later")
_BYE: Final = reply(421, "4.7.0", "mail.example.test closing")
_SYNC: Final = b"\x01SYNC"          # stands for what a client said too early; no client can say it and be answered so
_ALONE: Final = {b"EHLO", b"HELO", b"LHLO", b"DATA", b"AUTH", b"STARTTLS", b"QUIT"}     # RFC 2920 §3.1: last in a group
_NAMING: Final = {b"RCPT", b"VRFY", b"EXPN", b"ETRN"}
_IDLE_TALK: Final = {b"NOOP", b"RSET", b"VRFY", b"EXPN", b"HELP", b"ETRN"}


def _count(session: SmtpState, what: str) -> int:
    number = session.memory.get(what, 0)
    assert isinstance(number, int)
    session.memory[what] = number + 1
    return number + 1


def _puts_off(*verbs: bytes, every: int = 1) -> Around:
    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return _NOT_NOW if verb in verbs and _count(session, "put off") % every == 0 else go_on()

    return around


def _leaves_after(commands: int, *verbs: bytes) -> Around:
    """Say 421 to the next command after so many; only these verbs count, if any are given."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb != b"QUIT" and (not verbs or verb in verbs) and _count(session, "commands") > commands:
            return _BYE
        return go_on()

    return around


def _leaves_after_errors(errors: int, *, instead: bool) -> Callable[[SmtpState, bytes, bytes], bytes]:
    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        if not octets.startswith(b"5") or _count(session, "errors") < errors:
            return octets
        session.after = After.CLOSE
        bye = _BYE.octets if "ENHANCEDSTATUSCODES" in session.service.behaviour.extensions else _BYE.bare
        return bye if instead else octets + bye

    return outgoing


def _hears_early_talk(session: SmtpState, octets: bytes) -> bytes:
    """Put a mark in place of all that came behind a command which had to be the last of its group (RFC 2920 §3.1)."""
    if session.reading is not Reading.COMMAND:
        return octets
    pipelining = "PIPELINING" in session.offered
    lines = octets.split(b"\r\n")
    for number, line in enumerate(lines[:-1]):
        if line[:5].upper() == b"BDAT ":
            return octets                    # the lines behind it are a message's
        more = any(lines[number + 1:])
        if more and (not pipelining or line.split(b" ", 1)[0].upper() in _ALONE):
            return b"".join(line + b"\r\n" for line in lines[:number]) + _SYNC + b"\r\n"
    return octets


def _ends_early_talk(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb != _SYNC:
        return go_on()
    session.after = After.CLOSE
    return reply(554, "5.5.0", "SMTP synchronization error")


def _slows_down(session: SmtpState, verb: bytes, octets: bytes) -> float:
    """Let who has talked idly twenty times wait, every time twice as long, as sendmail does."""
    idle = _count(session, "idle talk") - 20 if verb in _IDLE_TALK else 0
    return 2.0 ** min(idle - 1, 7) if idle > 0 else 0.0


def _takes(seconds: float, verbs: Collection[bytes]) -> Callable[[SmtpState, bytes, bytes], float]:
    return lambda session, verb, octets: seconds if verb in verbs else 0.0


def _hangs_up_on_bare_lf(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if octets.startswith(b"554 ") and b"bare" in octets:
        session.after = After.CLOSE
        return octets.replace(b"554 ", b"521 ", 1)
    return octets


CHOICES: Final = (
    Fault("puts-off-mail", "every MAIL is put off", around=_puts_off(b"MAIL")),
    Fault("puts-off-rcpt", "every RCPT is put off", around=_puts_off(b"RCPT")),
    Fault("puts-off-data", "every DATA is put off", around=_puts_off(b"DATA")),
    Fault(
        "puts-off-now-and-then", "every third MAIL, RCPT or DATA of a session is put off",
        around=_puts_off(b"MAIL", b"RCPT", b"DATA", every=3),
    ),
    *(
        Fault(f"leaves-after-{number}", f"421 after {number} commands", around=_leaves_after(number))
        for number in (1, 2, 3, 5, 8, 20)
    ),
    Fault("leaves-idle-talkers", "421 after ten commands that move no mail", around=_leaves_after(10, *_IDLE_TALK)),
    Fault("slows-idle-talkers", "each command that moves no mail waits, from the 21st on", pause_s=_slows_down),
    Fault("looks-names-up", "who is named is looked for, for five seconds", pause_s=_takes(5.0, _NAMING)),
    Fault("filters-mail", "every message is looked through, for twelve seconds", pause_s=_takes(12.0, {b".", b"BDAT"})),
    Fault("one-transaction", "421 to the second MAIL", around=_leaves_after(1, b"MAIL")),
    Fault("leaves-after-an-error", "421 behind the first 5yz", outgoing=_leaves_after_errors(1, instead=False)),
    Fault("leaves-after-3-errors", "421 behind the third 5yz", outgoing=_leaves_after_errors(3, instead=False)),
    Fault("421-for-an-error", "421 in place of any 5yz", outgoing=_leaves_after_errors(1, instead=True)),
    Fault("421-for-the-third-error", "421 in place of the third 5yz", outgoing=_leaves_after_errors(3, instead=True)),
    Fault(
        "synchronizes", "who talks too early gets 554, and the connection is closed",
        incoming=_hears_early_talk, around=_ends_early_talk,
    ),
    Fault("hangs-up-on-bare-lf", "521 for mail data with a bare LF", outgoing=_hangs_up_on_bare_lf),
)
