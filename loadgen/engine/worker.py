"""One worker of a run: a process that runs its shard and returns its books."""

from dataclasses import dataclass

import trio

from loadgen.engine.health.process import raise_open_files_limit
from loadgen.engine.link import LinkAddress, ParentGone, linked
from loadgen.engine.routes import Reach, routes_of
from loadgen.engine.shard import Shard, ShardResult, run_shard


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker is given. Crosses processes, and carries the passwords of the accounts."""

    shard: Shard
    reach: Reach
    link: LinkAddress


def work(given: Work) -> ShardResult:
    """Run a worker's shard to its end. This is what an executor is asked to call, wherever it does.

    Raises ParentGone.
    """
    raise_open_files_limit()
    return trio.run(run_linked, given)


async def run_linked(given: Work) -> ShardResult:
    """Run a shard as its parent says by the link."""
    routes = routes_of(given.shard.scenario, given.reach)
    stop = trio.Event()
    result: ShardResult | None = None
    async with linked(given.link) as link, trio.open_nursery() as nursery:
        nursery.start_soon(link.report)
        nursery.start_soon(link.watch, stop, nursery.cancel_scope.cancel)
        result = await run_shard(given.shard, routes, stop=stop, observe=link.observe, begin=link.begin)
        nursery.cancel_scope.cancel()
    if result is None:
        raise ParentGone("the parent process is gone")
    return result
