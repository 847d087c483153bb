"""The commands of POP3 (RFC 1939 §5-§7, RFC 2449, RFC 2595, RFC 5034), and the table of who may say what when."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from conformance.refserver import pop3_utf8, sasl
from conformance.refserver.behaviour import Capability
from conformance.refserver.directory import Account
from conformance.refserver.failed import Failed
from conformance.refserver.maildrop import Listed
from conformance.refserver.pop3_state import Pop3State, State, View, stuffed, top_of
from conformance.refserver.session import After, Service

OK: Final = b"+OK\r\n"
UNKNOWN_COMMAND: Final = b"-ERR Command not recognized\r\n"
WRONG_STATE: Final = b"-ERR Not in this state\r\n"
SYNTAX: Final = b"-ERR Syntax error in the arguments\r\n"
LINE_TOO_LONG: Final = b"-ERR Line too long\r\n"
BARE_CR_OR_LF: Final = b"-ERR A command line holds a bare CR or a bare LF\r\n"
NO_SUCH_MESSAGE: Final = b"-ERR No such message\r\n"
NOT_READABLE: Final = b"-ERR [SYS/TEMP] The message cannot be read\r\n"
NOT_ALL_REMOVED: Final = b"-ERR [SYS/TEMP] Some deleted messages were not removed\r\n"
BAD_CREDENTIALS: Final = b"-ERR [AUTH] Authentication failed\r\n"
IN_USE: Final = b"-ERR [IN-USE] Another session holds the maildrop\r\n"
NEEDS_TLS: Final = b"-ERR Needs TLS\r\n"
BAD_SASL_OCTETS: Final = b"-ERR Not base64, or not what the mechanism allows\r\n"
CANCELLED: Final = b"-ERR Authentication cancelled\r\n"
UNKNOWN_MECHANISM: Final = b"-ERR Mechanism not recognized\r\n"
SHUTTING_DOWN: Final = b"-ERR [SYS/TEMP] The service is shutting down\r\n"
TOO_BUSY: Final = b"-ERR [SYS/TEMP] Too many connections\r\n"
_END: Final = b".\r\n"


# AUTHORIZATION

def user(session: Pop3State, argument: bytes) -> bytes:
    """USER: the same answer for every name (RFC 1939 §7 allows it; anything else tells who has a maildrop)."""
    if not session.may_send_passwords():
        return NEEDS_TLS
    if not _is_utf8(argument):
        return SYNTAX
    session.user = argument
    return OK


def _is_utf8(argument: bytes) -> bool:
    """RFC 6856 §2.2: what is neither ASCII nor UTF-8 is no name."""
    try:
        argument.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def pass_(session: Pop3State, argument: bytes) -> bytes:
    """PASS: only straight after USER. The rest of the line is the password, spaces and all (RFC 1939 §7)."""
    name, session.user = session.user, None
    if name is None:
        return WRONG_STATE
    return _log_in(session, session.service.directory.authenticate(name, argument))


def apop(session: Pop3State, argument: bytes) -> bytes:
    """APOP name digest, where the greeting had a timestamp (RFC 1939 §7)."""
    if not session.timestamp:
        return UNKNOWN_COMMAND
    name, space, digest = argument.rpartition(b" ")
    if not space or not name:
        return SYNTAX
    account = session.service.directory.account(name.decode("utf-8", "replace"))
    secret = account.password.encode() if account else b""
    expected = hashlib.md5(session.timestamp + secret, usedforsecurity=False).hexdigest().encode()
    return _log_in(session, account if hmac.compare_digest(expected, digest) else None)


def auth(session: Pop3State, argument: bytes) -> bytes:
    """AUTH mechanism [initial-response] (RFC 5034 §4)."""
    mechanism_octets, space, encoded = argument.partition(b" ")
    if b" " in encoded:
        return SYNTAX
    mechanism = mechanism_octets.upper().decode("ascii", "replace")
    if mechanism not in session.mechanisms():
        return UNKNOWN_MECHANISM
    initial = None
    if space:
        initial = b"" if encoded == b"=" else sasl.decode_base64(encoded)
        if initial is None:
            return BAD_SASL_OCTETS
    service = session.service
    session.exchange = _exchange(service, mechanism)
    return _answer(session, session.exchange.begin(initial))


def _exchange(service: Service, mechanism: str) -> sasl.Exchange:
    for fault in service.behaviour.faults:
        if mechanism in fault.exchanges:
            return fault.exchanges[mechanism](service.directory, service.timestamp())
    return sasl.start_exchange(mechanism, service.directory, service.timestamp())


def sasl_response(session: Pop3State, line: bytes) -> bytes:
    """Answer one line of the client in an exchange; `*` cancels it."""
    assert session.exchange is not None
    if line == b"*":
        session.exchange = None
        return CANCELLED
    response = sasl.decode_base64(line)
    step = Failed.SYNTAX if response is None else session.exchange.answer(response)
    return _answer(session, step)


def _answer(session: Pop3State, step: bytes | Account | Failed) -> bytes:
    if isinstance(step, bytes):
        return b"+ " + sasl.encode_base64(step) + b"\r\n"
    session.exchange = None
    if step is Failed.SYNTAX:
        return BAD_SASL_OCTETS
    return _log_in(session, step if isinstance(step, Account) else None)


def _log_in(session: Pop3State, account: Account | None) -> bytes:
    if account is None:
        session.failed_logins += 1
        if session.failed_logins >= session.service.limits.failed_logins:
            session.after = After.CLOSE
        return BAD_CREDENTIALS
    if not session.log_in(account, pop3_utf8.shown_to(session)):
        return IN_USE                # RFC 2449 §8.1.2: only who knows the password learns it
    return OK


def stls(session: Pop3State, argument: bytes) -> bytes:
    """STLS (RFC 2595 §4)."""
    if not _stls_offered(session):
        return WRONG_STATE
    session.after = After.START_TLS
    return OK


def _stls_offered(session: Pop3State) -> bool:
    return session.service.tls_available and session.cipher is None and session.state is State.AUTHORIZATION


# Both states

def capa(session: Pop3State, argument: bytes) -> bytes:
    """CAPA (RFC 2449 §5)."""
    values = {Capability.SASL: "".join(f" {name}" for name in session.mechanisms())}
    withheld = set()
    if not _stls_offered(session):
        withheld.add(Capability.STLS)
    if not session.may_send_passwords():
        withheld.add(Capability.USER)
    if not session.mechanisms():
        withheld.add(Capability.SASL)
    offered = session.service.behaviour.capabilities - withheld
    lines = [f"{name}{values.get(name, '')}\r\n" for name in Capability if name in offered]
    return OK + "".join(lines).encode("ascii") + _END


def quit_(session: Pop3State, argument: bytes) -> bytes:
    """QUIT: in TRANSACTION enter UPDATE, and remove what is marked (RFC 1939 §6)."""
    session.after = After.CLOSE
    if session.view is None:
        return OK
    removed = session.view.update()
    session.let_go()
    return OK if removed else NOT_ALL_REMOVED


# TRANSACTION

def stat(session: Pop3State, argument: bytes) -> bytes:
    """STAT (RFC 1939 §5)."""
    present = _view(session).present()
    return b"+OK %d %d\r\n" % (len(present), sum([message.octets for _, message in present]))


def list_(session: Pop3State, argument: bytes) -> bytes:
    """LIST [msg] (RFC 1939 §5)."""
    return _listing(session, argument, lambda message: b"%d" % message.octets)


def uidl(session: Pop3State, argument: bytes) -> bytes:
    """UIDL [msg] (RFC 1939 §7)."""
    return _listing(session, argument, lambda message: message.unique_id.encode("ascii"))


def _listing(session: Pop3State, argument: bytes, shown: Callable[[Listed], bytes]) -> bytes:
    view = _view(session)
    if argument:
        found = view.get(argument)
        return NO_SUCH_MESSAGE if found is None else b"+OK %d %b\r\n" % (found[0], shown(found[1]))
    return OK + b"".join([b"%d %b\r\n" % (number, shown(message)) for number, message in view.present()]) + _END


def retr(session: Pop3State, argument: bytes) -> bytes:
    """RETR msg (RFC 1939 §5)."""
    found = _view(session).get(argument)
    if found is None:
        return NO_SUCH_MESSAGE
    return _send(session, found[1], lambda octets: octets)


def top(session: Pop3State, argument: bytes) -> bytes:
    """TOP msg n (RFC 1939 §7)."""
    number, _, lines = argument.partition(b" ")
    if not lines.isdigit():
        return SYNTAX
    found = _view(session).get(number)
    if found is None:
        return NO_SUCH_MESSAGE
    count = int(lines[:10]) if len(lines) <= 10 else 10**10
    return _send(session, found[1], lambda octets: top_of(octets, count))


def _send(session: Pop3State, message: Listed, part: Callable[[bytes], bytes]) -> bytes:
    octets = _view(session).read(message)
    if octets is None:
        return NOT_READABLE
    if pop3_utf8.is_kept_back(session, octets):
        return pop3_utf8.NEEDS_UTF8
    content = part(octets)
    for fault in session.service.behaviour.faults:
        if fault.pop3.content is not None:
            content = fault.pop3.content(session, content)
    session.body = _multi_line(content)
    return b"+OK %d octets\r\n" % message.octets


def _multi_line(octets: bytes) -> Iterator[bytes]:
    yield from stuffed(octets)
    yield _END


def dele(session: Pop3State, argument: bytes) -> bytes:
    """DELE msg: mark, no more (RFC 1939 §5)."""
    view = _view(session)
    found = view.get(argument)
    if found is None:
        return NO_SUCH_MESSAGE
    view.mark(found[0])
    return OK


def rset(session: Pop3State, argument: bytes) -> bytes:
    """RSET: take all marks off (RFC 1939 §5)."""
    _view(session).unmark_all()
    return OK


def noop(session: Pop3State, argument: bytes) -> bytes:
    """NOOP (RFC 1939 §5)."""
    return OK


def _view(session: Pop3State) -> View:
    assert session.view is not None
    return session.view


class Argument(Enum):
    """Whether a command takes any."""

    NONE = auto()
    OPTIONAL = auto()
    REQUIRED = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    run: Callable[[Pop3State, bytes], bytes]
    permitted: frozenset[State]
    argument: Argument = Argument.NONE


_AUTHORIZATION: Final = frozenset({State.AUTHORIZATION})
_TRANSACTION: Final = frozenset({State.TRANSACTION})
_BOTH: Final = frozenset(State)

COMMANDS: Final[Mapping[bytes, Command]] = {
    # keyword            permitted in (else -ERR)
    b"USER": Command(user,  _AUTHORIZATION, Argument.REQUIRED),
    b"PASS": Command(pass_, _AUTHORIZATION, Argument.REQUIRED),
    b"APOP": Command(apop,  _AUTHORIZATION, Argument.REQUIRED),
    b"AUTH": Command(auth,  _AUTHORIZATION, Argument.REQUIRED),
    b"STLS": Command(stls,  _AUTHORIZATION),
    b"UTF8": Command(pop3_utf8.utf8, _AUTHORIZATION),
    b"LANG": Command(pop3_utf8.lang, _BOTH, Argument.OPTIONAL),
    b"CAPA": Command(capa,  _BOTH),
    b"QUIT": Command(quit_, _BOTH),
    b"STAT": Command(stat,  _TRANSACTION),
    b"LIST": Command(list_, _TRANSACTION, Argument.OPTIONAL),
    b"UIDL": Command(uidl,  _TRANSACTION, Argument.OPTIONAL),
    b"RETR": Command(retr,  _TRANSACTION, Argument.REQUIRED),
    b"TOP":  Command(top,   _TRANSACTION, Argument.REQUIRED),
    b"DELE": Command(dele,  _TRANSACTION, Argument.REQUIRED),
    b"RSET": Command(rset,  _TRANSACTION),
    b"NOOP": Command(noop,  _TRANSACTION),
}
