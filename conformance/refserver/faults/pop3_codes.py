"""Faults in POP3's response codes, and in what CAPA says of a site's rules (RFC 2449 §6.5, §6.7, §8, RFC 3206)."""

from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.faults.pop3_capa import adds
from conformance.refserver.pop3_commands import BAD_CREDENTIALS, IN_USE
from conformance.refserver.pop3_fault_kinds import Around, logged_in
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

_LOGINS: Final = (b"PASS", b"APOP", b"AUTH", b"+")


def _is_held(session: Pop3State, name: bytes) -> bool:
    account = session.service.directory.account(name.decode("utf-8", "replace"))
    if account is None:
        return False
    maildrop = session.service.maildrops.maildrop(account.address)
    if not maildrop.lock():
        return True
    maildrop.unlock()
    return False


def _tells_of_lock(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Say [IN-USE] in place of [AUTH]. Whose maildrop it is does not matter here: somebody's is held."""
    held = any(_is_held(session, b"user%d" % number) for number in (1, 2))
    return IN_USE if octets == BAD_CREDENTIALS and verb in _LOGINS and held else octets


def _tells_at_user(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    return IN_USE if verb == b"USER" and _is_held(session, argument) else go_on()


def _without_code(*verbs: bytes, code: bytes = b"") -> Pop3Points:
    """Refuse bad credentials with another code, or with none."""

    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        return octets.replace(b"[AUTH] ", code) if verb in verbs and octets == BAD_CREDENTIALS else octets

    return Pop3Points(outgoing=outgoing)


def _nobody_untold(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse an unknown name without a code."""
    if verb == b"USER":
        session.memory["name"] = argument
    name = session.memory.get("name", b"") if verb == b"PASS" else argument.partition(b" ")[0]
    response = go_on()
    nobody = session.service.directory.account(name.decode("utf-8", "replace")) is None
    untold = verb in {b"PASS", b"APOP"} and nobody and response == BAD_CREDENTIALS
    return b"-ERR No such user\r\n" if untold else response


_DELAYED: Final = b"LOGIN-DELAY 5"


def _keeps_nothing(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    response = go_on()
    if verb == b"RETR" and response.startswith(b"+OK") and session.view is not None:
        session.view.mark(int(argument))
    return response


def _listing(*tags: bytes, around: Around | None = None) -> Pop3Points:
    return Pop3Points(around=around or adds(*tags))


FAULTS: Final = (
    Fault("in-use-for-strangers", "[IN-USE] is said to who gives a wrong password",
          pop3=Pop3Points(outgoing=_tells_of_lock)),
    Fault("in-use-at-user", "[IN-USE] is said before a password was given", pop3=Pop3Points(around=_tells_at_user)),
    Fault("auth-code-missing", "AUTH-RESP-CODE is listed, and [AUTH] never said", pop3=_without_code(*_LOGINS)),
    Fault("auth-code-missing-in-auth", "[AUTH] is not said where AUTH fails", pop3=_without_code(b"AUTH", b"+")),
    Fault("auth-code-other", "a wrong password is answered with a code of its own",
          pop3=_without_code(*_LOGINS, code=b"[BAD-PASSWORD] ")),
    Fault("auth-code-for-known-only", "[AUTH] is said of known names only", pop3=Pop3Points(around=_nobody_untold)),
    Fault("resp-code-unclosed", "a response code lacks its bracket", pop3=Pop3Points(
        outgoing=lambda session, verb, octets: octets.replace(b"[AUTH] ", b"[AUTH "))),
    Fault("login-delay-none", "LOGIN-DELAY is listed, and there is none", pop3=_listing(_DELAYED)),
    Fault("expire-words", "EXPIRE has words for a parameter", pop3=_listing(b"EXPIRE 30 days")),
    Fault("expire-alone", "EXPIRE has no parameter after the login",
          pop3=_listing(around=adds(b"EXPIRE", when=logged_in))),
    Fault("expire-negative", "EXPIRE has a negative number", pop3=_listing(b"EXPIRE -1")),
    Fault("expire-never-deletes", "EXPIRE NEVER, and what was retrieved is deleted",
          pop3=Pop3Points(around=_keeps_nothing)),
)  # fmt: skip
