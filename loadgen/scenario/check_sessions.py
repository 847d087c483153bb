"""Whether each kind of session can do what it is told, against the servers and accounts there are."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, assert_never

from loadgen.endpoint import Protocol
from loadgen.scenario.check_accounts import address_problems
from loadgen.scenario.check_steps import steps_problems
from loadgen.scenario.distributions import Counts
from loadgen.scenario.draft import Draft, kind_of
from loadgen.scenario.model import (
    Accounts,
    Delivery,
    IdleHold,
    LmtpDeliver,
    Pop3Retrieve,
    Retry,
    Session,
    SmtpDeliver,
    Target,
)
from loadgen.scenario.problems import Problem, show
from loadgen.scenario.sessions import (
    AuthStorm,
    HalfOpen,
    OtherSession,
    ResetInData,
    RsetLoop,
    SlowReader,
    SlowSender,
    SmtpProbe,
)
from loadgen.scenario.steps import StepsSession

LOOPS_MAX: Final = 1_000_000    # of one session
MESSAGES_MAX: Final = 100_000   # of one session, so that one plan stays a plan
RECIPIENTS_MAX: Final = 10_000  # of one message; RFC 5321 §4.5.3.1.8 asks servers for at least 100


def protocol_of(session: Session) -> Protocol:
    """Return the protocol a session speaks."""
    match session:
        case SmtpDeliver():
            return "smtp"
        case LmtpDeliver():
            return "lmtp"
        case Pop3Retrieve():
            return "pop3"
        case _ if isinstance(session, IdleHold | OtherSession):
            return session.protocol
        case _:
            assert_never(session)


def session_problems(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the sessions that could be read."""
    for i, session in enumerate(draft.sessions):
        if session is not None:
            path = f"session[{i}]"
            yield from _one(session, path, draft.target, draft.accounts)
            if isinstance(session, StepsSession):
                yield from steps_problems(
                    session, path,
                    starttls=draft.target is not None and draft.target.tls == "starttls",
                    verify=draft.ledger is not None and draft.ledger.verify,
                )  # fmt: skip
    names = Counter(session.name for session in draft.sessions if session is not None)
    for i, session in enumerate(draft.sessions):
        if session is not None and session.name is not None and (count := names[session.name]) > 1:
            what = f"{show(session.name)} names {count} sessions, and the report could not tell them apart"
            yield Problem(f"session[{i}].name", what=what)
    if draft.sessions and all(session is not None and session.weight == 0 for session in draft.sessions):
        yield Problem("session", what="every weight is 0, so no session would ever be chosen")


def _one(session: Session, path: str, target: Target | None, accounts: Accounts | None) -> Iterator[Problem]:
    protocol = protocol_of(session)
    if target is not None and target.url(protocol) is None:
        what = f"{kind_of(session)} needs an {protocol.upper()} server" if protocol != "pop3" else (
            f"{kind_of(session)} needs a POP3 server")   # fmt: skip
        yield Problem(path, what=what, hint=f"add {protocol} under [target], or give --{protocol} URL")
    if protocol == "lmtp" and target is not None and target.tls == "implicit" and "lmtp" in target.embedded:
        yield Problem(path, what='LMTP has no implicit TLS, and the target says tls = "implicit"')
    if session.name is not None and not session.name.isprintable():
        yield Problem(f"{path}.name", got=show(session.name), allowed="printable text")
    match session:
        case SmtpDeliver() | LmtpDeliver():
            yield from _counted(session.messages, f"{path}.messages", MESSAGES_MAX)
            yield from _recipients(session.recipients, f"{path}.recipients", accounts)
            yield from _hidden(session, f"{path}.bcc", accounts)
            if session.chunk.octets == 0:
                yield Problem(f"{path}.chunk", got="0", allowed="at least 1 octet")
            if session.reverse_path:
                yield from address_problems(f"{path}.reverse_path", session.reverse_path)
            if session.retry is not None:
                yield from _retry(session.retry, f"{path}.retry")
        case IdleHold():
            yield from _idle(session, path)
        case Pop3Retrieve():
            pass
        case _ if isinstance(session, OtherSession):
            yield from _other(session, path, target, accounts)
        case _:
            assert_never(session)


