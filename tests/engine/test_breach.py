"""`abort_on_breach` in virtual time: which gate ends the load, when and by how much; never too soon."""

import math
import threading
from dataclasses import replace
from functools import partial

import msgspec
import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from loadgen.engine.breach import BreachWatch
from loadgen.engine.progress import NOTHING_YET, Overview, Progress
from loadgen.engine.result import load_result
from loadgen.engine.shard import Shard, run_shard
from loadgen.engine.standing import standing_together
from reports.document import Document
from reports.gate import judge
from reports.gate_spelt import gate_of
from reports.load_result import Aborted, LoadResult, SessionCounts, Throughput
from reports.verdict import UNJUDGED
from tests.engine.house import House
from tests.engine.test_shard import shard_of
from tests.engine.test_workers import SETTLED, in_a_house, shared_out

# Ten sessions a second; what is due while the server stalls for 0.95 s ends together, late by 0.05 to 0.95 s.
STEADY = """
[load]
model = "open"
arrivals = [{{shape = "constant", rate = 10, for = "20s"}}]
warm_up = "{warm_up}"
[[session]]
kind = "smtp-deliver"
[[gate]]
{gate}
abort_on_breach = {abort}
"""
# 10 of all so far are late, so 9 in 10 are quick from the 100th on: it does not hold at 6, 7, 8 and 9 s.
P90 = 'metric = "smtp.session.response"\npercentile = 90\nbelow = "40ms"'
FEW = 'metric = "messages.accepted"\nat_most = 50'     # broken by the 51st, at 5.0 s
SLOW = (5.0, 5.95)


def steady(gate: str, abort: str, warm_up: str = "0s") -> Shard:
    return shard_of(STEADY.format(gate=gate, abort=abort, warm_up=warm_up))


async def ended_by(shard: Shard, stall: tuple[float, float] = SLOW) -> tuple[Aborted | None, LoadResult]:
    """Drive a load, with the gates looked at as a run has them."""
    watch, stop = BreachWatch(shard.scenario), trio.Event()

    def observe(progress: Progress) -> None:
        if watch.look(progress) is not None:
            stop.set()

    async with trio.open_nursery() as nursery:
        books = await run_shard(shard, House(nursery, stall=stall).routes(), stop=stop, observe=observe)
    return watch.aborted, load_result(shard.scenario.load, books)


@pytest.mark.parametrize(
    ("abort", "warm_up", "at_s", "breached_s"),
    [
        ('{delay = "0s"}', "0s", 6, 0),
        ('{delay = "8s"}', "0s", 8, 0),                       # not looked at before
        ('{delay = "2s"}', "5s", 7, 0),                       # counted from the end of the warm-up
        ('{delay = "0s", hold = "3s"}', "0s", 9, 3),
        ('{delay = "0s", hold = "4s"}', "0s", None, None),    # it held again at 10 s
        ("{}", "0s", None, None),                             # and so the default, 10 s, never saw it broken
    ],
)
async def test_the_load_ends_when_the_gate_has_not_held_for_so_long(
    abort: str, warm_up: str, at_s: float | None, breached_s: float | None, autojump_clock: MockClock
) -> None:
    found, load = await ended_by(steady(P90, abort, warm_up))
    if at_s is None:
        assert found is None
        assert load.sessions.arrived == 200
        return
    assert found is not None
    assert (found.at_s, found.breached_s) == (at_s, breached_s)
    assert at_s * 10 <= load.sessions.arrived <= at_s * 10 + 1, "no arrival after it but one due at that instant"
    assert load.sessions.accepted == load.sessions.arrived, "what was in flight has ended in order"
    assert load.steady_s == pytest.approx(at_s - float(warm_up[:-1]), abs=0.001)


