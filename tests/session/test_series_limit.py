"""A session of a series has one limit, whoever leads it: its lane first, and then who goes over it."""

import socket
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from loadgen.endpoint import Endpoint
from loadgen.session.correspondence import Correspondence
from loadgen.session.delivery_series import DeliverySeries
from loadgen.session.outcome import Break, Outcome, OutcomeKind
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.addresses import numeric_address
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.readiness import TRIO_READINESS, Watch
from tests.session.test_plain_delivery import plan_of
from tests.session.theatre import COMPOSER

HOST, PORT = "127.0.0.1", 25
PATIENT = PhaseLimits(
    connect=99, greeting=99, tls=99, ehlo=99, auth=99, mail=99, rcpt=99, data=99, block=99, body=99, rset=99, noop=99,
    quit=99, pop3=99,
)  # fmt: skip


class PretendedLane:
    """Where native lanes are had, and the only one: leads a session from the third second to the fifth."""

    connect_error = failure = 0

    def __init__(self, ours: socket.socket, *, outlived: bool) -> None:
        self._ours = ours
        self.outlived = outlived
        self.lanes: Any = self
        self.at_instants = TRIO_READINESS.at_instants

    def watch(self, sock: socket.socket) -> Watch:
        """Watch the socket of who goes over it."""
        return TRIO_READINESS.watch(sock)

    def lane(self, conversation: DeliverySeries, *, series: bool, limit_s: float) -> "PretendedLane":
        """Return the lane."""
        self._conversation, self.limit_s = conversation, limit_s
        return self

    def begin(self, *beginning: object) -> None:
        """Begin at the third second."""
        self._conversation.started_s = self._conversation.began_s = trio.current_time()

    async def ended(self) -> None:
        """Give up at the fifth."""
        await trio.sleep(2)

    def take(self) -> int:
        """Give the connection back."""
        return self._ours.detach()

    def close(self) -> None:
        """Close what was not given back."""
        self._ours.close()


@pytest.mark.parametrize(("outlived", "phase", "ends_s"), [(True, "", 5), (False, "smtp.greeting", 13)])
async def test_a_session_is_over_at_its_limit_after_it_began(
    outlived: bool, phase: str, ends_s: float, autojump_clock: MockClock
) -> None:
    tally = pytest.importorskip("loadgen.transport.native").Tally()
    address = numeric_address(HOST, PORT)
    assert address is not None
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    lane = PretendedLane(ours, outlived=outlived)
    route = Route(
        Endpoint("smtp", HOST, PORT, None, implicit_tls=False), PATIENT, readiness=lane, addresses=(address,)
    )
    with theirs:
        await trio.sleep(3)
        assert route.stages is not None
        correspondence = Correspondence(route.stages, COMPOSER, route.hello_name)
        series = DeliverySeries(route, plan_of(1), correspondence, Trace(), tally, lambda: None, None)
        series.begin(10.0)
        outcome = await series.perform()
        assert theirs.recv(1) == b"", "it is closed"
    assert outcome == Outcome(
        OutcomeKind.TIMED_OUT, phase, "the session took longer than its limit", broken=Break.CUT
    )
    assert (lane.limit_s, trio.current_time()) == (10, ends_s)