def _other(
    session: OtherSession, path: str, target: Target | None, accounts: Accounts | None
) -> Iterator[Problem]:
    match session:
        case SmtpProbe() | RsetLoop():
            yield from _counted(session.loops, f"{path}.loops", LOOPS_MAX)
        case AuthStorm(protocol="smtp", auth="user" | "apop"):
            yield Problem(f"{path}.auth", what=f"{session.auth} is a POP3 login, and this session speaks SMTP")
        case HalfOpen(protocol="pop3", after="ehlo"):
            yield Problem(f"{path}.after", what="EHLO is SMTP, and this session speaks POP3")
        case HalfOpen(after="starttls") if target is not None and target.tls != "starttls":
            what = 'the target has no TLS that begins inside the session; say target.tls = "starttls"'
            yield Problem(f"{path}.after", what=what)
        case SlowReader():
            yield from _slow_reader(session, path)
        case _:
            pass
    if isinstance(session, RsetLoop | StepsSession):
        yield from _recipients(session.recipients, f"{path}.recipients", accounts)
    if isinstance(session, RsetLoop | SlowSender | ResetInData | StepsSession) and session.reverse_path:
        yield from address_problems(f"{path}.reverse_path", session.reverse_path)


def _slow_reader(session: SlowReader, path: str) -> Iterator[Problem]:
    if session.pause.ns == 0:
        yield Problem(f"{path}.pause", got='"0s"', allowed="more than zero")
    if session.window.octets == 0:
        yield Problem(f"{path}.window", got="0", allowed="at least 1 octet")
    if session.protocol == "smtp" and session.auth in ("user", "apop"):
        what = f"{session.auth} is a POP3 login, and this session speaks SMTP"
        yield Problem(f"{path}.auth", what=what, hint='say auth = "none", or a SASL mechanism')
    if session.protocol == "pop3" and session.auth == "none":
        yield Problem(f"{path}.auth", what="without a login there is no maildrop to read")


def _recipients(counts: Counts, path: str, accounts: Accounts | None) -> Iterator[Problem]:
    yield from _counted(counts, path, RECIPIENTS_MAX)
    highest = counts.bounds[1]
    if accounts is not None and accounts.file is None and highest > accounts.count:
        what = f"up to {highest} different recipients, but there are only {accounts.count} accounts"
        yield Problem(path, what=what)


def _hidden(session: Delivery, path: str, accounts: Accounts | None) -> Iterator[Problem]:
    visible, hidden = session.recipients.bounds[1], session.bcc.bounds[1]
    if hidden > RECIPIENTS_MAX:
        yield Problem(path, got=show(session.bcc.plain()), allowed=f"numbers from 0 to {RECIPIENTS_MAX}")
    elif accounts is not None and accounts.file is None and visible <= accounts.count < visible + hidden:
        what = f"up to {visible + hidden} different recipients in all, but there are only {accounts.count} accounts"
        yield Problem(path, what=what)


def _retry(retry: Retry, path: str) -> Iterator[Problem]:
    shortest, longest = retry.after.bounds
    if longest == 0:
        what = "a sender must wait before it tries again (RFC 5321 §4.5.4.1)"
        yield Problem(f"{path}.after", got='"0s"', allowed="more than zero", hint=what)
    elif shortest > retry.give_up.ns:
        what = f"{retry.give_up} is over before the first wait is, and nothing would be tried again"
        yield Problem(f"{path}.give_up", what=what)


def _counted(counts: Counts, path: str, highest: int) -> Iterator[Problem]:
    # A continuous shape can give 0, which the plan raises to 1; a written 0 is a mistake.
    low, high = counts.bounds
    written = isinstance(counts.plain(), int) or not {"lognormal", "exponential"} & set(_keys(counts.plain()))
    if (written and low < 1) or high > highest:
        yield Problem(path, got=show(counts.plain()), allowed=f"numbers from 1 to {highest}")


def _keys(plain: object) -> tuple[str, ...]:
    return tuple(plain) if isinstance(plain, dict) else ()


def _idle(session: IdleHold, path: str) -> Iterator[Problem]:
    if session.noop_every is not None and session.noop_every.ns == 0:
        yield Problem(f"{path}.noop_every", got='"0s"', allowed="more than zero")
    if session.protocol == "smtp" and session.auth in ("user", "apop"):
        yield Problem(f"{path}.auth", what=f"{session.auth} is a POP3 login, and this session speaks SMTP")
    if session.protocol == "pop3" and session.auth == "none" and session.noop_every is not None:
        what = "POP3 has NOOP only in the TRANSACTION state (RFC 1939 §5)"
        yield Problem(f"{path}.noop_every", what=what, hint='say auth = "user", or leave noop_every out')