async def test_it_says_which_gate_when_and_by_how_much(autojump_clock: MockClock) -> None:
    found, _ = await ended_by(steady(FEW, '{delay = "0s", hold = "2s"}'), stall=(0.0, 0.0))
    assert found is not None
    assert found.sentence == (
        f"the load was ended 8 s after its start, because messages.accepted was {found.measured}, the gate allows at "
        "most 50, and had not held for 2 s (abort_on_breach)"
    )
    assert (found.metric, found.condition, found.question) == ("messages.accepted", "at most 50", "fast_enough")
    assert 79 <= int(found.measured) <= 81


async def test_a_gate_that_holds_ends_nothing_and_one_without_the_wish_neither(autojump_clock: MockClock) -> None:
    holds = steady(FEW.replace("50", "500"), '{delay = "0s"}')
    assert (await ended_by(holds))[0] is None
    wishless = STEADY.replace("abort_on_breach = {abort}", "")
    unasked = shard_of(wishless.format(gate=FEW, warm_up="0s"))
    found, load = await ended_by(unasked)
    assert found is None
    assert load.sessions.arrived == 200


async def test_a_gate_without_data_ends_nothing(autojump_clock: MockClock) -> None:
    gate = 'metric = "smtp.tls.response"\npercentile = 99\nbelow = "1ns"'
    assert (await ended_by(steady(gate, '{delay = "0s"}')))[0] is None


METRICS = (
    "smtp.session.response:p50", "smtp.mail.service:p99", "session.smtp-deliver.response:max", "errors.share",
    "sessions.accepted.share", "messages.accepted.per_s", "replies.smtp.mail.2yz.share", "failures.smtp.mail",
    "sessions.response:p50",
    "health.schedule_lag:max", "goodput", "session.smtp-deliver.errors.share", "errors.per_s", "replies.250",
)   # fmt: skip
def so_far(load: LoadResult | None) -> list[float | None]:
    document = Document(
        kind="load", mailproof="", run_id="", started="", verdicts=UNJUDGED, exit_code=3, load=load
    )
    return [judge(gate_of(f"{metric} >= {bound(metric)}"), document).value for metric in METRICS]


def bound(metric: str) -> str:
    return "0ns" if ":" in metric else "0"


def watching(text: str) -> Shard:
    """Return a shard that tells every second of all these metrics; no gate ends it."""
    shard = shard_of(text)
    gates = tuple(gate_of(f"{metric} >= {bound(metric)} abort_on_breach delay=1h") for metric in METRICS)
    return replace(shard, scenario=structs.replace(shard.scenario, gates=gates))


async def test_what_is_looked_at_while_the_load_goes_on_is_what_it_comes_to(autojump_clock: MockClock) -> None:
    shown: list[Progress] = []
    shard = watching(SETTLED)
    async with trio.open_nursery() as nursery:
        books = await run_shard(
            shard, House(nursery, latency_s=0.003).routes(), stop=trio.Event(), observe=shown.append
        )
    whole = so_far(load_result(shard.scenario.load, books))
    assert None not in whole
    [*_, last] = [progress.load for progress in shown if progress.load is not None]
    assert so_far(last)[3:5] == whole[3:5], "nobody failed, before the end nor after"
    seen = [so_far(progress.load) for progress in shown if progress.load is not None][2:]
    assert all(None not in each for each in seen)
    assert [each[-1] for each in seen] == sorted(each[-1] or 0 for each in seen), "replies only become more"


def test_however_many_workers_gates_look_at_the_same() -> None:
    shard = watching(SETTLED)

    def told(worker: int, workers: int) -> list[LoadResult]:
        shown: list[Progress] = []

        async def act() -> None:
            part = replace(shard, worker=worker, workers=workers)
            async with trio.open_nursery() as nursery:
                await run_shard(part, House(nursery).routes(), stop=trio.Event(), observe=shown.append)

        trio.run(act, clock=MockClock(autojump_threshold=0))
        return [progress.load for progress in shown if progress.load is not None]

    one, halves = told(0, 1), zip(told(0, 2), told(1, 2), strict=True)
    together = [msgspec.json.decode(msgspec.json.encode(standing_together(both)), type=LoadResult) for both in halves]
    assert len(one) == len(together) > 5
    for alone, shared in zip(one, together, strict=True):
        assert so_far(shared) == pytest.approx(so_far(alone))


