"""After the load: the journals become the ledger, the receiver's view is read, and both are joined."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import trio

from loadgen.clock import clock_ns
from loadgen.engine.audit import audit
from loadgen.engine.back import wait_until_back
from loadgen.engine.shard import Shard
from loadgen.engine.workers import Shared
from loadgen.ledger.ledger import BodyAsSent, Ledger
from loadgen.ledger.maildir import Maildirs
from loadgen.ledger.sink_file import SinkFile
from loadgen.ledger.steps import slowly
from loadgen.message.compose import Composer
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import Pop3Retrieve
from loadgen.schedule.plans import DeliveryPlan, Planner
from loadgen.session.route import Route
from loadgen.wire.transparency import unstuff
from reports.crash_result import CrashResult
from reports.errors import UserError
from reports.ledger_result import LedgerResult
from reports.write import LEDGER_DATABASE, LEDGER_LINES

AUDIT_EVERY_ACCOUNT_UP_TO = 10_000     # past it only the maildrops that were written to are read
LOOK_PAUSE_S = 0.25
NO_UIDL = "the POP3 server has no UIDL, so a duplicate cannot be told from a message that was read twice"
NOT_WRITTEN = "not all of the ledger could be written ({}), so deliveries are undecided"


Look = Generator[None, None, frozenset[str] | None]      # in steps: what was read to its end, None for all


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the mail, and why that may not be the whole truth."""

    result: LedgerResult
    doubts: tuple[str, ...]


async def settle(
    shard: Shard,
    shared: Shared,
    route: Route | None,
    *,
    directory: Path | None,
    stop: trio.Event,
    crash: CrashResult | None = None,
) -> Settled:
    """Find what was accepted, for the scenario's settling time or until `stop`, and say what became of it.

    `route` leads to the maildrops, if they are read by POP3; `crash` is what the server went through. If the books
    cannot be written or read the result says why, and no more: what the load has measured is not lost for it.
    """
    await wait_until_back(crash, route, shard, stop)
    try:
        path = None if directory is None else directory / LEDGER_DATABASE
        with closing(await slowly(ledger_of(shard, shared, path, _origin_ns(shared)))) as ledger:
            return await _settled(ledger, shard, shared, route, directory, stop, crash)
    except UserError as error:
        if directory is not None:              # half of it misleads, and the report needs the room
            (directory / LEDGER_DATABASE).unlink(missing_ok=True)
            (directory / LEDGER_LINES).unlink(missing_ok=True)
        return Settled(LedgerResult(not_made=str(error)), ())


async def _settled(
    ledger: Ledger, shard: Shard, shared: Shared, route: Route | None, directory: Path | None, stop: trio.Event,
    crash: CrashResult | None,
) -> Settled:   # fmt: skip
    """Return what became of the mail. UserError if the books cannot be written or read."""
    journals = shared.whole.journals
    doubts = [NOT_WRITTEN.format(journal.failure) for journal in journals if journal.failure is not None]
    first = next(iter(journals), None)
    read = await _look(shard, ledger, route, 0 if first is None else first.origin_monotonic_ns, stop)
    result = await slowly(
        ledger.judged(
            read, body_as_sent=_bodies(shard), record=None if directory is None else directory / LEDGER_LINES,
            crashes_ns=[] if crash is None else [moment.over_ns for moment in crash.moments],
        )
    )   # fmt: skip
    if ledger.copies_untold:
        doubts.append(NO_UIDL)
    return Settled(result, tuple(doubts))


def ledger_of(
    shard: Shard, shared: Shared, path: Path | None = None, origin_ns: int = 0
) -> Generator[None, None, Ledger]:
    """Return the ledger of a load, in a file or in memory: all that its processes have entered; in steps. UserError.

    `origin_ns` is the run's start on this process's clock, for what is entered from here on.
    """
    ledger = Ledger(shard.run_token, path, origin_ns)
    with ExitStack() as unless_whole:
        unless_whole.callback(ledger.close)
        for journal in shared.whole.journals:
            yield from ledger.read(journal)
            journal.remove()
        if not shared.whole.journals or any(worker.lost is not None for worker in shared.workers):
            ledger.miss_pages()
        unless_whole.pop_all()
    return ledger


def _origin_ns(shared: Shared) -> int:
    """Return the run's start on this process's clock."""
    first = next(iter(shared.whole.journals), None)
    if first is None:
        return 0
    if not shared.workers:                 # it was this process
        return first.origin_ns
    return clock_ns() + first.origin_monotonic_ns - time.monotonic_ns()


async def _look(
    shard: Shard, ledger: Ledger, route: Route | None, origin_monotonic_ns: int, stop: trio.Event
) -> set[str] | None:
    """Look for what was accepted where the scenario says; return the maildrops that were read, None for all."""
    asked = shard.scenario.ledger
    if asked.sink is not None:
        file = SinkFile(Path(asked.sink), origin_monotonic_ns)
        return await _again(ledger, lambda: file.read(ledger), asked.settle.s, stop)
    if asked.maildir is not None:
        maildirs = Maildirs(asked.maildir, tuple(_accounts(shard, ledger)), origin_monotonic_ns)
        return await _again(ledger, lambda: maildirs.read(ledger), asked.settle.s, stop)
    assert route is not None, "the scenario's check wants POP3, if nothing else is named"
    return await audit(
        ledger,
        route,
        _accounts(shard, ledger),
        auth=next((session.auth for session in shard.scenario.sessions if isinstance(session, Pop3Retrieve)), "user"),
        settle_s=asked.settle.s,
        stop=stop,
    )


async def _again(
    ledger: Ledger, look: Callable[[], Look], settle_s: float, stop: trio.Event
) -> set[str] | None:
    """Look until nothing is owed, `settle_s` is over, or `stop`; return what the last look read to its end."""
    until = trio.current_time() + settle_s
    while True:
        seen = await slowly(look())
        owing = ledger.maildrops_owing()
        if not owing or stop.is_set() or trio.current_time() >= until:
            break
        with trio.move_on_after(LOOK_PAUSE_S):
            await stop.wait()
    if stop.is_set() and owing:                # its time was not over: what is owed is not lost
        return ledger.maildrops_written() - owing
    return None if seen is None else set(seen)


def _accounts(shard: Shard, ledger: Ledger) -> Iterator[Account]:
    """Yield whose maildrops are read: everybody's if they are not too many, else those that were written to."""
    book, addressed = shard.book, ledger.maildrops_written()
    everybody = book.count <= AUDIT_EVERY_ACCOUNT_UP_TO
    for number in range(1, book.count + 1):
        if everybody or book.address(number) in addressed:
            yield book.account(number)


def _bodies(shard: Shard) -> BodyAsSent:
    """Return what makes the body of a message once more: it follows from the seed, the session and its number."""
    made: list[tuple[Planner, Composer]] = []

    def body(arrival: int, number: int) -> bytes | None:
        if not made:                           # it takes half a second, and is hardly ever wanted
            composer = Composer(seed=shard.scenario.about.seed, run_token=shard.run_token, date=shard.date)
            made.append((Planner(shard.scenario, shard.book), composer))
        planner, composer = made[0]
        plan = planner.plan_for(arrival)
        if not isinstance(plan, DeliveryPlan):
            return None
        planned = next((one for one in plan.messages if one.index == number), None)
        if planned is None:
            return None
        message = composer.compose(
            arrival, number, reverse_path=plan.reverse_path, recipients=planned.recipients,
            size_octets=planned.size_octets, hidden=planned.hidden, body=planned.body,
        )   # fmt: skip
        return unstuff(message.mail_data).partition(b"\r\n\r\n")[2]

    return body
