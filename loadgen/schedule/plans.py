"""What arrival k does: a pure function of the scenario, its seed and k.

Nothing is drawn per task or per worker, so arrival k does the same whoever runs it and whatever ran before. A plan is
made in the instant its arrival is due, so what plans share is worked out once, and they are structs of msgspec's,
which cost a fifth of a frozen dataclass to make.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, repeat
from typing import Final, Literal, assert_never, overload

import msgspec
import numpy as np

from loadgen.endpoint import Protocol
from loadgen.scenario.accounts import Account, AccountBook, open_accounts
from loadgen.scenario.content import TEXT, Body
from loadgen.scenario.distributions import Distribution
from loadgen.scenario.model import (
    AnyAuth,
    ClosedLoad,
    Delivery,
    IdleHold,
    LmtpDeliver,
    MailAuth,
    MaildropAuth,
    OtherSession,
    Pipelining,
    Pop3Retrieve,
    Retry,
    Scenario,
)
from loadgen.scenario.shapes import Fixed
from loadgen.scenario.trace import Told
from loadgen.scenario.words import MailPipelining
from loadgen.schedule.arrivals import replays
from loadgen.schedule.draws import Draws
from loadgen.schedule.other_plans import OtherPlan, drawn_addresses, other_plan

# Up to so many accounts, what a message that differs in nothing else has of each is held ready: 230 octets at most.
READY_MAX: Final = 4096
MANY: Final = 28                       # messages of a session: as many recipients are drawn sooner together


class MessagePlan(msgspec.Struct, frozen=True, gc=False):
    """One mail transaction: to whom, and how large. Its content follows from the seed, the arrival and the index."""

    index: int                     # from 0, within the session
    recipients: tuple[str, ...]    # Invariant: at least one, all different
    size_octets: int
    hidden: int = 0                # the last so many recipients are in no header field; never all of them
    body: Body = TEXT
    left: tuple[str, ...] | None = None    # tried again: the recipients still to be had; None: all of them

    @property
    def envelope(self) -> tuple[str, ...]:
        """Return whom this attempt is for. The message itself is the same for as many as it was at first."""
        return self.recipients if self.left is None else self.left


class Alike(Sequence[MessagePlan]):
    """Messages of one session that differ in nothing but whom they are for.

    A plan of each is made when it is asked for: one that was made ahead is not in the processor's cache any more.
    """

    __slots__ = ("body", "first", "recipients", "size_octets")

    def __init__(self, recipients: Sequence[tuple[str, ...]], size_octets: int, body: Body, first: int = 0) -> None:
        """`recipients`: of each message; `first`: the number of the first within the session."""
        self.recipients = recipients
        self.size_octets = size_octets
        self.body = body
        self.first = first

    def __len__(self) -> int:
        return len(self.recipients)

    def __iter__(self) -> Iterator[MessagePlan]:
        numbers = range(self.first, self.first + len(self.recipients))
        return map(MessagePlan, numbers, self.recipients, repeat(self.size_octets), repeat(0), repeat(self.body))

    @overload
    def __getitem__(self, place: int) -> MessagePlan: ...
    @overload
    def __getitem__(self, place: "slice[int | None, int | None, int | None]") -> "Alike": ...
    def __getitem__(self, place: "int | slice[int | None, int | None, int | None]") -> "MessagePlan | Alike":
        if isinstance(place, slice):
            begin, _, step = place.indices(len(self))
            assert step == 1, "messages follow each other"
            return Alike(self.recipients[place], self.size_octets, self.body, self.first + begin)
        index = self.first + range(len(self))[place]
        return MessagePlan(index, self.recipients[place], self.size_octets, 0, self.body)


class DeliveryPlan(msgspec.Struct, frozen=True, gc=False):
    """A session that hands over mail."""

    kind: Literal["smtp-deliver", "lmtp-deliver"]
    arrival: int
    session_name: str
    dialect: Literal["SMTP", "LMTP"]
    account: Account | None        # None unless auth says how to log in
    auth: MailAuth
    pipelining: MailPipelining
    reverse_path: str
    messages: Sequence[MessagePlan]
    chunk_octets: int | None = None    # of a BDAT chunk, where CHUNKING is offered; None: DATA
    retry: Retry | None = None         # how what was put off is tried again; None: never

    @property
    def protocol(self) -> Protocol:
        """Return which of the target's servers the session talks to."""
        return "lmtp" if self.dialect == "LMTP" else "smtp"


class RetrievalPlan(msgspec.Struct, frozen=True):
    """A session that empties, or only reads, one maildrop."""

    kind: Literal["pop3-retrieve"]
    arrival: int
    session_name: str
    account: Account
    auth: MaildropAuth
    delete: bool
    pipelining: Pipelining = "never"

    @property
    def protocol(self) -> Protocol:
        """Return which of the target's servers the session talks to."""
        return "pop3"


class HoldPlan(msgspec.Struct, frozen=True):
    """A session that stays connected."""

    kind: Literal["idle-hold"]
    arrival: int
    session_name: str
    protocol: Literal["smtp", "pop3"]
    account: Account | None        # None unless auth says how to log in
    auth: AnyAuth
    hold_ns: int
    noop_every_ns: int | None


