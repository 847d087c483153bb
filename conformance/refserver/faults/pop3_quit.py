"""Faults in QUIT and the UPDATE state, and in what a broken session leaves behind (RFC 1939 §6)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_dele import marked
from conformance.refserver.pop3_fault_kinds import Around, does_but_answers, ends_at, logged_in
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, View
from conformance.refserver.session import After

Marks = Callable[[View, list[int]], list[int]]       # (view, numbers that are marked) -> numbers that are removed


def _removes(which: Marks) -> Around:
    """Return a QUIT that removes other messages than those which are marked."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        view = session.view
        if verb == b"QUIT" and view is not None:
            numbers = which(view, marked(view))
            view.unmark_all()
            for number in numbers:
                if 0 < number <= len(view.every()):
                    view.mark(number)
        return go_on()

    return around


def _everything_if_two(view: View, numbers: list[int]) -> list[int]:
    return list(range(1, len(view.every()) + 1)) if len(numbers) > 1 else numbers


def _stays(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb == b"QUIT":
        session.after = After.GO_ON
    return response


def _stays_before_login(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    before = session.view is None
    response = go_on()
    if verb == b"QUIT" and before:
        session.after = After.GO_ON
    return response


def _update(session: Pop3State) -> None:
    if session.view is not None:
        session.view.update()


def _keeps_the_tail(session: Pop3State, octets: bytes) -> bytes:
    session.memory["tail"] = (session.memory.get("tail", b"") + octets)[-16:]
    return octets


def _update_after(tails: tuple[bytes, ...]) -> Pop3Points:
    """Update when the connection is gone and what was said last was one of these."""

    def gone(session: Pop3State) -> None:
        if session.memory.get("tail", b"").rpartition(b"\n")[2] in tails:
            _update(session)

    return Pop3Points(incoming=_keeps_the_tail, gone=gone)


def _quit(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    _quit("update-removes-nothing", "QUIT removes nothing.", _removes(lambda view, numbers: [])),
    _quit("update-removes-the-next", "QUIT removes the message behind the one that is marked.",
          _removes(lambda view, numbers: [number + 1 for number in numbers])),
    _quit("update-removes-up-to", "QUIT removes all messages up to the last that is marked.",
          _removes(lambda view, numbers: list(range(1, max(numbers, default=0) + 1)))),
    _quit("update-removes-from", "QUIT removes all messages from the first that is marked on.",
          _removes(lambda view, numbers: list(range(min(numbers, default=1 << 30), len(view.every()) + 1)))),
    _quit("update-removes-everything", "QUIT removes everything if two messages are marked.",
          _removes(_everything_if_two)),
    _quit("update-removes-while-moving", "QUIT removes by numbers that change with each removal.",
          _removes(lambda view, numbers: [number + at for at, number in enumerate(numbers)])),
    _quit("update-without-a-word", "QUIT is not answered.", ends_at(b"QUIT", logged_in)),
    _quit("update-without-a-word-before-login", "QUIT before the login is not answered.",
          ends_at(b"QUIT", lambda session, argument: session.view is None)),
    _quit("update-refused", "QUIT is done, and refused.", does_but_answers(b"QUIT", b"-ERR Good bye\r\n", logged_in)),
    _quit("update-stays", "QUIT does not close the connection.", _stays),
    _quit("update-stays-before-login", "QUIT before the login does not close the connection.", _stays_before_login),
    Fault("drop-updates", "A session that is broken off removes what it has marked.", pop3=Pop3Points(gone=_update)),
    Fault("drop-takes-the-line", "A QUIT whose line never ended is obeyed when the connection is gone.",
          pop3=_update_after((b"QUIT", b"QUIT\r"))),
    Fault("drop-takes-beginnings", "The beginning of a QUIT is obeyed when the connection is gone.",
          pop3=_update_after((b"QUI",))),
)  # fmt: skip