class Pace:
    """Holds workers whose clocks are their own to the same second: none tells of the next before this one is shown.

    Workers in virtual time are threads, each as quick as it may be. One that is more than two seconds ahead makes the
    other a silent one, and then no gate is looked at.
    """

    def __init__(self) -> None:
        self._shown = threading.Condition()
        self._shown_s = 0.0

    def show(self, elapsed_s: float) -> None:
        """Let all go on to the second after this one."""
        with self._shown:
            self._shown_s = elapsed_s
            self._shown.notify_all()

    def keep(self, progress: Progress) -> None:
        """Wait, in a worker's thread, until what was told a second ago is shown."""
        with self._shown:
            assert self._shown.wait_for(lambda: self._shown_s >= progress.elapsed_s - 1, timeout=20)


def test_the_gate_ends_the_load_in_all_workers() -> None:
    shard = steady(FEW, '{delay = "0s"}')
    watch, pace = BreachWatch(shard.scenario), Pace()

    async def act() -> None:
        stop = trio.Event()

        def observe(progress: Progress) -> None:
            if watch.look(progress) is not None:
                stop.set()
            pace.show(progress.elapsed_s if watch.aborted is None else math.inf)

        await shared_out(shard, 2, stop=stop, observe=observe, call=partial(in_a_house, each_second=pace.keep))

    trio.run(act)
    assert watch.aborted is not None
    assert (watch.aborted.at_s, watch.aborted.measured) == (6, "60"), "of all workers together: each has sent thirty"


def test_a_worker_that_has_ended_its_arrivals_before_the_others_still_counts() -> None:
    # Ten messages a second in each of two workers; one has ended after 4 of 8 s.
    one = LoadResult(
        model="", steady_s=8.0, sessions=SessionCounts(arrived=80, accepted=80),
        throughput=Throughput(messages_accepted_per_s=10.0),
    )   # fmt: skip
    ended = structs.replace(one, steady_s=4.0, sessions=SessionCounts(arrived=40, accepted=40))
    whole = standing_together([one], [ended])
    assert whole.throughput is not None
    assert (whole.steady_s, whole.throughput.messages_accepted_per_s) == (8.0, 15.0)     # 120 in 8 s
    shown: list[Progress] = []
    overview = Overview(2, shown.append)
    overview.told(0, replace(NOTHING_YET, stage="steady", elapsed_s=2.0, load=one))
    overview.told(1, replace(NOTHING_YET, stage="drain", elapsed_s=2.0, load=ended))
    assert (shown[-1].stage, shown[-1].load) == ("steady", whole)


async def test_what_has_ended_is_told_in_the_drain_too(autojump_clock: MockClock) -> None:
    shown: list[Progress] = []
    shard = steady(FEW.replace("50", "500"), "{}")
    async with trio.open_nursery() as nursery:
        await run_shard(
            shard, House(nursery, stall=(19.5, 24.0)).routes(), stop=trio.Event(), observe=shown.append
        )
    assert {progress.load is None for progress in shown if progress.stage == "drain"} == {False}


@pytest.mark.parametrize("missing", [{"workers_silent": 1}, {"workers_lost": 1}])
def test_what_a_silent_or_lost_worker_leaves_out_is_no_breach(missing: dict[str, int]) -> None:
    shard = steady('metric = "messages.accepted.per_s"\nat_least = 15', '{delay = "0s"}')
    half = LoadResult(
        model="", steady_s=8.0, sessions=SessionCounts(arrived=80, accepted=80),
        throughput=Throughput(messages_accepted_per_s=10.0),
    )   # fmt: skip
    seen = replace(NOTHING_YET, stage="steady", elapsed_s=8.0, load=half)
    assert BreachWatch(shard.scenario).look(replace(seen, **missing)) is None   # type: ignore[arg-type]
    assert BreachWatch(shard.scenario).look(seen) is not None
