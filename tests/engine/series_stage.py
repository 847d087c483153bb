"""A load played over TCP, in series and with a task's turn for each session, and what its books tell."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar
from typing import Protocol as Shape

import pytest
import trio
from msgspec import structs

from loadgen.endpoint import Endpoint, Protocol
from loadgen.engine import shard as sharding
from loadgen.engine.shard import Shard, ShardResult, run_shard
from loadgen.session.outcome import OutcomeKind
from loadgen.session.route import Route
from loadgen.transport.addresses import numeric_address
from loadgen.transport.epoll import serve_epoll
from tests.engine.test_shard import shard_of
from tests.session.native_stage import HOST
from tests.session.theatre import LIMITS


def unverified(text: str) -> Shard:
    shard = shard_of(text)
    ledger = structs.replace(shard.scenario.ledger, verify=False)
    return replace(shard, scenario=structs.replace(shard.scenario, ledger=ledger))


class Serves(Shape):
    """A server of one protocol. What it does in a session does not hang on when that comes."""

    protocol: Protocol
    said: list[bytes]        # to it, a connection each

    async def serve(self, stream: trio.SocketStream) -> None:
        """Hold one session."""


@dataclass
class Held:
    """How a session stands."""

    over: bool = False


HeldT = TypeVar("HeldT", bound=Held)


@dataclass
class LineServer(ABC, Generic[HeldT]):
    """A server of one protocol that answers line after line."""

    protocol: Protocol
    said: list[bytes] = field(default_factory=list)        # to it, a connection each
    closes_at: str = ""                                    # the command, of some sessions
    silent_at: str = ""                                    # likewise

    @abstractmethod
    def greet(self) -> tuple[bytes, HeldT]:
        """Return what a session begins with."""

    @abstractmethod
    def answer(self, session: HeldT, line: str) -> list[bytes]:
        """Return the pieces of an answer."""

    async def serve(self, stream: trio.SocketStream) -> None:
        """Hold one session."""
        heard, lines = b"", b""
        greeting, session = self.greet()
        try:
            await stream.send_all(greeting)
            async for octets in stream:
                heard, lines = heard + octets, lines + octets
                while b"\n" in lines and not session.over:
                    line, _, lines = lines.partition(b"\r\n")
                    for piece in self.answer(session, line.decode()):
                        await stream.send_all(piece)
                        await trio.lowlevel.checkpoint()
                if session.over:
                    break
        except trio.BrokenResourceError:
            pass
        finally:
            self.said.append(heard)
            await stream.aclose()


@dataclass(frozen=True)
class Played:
    """What came of one load."""

    books: ShardResult
    said: list[bytes]


def play(shard: Shard, *servers: Serves, stop_after: int | None = None) -> Played:
    """Run a load over TCP against servers; once so many connections are over it is stopped.

    The servers have their turns in our own loop, so no lane lingers there.
    """
    async def act() -> ShardResult:
        stop = trio.Event()

        async def handle(server: Serves, stream: trio.SocketStream) -> None:
            if stop_after is not None and sum(len(each.said) for each in servers) >= stop_after:
                stop.set()
            await server.serve(stream)

        async with trio.open_nursery() as nursery:
            routes: dict[Protocol, Route] = {}
            for server in servers:
                listeners = await trio.open_tcp_listeners(0, host=HOST)
                nursery.start_soon(trio.serve_listeners, partial(handle, server), listeners)
                port = listeners[0].socket.getsockname()[1]
                address = numeric_address(HOST, port)
                assert address is not None
                endpoint = Endpoint(server.protocol, HOST, port, None, implicit_tls=False)
                routes[server.protocol] = Route(endpoint, LIMITS, addresses=(address,))
            books = await run_shard(shard, routes, stop=stop, observe=lambda progress: None)
            nursery.cancel_scope.cancel()
        return books

    with pytest.MonkeyPatch.context() as patch:
        readiness = partial(serve_epoll, lingers=False)
        patch.setattr(sharding, "best_readiness", lambda nursery, **_: nursery.start(readiness))
        books = trio.run(act)
    return Played(books, [said for server in servers for said in server.said])


def told(played: Played) -> dict[str, object]:
    """Return what does not hang on how long things took."""
    recorder = played.books.recorder
    timeline = recorder.seconds.timeline()
    assert recorder.balanced()
    assert recorder.in_flight == 0
    failures = {(phase, re.sub(":[0-9]+", "", why)): count for (phase, why), count in recorder.failures.items()}
    return {
        "octets": Counter(played.said),
        "arrived": recorder.arrived,
        "outcomes": recorder.outcomes,
        "messages": recorder.messages,
        "replies": recorder.replies,
        "failures": failures,
        "phases": {name: (each.service_histogram.count, each.outside_steady) for name, each in recorder.phases.items()},
        "sessions": {name: times.service_histogram.count for name, times in recorder.session_times.items()},
        "steady": replace(recorder.steady, session_ns=0),
        "lags": recorder.lag_histogram.count,
        "by second": [sum(column) for column in (
            timeline.arrived, timeline.started, timeline.accepted, timeline.refused, timeline.failed,
            timeline.timed_out, timeline.messages_accepted, timeline.messages_retrieved,
        )],
        "peak": recorder.in_flight_peak,
    }   # fmt: skip


def both_ways(monkeypatch: pytest.MonkeyPatch, text: str, servers: Callable[[], Sequence[Serves]]) -> Played:
    """Play a load in series and without; return the first, having held it against the second."""
    in_series = play(unverified(text), *servers())
    with monkeypatch.context() as patch:
        patch.setattr(sharding, "sessions_in_series", lambda routes, composer: None)
        one_by_one = play(unverified(text), *servers())
    hangs_on_time = {"peak", "steady"} if 'model = "open"' in text else set()      # who waits for nobody ends any time
    said, said_alone = told(in_series), told(one_by_one)
    assert {name: said[name] for name in said.keys() - hangs_on_time} == {
        name: said_alone[name] for name in said_alone.keys() - hangs_on_time
    }
    return in_series


def ended(played: Played) -> Counter[OutcomeKind]:
    kinds = Counter[OutcomeKind]()
    for counted in played.books.recorder.outcomes.values():
        kinds.update(counted)
    return kinds