Plan = DeliveryPlan | RetrievalPlan | HoldPlan | OtherPlan


class Planner:
    """The plans of one scenario, with what they share worked out once."""

    __slots__ = (
        "_back_offs", "_book", "_closed", "_cumulative", "_delivering", "_draws", "_keepers", "_kinds", "_multiplier",
        "_pauses", "_shift", "_thinks", "_traces",
    )   # fmt: skip

    def __init__(self, scenario: Scenario, accounts: AccountBook) -> None:
        seed = scenario.about.seed
        self._draws = Draws(f"{seed}/plan")
        self._pauses = Draws(f"{seed}/think")
        self._back_offs = Draws(f"{seed}/retry")
        self._book = accounts
        self._kinds = tuple(
            [_Deliveries(each, accounts) if isinstance(each, Delivery) else each for each in scenario.sessions]
        )
        self._cumulative = tuple(accumulate(session.weight for session in scenario.sessions))
        self._multiplier, self._shift = _permutation(accounts.count, f"{seed}/accounts")
        closed = scenario.load if isinstance(scenario.load, ClosedLoad) else None
        self._closed = closed
        self._thinks = closed is not None and closed.think.shape.bounds != (0, 0)
        self._keepers = closed.virtual_users if closed is not None and closed.maildrop == "own" else None
        self._traces = tuple(
            (first, first + replay.count, replay.file.trace) for first, replay in replays(scenario.load, seed)
        )
        self._delivering = tuple(
            accumulate(session.weight if isinstance(session, Delivery) else 0 for session in scenario.sessions)
        )

    def plan_for(self, k: int) -> Plan:
        """Return what arrival `k` does."""
        draws = self._draws.of(k)
        told = self._told_of(k) if self._traces else None
        index = 0
        if len(self._kinds) > 1:
            index = _chosen(self._cumulative if told is None else self._delivering, draws)
        session = self._kinds[index]
        match session:
            case _Deliveries():
                return session.plan(k, draws, told, self.account_of(k) if session.log_in else None)
            case Pop3Retrieve():
                return RetrievalPlan(
                    "pop3-retrieve", k, session.name or "", self.account_of(k), session.auth, session.delete,
                    session.pipelining,
                )
            case IdleHold():
                return self._hold(session, k, draws)
            case _ if isinstance(session, OtherSession):
                return other_plan(session, k, draws, self.account_of(k), self._book)
            case _:
                assert_never(session)

    def think_ns(self, user: int, i: int) -> int:
        """Return how long virtual user `user` waits before its session `i`; 0 in an open load.

        That is its think time; before the first also its turn in the ramp.
        """
        if self._closed is None or (i and not self._thinks):
            return 0
        turn_ns = 0 if i else user * self._closed.ramp.ns // self._closed.virtual_users
        return turn_ns + self._closed.think.sample(self._pauses.of(user, i))

    def back_off_ns(self, k: int, attempt: int, retry: Retry) -> int:
        """Return how long arrival `k` waits after its attempt number `attempt`, from 1, before it tries again."""
        wait_ns = retry.after.sample(self._back_offs.of(k, attempt))
        return round(wait_ns * retry.factor ** (attempt - 1))

    def account_of(self, k: int) -> Account:
        """Return the account arrival `k` logs in to.

        A seeded permutation of all accounts, dealt in turn: two arrivals meet in a maildrop only if at least as
        many as there are accounts lie between them, so sessions in flight seldom meet POP3's exclusive lock. A
        virtual user with a maildrop of its own, whose sessions follow each other, has the same account in them all.
        """
        count = self._book.count
        if self._keepers is not None:
            return self._book.account(k % self._keepers % count + 1)
        return self._book.account((self._multiplier * (k % count) + self._shift) % count + 1)

    def _told_of(self, k: int) -> Told | None:
        """Return what a replayed trace tells of arrival `k`'s message."""
        for first, after, trace in self._traces:
            if first <= k < after:
                return trace.told(k - first)
        return None

    def _hold(self, session: IdleHold, k: int, rng: random.Random) -> HoldPlan:
        return HoldPlan(
            kind="idle-hold",
            arrival=k,
            session_name=session.name or "",
            protocol=session.protocol,
            account=None if session.auth == "none" else self.account_of(k),
            auth=session.auth,
            hold_ns=session.hold.sample(rng),
            noop_every_ns=None if session.noop_every is None else session.noop_every.ns,
        )


