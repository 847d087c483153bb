"""What clients that bother a server do to the others: read from the others' whole sessions, by name.

A server with room for a few connections, each answer 5 ms away. A client that takes its time takes a place for two
seconds, and whoever comes meanwhile waits for one. A server with room for everybody lets nobody wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

from conformance.refserver.listener.conversation import Conversation
from loadgen.endpoint import Protocol
from loadgen.session.route import Route
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext
from reports.load_result import LoadResult
from tests.engine.house import House, Tapped, route_to
from tests.engine.stage import MS
from tests.engine.test_shard import play, shard_of

LATENCY_S = 0.005
LOAD = '[load]\nmodel = "open"\narrivals = [{shape = "constant", rate = 10, for = "5s"}]\n'
DELIVER = '[[session]]\nname = "deliver"\nkind = "smtp-deliver"\nweight = 4\n'
BOTHERING: Mapping[str, str] = {
    "half-open": 'kind = "half-open"\nafter = "ehlo"\nhold = "2s"',
    "slow-sender": 'kind = "slow-sender"\nsize = 1000\noctets_per_s = 500\nsegment_octets = 100',
    "slow-reader": 'kind = "slow-reader"\nprotocol = "smtp"\nauth = "none"\ncommands = 40\nread_octets = 32\n'
        'pause = "80ms"',
    "steps": 'kind = "steps"\nsteps = [{expect = "220"}, {think = "2s"}, {send = "QUIT", expect = "221"}]',
}  # fmt: skip


@dataclass
class Narrow(House):
    """A house with so many places: whoever comes when they are taken waits, connected, for one."""

    places: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(4))

    def route(self, protocol: Protocol, tls: TlsContext | None = None) -> Route:
        async def serve(conversation: Conversation) -> None:
            async with self.places:
                await conversation.run()

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            ours, theirs = trio.testing.memory_stream_pair()
            self.nursery.start_soon(serve, Conversation(theirs, self._session(protocol), self.start_tls))
            tapped = Tapped(ours, self.sent[protocol, arrival], self.stall, self.latency_s)
            return Transport.over(tapped, host="mail.example.test")

        return route_to(protocol, dial)


async def seen(places: int, bothering: str) -> LoadResult:
    """Return what a load of deliveries sees, one arrival in five bothering the server."""
    text = f'{LOAD}{DELIVER}[[session]]\nname = "bother"\n{bothering}'
    async with trio.open_nursery() as nursery:
        house = Narrow(nursery, latency_s=LATENCY_S, places=trio.CapacityLimiter(places))
        return (await play(shard_of(text), house.routes())).load


@pytest.mark.parametrize("kind", BOTHERING)
async def test_the_others_wait_where_there_is_no_room_and_it_shows_under_their_name(
    kind: str, autojump_clock: MockClock
) -> None:
    narrow, roomy = await seen(3, BOTHERING[kind]), await seen(1000, BOTHERING[kind])
    harmed, unharmed = (load.session_times["deliver"].response_ns for load in (narrow, roomy))
    assert unharmed.max == pytest.approx(35 * MS, abs=1), "seven answers, 5 ms each"
    assert harmed.p99 > 10 * unharmed.max
    for load in (narrow, roomy):
        assert load.kinds["bother"].accepted == load.kinds["bother"].arrived > 5
        assert list(load.session_times) == ["deliver"], "as long as the scenario wished: no time of the server's"
        assert load.phases["smtp.session"].count == load.session_times["deliver"].count
