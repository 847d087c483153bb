"""Faults in the autologout timer (RFC 1939 §3), and in serving who reads slowly."""

from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

AUTOLOGOUT_S: Final = 600.0


def _now(session: Pop3State) -> float:
    return session.service.clock()


def _from_the_login(session: Pop3State, lawful_s: float) -> float:
    """Wait for ten minutes from the login, whatever is said meanwhile."""
    if session.view is None:
        return lawful_s
    began_s: float = session.memory.setdefault("began", _now(session))
    return max(0.0, began_s + lawful_s - _now(session))


def _noting_success(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if response.startswith(b"+OK"):
        session.memory["well"] = _now(session)
    return response


def _from_the_last_success(session: Pop3State, lawful_s: float) -> float:
    began_s: float = session.memory.get("well", _now(session))
    return max(0.0, began_s + lawful_s - _now(session))


def _four_minutes_if_marked(session: Pop3State, lawful_s: float) -> float:
    view = session.view
    return 240.0 if view is not None and len(view.present()) < len(view.every()) else lawful_s


def _noting_all(session: Pop3State, octets: bytes) -> bytes:
    session.memory["heard"] = _now(session)
    return octets


def _updates_if_late(session: Pop3State) -> None:
    if session.view is not None and _now(session) - session.memory.get("heard", _now(session)) >= AUTOLOGOUT_S - 1:
        session.view.update()


def _soon_if_reading(session: Pop3State, lawful_s: float) -> float:
    """Wait ten seconds for a client that has lines to read."""
    return 10.0 if session.memory.get("verb") == b"RETR" else lawful_s


def _noting_verb(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    session.memory["verb"] = verb
    return go_on()


FAULTS: Final = (
    Fault("timer-of-5-minutes", "A silent client is logged out after five minutes.",
          pop3=Pop3Points(patience_s=lambda session, lawful_s: 290.0)),
    Fault("timer-of-9-minutes", "A silent client is logged out after nine minutes.",
          pop3=Pop3Points(patience_s=lambda session, lawful_s: 540.0)),
    Fault("timer-shorter-if-marked", "A client that has marked messages is logged out after four minutes.",
          pop3=Pop3Points(patience_s=_four_minutes_if_marked)),
    Fault("timer-runs-on", "A session ends ten minutes after the login.",
          pop3=Pop3Points(patience_s=_from_the_login)),
    Fault("timer-runs-on-at-errors", "A command that is refused does not start the timer anew.",
          pop3=Pop3Points(around=_noting_success, patience_s=_from_the_last_success)),
    Fault("timer-updates", "An autologout removes what is marked.",
          pop3=Pop3Points(incoming=_noting_all, gone=_updates_if_late)),
    Fault("timer-says-so", "An autologout is announced.", pop3=Pop3Points(last_words=b"-ERR Autologout\r\n")),
    Fault("timer-hurries-readers", "A client that does not read for ten seconds is logged out.",
          pop3=Pop3Points(around=_noting_verb, patience_s=_soon_if_reading)),
)  # fmt: skip
