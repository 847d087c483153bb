"""What a busy server lawfully does is held against nobody; what no load excuses still is."""

import pytest
import trio
from trio.testing import MockClock

from conformance.judgement import Did, Judgement, declined, satisfied, violated, weakened
from conformance.monitors.follow import Side
from conformance.pressure import Pressure, unless_only_pressed
from conformance.transcript import Transcript


def conversation(*, waits: tuple[float, ...] = (0.01,), silences: tuple[float, ...] = ()) -> Transcript:
    transcript = Transcript()
    transcript.received(b"220 mail.example.test\r\n", 0.0)
    transcript.waits += waits
    transcript.silences += silences
    return transcript


def turned_away() -> Transcript:
    transcript = Transcript()
    transcript.note("the server closed", 0.0, Side.CLOSED)
    return transcript


async def judged(judgement: Judgement, *transcripts: Transcript, slowest_s: float = 0.01) -> Judgement:
    pressure = Pressure()
    pressure.heard(slowest_s)
    return unless_only_pressed(judgement, transcripts, pressure, began_s=trio.current_time())


@pytest.mark.parametrize(
    ("judgement", "transcript", "slowest_s", "excuse"),
    [
        (violated("452 4.3.1 not now to RCPT"), conversation(), 0.01, "put a client off"),
        (violated("-ERR [IN-USE] a session has the maildrop"), conversation(), 0.01, "put a client off"),
        (violated("said nothing for 0.3 s"), conversation(silences=(0.3,)), 0.2, "up to 0.2 s to answer"),
        (violated("no close"), conversation(silences=(0.3,), waits=(0.15,)), 0.01, "up to 0.15 s to answer"),
        (weakened("250 ok after 5.1 s"), conversation(), 2.0, "up to 2 s to answer"),
        (violated("it did not arrive in the time allowed"), conversation(), 0.01, "mail may take longer"),
        (violated("closed the connection"), turned_away(), 0.01, "refuse a connection"),
    ],
)
async def test_what_may_be_the_load_is_undetermined(
    judgement: Judgement, transcript: Transcript, slowest_s: float, excuse: str, autojump_clock: MockClock
) -> None:
    made = await judged(judgement, transcript, slowest_s=slowest_s)
    assert made.did is Did.UNDETERMINED
    assert judgement.got in made.got
    assert excuse in made.got


@pytest.mark.parametrize(
    ("judgement", "transcript"),
    [
        (violated("250 2.1.0 ok to MAIL without a path"), conversation()),
        (violated("said nothing for 0.3 s"), conversation(silences=(0.3,))),       # thirty times its slowest answer
        (violated("closed the connection to NOOP"), conversation()),                # amid a session, without 421
        (satisfied("it did not arrive"), conversation(silences=(0.1,))),
        (declined("452 to RCPT"), conversation()),
    ],
)  # fmt: skip
async def test_what_no_load_excuses_counts(
    judgement: Judgement, transcript: Transcript, autojump_clock: MockClock
) -> None:
    assert await judged(judgement, transcript) is judgement


async def test_mail_that_was_missed_excuses_whatever_was_made_of_it(autojump_clock: MockClock) -> None:
    missing = conversation()
    missing.mail_missed = True
    assert (await judged(violated("1 of 2 stored"), missing)).did is Did.UNDETERMINED


async def test_an_answer_that_is_still_waited_for_counts_as_slow(autojump_clock: MockClock) -> None:
    pressure = Pressure()
    pressure.heard(0.01)
    pressure.asked_s = trio.current_time()
    await trio.sleep(7)
    assert pressure.slowest_since(trio.current_time()) == 7
    assert pressure.recent_slowest_s == 7
    pressure.asked_s = None
    assert pressure.slowest_since(trio.current_time()) == 0.0


async def test_the_pace_is_that_of_the_last_seconds(autojump_clock: MockClock) -> None:
    pressure = Pressure()
    pressure.heard(3.0)
    await trio.sleep(11)
    for waited_s in (0.1, 0.2, 0.3):
        pressure.heard(waited_s)
    assert (pressure.median_s, pressure.recent_slowest_s) == (0.2, 0.3)
    assert pressure.of_all() == [3.0, 0.1, 0.2, 0.3]
