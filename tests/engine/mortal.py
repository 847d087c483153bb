"""A house whose server can be killed and started again, as a process can: in memory, or on what outlives it."""

from dataclasses import dataclass, field, replace

import trio

from loadgen.endpoint import Protocol
from loadgen.engine.crash_command import Struck
from loadgen.session.route import Route
from loadgen.transport.errors import ConnectRefused
from loadgen.transport.stream import Transport
from tests.engine.house import URLS, Drops, House, route_to


@dataclass
class Mortal:
    """The server, life after life. While it has none nobody is let in."""

    nursery: trio.Nursery
    away_s: float | None = 3.0             # between two lives; None: it never comes back
    durable: bool = False                  # its maildrops outlive it
    latency_s: float = 0.05                # so that sessions are under way when it dies
    killed_at: list[float] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)         # deliveries its maildrops held when it died
    house: House | None = None
    _drops: Drops | None = None
    _life: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def start(self) -> None:
        """Begin a life."""
        await self.nursery.start(self._live)

    async def strike(self) -> Struck:
        """Kill it and start it again, as an operator's command does."""
        assert self.house is not None
        self.killed_at.append(trio.current_time())
        self.taken.append(self.house.drops.taken)
        self.house = None
        self._life.cancel()
        if self.away_s is None:
            return Struck(exit_code=0)
        await trio.sleep(self.away_s)
        await self.start()
        return Struck(exit_code=0)

    def routes(self) -> dict[Protocol, Route]:
        """Return a route to each protocol, in whichever life."""
        return {protocol: self.route(protocol) for protocol in URLS}

    def route(self, protocol: Protocol) -> Route:
        """Return the route to one protocol."""

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            await trio.lowlevel.checkpoint()
            if self.house is None:
                raise ConnectRefused("127.0.0.1:2525 refused the connection")
            within = self.house.route(protocol)
            return await within.dial(within, arrival, deadline)

        return route_to(protocol, dial)

    async def _live(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as sessions:
            self._life = sessions.cancel_scope
            self.house = House(sessions, latency_s=self.latency_s)
            if self.durable:
                self._drops = self.house.drops = self._drops or self.house.drops
                self.house.service = replace(self.house.service, maildrops=self._drops)
            task_status.started()
            await trio.sleep_forever()
