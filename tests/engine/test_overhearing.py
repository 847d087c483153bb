"""A load overheard: what is judged, in which order, and at which price."""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import MockClock

from conformance.load_monitors import LoadMonitors
from conformance.refserver.behaviour import Behaviour
from conformance.refserver.fault import Fault
from loadgen.endpoint import Protocol
from loadgen.engine.overhearing import ODD_KEPT, USUAL_KEPT, Heard, Overhearing
from loadgen.engine.result import load_result
from loadgen.engine.shard import ShardResult, run_shard
from loadgen.engine.workers import put_together
from loadgen.transport.conversation import Noted
from loadgen.transport.overheard import Event, Happening
from reports.monitors import MonitorsResult
from tests.engine.house import House
from tests.engine.test_shard import MIX, shard_of


@dataclass
class Notes:
    """A judge that keeps what it was given."""

    judged: list[bytes] = field(default_factory=list)

    def judge(self, protocol: Protocol, events: Sequence[Event]) -> Iterator[None]:
        for _, octets in events:
            yield
            self.judged.append(octets)

    def merge(self, other: Any) -> None:
        self.judged += other.judged

    def result(self, heard: Heard) -> MonitorsResult:
        return MonitorsResult(connections=heard.connections, judged=heard.judged)


def recording(overhearing: Overhearing, octets: bytes, *, odd: bool = False) -> None:
    made = overhearing.recording("smtp")
    made.events.append((Happening.RECEIVED, octets))
    made.odd = odd
    made.end()


async def test_what_was_odd_comes_first_and_what_there_is_no_room_for_is_passed_over(
    autojump_clock: MockClock
) -> None:
    notes = Notes()
    overhearing = Overhearing(Heard(notes))
    for number in range(USUAL_KEPT + 5):
        recording(overhearing, b"usual %d" % number)
    for number in range(ODD_KEPT + 5):
        recording(overhearing, b"odd %d" % number, odd=True)
    await overhearing.finish()
    assert notes.judged[0] == b"odd 0"
    assert notes.judged[ODD_KEPT] == b"usual 0"
    assert len(notes.judged) == ODD_KEPT + USUAL_KEPT
    heard = overhearing.heard
    assert (heard.judged, heard.odd, heard.odd_judged) == (ODD_KEPT + USUAL_KEPT, ODD_KEPT + 5, ODD_KEPT)


def test_no_more_are_listened_to_than_there_is_room_for() -> None:
    overhearing = Overhearing(Heard(Notes()))
    begun = [overhearing.recording("smtp") for _ in range(USUAL_KEPT + 3)]
    assert [made.wanted for made in begun] == [True] * USUAL_KEPT + [False] * 3
    for made in begun[:2]:                       # those that are not as hoped have a queue of their own
        made.odd = True
        made.end()
    assert [overhearing.recording("smtp").wanted for _ in range(3)] == [True, True, False]


async def test_it_judges_while_the_load_goes_on_and_takes_up_what_it_was_cancelled_in(
    autojump_clock: MockClock
) -> None:
    notes = Notes()
    overhearing = Overhearing(Heard(notes))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(overhearing.judge)
        await trio.sleep(1)
        recording(overhearing, b"one")
        await trio.sleep(1)
        assert notes.judged == [b"one"]
        recording(overhearing, b"two")
        nursery.cancel_scope.cancel()
    await overhearing.finish()
    assert notes.judged == [b"one", b"two"]
    assert overhearing.heard.judged == 2


async def test_judging_takes_a_three_hundredth_of_the_time_and_gives_way_to_others(
    autojump_clock: MockClock
) -> None:
    class Slow(Notes):
        def judge(self, protocol: Protocol, events: Sequence[Event]) -> Iterator[None]:
            autojump_clock.jump(0.0001)
            self.judged.append(b"one")
            yield

    slow = Slow()
    overhearing = Overhearing(Heard(slow))
    turns: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(overhearing.judge)
        while trio.current_time() < 10:
            while overhearing.wants_more:
                recording(overhearing, b"usual")
            before = len(slow.judged)
            await trio.sleep(0.001)
            turns.append(len(slow.judged) - before)
        nursery.cancel_scope.cancel()
    assert 0.0025 < len(slow.judged) * 0.0001 / 10 < 0.0034
    assert {5, 6} >= set(turns) - {0}, "a turn is half a millisecond"