class _Deliveries:
    """The plans of one kind of session that hands over mail.

    What is always the same is asked for once, here: a number is 0, and a body None, where it has to be drawn.
    """

    __slots__ = (
        "_alone", "_body", "_book", "_chunk_octets", "_dialect", "_draw_bcc", "_draw_body", "_draw_messages",
        "_draw_recipients", "_draw_size", "_has_bcc", "_kind", "_messages", "_name", "_ready", "_session",
        "_size_octets", "_visible", "log_in",
    )   # fmt: skip

    def __init__(self, session: Delivery, book: AccountBook) -> None:
        self.log_in = session.auth != "none"
        lmtp = isinstance(session, LmtpDeliver)
        self._kind: Literal["smtp-deliver", "lmtp-deliver"] = "lmtp-deliver" if lmtp else "smtp-deliver"
        self._dialect: Literal["SMTP", "LMTP"] = "LMTP" if lmtp else "SMTP"
        self._session = session
        self._book = book
        self._name = session.name or ""
        self._chunk_octets = session.chunk.octets if session.chunking == "if-offered" else None
        self._messages, self._draw_messages = _always(session.messages), session.messages.shape.sample
        self._visible, self._draw_recipients = _always(session.recipients), session.recipients.shape.sample
        self._has_bcc, self._draw_bcc = session.bcc.shape != Fixed(0), session.bcc.shape.sample
        self._size_octets, self._draw_size = _always(session.size), session.size.shape.sample
        self._body, self._draw_body = session.content.always, session.content.draw
        # Where nothing is drawn but whom a message is for: each account as that, and its message as the only one.
        size_octets, body = self._size_octets, self._body
        self._ready: tuple[tuple[str], ...] = ()
        self._alone: tuple[tuple[MessagePlan], ...] = ()
        if self._visible == 1 and not self._has_bcc and size_octets and body and book.count <= READY_MAX:
            self._ready = tuple([(book.address(number),) for number in range(1, book.count + 1)])
            self._alone = tuple([(MessagePlan(0, to, size_octets, 0, body),) for to in self._ready])

    def plan(self, k: int, draws: Draws, told: Told | None, account: Account | None) -> DeliveryPlan:
        """Return what arrival `k` does."""
        messages: Sequence[MessagePlan]
        if told is not None:
            messages = (self._message_told(told, draws),)
        else:
            count = self._messages or max(1, self._draw_messages(draws))
            ready = len(self._ready)
            if ready and count == 1:
                messages = self._alone[int(draws.random() * ready)]
            elif ready and count < MANY:
                messages = self._alike([int(draws.random() * ready) for _ in range(count)])
            elif ready:
                messages = self._alike((draws.several(count) * ready).astype(np.int64).tolist())
            elif count == 1:
                messages = (self._message(0, draws),)
            else:
                messages = tuple([self._message(index, draws) for index in range(count)])
        session = self._session
        return DeliveryPlan(
            self._kind, k, self._name, self._dialect, account, session.auth, session.pipelining, session.reverse_path,
            messages, self._chunk_octets, session.retry,
        )   # fmt: skip

    def _alike(self, places: Iterable[int]) -> Alike:
        """Return the messages for those in these places, where they differ in nothing else."""
        assert self._body is not None, "it is always the same"
        return Alike(list(map(self._ready.__getitem__, places)), self._size_octets, self._body)

    def _message(self, index: int, draws: Draws) -> MessagePlan:
        visible = self._visible or max(1, self._draw_recipients(draws))
        hidden = self._draw_bcc(draws) if self._has_bcc else 0
        recipients = drawn_addresses(visible + hidden, draws, self._book)
        if hidden:
            hidden = len(recipients) - min(visible, len(recipients))     # there may be fewer accounts than wanted
        size_octets = self._size_octets or self._draw_size(draws)
        return MessagePlan(index, recipients, size_octets, hidden, self._body or self._draw_body(draws))

    def _message_told(self, told: Told, draws: Draws) -> MessagePlan:
        """Return a message as a trace tells of it; what it does not tell is drawn as ever."""
        visible = told.recipients or max(1, self._draw_recipients(draws))
        hidden = self._draw_bcc(draws)
        recipients = drawn_addresses(visible if told.recipients else visible + hidden, draws, self._book)
        size_octets = told.size_octets or self._draw_size(draws)
        shown = 1 if told.recipients else min(visible, len(recipients))      # a trace tells how many in all
        return MessagePlan(0, recipients, size_octets, min(hidden, len(recipients) - shown), self._draw_body(draws))


def _always(distribution: Distribution) -> int:
    """Return the number that is drawn every time; 0 where it is not always the same."""
    return distribution.shape.value if isinstance(distribution.shape, Fixed) else 0


def _chosen(cumulative: tuple[float, ...], rng: random.Random) -> int:
    return bisect_right(cumulative, rng.random() * cumulative[-1])


def plan_for(scenario: Scenario, k: int, *, environ: Mapping[str, str]) -> Plan:
    """Return what arrival `k` does. For one look; a run keeps a Planner."""
    return Planner(scenario, open_accounts(scenario.accounts, environ=environ)).plan_for(k)


def _permutation(count: int, stream: str) -> tuple[int, int]:
    """Return m, b such that n -> (m n + b) mod count is a permutation, drawn from the stream."""
    rng = random.Random(stream)   # noqa: S311
    multiplier = rng.randrange(1, count + 1)
    while math.gcd(multiplier, count) != 1:
        multiplier = rng.randrange(1, count + 1)
    return multiplier, rng.randrange(count)
