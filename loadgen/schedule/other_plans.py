"""What an arrival does whose session probes the server, or bothers it."""

import random
from dataclasses import dataclass
from typing import ClassVar, Literal, assert_never

from loadgen.scenario.accounts import Account, AccountBook
from loadgen.scenario.quantities import NS_PER_S
from loadgen.scenario.sessions import (
    AuthStorm,
    HalfOpen,
    OtherSession,
    Pop3Contend,
    ResetInData,
    RsetLoop,
    SilentAfter,
    SlowReader,
    SlowSender,
    SmtpProbe,
)
from loadgen.scenario.steps import StepsSession
from loadgen.scenario.words import AnyAuth, MailAuth, MaildropAuth
from loadgen.schedule.steps_plan import StepsPlan, steps_plan

WRONG_PASSWORD = "not-the-password"   # noqa: S105  and no account's: servers write wrong ones to their logs


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """A session that says short commands in a loop."""

    kind: ClassVar[Literal["smtp-probe"]] = "smtp-probe"
    protocol: ClassVar[Literal["smtp"]] = "smtp"
    arrival: int
    session_name: str
    account: Account               # whose address VRFY asks about
    auth: MailAuth
    loops: int
    commands: tuple[Literal["ehlo", "noop", "rset", "vrfy"], ...]


@dataclass(frozen=True, slots=True)
class RsetLoopPlan:
    """A session of mail transactions that are all aborted."""

    kind: ClassVar[Literal["rset-loop"]] = "rset-loop"
    protocol: ClassVar[Literal["smtp"]] = "smtp"
    arrival: int
    session_name: str
    account: Account
    auth: MailAuth
    reverse_path: str
    transactions: tuple[tuple[str, ...], ...]    # the recipients of each. Invariant: at least one, all different


@dataclass(frozen=True, slots=True)
class AuthPlan:
    """A session that only logs in."""

    kind: ClassVar[Literal["auth-storm"]] = "auth-storm"
    arrival: int
    session_name: str
    protocol: Literal["smtp", "pop3"]
    account: Account               # Invariant: its password is WRONG_PASSWORD if `wrong`
    auth: MaildropAuth
    wrong: bool


@dataclass(frozen=True, slots=True)
class SlowSendPlan:
    """A session that dribbles one message."""

    kind: ClassVar[Literal["slow-sender"]] = "slow-sender"
    protocol: ClassVar[Literal["smtp"]] = "smtp"
    arrival: int
    session_name: str
    account: Account
    auth: MailAuth
    reverse_path: str
    recipient: str
    size_octets: int
    segment_octets: int
    pause_ns: int                  # between two segments


@dataclass(frozen=True, slots=True)
class SlowReadPlan:
    """A session that reads slowly."""

    kind: ClassVar[Literal["slow-reader"]] = "slow-reader"
    arrival: int
    session_name: str
    protocol: Literal["pop3", "smtp"]
    account: Account
    auth: AnyAuth
    commands: int                  # in SMTP; in POP3 there is a maildrop to read
    window_octets: int             # of the receive buffer
    read_octets: int
    pause_ns: int                  # before each read


@dataclass(frozen=True, slots=True)
class HalfOpenPlan:
    """A session that is left half-way."""

    kind: ClassVar[Literal["half-open"]] = "half-open"
    arrival: int
    session_name: str
    protocol: Literal["smtp", "pop3"]
    after: SilentAfter
    hold_ns: int


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """A session that resets its connection amid mail data."""

    kind: ClassVar[Literal["reset-in-data"]] = "reset-in-data"
    protocol: ClassVar[Literal["smtp"]] = "smtp"
    arrival: int
    session_name: str
    account: Account
    auth: MailAuth
    reverse_path: str
    recipient: str
    size_octets: int
    sent: float                    # share of the mail data, 0 to 1


@dataclass(frozen=True, slots=True)
class ContendPlan:
    """A session that opens one maildrop twice."""

    kind: ClassVar[Literal["pop3-contend"]] = "pop3-contend"
    protocol: ClassVar[Literal["pop3"]] = "pop3"
    arrival: int
    session_name: str
    account: Account
    auth: MaildropAuth


OtherPlan = (
    ProbePlan | RsetLoopPlan | AuthPlan | SlowSendPlan | SlowReadPlan | HalfOpenPlan | ResetPlan | ContendPlan
    | StepsPlan
)  # fmt: skip


def other_plan(session: OtherSession, k: int, rng: random.Random, account: Account, book: AccountBook) -> OtherPlan:
    """Return what arrival `k` does, given the account it was dealt."""
    name = session.name or ""
    plan: OtherPlan
    match session:
        case SmtpProbe(auth=auth, commands=commands):
            plan = ProbePlan(k, name, account, auth, max(1, session.loops.sample(rng)), commands)
        case RsetLoop(auth=auth, reverse_path=reverse_path):
            loops = range(max(1, session.loops.sample(rng)))
            transactions = tuple([drawn_addresses(max(1, session.recipients.sample(rng)), rng, book) for _ in loops])
            plan = RsetLoopPlan(k, name, account, auth, reverse_path, transactions)
        case AuthStorm(protocol=protocol, auth=login):
            wrong = rng.random() < session.wrong
            password = WRONG_PASSWORD if wrong else account.password
            plan = AuthPlan(k, name, protocol, Account(account.address, account.login, password), login, wrong)
        case SlowSender(auth=auth, reverse_path=reverse_path, segment_octets=segment):
            (to,) = drawn_addresses(1, rng, book)
            size, pause_ns = session.size.sample(rng), segment * NS_PER_S // session.octets_per_s
            plan = SlowSendPlan(k, name, account, auth, reverse_path, to, size, segment, pause_ns)
        case SlowReader(protocol=protocol, auth=any_auth):
            window, read, pause_ns = session.window.octets, session.read_octets, session.pause.ns
            plan = SlowReadPlan(k, name, protocol, account, any_auth, session.commands, window, read, pause_ns)
        case HalfOpen(protocol=protocol, after=after):
            plan = HalfOpenPlan(k, name, protocol, after, session.hold.sample(rng))
        case ResetInData(auth=auth, reverse_path=reverse_path):
            (to,) = drawn_addresses(1, rng, book)
            plan = ResetPlan(k, name, account, auth, reverse_path, to, session.size.sample(rng), session.sent)
        case Pop3Contend(auth=login):
            plan = ContendPlan(k, name, account, login)
        case StepsSession():
            recipients = drawn_addresses(max(1, session.recipients.sample(rng)), rng, book)
            plan = steps_plan(session, k, rng, account, recipients)
        case _:
            assert_never(session)
    return plan


def drawn_addresses(wanted: int, rng: random.Random, book: AccountBook) -> tuple[str, ...]:
    """Draw so many different accounts' addresses, or all there are."""
    if wanted == 1:
        return (book.address(int(rng.random() * book.count) + 1),)
    numbers = rng.sample(range(1, book.count + 1), min(book.count, wanted))
    return tuple([book.address(number) for number in numbers])
