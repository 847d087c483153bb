"""Faults in USER and PASS, in what failed logins tell, and in QUIT before login (RFC 1939 §4, §7)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import BAD_CREDENTIALS, COMMANDS, OK, WRONG_STATE
from conformance.refserver.pop3_fault_kinds import (
    Around,
    answers,
    before_login,
    changes,
    does_but_answers,
)
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.session import After

_DAWDLE_S: Final = 0.4


def _password_of(session: Pop3State) -> bytes:
    """Return the password of who said USER; nothing if nobody is called so."""
    account = session.service.directory.account((session.user or b"").decode("utf-8", "replace"))
    return account.password.encode() if account is not None else b""


def _lets_in(right: Callable[[bytes, bytes], bool]) -> Around:
    """Take other passwords as well: (the true one, what was said)."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        true = _password_of(session)
        if verb == b"PASS" and true and argument != true and right(true, argument):
            return COMMANDS[b"PASS"].run(session, true)
        return go_on()

    return around


def _anybodys_password(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    directory = session.service.directory
    names = [f"user{number}".encode() for number in range(1, 5)]
    if verb == b"PASS" and any(directory.authenticate(name, argument) is not None for name in names):
        return COMMANDS[b"PASS"].run(session, _password_of(session))
    return go_on()


def _needs_no_user(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let PASS alone open the maildrop of whoever has the password."""
    if verb == b"PASS" and session.user is None and session.state is State.AUTHORIZATION:
        names = [f"user{number}".encode() for number in range(1, 5)]
        own = [name for name in names if session.service.directory.authenticate(name, argument) is not None]
        session.user = own[0] if own else None
    return go_on()


def _remembers(*, the_first: bool = False) -> Around:
    """Keep what USER said until somebody is logged in."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        kept = session.memory.get("user")
        if verb == b"PASS" and kept is not None and (the_first or session.user is None):
            session.user = kept
        response = go_on()
        if verb == b"USER" and response.startswith(b"+OK") and not (the_first and kept):
            session.memory["user"] = session.user
        return response

    return around


def _fails_once_and_for_all(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse every login after one that failed."""
    if verb == b"PASS" and session.failed_logins:
        session.user = None
        return BAD_CREDENTIALS
    return go_on()


def _keeps_user_after_failure(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let PASS be tried again without USER."""
    user = session.user or session.memory.get("failed")
    if verb == b"PASS":
        session.user = user
    response = go_on()
    session.memory["failed"] = user if verb == b"PASS" and response.startswith(b"-ERR") else None
    return response


def _shares(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Open a locked maildrop."""
    response = go_on()
    return OK if response.startswith(b"-ERR [IN-USE]") else response


def _tells_in_words(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    known = bool(_password_of(session))
    response = go_on()
    return b"-ERR No such user\r\n" if verb == b"PASS" and response == BAD_CREDENTIALS and not known else response


def _tells_names(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb != b"USER" or not response.startswith(b"+OK"):
        return response
    return response if _password_of(session) else b"-ERR No such user\r\n"


def _tells_by_time(session: Pop3State, verb: bytes, response: bytes) -> float:
    """Check only passwords of users there are, which takes a while."""
    session.memory["known"] = bool(_password_of(session)) if verb == b"USER" else session.memory.get("known")
    return _DAWDLE_S if verb == b"PASS" and session.memory.get("known") and response.startswith(b"-ERR") else 0.0


def _never_tires(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    session.failed_logins = 0
    response = go_on()
    session.failed_logins = 0
    return response


def _stays(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Say goodbye and go on."""
    response = go_on()
    if verb == b"QUIT" and session.view is None:
        session.after = After.GO_ON
    return response


def _counts_wrongly(response: bytes) -> bytes:
    return response.replace(b"+OK\r\n", b"+OK maildrop has 17 messages (4711 octets)\r\n")


def _offers_nothing(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = WRONG_STATE if verb in {b"USER", b"PASS", b"APOP", b"AUTH", b"STLS"} else go_on()
    return re.sub(rb"(?m)^(?:USER|SASL|STLS)\b.*\n", b"", response) if verb == b"CAPA" else response


def _fault(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    Fault("pop3-no-way-in", "There is no way to log in.", pop3=Pop3Points(
        around=_offers_nothing,
        outgoing=lambda session, verb, octets: re.sub(rb" <[^>]+>", b"", octets) if verb == b"" else octets)),
    _fault("pop3-pass-refused", "PASS is refused, whatever the password.", answers(b"PASS", BAD_CREDENTIALS)),
    _fault("pop3-user-refused", "USER is refused, though listed.", answers(b"USER", BAD_CREDENTIALS, before_login)),
    _fault("pop3-pass-alone", "PASS without USER lets in.", _needs_no_user),
    _fault("pop3-first-user-counts", "PASS is for the first USER.", _remembers(the_first=True)),
    _fault("pop3-user-kept", "What USER said is never forgotten.", _remembers()),
    _fault("pop3-first-letter-counts", "The first letter of a password is enough.",
           _lets_in(lambda true, said: said[:1] == true[:1])),
    _fault("pop3-any-password", "Any password is right.", _lets_in(lambda true, said: True)),
    _fault("pop3-no-password", "PASS without a password lets in.", _lets_in(lambda true, said: not said)),
    _fault("pop3-password-case", "The case of a password does not matter.",
           _lets_in(lambda true, said: said.lower() == true.lower())),
    _fault("pop3-password-begins", "What begins with the password is right.",
           _lets_in(lambda true, said: said.startswith(true))),
    _fault("pop3-password-pattern", "A password may be a pattern.", _lets_in(lambda true, said: said in {b"*", b"%"})),
    _fault("pop3-password-query", "A password may be a query.", _lets_in(lambda true, said: b"' or '" in said)),
    _fault("pop3-anybodys-password", "Anybody's password is right.", _anybodys_password),
    _fault("pop3-one-failure-counts", "After a failure every login fails.", _fails_once_and_for_all),
    _fault("pop3-pass-again-and-again", "After a failure PASS alone is tried again.", _keeps_user_after_failure),
    _fault("pop3-lock-ignored", "A locked maildrop is opened.", _shares),
    _fault("pop3-tells-in-words", "A failed PASS says whether there is such a user.", _tells_in_words),
    _fault("pop3-tells-names", "USER says whether there is such a user.", _tells_names),
    Fault("pop3-tells-by-time", "Only who exists is refused late.", pop3=Pop3Points(pause_s=_tells_by_time)),
    _fault("pop3-never-tires", "Passwords can be tried for ever.", _never_tires),
    _fault("pop3-quit-refused", "QUIT before login is refused.", answers(b"QUIT", WRONG_STATE, before_login)),
    _fault("pop3-quit-unanswered", "QUIT before login is not answered, and closes.",
           does_but_answers(b"QUIT", b"", before_login)),
    _fault("pop3-quit-stays", "QUIT before login is answered, and nothing else happens.", _stays),
    _fault("pop3-login-miscounts", "The answer to PASS counts wrongly.", changes(b"PASS", _counts_wrongly)),
)  # fmt: skip
