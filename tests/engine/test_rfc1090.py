"""The profile of SMTP over X.25 (RFC 1090): its timers, packets and resets, in virtual time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.routes import phase_limits
from loadgen.message.compose import Composer
from loadgen.scenario.model import Scenario, SmtpDeliver
from loadgen.scenario.problems import ScenarioError
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.deliver import deliver
from loadgen.session.outcome import Outcome, OutcomeKind
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.stream import Transport
from tests.engine.house import House, route_to, scenario_of
from tests.transport.test_segments import Noting

X25 = '[target]\nsmtp = "smtp://127.0.0.1:2525"\nprofile = "rfc1090"'
LOAD = '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n[[session]]\nkind = "smtp-deliver"\n'
PLAN = DeliveryPlan(
    kind="smtp-deliver", arrival=0, session_name="x", dialect="SMTP", account=None, auth="none", pipelining="never",
    reverse_path="load@example.test", messages=(MessagePlan(0, ("user1@example.test",), 10_000),), chunk_octets=None,
)  # fmt: skip


def limits_of(scenario: Scenario) -> PhaseLimits:
    return phase_limits(scenario.limits)


def test_the_profile_fills_in_the_timers_of_the_rfc() -> None:
    scenario = scenario_of(LOAD, head=X25)
    ten_minutes = dict.fromkeys(("tls", "ehlo", "auth", "mail", "rcpt", "data", "block", "body", "rset", "noop"), 600.0)
    assert limits_of(scenario) == PhaseLimits(connect=100.0, greeting=120.0, quit=20.0, **ten_minutes)
    assert (scenario.target.segment_octets, scenario.limits.session.s) == (2_048, 3_600)


def test_deliveries_are_tried_again_as_after_a_reset() -> None:
    (session,) = scenario_of(LOAD, head=X25).sessions
    assert isinstance(session, SmtpDeliver)
    assert session.retry is not None


def test_what_a_scenario_says_itself_stands() -> None:
    text = LOAD + 'retry = {attempts = 2}\n[limits]\nquit = "5s"\n'
    scenario = scenario_of(text, head=X25 + "\nsegment_octets = 128")
    (session,) = scenario.sessions
    assert isinstance(session, SmtpDeliver)
    assert session.retry is not None
    assert (session.retry.attempts, limits_of(scenario).quit, scenario.target.segment_octets) == (2, 5.0, 128)


def test_segments_can_be_had_without_the_profile() -> None:
    scenario = scenario_of(LOAD, head=X25.replace('profile = "rfc1090"', "segment_octets = 512"))
    assert (scenario.target.segment_octets, limits_of(scenario)) == (512, PhaseLimits())


@pytest.mark.parametrize("line", ['profile = "rfc1091"', "segment_octets = 0"])
def test_a_profile_and_segments_that_there_are_not_are_refused(line: str) -> None:
    with pytest.raises(ScenarioError, match=r"target\.(profile|segment_octets)"):
        scenario_of(LOAD, head=X25.replace('profile = "rfc1090"', line))


async def delivered(route: Route) -> tuple[Outcome, Trace]:
    trace = Trace()
    composer = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
    return await deliver(route, PLAN, composer, trace, 0), trace


async def test_a_message_goes_in_packets_and_each_command_in_one(autojump_clock: MockClock) -> None:
    noted: list[Noting] = []
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        plain = house.route("smtp")

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            transport = await plain.dial(route, arrival, deadline)
            noted.append(Noting(Through(transport)))
            return Transport.over(noted[0])

        outcome, _ = await delivered(replace(route_to("smtp", dial), segment_octets=2_048))
        assert outcome.kind is OutcomeKind.ACCEPTED
        nursery.cancel_scope.cancel()
    written = noted[0].written
    message = [each for each in written if len(each) > 100]
    assert [len(each) for each in message][:-1] == [2_048] * 4
    assert all(each.endswith(b"\r\n") and each.count(b"\r\n") == 1 for each in written if each not in message)
    assert house.drops.taken == 1


class Through(trio.abc.Stream):
    """A transport as a stream."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._transport.send(bytes(data), 1e9)

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._transport.receive(1e9)

    async def aclose(self) -> None:
        await self._transport.aclose()


@pytest.mark.parametrize(
    ("said", "phase", "after_s"), [([], "smtp.greeting", 120), ([b"220 mail.example.test\r\n"], "smtp.ehlo", 600)]
)
async def test_a_silent_server_is_given_up_at_the_rfcs_time(
    said: list[bytes], phase: str, after_s: float, autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        async def silent(stream: trio.abc.Stream) -> None:
            for octets in said:
                await stream.send_all(octets)
            await trio.sleep_forever()

        async def dial(route: Route, arrival: int, deadline: float) -> Transport:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(silent, theirs)
            return Transport.over(ours)

        route = replace(route_to("smtp", dial), limits=limits_of(scenario_of(LOAD, head=X25)), segment_octets=2_048)
        outcome, _ = await delivered(route)
        assert (outcome.kind, outcome.phase) == (OutcomeKind.TIMED_OUT, phase)
        assert trio.current_time() == after_s
        nursery.cancel_scope.cancel()
