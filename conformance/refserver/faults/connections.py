"""Faults in sessions side by side, and in what ends one (RFC 5321 §3.8, §4.5.4.2)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, holds
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

_SESSIONS: Final = 20      # as many as a faulty server can serve


def _counts(session: SmtpState, by: int) -> int:
    memory = session.service.memory
    count: int = memory.get("sessions", 0) + by
    memory["sessions"] = count
    return count


def _one_fewer(session: SmtpState) -> None:
    _counts(session, -1)


def _silent_past_the_limit(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb == b"":
        session.memory["unserved"] = _counts(session, 1) > _SESSIONS
    return b"" if session.memory.get("unserved") else octets


def _drops_the_first(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Turn away who comes past the limit, and forget a session besides."""
    if verb == b"" and _counts(session, 1) > _SESSIONS:
        session.service.memory["crowded"] = 1
        session.after = After.CLOSE
        return replies.TOO_BUSY.octets
    if verb == b"NOOP" and session.service.memory.pop("crowded", 0):
        session.after = After.CLOSE
        return b""
    return octets


def _holds_the_rest_up(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Greet nobody while a session is inside a transaction."""
    memory = session.service.memory
    if verb == b"":
        session.memory["unserved"] = "transaction" in memory
    if verb == b"MAIL" and session.transaction is not None:
        memory["transaction"] = session.memory["mine"] = 1
    return b"" if session.memory.get("unserved") else octets


def _lets_the_rest_on(session: SmtpState) -> None:
    if "mine" in session.memory:
        session.service.memory.pop("transaction", None)


def _never_lets_the_rest_on(when: Callable[[SmtpState], bool]) -> Callable[[SmtpState], None]:
    """Leave a lock behind when the connection is gone inside a transaction."""

    def gone(session: SmtpState) -> None:
        if session.transaction is not None and when(session):
            session.service.memory["locked"] = 1

    return gone


def _refuses_when_locked(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Refuse mail in the session that comes next."""
    if verb == b"" and session.service.memory.pop("locked", 0):
        session.memory["locked"] = True
    return replies.NO_RELAYING.octets if verb == b"MAIL" and "locked" in session.memory else octets


def _hangs_up_on(reply: Reply, *, silently: bool = False) -> Around:
    """End the session once a command was refused so."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        answer = go_on()
        if answer is not reply:
            return answer
        session.after = After.CLOSE
        return None if silently else answer

    return around


def _hangs_up_at(verb: bytes, pattern: bytes) -> Around:
    """End the session at what a parser stumbles over."""
    found = holds(pattern)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb or not found(session, argument) or session.state not in COMMANDS[verb].permitted:
            return go_on()
        session.after = After.CLOSE
        return None

    return around


def _hangs_up_on_unknown(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb not in COMMANDS:
        session.after = After.CLOSE
    return go_on()


def _hangs_up_on_x(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb.startswith(b"X"):
        session.after = After.CLOSE
    return go_on()


def _hangs_up_on_long_verbs(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if len(verb) > 100:
        session.after = After.CLOSE
        return None
    return go_on()


_STUMBLES: Final = {
    # name              (verb,    what it stumbles over)
    "empty-parts":      (b"MAIL", rb"<@>|@>"),
    "empty-parts-rcpt": (b"RCPT", rb"<@>|@>"),
    "literals":         (b"MAIL", rb"@\[(IPv6:\])?>"),
    "literals-rcpt":    (b"RCPT", rb"@\[>"),
    "quotes":           (b"MAIL", rb'<"\\?\Z'),
    "quotes-rcpt":      (b"RCPT", rb'<"\\?\Z'),
    "routes":           (b"MAIL", rb"<@[a-z.]*(,:|:>)"),
    "routes-rcpt":      (b"RCPT", rb"<@[a-z.]*(,:|:>)"),
    "spaces":           (b"MAIL", rb"\A FROM|\AFROM:\Z"),
    "formats":          (b"MAIL", rb"%n"),
    "no-path":          (b"MAIL", rb"\AFROM:\Z"),
}  # fmt: skip

FAULTS: Final = (
    Fault("one-at-a-time", "nobody is greeted while a session is inside a transaction",
          outgoing=_holds_the_rest_up, gone=_lets_the_rest_on),
    Fault("crowd-unserved", "past 20 sessions nobody is greeted", outgoing=_silent_past_the_limit, gone=_one_fewer),
    Fault("crowd-drops", "past 20 sessions another one is lost", outgoing=_drops_the_first, gone=_one_fewer),
    Fault("lock-after-mail", "a connection that breaks after MAIL leaves a lock", outgoing=_refuses_when_locked,
          gone=_never_lets_the_rest_on(lambda session: session.transaction is not None
                                       and not session.transaction.recipients)),
    Fault("lock-after-data", "a connection that breaks inside mail data leaves a lock", outgoing=_refuses_when_locked,
          gone=_never_lets_the_rest_on(lambda session: session.data is not None)),
    Fault("lock-after-rcpt", "a connection that breaks after RCPT leaves a lock", outgoing=_refuses_when_locked,
          gone=_never_lets_the_rest_on(lambda session: session.data is None and session.transaction is not None
                                       and bool(session.transaction.recipients))),
    Fault("hangs-up-on-unknown", "an unknown command ends the session", around=_hangs_up_on_unknown),
    Fault("hangs-up-on-private-verbs", "an unknown verb that begins with X ends the session", around=_hangs_up_on_x),
    Fault("hangs-up-on-long-verbs", "a long verb ends the session", around=_hangs_up_on_long_verbs),
    Fault("hangs-up-on-syntax", "a malformed sender ends the session", around=_hangs_up_on(replies.BAD_SENDER)),
    Fault("hangs-up-on-parameter", "an unknown parameter ends the session", around=_hangs_up_on(
        replies.UNKNOWN_PARAMETER,
    )),
    Fault("hangs-up-on-argument", "an argument too many ends the session", around=_hangs_up_on(
        replies.NO_ARGUMENT_ALLOWED, silently=True,
    )),
    Fault("hangs-up-on-hello", "a hello without a name ends the session", around=_hangs_up_on(replies.BAD_HELLO_NAME)),
    Fault("hangs-up-on-order", "what is out of order ends the session", around=_hangs_up_on(replies.OUT_OF_ORDER)),
    Fault("hangs-up-on-rejected", "a recipient who is refused ends the session", around=_hangs_up_on(
        replies.NO_SUCH_MAILBOX,
    )),
    *(Fault(f"stumbles-over-{name}", f"{verb.decode()} with an odd path ends the session",
            around=_hangs_up_at(verb, pattern))
      for name, (verb, pattern) in _STUMBLES.items()),
)  # fmt: skip