async def test_to_take_over_what_was_noted_counts_as_judging(autojump_clock: MockClock) -> None:
    taken: list[float] = []

    def noted() -> Iterator[Noted]:
        autojump_clock.jump(0.0001)
        taken.append(0.0001)
        yield False, b"usual"

    overhearing = Overhearing(Heard(Notes()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(overhearing.judge)
        while trio.current_time() < 40:
            while overhearing.wants_more:
                overhearing.was_noted(noted(), overhearing.recording("smtp"), connected=True)
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert 0.0025 < sum(taken) / 40 < 0.0034


# One that ends the plain course, and one that the plain course does not mind.
BARE_LF = Fault("bare-lf", "RCPT is answered with a bare LF", outgoing=lambda _, verb, octets: (
    octets.replace(b"\r\n", b"\n") if verb == b"RCPT" else octets
))  # fmt: skip
NO_STATUS = Fault("no-status", "no enhanced code to RCPT", outgoing=lambda _, verb, octets: (
    octets.replace(b"250 2.1.5 ", b"250 ") if verb == b"RCPT" else octets
))  # fmt: skip


async def heard_in_a_load(behaviour: Behaviour) -> ShardResult:
    async with trio.open_nursery() as nursery:
        house = House(nursery, behaviour=behaviour)
        shard = shard_of(MIX)
        shard = type(shard)(shard.scenario, shard.book, shard.run_token, shard.date, make_judge=LoadMonitors)
        driven = await run_shard(shard, house.routes(), stop=trio.Event(), observe=lambda _: None)
        nursery.cancel_scope.cancel()
    return driven


async def test_a_lawful_server_is_accused_of_nothing_in_a_load(autojump_clock: MockClock) -> None:
    driven = await heard_in_a_load(Behaviour())
    assert driven.heard is not None
    result = driven.heard.result()
    assert result.departures == ()
    assert result.judged > 100
    assert result.connections >= result.judged
    assert result.replies > 1000
    assert result.requirements > 25


async def test_a_server_that_breaks_a_reply_is_found_in_a_load_with_its_transcript(autojump_clock: MockClock) -> None:
    driven = await heard_in_a_load(Behaviour(faults=(BARE_LF, NO_STATUS)))
    assert driven.heard is not None
    found = {(each.protocol, each.id): each for each in driven.heard.result().departures}
    assert set(found) == {
        (protocol, id_) for protocol in ("smtp", "lmtp") for id_ in ("smtp.reply.crlf", "smtp.esc.present")
    }
    bare = found["smtp", "smtp.reply.crlf"]
    assert bare.verdict == "fail"
    assert bare.looked > bare.broken > 10
    assert "RFC 5321 §4.2" in bare.sources
    assert "a line ended by LF alone" in bare.got
    assert any(line.startswith("S: 250") and "\\n" in line for line in bare.transcript)


async def test_what_workers_overheard_is_added_up_though_it_crossed_processes(autojump_clock: MockClock) -> None:
    one = pickle.loads(pickle.dumps(await heard_in_a_load(Behaviour(faults=(NO_STATUS,)))))
    other = pickle.loads(pickle.dumps(await heard_in_a_load(Behaviour())))
    alone = other.heard.result()
    before = one.heard.result()
    shared = put_together([other, one], shard_of(MIX))
    assert shared.whole.heard is not None
    whole = shared.whole.heard.result()
    assert whole.connections == alone.connections + before.connections
    assert whole.replies == alone.replies + before.replies
    assert [each.id for each in whole.departures] == [each.id for each in before.departures]
    assert [each.broken for each in whole.departures] == [each.broken for each in before.departures]
    assert load_result(shard_of(MIX).scenario.load, shared.whole).monitors == whole
