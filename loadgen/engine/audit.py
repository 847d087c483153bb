"""After the load: read the maildrops until every accepted message is found, or time is up."""

from collections.abc import Iterable

import trio

from loadgen.clock import clock_ns
from loadgen.engine.stop import cancel_when
from loadgen.ledger.ledger import Ledger
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import MaildropAuth
from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.outcome import OutcomeKind
from loadgen.session.retrieve import retrieve
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from reports.errors import UserError

SIDE_BY_SIDE = 16
ROUND_PAUSE_S = 0.25
STALL_LIMIT_S = 10.0


class Audit:
    """The reading of the maildrops. What was read stands, whenever it is cancelled."""

    def __init__(self, ledger: Ledger, route: Route, auth: MaildropAuth, scope: trio.CancelScope) -> None:
        self.read: set[str] = set()          # the maildrops whose last reading came to its end
        self.failure: UserError | None = None      # why what was read could not be entered
        self._ledger = ledger
        self._route = route
        self._scope = scope                  # of the reading itself
        self._auth = auth
        self._open: dict[str, Trace] = {}    # readings under way
        self._closed = 0                     # messages seen in those that are over, and the readings themselves

    async def rounds(self, accounts: Iterable[Account], settle_s: float) -> None:
        """Read every maildrop once, then those that still owe mail, until none does or `settle_s` is over."""
        by_address = {account.address: account for account in accounts}
        settled_s = trio.current_time() + settle_s
        due = set(by_address)
        while True:
            self.read -= due
            await self._round([by_address[address] for address in sorted(due)])
            due = (self._ledger.maildrops_owing() | (set(by_address) - self.read)) & set(by_address)
            if not due or trio.current_time() >= settled_s:
                return
            await trio.sleep(ROUND_PAUSE_S)

    async def watch(self, settle_s: float) -> None:
        """Cancel the reading when, past `settle_s`, nothing has come out of any maildrop for STALL_LIMIT_S.

        A round that makes progress may finish, however much mail there is: what is only slow to read is not
        lost. A server that has stopped answering ends the audit.
        """
        await trio.sleep(settle_s)
        while True:
            seen = self._seen()
            await trio.sleep(STALL_LIMIT_S)
            if self._seen() == seen:
                self._scope.cancel()
                return

    def _seen(self) -> int:
        return self._closed + sum(len(trace.retrieved) for trace in self._open.values())

    async def _round(self, accounts: list[Account]) -> None:
        """Read these maildrops, a bounded number at a time."""
        places = trio.CapacityLimiter(SIDE_BY_SIDE)
        async with trio.open_nursery() as nursery:
            for number, account in enumerate(accounts):
                nursery.start_soon(self._one, places, number, account)

    async def _one(self, places: trio.CapacityLimiter, number: int, account: Account) -> None:
        async with places:
            trace = self._open[account.address] = Trace()
            looked, look_ns = None, clock_ns()
            plan = RetrievalPlan("pop3-retrieve", number, "audit", account, self._auth, delete=False)
            try:
                outcome = await retrieve(self._route, plan, trace, number)
                if outcome.kind is OutcomeKind.ACCEPTED:
                    self.read.add(account.address)
                    looked = account.address
            finally:
                del self._open[account.address]
                self._closed += 1 + len(trace.retrieved)
                self._enter(trace, looked, look_ns)

    def _enter(self, trace: Trace, looked: str | None, look_ns: int) -> None:
        try:
            self._ledger.add(trace, looked=looked, look_ns=look_ns)
        except UserError as error:
            self.fail(error)

    def fail(self, why: UserError) -> None:
        """End the reading. Not by raising it through the nurseries: it would come out as a group."""
        self.failure = why
        self._scope.cancel()


async def audit(
    ledger: Ledger,
    route: Route,
    accounts: Iterable[Account],
    *,
    auth: MaildropAuth,
    settle_s: float,
    stop: trio.Event,
) -> set[str]:
    """Find accepted mail in the maildrops, for `settle_s` or until `stop`; return the maildrops that were read.

    Nothing is deleted. A maildrop whose last reading failed or was cut short is not among those returned, nor, after
    `stop`, one that would have been read again: what it owes is pending, not lost. Raises UserError if what was found
    cannot be entered.
    """
    async with trio.open_nursery() as nursery:
        reading = Audit(ledger, route, auth, nursery.cancel_scope)
        nursery.start_soon(reading.watch, settle_s)
        nursery.start_soon(cancel_when, stop, nursery.cancel_scope)
        try:
            await reading.rounds(accounts, settle_s)
        except UserError as error:
            reading.fail(error)
        nursery.cancel_scope.cancel()
    if reading.failure is not None:
        raise reading.failure
    return reading.read - ledger.maildrops_owing() if stop.is_set() else reading.read
