"""After a crash: wait until a server is there again, so that what it kept can be asked for."""

import trio

from loadgen.engine.shard import Shard
from loadgen.engine.stop import cancel_when
from loadgen.scenario.model import MaildropAuth, Pop3Retrieve
from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.retrieve import retrieve
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from reports.crash_result import CrashResult

LOOK_EVERY_S = 0.25


async def wait_until_back(crash: CrashResult | None, route: Route | None, shard: Shard, stop: trio.Event) -> None:
    """Return when a maildrop can be opened after a crash, or the server says why not; or when it has had its time.

    What is found there is left, and counts for nothing: the reading of the maildrops comes after this.
    """
    if crash is None or not crash.moments or route is None:
        return
    readers = [session for session in shard.scenario.sessions if isinstance(session, Pop3Retrieve)]
    auth: MaildropAuth = readers[0].auth if readers else "user"
    plan = RetrievalPlan("pop3-retrieve", 0, "audit", shard.book.account(1), auth, delete=False)
    async with trio.open_nursery() as waiting:
        waiting.start_soon(cancel_when, stop, waiting.cancel_scope)
        with trio.move_on_after(crash.recover_within_ns / 1e9):
            # Nobody else's server tells when it is there: it must be asked.
            while (await retrieve(route, plan, Trace(), 0)).broken is not None:   # noqa: ASYNC110
                await trio.sleep(LOOK_EVERY_S)
        waiting.cancel_scope.cancel()
