"""The commands of SMTP and LMTP (RFC 5321 §4.1.1), and the table that says when each is permitted.

A command is called only in a state its row permits. It changes the state and returns the reply it is owed, or None
when that reply has to wait for octets still to come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.refserver import replies
from conformance.refserver.address import Path, is_address_literal, is_domain, parse_forward_path, parse_reverse_path
from conformance.refserver.behaviour import Extension, VrfyPolicy
from conformance.refserver.mail_data import ChunkReader, DataReader
from conformance.refserver.parameters import (
    BINARYMIME,
    BY_S_MIN,
    MailParameters,
    parse_mail_parameters,
    parse_rcpt_parameters,
)
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_auth import auth
from conformance.refserver.smtp_state import SMTP, Reading, SmtpState, State
from conformance.refserver.transaction import Client, Recipient, Transaction


def ehlo(session: SmtpState, argument: bytes) -> Reply:
    """EHLO and LHLO: begin anew and list the extensions (RFC 5321 §4.1.1.1, RFC 2033 §4.1)."""
    if not _hello(session, argument, extended=True):
        return replies.BAD_HELLO_NAME
    session.offered = session.available()
    values = {
        Extension.SIZE: f" {session.service.limits.message_octets}",
        Extension.AUTH: "".join(f" {name}" for name in session.mechanisms()),
        Extension.DELIVERBY: f" {BY_S_MIN}",
        Extension.LIMITS: f" MAILMAX={session.service.limits.mails} RCPTMAX={session.service.limits.recipients}",
    }
    keywords = [f"{keyword}{values.get(keyword, '')}" for keyword in Extension if keyword in session.offered]
    return replies.fixed_reply(250, "", f"{session.service.behaviour.host_name} greets you", *keywords)


def helo(session: SmtpState, argument: bytes) -> Reply:
    """HELO: begin anew without extensions (RFC 5321 §4.1.1.1)."""
    if not _hello(session, argument, extended=False):
        return replies.BAD_HELLO_NAME
    session.offered = frozenset()
    return replies.fixed_reply(250, "", session.service.behaviour.host_name)


def _hello(session: SmtpState, argument: bytes, *, extended: bool) -> bool:
    if not (is_domain(argument) or is_address_literal(argument)):
        return False          # and the transaction goes on as it was (RFC 5321 §4.1.4)
    session.forget_transaction()
    session.state = State.READY
    helo_name = argument.decode("ascii")
    session.client = Client(helo_name, session.peer, extended, session.cipher, session.account is not None)
    return True


def mail(session: SmtpState, argument: bytes) -> Reply:
    """MAIL: open a transaction (RFC 5321 §4.1.1.2)."""
    if argument[:5].upper() != b"FROM:":
        return replies.SYNTAX
    parsed = parse_reverse_path(argument[5:])
    if parsed is None:
        return replies.BAD_SENDER
    path, rest = parsed
    parameters = parse_mail_parameters(rest, session.offered)
    if isinstance(parameters, Reply):
        return parameters
    if (objection := _sender_objection(session, path, parameters, is_ascii=argument.isascii())) is not None:
        return objection
    session.mails += 1
    session.transaction = Transaction(path, parameters)
    session.state = State.MAIL
    return replies.SENDER_TAKEN


def _sender_objection(session: SmtpState, path: Path, parameters: MailParameters, *, is_ascii: bool) -> Reply | None:
    service = session.service
    if not parameters.smtputf8 and not is_ascii:
        return replies.SENDER_NEEDS_SMTPUTF8
    if parameters.size is not None and parameters.size > service.limits.message_octets:
        return replies.MESSAGE_TOO_BIG
    if not service.behaviour.login_required or session.account is None or not path.domain:
        return None
    if "." not in path.domain and not path.domain.startswith("["):
        return replies.NOT_QUALIFIED
    owner = service.directory.maildrop_of(path)
    return replies.SOMEBODY_ELSE if isinstance(owner, str) and owner != session.account.address else None


def rcpt(session: SmtpState, argument: bytes) -> Reply:
    """RCPT: add a recipient (RFC 5321 §4.1.1.3)."""
    assert session.transaction is not None
    if argument[:3].upper() != b"TO:":
        return replies.SYNTAX
    parsed = parse_forward_path(argument[3:])
    if parsed is None:
        return replies.BAD_RECIPIENT
    path, rest = parsed
    parameters = parse_rcpt_parameters(rest, session.offered)
    if isinstance(parameters, Reply):
        return parameters
    if not session.transaction.parameters.smtputf8 and not argument.isascii():
        return replies.RECIPIENT_NEEDS_SMTPUTF8
    relay = session.service.relay
    sent_on = relay is not None and session.account is not None and relay.routes(path.domain)
    if sent_on and session.transaction.parameters.require_tls:
        return replies.TLS_NOT_CERTAIN
    recipient = session.transaction.recipient_at(path, parameters, session.service, sent_on=sent_on)
    return recipient if isinstance(recipient, Reply) else _take(session, session.transaction, recipient)


def _take(session: SmtpState, transaction: Transaction, recipient: Recipient) -> Reply:
    if _is_greylisted(session, transaction, recipient):
        return replies.GREYLISTED
    transaction.recipients.append(recipient)
    session.state = State.RCPT
    return replies.RECIPIENT_TAKEN


def _is_greylisted(session: SmtpState, transaction: Transaction, recipient: Recipient) -> bool:
    """Say whether the client has to come again (RFC 6647). Who logged in is no stranger, and LMTP has none."""
    service = session.service
    delay_s = service.behaviour.greylisting_s
    if delay_s is None or session.account is not None or session.dialect is not SMTP:
        return False
    triplet = (session.peer, transaction.reverse_path.mailbox, recipient.path.mailbox)
    return service.greylist.must_wait(triplet, delay_s=delay_s, now_s=service.clock())


def data(session: SmtpState, argument: bytes) -> Reply:
    """DATA: ask for the mail data (RFC 5321 §4.1.1.4); a binary body comes by BDAT alone (RFC 3030 §3)."""
    transaction = session.transaction
    if transaction is not None and transaction.parameters.body == BINARYMIME:
        return replies.OUT_OF_ORDER
    ends = tuple(end for fault in session.service.behaviour.faults for end in fault.ends_of_data)
    session.data = DataReader(session.service.limits.message_octets, other_ends=ends)
    session.reading = Reading.MAIL_DATA
    return replies.SEND_MAIL_DATA


def bdat(session: SmtpState, argument: bytes) -> Reply | None:
    """BDAT: take a chunk (RFC 3030 §2). The reply comes after the octets.

    They follow whatever the reply will be, so even a chunk that is refused is swallowed first.
    """
    size, space, last = argument.partition(b" ")
    if not size.isdigit() or len(size) > 20 or (space and last.upper() != b"LAST"):
        return replies.SYNTAX
    if session.state not in {State.RCPT, State.CHUNKS}:
        session.chunks = ChunkReader(0)
    else:
        if session.chunks is None:
            session.chunks = ChunkReader(session.service.limits.message_octets)
        session.state = State.CHUNKS
    session.chunk_is_last = bool(space)
    session.chunks.expect(int(size))
    session.reading = Reading.CHUNK
    return None


def rset(session: SmtpState, argument: bytes) -> Reply:
    """RSET: abort the transaction (RFC 5321 §4.1.1.5)."""
    session.forget_transaction()
    return replies.DONE


def noop(session: SmtpState, argument: bytes) -> Reply:
    """NOOP (RFC 5321 §4.1.1.9)."""
    session.noops += 1
    return replies.DONE if session.noops <= session.service.limits.noops else replies.TOO_IDLE


def quit_(session: SmtpState, argument: bytes) -> Reply:
    """QUIT: 221, then close (RFC 5321 §4.1.1.10)."""
    session.after = After.CLOSE
    return replies.fixed_reply(221, "2.0.0", f"{session.service.behaviour.host_name} closing")


def help_(session: SmtpState, argument: bytes) -> Reply:
    """HELP (RFC 5321 §4.1.1.8)."""
    return replies.HELP


def vrfy(session: SmtpState, argument: bytes) -> Reply:
    """VRFY: by policy 252 for everybody (RFC 5321 §3.5.3, §7.3), or the truth, in UTF-8 if asked so.

    RFC 6531 §3.7.4.2: a mailbox that needs UTF-8 is shown only to who said SMTPUTF8.
    """
    name, utf8 = _without_smtputf8(session, argument)
    if not name:
        return replies.SYNTAX
    if session.service.behaviour.vrfy is VrfyPolicy.NEVER_TELL:
        return replies.CANNOT_VERIFY
    parsed = parse_forward_path(name if name.startswith(b"<") else b"<" + name + b">")
    if parsed is None or parsed[1]:
        return replies.CANNOT_VERIFY
    maildrop = session.service.directory.maildrop_of(parsed[0])
    if not isinstance(maildrop, str):
        return replies.NO_SUCH_MAILBOX
    if not (utf8 or maildrop.isascii()):
        return replies.CANNOT_SHOW
    return replies.reply(250, "2.1.5", f"<{maildrop}>")


def _without_smtputf8(session: SmtpState, argument: bytes) -> tuple[bytes, bool]:
    """Return the argument of VRFY or EXPN without the parameter SMTPUTF8, and whether it was there."""
    name, space, parameter = argument.rpartition(b" ")
    utf8 = bool(space) and parameter.upper() == b"SMTPUTF8" and Extension.SMTPUTF8 in session.offered
    return (name, True) if utf8 else (argument, False)


def expn(session: SmtpState, argument: bytes) -> Reply:
    """EXPN: known, and switched off as RFC 5321 §7.3 wants it: 252 for every list."""
    name, _ = _without_smtputf8(session, argument)
    return replies.CANNOT_EXPAND if name else replies.SYNTAX


def starttls(session: SmtpState, argument: bytes) -> Reply:
    """STARTTLS (RFC 3207 §4)."""
    if session.cipher is not None:
        return replies.ALREADY_TLS
    if Extension.STARTTLS not in session.available():
        return replies.NOT_IMPLEMENTED
    session.after = After.START_TLS
    return replies.READY_FOR_TLS


def etrn(session: SmtpState, argument: bytes) -> Reply:
    """ETRN: nothing is ever queued here for anybody (RFC 1985 §5.1)."""
    name = argument[1:] if argument[:1] in {b"@", b"#"} else argument
    if not is_domain(name):
        return replies.SYNTAX
    return replies.NOTHING_QUEUED if session.service.directory.serves(name.decode("ascii")) else replies.NOT_QUEUED_FOR


def not_implemented(session: SmtpState, argument: bytes) -> Reply:
    """Recognize what this server does not do: 502, not 500 (RFC 5321 §4.2.4)."""
    return replies.NOT_IMPLEMENTED


def http(session: SmtpState, argument: bytes) -> Reply:
    """Hang up on a browser that was made to speak to us; its request's body may hold commands."""
    return replies.NOT_HTTP


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    run: Callable[[SmtpState, bytes], Reply | None]
    permitted: frozenset[State]
    takes_argument: bool = True
    extension: Extension | None = None      # must be on offer, else 502
    of_users: bool = False                  # where a login is required, not for strangers, else 530


