"""The native lane and the ordinary code are the same session: same octets, same outcome, same books, any server.

As test_plain_delivery holds it of the lane in Python; over TCP and in real time, because that is all it knows.
"""

import os
import re
import socket

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.endpoint import Endpoint
from loadgen.session import plain_delivery
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.session.trace import Trace
from loadgen.transport.addresses import numeric_address
from loadgen.transport.epoll import EpollReadiness, serve_epoll
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.overheard import Happening
from loadgen.transport.stream import Transport
from tests.session.native_stage import HOST, Server, both_ways, needs_native
from tests.session.test_plain_delivery import HOPED_FOR, OTHERWISE, play_of
from tests.session.theatre import LIMITS

SHORT = PhaseLimits(
    connect=5, greeting=0.2, tls=1, ehlo=0.2, auth=1, mail=0.2, rcpt=0.2, data=0.2, block=0.2, body=0.2, rset=0.2,
    noop=1, quit=0.2, pop3=1,
)  # fmt: skip
REPLY = re.compile(rb"([0-9]{3}-[^\n]*\n)*[0-9]{3}( [^\n]*)?\r?\n")      # one, lawful or nearly
AS_HOPED = [[reply] for reply in HOPED_FOR]
TWO_AS_HOPED = [[reply] for reply in HOPED_FOR[:7] + HOPED_FOR[2:]]
pytestmark = needs_native


def test_all_that_is_hoped_for_is_the_same_session_of_both() -> None:
    met = both_ways(play_of(1), Server(AS_HOPED))
    assert met.outcome == ACCEPTED
    assert [name for name, _, _ in met.trace.timings] == [
        f"smtp.{phase}" for phase in ["connect", "greeting", "ehlo", "mail", "rcpt", "rcpt", "data", "body", "quit"]
    ]
    assert met.trace.messages_accepted == met.trace.messages_offered == 1


def test_where_all_is_as_hoped_no_transport_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(Transport, "rehearse", lambda self, conversation: made.append(self))
    both_ways(play_of(3), Server([[reply] for reply in HOPED_FOR[:7] + HOPED_FOR[2:7] + HOPED_FOR[2:]]))
    assert made == []


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
def test_one_answer_that_is_otherwise(number: int) -> None:
    for octets in OTHERWISE[1:]:
        both_ways(play_of(1, retrying=True), Server([*AS_HOPED[:number], [octets]]))
        if REPLY.fullmatch(octets):      # else more of it is waited for
            both_ways(play_of(2), Server([*AS_HOPED[:number], [octets], *AS_HOPED[number + 1 :]]))


@pytest.mark.parametrize("number", range(1, len(HOPED_FOR)))
def test_a_server_that_closes_anywhere(number: int) -> None:
    assert both_ways(play_of(1), Server(AS_HOPED[:number])).outcome != ACCEPTED


@pytest.mark.parametrize("number", range(len(HOPED_FOR)))
def test_a_server_that_falls_silent_anywhere(number: int) -> None:
    met = both_ways(play_of(1), Server(AS_HOPED[:number], closes=False), SHORT)
    assert met.outcome is not None
    assert met.outcome.kind is OutcomeKind.TIMED_OUT


@pytest.mark.parametrize("number", range(1, len(HOPED_FOR)))
def test_cancelled_at_any_answer_the_books_are_the_same(number: int) -> None:
    met = both_ways(play_of(1), Server(AS_HOPED, cancels_at=number))
    assert met.outcome is None
    assert len(met.trace.timings) == 1 + number
    assert met.trace.octets_sent


@pytest.mark.parametrize("size", [30_000, BLOCK_OCTETS - 5_000, 3 * BLOCK_OCTETS])
def test_a_long_message_goes_the_same_way(size: int) -> None:
    assert both_ways(play_of(1, size=size), Server(AS_HOPED)).outcome == ACCEPTED


