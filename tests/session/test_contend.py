"""`pop3-contend`: three connections in turn, each to a server that plays its part."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from loadgen.endpoint import Endpoint
from loadgen.schedule.other_plans import ContendPlan
from loadgen.session.contend import LET_IN
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.perform import perform
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.stream import Transport
from tests.session.test_cancellation import CancelAt
from tests.session.theatre import ACCOUNT, COMPOSER, LIMITS, SERVER_NAME, ClientLeftError, Turn, play, turns_of

PLAN = ContendPlan(0, "c", ACCOUNT, "user")
LOGIN = "S: +OK ready\nC: USER user1\nS: +OK\nC: PASS secret1\n"
BYE = "C: QUIT\nS: +OK\n"
FIRST = turns_of(f"{LOGIN}S: +OK\n{BYE}*: wait 5\n*: close\n")
SECOND = turns_of(f"{LOGIN}S: -ERR [IN-USE] taken\n{BYE}")
LAST = turns_of(f"{LOGIN}S: +OK\n{BYE}")


async def contend(
    *parts: Sequence[Turn], cancel_at: int | None = None
) -> tuple[Outcome | None, Trace, list[trio.abc.Stream]]:
    """Let a session meet one part after the other; return what came of it, and our ends of the connections."""
    trace, ends, outcome = Trace(), list[trio.abc.Stream](), None

    async def server(stream: trio.abc.Stream, turns: Sequence[Turn]) -> None:
        try:
            await play(stream, turns)
        except (ClientLeftError, trio.BrokenResourceError):
            assert cancel_at is not None

    async with trio.open_nursery() as nursery:

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            await trio.lowlevel.checkpoint()
            ours, theirs = memory_stream_pair()
            nursery.start_soon(server, theirs, parts[len(ends)])
            ends.append(ours)
            return Transport.over(ours, peer="the server", host=SERVER_NAME)

        route = Route(Endpoint("pop3", SERVER_NAME, 110, None, implicit_tls=False), LIMITS, dial=dial)
        with trio.CancelScope() as scope:
            if cancel_at is not None:
                trio.lowlevel.add_instrument(instrument := CancelAt(scope, cancel_at))
            try:
                outcome = await perform(PLAN, {"pop3": route}, COMPOSER, trace, 0)
            finally:
                if cancel_at is not None:
                    trio.lowlevel.remove_instrument(instrument)
    for end in ends:
        with pytest.raises(trio.ClosedResourceError):
            await end.send_all(b"?")
    return outcome, trace, ends


async def test_the_second_is_kept_out_until_the_first_has_left(autojump_clock: MockClock) -> None:
    outcome, trace, ends = await contend(FIRST, SECOND, LAST)
    assert outcome == ACCEPTED
    assert len(ends) == 3
    assert ("pop3.auth", "-ERR", "IN-USE") in trace.replies
    assert trio.current_time() == 5, "the last waits for the close of the first"
    assert [name.partition(".")[2] for name, _, _ in trace.timings] == [
        "connect", "greeting", "auth", "quit", "connect", "greeting", "auth", "quit",
    ], "the one that is kept out is not timed"  # fmt: skip


async def test_a_server_may_hang_up_on_the_second(autojump_clock: MockClock) -> None:
    outcome, trace, _ = await contend(FIRST, turns_of(f"{LOGIN}S: -ERR taken\n*: close\n"), LAST)
    assert outcome == ACCEPTED
    assert ("pop3.quit", "closed", None) in trace.replies


async def test_a_second_that_is_let_in_is_a_failure(autojump_clock: MockClock) -> None:
    outcome, _, ends = await contend(FIRST, LAST)
    assert outcome == Outcome(OutcomeKind.FAILED, "pop3.auth", LET_IN)
    assert len(ends) == 2


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ([SECOND], "-ERR [IN-USE]"),                                                      # somebody else has it
        ([FIRST, turns_of(f"{LOGIN}S: -ERR [SYS/TEMP] later\n{BYE}")], "-ERR [SYS/TEMP]"),
        ([FIRST, turns_of(f"S: -ERR too many\n{BYE.replace('S: +OK', '*: close')}")[:1]], "-ERR"),
        ([FIRST, SECOND, SECOND], "-ERR [IN-USE]"),                                       # still locked after the close
    ],
)  # fmt: skip
async def test_a_refusal_that_was_not_to_be_expected_is_one(
    parts: list[Sequence[Turn]], cause: str, autojump_clock: MockClock
) -> None:
    outcome, _, ends = await contend(*parts)
    assert outcome is not None
    assert (outcome.kind, outcome.cause) == (OutcomeKind.REFUSED, f"the server answered {cause}")
    assert len(ends) == len(parts)


async def test_a_first_that_is_never_closed_times_out_in_quit(autojump_clock: MockClock) -> None:
    async def deaf(first: Sequence[Turn]) -> Outcome | None:
        outcome, _, _ = await contend(first, SECOND)
        return outcome

    outcome = await deaf([*FIRST[:-2], ("*", b"deaf")])
    assert outcome is not None
    assert (outcome.kind, outcome.phase) == (OutcomeKind.TIMED_OUT, "pop3.quit")
    assert trio.current_time() == pytest.approx(LIMITS.quit)


async def test_words_after_the_goodbye_are_the_server_s_error(autojump_clock: MockClock) -> None:
    outcome, _, _ = await contend([*FIRST[:-2], ("S", b"+OK and another thing\r\n")], SECOND)
    assert outcome is not None
    assert (outcome.kind, outcome.cause) == (OutcomeKind.FAILED, "a response nothing is owed (RFC 1939 §3)")


async def test_cancelled_at_any_await_it_closes_every_connection(autojump_clock: MockClock) -> None:
    _, whole, _ = await contend(FIRST, SECOND, LAST)
    k, outcome = 0, None
    while outcome is None:
        outcome, trace, _ = await contend(FIRST, SECOND, LAST, cancel_at=k)      # checks that all streams are closed
        assert trace.replies == whole.replies[: len(trace.replies)]
        k += 1
    assert outcome == ACCEPTED
    assert k > 30