_ANY: Final = frozenset(State)
_OUTSIDE: Final = frozenset({State.START, State.READY})
_SAID_HELLO: Final = _ANY - {State.START}
_IDLE: Final = frozenset({State.READY})
_MAIL: Final = frozenset({State.MAIL, State.RCPT})
_RCPT: Final = frozenset({State.RCPT})

COMMANDS: Final[Mapping[bytes, Command]] = {
    # verb                         permitted in (else 503)
    b"EHLO":     Command(ehlo,     _ANY),
    b"HELO":     Command(helo,     _ANY),
    b"LHLO":     Command(ehlo,     _ANY),
    b"MAIL":     Command(mail,     _IDLE, of_users=True),
    b"RCPT":     Command(rcpt,     _MAIL),
    b"DATA":     Command(data,     _RCPT, takes_argument=False),
    b"BDAT":     Command(bdat,     _ANY, extension=Extension.CHUNKING),    # judges order after its octets
    b"RSET":     Command(rset,     _ANY, takes_argument=False),
    b"NOOP":     Command(noop,     _ANY),
    b"QUIT":     Command(quit_,    _ANY, takes_argument=False),
    b"HELP":     Command(help_,    _ANY, extension=Extension.HELP),
    b"VRFY":     Command(vrfy,     _ANY),
    b"EXPN":     Command(expn,     _ANY, extension=Extension.EXPN),
    b"AUTH":     Command(auth,     _IDLE, extension=Extension.AUTH),
    b"STARTTLS": Command(starttls, _SAID_HELLO, takes_argument=False),
    b"ETRN":     Command(etrn,     _OUTSIDE, extension=Extension.ETRN),
    b"TURN":     Command(not_implemented, _ANY),                           # RFC 5321 appendix F.1
    b"SEND":     Command(not_implemented, _ANY),                           # appendix F.6
    b"SOML":     Command(not_implemented, _ANY),
    b"SAML":     Command(not_implemented, _ANY),
    b"GET":      Command(http, _ANY),
    b"HEAD":     Command(http, _ANY),
    b"POST":     Command(http, _ANY),
    b"PUT":      Command(http, _ANY),
    b"OPTIONS":  Command(http, _ANY),
    b"CONNECT":  Command(http, _ANY),
}