@st.composite
def servers(draw: st.DrawFn, messages: int = 2) -> Server:
    """What is hoped for, cut anywhere, and here and there something else in its place."""
    answers: list[list[bytes]] = []
    for reply in HOPED_FOR[:2] + HOPED_FOR[2:7] * messages + HOPED_FOR[7:]:
        if draw(st.integers(0, 9)) == 0:
            answers.append([draw(st.sampled_from([octets for octets in OTHERWISE if REPLY.fullmatch(octets)]))])
        else:
            cut = draw(st.integers(1, len(reply) - 1))
            answers.append([reply[:cut], reply[cut:]])
    return Server(answers[: draw(st.integers(0, len(answers)))])


@settings(deadline=None, max_examples=40)
@given(servers(), st.integers(1, 3))
def test_whatever_a_server_says(server: Server, messages: int) -> None:
    both_ways(play_of(messages), server)


@settings(deadline=None, max_examples=40)
@given(servers(3), st.integers(2, 4), st.integers(1, 2), st.booleans())
def test_whatever_a_server_says_in_a_session_of_legs(
    server: Server, messages: int, at_once: int, retrying: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_delivery, "LEG_MESSAGES", at_once)
        both_ways(play_of(messages, retrying=retrying), server, all_is_kept=False)


@pytest.mark.parametrize("number", range(7, len(TWO_AS_HOPED)))
def test_closed_silent_or_cancelled_in_a_later_leg(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(plain_delivery, "LEG_MESSAGES", 1)
    for server in (
        Server(TWO_AS_HOPED[:number]), Server(TWO_AS_HOPED[:number], closes=False),
        Server(TWO_AS_HOPED, cancels_at=number),
    ):  # fmt: skip
        met = both_ways(play_of(2), server, SHORT, all_is_kept=False)
        assert met.outcome != ACCEPTED
        assert len(met.trace.replies) == number
        assert met.trace.messages_accepted == (number - 2) // 5


@pytest.mark.parametrize("size", [300, 30_000])
@pytest.mark.parametrize("answers", [AS_HOPED, AS_HOPED[:4]], ids=["as-hoped", "cut-off"])
def test_who_listens_hears_the_same_of_both(size: int, answers: list[list[bytes]]) -> None:
    met = both_ways(play_of(1, size=size), Server(answers))
    assert [happening for happening, _ in met.heard][:3] == [Happening.RECEIVED, Happening.SENT, Happening.RECEIVED]


async def outcomes(port: int, sources: tuple[str, ...] = ()) -> list[object]:
    """Return how a session ends that cannot connect, by the native lane and without it."""
    address = numeric_address(HOST, port)
    assert address is not None
    ended: list[object] = []
    async with trio.open_nursery() as serving:
        readiness: EpollReadiness = await serving.start(serve_epoll)
        for addresses in ((address,), None):
            route = Route(
                Endpoint("smtp", HOST, port, None, implicit_tls=False), LIMITS, readiness=readiness,
                addresses=addresses, sources=sources,
            )
            assert (route.native_lanes() is None) == (addresses is None)
            trace = Trace()
            outcome = await play_of(1).session(route, trace)
            ended.append((outcome, trace.phase, trace.timings, trace.octets_sent))
        serving.cancel_scope.cancel()
    return ended


@pytest.mark.parametrize("sources", [(), ("192.0.2.1",)], ids=["nobody-listens", "no-such-source"])
def test_who_cannot_connect_is_told_the_same(sources: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        natively, ordinarily = trio.run(outcomes, taken.getsockname()[1], sources)
    assert natively == ordinarily


def test_no_descriptor_stays_open_when_the_poller_ends_amid_a_session() -> None:
    before = sorted(os.listdir("/proc/self/fd"))

    async def cut() -> None:
        with socket.create_server((HOST, 0)) as listening:
            port = listening.getsockname()[1]
            address = numeric_address(HOST, port)
            assert address is not None
            async with trio.open_nursery() as serving:
                readiness: EpollReadiness = await serving.start(serve_epoll)
                route = Route(
                    Endpoint("smtp", HOST, port, None, implicit_tls=False), LIMITS, readiness=readiness,
                    addresses=(address,),
                )

                async def session() -> None:
                    with pytest.raises(trio.ClosedResourceError):
                        await play_of(1).session(route, Trace())

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(session)
                    await trio.testing.wait_all_tasks_blocked()
                    serving.cancel_scope.cancel()

    trio.run(cut)
    assert sorted(os.listdir("/proc/self/fd")) == before
