"""After the load: read the maildrops until every accepted message is found, or time is up."""

from collections.abc import Iterable

import trio

from loadgen.ledger import Ledger
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import MaildropAuth
from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.outcome import OutcomeKind
from loadgen.session.retrieve import retrieve
from loadgen.session.route import Route
from loadgen.session.trace import Trace

SIDE_BY_SIDE = 16
ROUND_PAUSE_S = 0.25


async def audit(
    ledger: Ledger, route: Route, accounts: Iterable[Account], *, auth: MaildropAuth, settle_s: float
) -> set[str]:
    """Read every maildrop once, then those that still owe mail, for `settle_s` at most; return those read.

    Nothing is deleted. A maildrop whose last reading failed is not among those returned: what it owes
    is pending, not lost.
    """
    by_address = {account.address: account for account in accounts}
    read: set[str] = set()
    due = set(by_address)
    deadline = trio.current_time() + settle_s
    while due:
        read -= due
        read |= await _read(ledger, route, [by_address[address] for address in sorted(due)], auth)
        due = (ledger.maildrops_owing() | (set(by_address) - read)) & set(by_address)
        if trio.current_time() >= deadline:
            break
        if due:
            await trio.sleep(ROUND_PAUSE_S)
    return read


async def _read(ledger: Ledger, route: Route, accounts: list[Account], auth: MaildropAuth) -> set[str]:
    """Read these maildrops, a bounded number at a time; return the addresses of those that let us."""
    read: set[str] = set()
    places = trio.CapacityLimiter(SIDE_BY_SIDE)

    async def one(number: int, account: Account) -> None:
        async with places:
            trace = Trace()
            plan = RetrievalPlan("pop3-retrieve", number, "audit", account, auth, delete=False)
            outcome = await retrieve(route, plan, trace, number)
            ledger.add(trace)
            if outcome.kind is OutcomeKind.ACCEPTED:
                read.add(account.address)

    async with trio.open_nursery() as nursery:
        for number, account in enumerate(accounts):
            nursery.start_soon(one, number, account)
    return read
