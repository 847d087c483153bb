"""When a POP3 server refuses, waits or hangs up, and what it makes of a command line that is not quite one."""

from collections.abc import Callable
from typing import Final

from conformance.refserver.choices.pop3_offers import lists_more
from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import (
    BAD_CREDENTIALS,
    BARE_CR_OR_LF,
    COMMANDS,
    LINE_TOO_LONG,
    SYNTAX,
    Argument,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.session import After

_LOGINS: Final = {b"PASS", b"APOP", b"AUTH", b"+"}
_DELAY_S: Final = 1.0
LOGIN_OCTETS_MAX: Final = 32          # as Unix has it; a name may be refused for being nobody's


def _failed(verb: bytes, response: bytes) -> bool:
    return verb in _LOGINS and response.startswith(b"-ERR")


def _leaves_after(errors: int, *, logins: bool = False) -> Callable[[Pop3State, bytes, bytes], bytes]:
    """Close the connection behind the so-many-th -ERR, of any kind or to a login."""

    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        if not octets.startswith(b"-ERR") or (logins and not _failed(verb, octets)):
            return octets
        session.memory["errors"] = session.memory.get("errors", 0) + 1
        if session.memory["errors"] >= errors:
            session.after = After.CLOSE
        return octets

    return outgoing


def _slow_to_refuse(seconds: float, *, more_each_time: bool = False) -> Callable[[Pop3State, bytes, bytes], float]:
    def pause_s(session: Pop3State, verb: bytes, response: bytes) -> float:
        if not _failed(verb, response):
            return 0.0
        session.memory["failed"] = session.memory.get("failed", 0) + 1
        return seconds * (session.memory["failed"] if more_each_time else 1)

    return pause_s


def _names_first(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse USER where nobody is called so (RFC 1939 §7 permits it)."""
    known = session.service.directory.account(argument.decode("utf-8", "replace")) is not None
    return BAD_CREDENTIALS if verb == b"USER" and argument and not known else go_on()


def _names_of_32(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse USER where no name can be so long, and take any other."""
    return BAD_CREDENTIALS if verb == b"USER" and len(argument) > LOGIN_OCTETS_MAX else go_on()


def _trims(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Take white space around arguments for nothing; in a password it may mean something."""
    command = COMMANDS.get(verb)
    words = b" ".join(argument.replace(b"\t", b" ").split())
    if command is None or session.state not in command.permitted or verb == b"PASS":
        return go_on()
    if words == argument and ((response := go_on()) != SYNTAX or argument):
        return response
    fits = {Argument.NONE: not words, Argument.REQUIRED: bool(words), Argument.OPTIONAL: True}
    return command.run(session, words) if fits[command.argument] else SYNTAX


def _trims_passwords(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb != b"PASS" or argument == argument.rstrip() or session.state is not State.AUTHORIZATION:
        return go_on()
    return COMMANDS[b"PASS"].run(session, argument.rstrip())


def _remembers_user(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let CAPA stand between USER and PASS: it asks for nothing that has to do with either."""
    if verb == b"PASS" and session.user is None:
        session.user = session.memory.pop("user", None)
    elif verb != b"CAPA":
        session.memory.pop("user", None)
    response = go_on()
    if verb == b"USER":
        session.memory["user"] = session.user
    return response


def _logs_in_seldom(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Refuse to open a maildrop that was opened a moment ago (RFC 2449 §6.5)."""
    if session.view is None or verb not in _LOGINS or session.memory.get("in"):
        return octets
    now_s = session.service.wall_clock()
    opened_s = session.service.memory.setdefault("opened", {})
    if now_s - opened_s.get(id(session.view.maildrop), -_DELAY_S) < _DELAY_S:
        session.let_go()
        session.state = State.AUTHORIZATION
        return b"-ERR [LOGIN-DELAY] Too soon after the last time\r\n"
    opened_s[id(session.view.maildrop)] = now_s
    session.memory["in"] = True
    return octets


def _keeps_the_lock(session: Pop3State) -> None:
    """Leave the lock of a session that broke off in place for a while: the server may not have noticed yet."""
    if session.view is not None:
        until_s = session.service.wall_clock() + _DELAY_S
        session.service.memory.setdefault("kept", []).append((until_s, session.view))
        session.view = None


def _gives_kept_locks_back(session: Pop3State, octets: bytes) -> bytes:
    kept = session.service.memory.get("kept", [])
    now_s = session.service.wall_clock()
    for until_s, view in kept:
        if until_s <= now_s:
            view.close()
    kept[:] = [one for one in kept if one[0] > now_s]
    return octets


def _newest_first(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Number a maildrop's messages from the newest."""
    if session.view is not None and not session.memory.get("turned"):
        session.memory["turned"] = True
        session.view.turn_round()
    return octets


def _hangs_up_on(response: bytes) -> Callable[[Pop3State, bytes, bytes], bytes]:
    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        if octets == response:
            session.after = After.CLOSE
        return octets

    return outgoing


CHOICES: Final = (
    *(
        Fault(f"pop3-leaves-after-{number}", f"the connection is closed behind {number} -ERR",
              pop3=Pop3Points(outgoing=_leaves_after(number)))
        for number in (1, 3, 6)
    ),
    Fault("pop3-one-login", "a login that fails ends the session",
          pop3=Pop3Points(outgoing=_leaves_after(1, logins=True))),
    Fault("pop3-slow-to-refuse", "a login that fails is answered after 3 seconds",
          pop3=Pop3Points(pause_s=_slow_to_refuse(3.0))),
    Fault("pop3-ever-slower", "each login that fails is answered 2 seconds later than the last",
          pop3=Pop3Points(pause_s=_slow_to_refuse(2.0, more_each_time=True))),
    Fault("pop3-names-first", "USER is refused where nobody is called so", pop3=Pop3Points(around=_names_first)),
    Fault("pop3-names-of-32", "USER is refused, like somebody unknown, where a name has more than 32 octets",
          pop3=Pop3Points(around=_names_of_32)),
    Fault("pop3-trims", "white space around arguments means nothing", pop3=Pop3Points(around=_trims)),
    Fault("pop3-trims-passwords", "white space behind a password means nothing",
          pop3=Pop3Points(around=_trims_passwords)),
    Fault("pop3-remembers-user", "CAPA may stand between USER and PASS", pop3=Pop3Points(around=_remembers_user)),
    Fault("pop3-logs-in-seldom", "LOGIN-DELAY: a maildrop is opened once in a second",
          pop3=Pop3Points(around=lists_more(b"LOGIN-DELAY 1"), outgoing=_logs_in_seldom)),
    Fault("pop3-keeps-the-lock", "a broken session's lock stays for a second",
          pop3=Pop3Points(gone=_keeps_the_lock, incoming=_gives_kept_locks_back)),
    Fault("pop3-newest-first", "messages are numbered from the newest", pop3=Pop3Points(outgoing=_newest_first)),
    Fault("pop3-hangs-up-on-long-lines", "a line too long ends the session",
          pop3=Pop3Points(outgoing=_hangs_up_on(LINE_TOO_LONG))),
    Fault("pop3-hangs-up-on-bare-lf", "a bare CR or LF ends the session",
          pop3=Pop3Points(outgoing=_hangs_up_on(BARE_CR_OR_LF))),
)  # fmt: skip
