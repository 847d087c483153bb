"""Faults in the exclusive-access lock of a maildrop (RFC 1939 §4)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.maildrop import Maildrop
from conformance.refserver.pop3_commands import IN_USE
from conformance.refserver.pop3_fault_kinds import Around
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

KEPT_S: Final = 40.0                 # longer than any client tries, and not for ever


def _maildrop_of(session: Pop3State) -> Maildrop | None:
    """Return the maildrop of the user that was named."""
    account = session.service.directory.account((session.user or b"").decode("utf-8", "replace"))
    return None if account is None else session.service.maildrops.maildrop(account.address)


def _no_lock(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"PASS" and (maildrop := _maildrop_of(session)) is not None:
        maildrop.unlock()
    return go_on()


def _shares_marks(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let everybody in, and give all sessions of a maildrop the same marks."""
    response = _no_lock(session, verb, argument, go_on)
    if verb == b"PASS" and session.view is not None:
        views = session.service.memory.setdefault("views", {})
        held = views.get(id(session.view.maildrop))
        if held is not None and held.every() == session.view.every():
            session.view = held
        views[id(session.view.maildrop)] = session.view
    return response


def _removes_by_position(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let everybody in, and remove what stands at a number when QUIT comes."""
    if verb == b"QUIT" and session.view is not None:
        now = session.view.maildrop.listing()
        present = {number for number, _ in session.view.present()}
        numbers = [number for number, _ in enumerate(session.view.every(), 1) if number not in present]
        session.view.unmark_all()
        session.view.maildrop.remove([now[number - 1].unique_id for number in numbers if number <= len(now)])
    return _no_lock(session, verb, argument, go_on)


def _one_at_all(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Lock all maildrops for as long as one is held."""
    held: set[int] = session.service.memory.setdefault("held", set())
    if verb == b"PASS" and session.user is not None and held:
        return IN_USE
    response = go_on()
    if session.view is not None:
        held.add(id(session))
    else:
        held.discard(id(session))
    return response


def _one_less(session: Pop3State) -> None:
    session.service.memory.get("held", set()).discard(id(session))


def _kept(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse a login for some time after whatever was noted by `_note`."""
    until = session.service.memory.setdefault("until", {})
    maildrop = _maildrop_of(session) if verb == b"PASS" else None
    if maildrop is not None and session.service.clock() < until.get(id(maildrop), 0.0):
        return IN_USE
    return go_on()


def _note(session: Pop3State) -> None:
    if session.view is not None:
        until = session.service.memory.setdefault("until", {})
        until[id(session.view.maildrop)] = session.service.clock() + KEPT_S


def _kept_after_quit(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"QUIT" and session.memory.get("held_long"):
        _note(session)
    session.memory["held_long"] = verb in {b"USER", b"PASS"}     # a session that only logs in, and says QUIT
    return _kept(session, verb, argument, go_on)


def _after_a_storm(refused: int) -> Around:
    """Refuse every login for some time once so many were refused."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        maildrop = _maildrop_of(session) if verb == b"PASS" else None
        response = _kept(session, verb, argument, go_on)
        if maildrop is not None and response == IN_USE:
            memory = session.service.memory
            memory["refused"] = memory.get("refused", 0) + 1
            if memory["refused"] == refused:
                memory.setdefault("until", {})[id(maildrop)] = session.service.clock() + 2 * KEPT_S
        return response

    return around


def _races(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Look at the lock when the user is named, and take it when the password comes: two may have seen it free."""
    if verb == b"USER":
        session.user = argument
        maildrop = _maildrop_of(session)
        if maildrop is not None and (free := maildrop.lock()):
            maildrop.unlock()
            session.memory["free"] = free
    if verb == b"PASS" and session.memory.get("free"):
        return _no_lock(session, verb, argument, go_on)
    return go_on()


def _says(octets: bytes) -> Callable[[Pop3State, bytes, bytes], bytes]:
    return lambda session, verb, response: octets if response == IN_USE else response


def _lock(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    _lock("lock-is-none", "Any number of sessions is let in; none sees the others' marks.", _no_lock),
    _lock("lock-shares-marks", "Any number of sessions is let in, and each sees the others' marks.", _shares_marks),
    _lock("lock-by-position", "Any number of sessions is let in, and an update removes by position.",
          _removes_by_position),
    Fault("lock-of-all", "One session is let in, whoever wants to log in.",
          pop3=Pop3Points(around=_one_at_all, gone=_one_less)),
    Fault("lock-says-system", "A lock is called trouble of the system.",
          pop3=Pop3Points(outgoing=_says(b"-ERR [SYS/PERM] Locked\r\n"))),
    Fault("lock-says-auth", "A lock is called a wrong password.",
          pop3=Pop3Points(outgoing=_says(b"-ERR [AUTH] Authentication failed\r\n"))),
    Fault("lock-kept-after-a-drop", "The lock is kept for 40 s when a session is broken off.",
          pop3=Pop3Points(around=_kept, gone=_note)),
    _lock("lock-kept-after-quit", "The lock is kept for 40 s after QUIT.", _kept_after_quit),
    _lock("lock-kept-after-a-storm", "The lock is kept for 80 s when twenty logins were refused.", _after_a_storm(20)),
    _lock("lock-races", "Logins that come at the same time are all let in.", _races),
)  # fmt: skip
