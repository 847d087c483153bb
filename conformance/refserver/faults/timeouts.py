"""Faults in how long a client is waited for, and what comes then (RFC 5321 §4.5.3.2)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import says_nothing
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import Reading, SmtpState


def _waits(seconds: float, where: Callable[[SmtpState], bool]) -> Callable[[SmtpState, float], float]:
    """Wait for so long only in some places, as long as is lawful elsewhere."""
    return lambda session, lawful_s: seconds if where(session) else lawful_s


def _goes_without_a_word(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if octets.startswith(b"421 4.4.2") else octets


def _takes_idleness_for_the_end(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if octets.startswith(b"421 4.4.2") and session.reading is Reading.MAIL_DATA:
        session.memory["idle"] = True
    return octets


def _delivers_if_idle(session: SmtpState) -> None:
    if "idle" in session.memory and session.transaction is not None and session.data is not None:
        so_far = session.data.so_far().rstrip(b"\r\n.") + b"\r\n"
        session.transaction.deliver(so_far, session.client, session.service, session.dialect.name, each=False)


def _logged_in(session: SmtpState, argument: bytes) -> bool:
    return session.account is not None


def _in_transaction(session: SmtpState) -> bool:
    return session.transaction is not None and session.reading is Reading.COMMAND


def _never_answers_the_message(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if verb == b"." and session.account is not None else octets


def _loses_the_session(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer nothing any more once a command has come in pieces."""
    return None if "lost" in session.memory else go_on()


def _notes_pieces(session: SmtpState, octets: bytes) -> bytes:
    if len(octets) == 1 and octets.isalpha():
        session.memory["lost"] = True
    return octets


FAULTS: Final = (
    Fault("waits-4-minutes", "the next command is waited for for four minutes", patience_s=_waits(
        240.0, lambda session: True,
    )),
    Fault("waits-10-seconds", "the next command is waited for for ten seconds", patience_s=_waits(
        10.0, lambda session: True,
    )),
    Fault("waits-1-minute-inside", "inside a transaction a command is waited for for a minute", patience_s=_waits(
        60.0, _in_transaction,
    )),
    Fault("waits-2-minutes-for-data", "more mail data are waited for for two minutes", patience_s=_waits(
        120.0, lambda session: session.reading is Reading.MAIL_DATA,
    )),
    Fault("goes-without-a-word", "a client that is given up is not told", outgoing=_goes_without_a_word),
    Fault("idleness-ends-data", "mail data end when nothing more comes", outgoing=_takes_idleness_for_the_end,
          gone=_delivers_if_idle),
    Fault("pieces-lose-the-session", "a command that comes in pieces is never answered", around=_loses_the_session,
          incoming=_notes_pieces),
    Fault("silent-after-login", "RCPT is not answered once a client has logged in", around=says_nothing(
        b"RCPT", _logged_in,
    )),
    Fault("silent-after-message", "a message is not answered once a client has logged in",
          outgoing=_never_answers_the_message),
)  # fmt: skip
