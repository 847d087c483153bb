"""A server that is crashed amid the load, in virtual time: when, for how long it is away, and what it costs."""

from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.engine.crash import HOW, OURS, Crasher, check_command, crash_result
from loadgen.engine.crash_command import Struck
from loadgen.engine.result import load_result
from loadgen.engine.settle import settle
from loadgen.engine.shard import crash_instants_ns, run_shard
from loadgen.engine.workers import Shared
from loadgen.scenario.model import Scenario
from reports.conclude import conclude
from reports.crash_result import CrashResult
from reports.document import Document, LedgerResult, LoadResult
from reports.errors import UserError
from reports.verdict import UNJUDGED, Verdict
from tests.engine.house import scenario_of
from tests.engine.mortal import Mortal
from tests.engine.test_shard import shard_of

LOAD = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 5, for = "20s"}]
drain = "60s"
[[session]]
kind = "smtp-deliver"
[ledger]
verify = true
[crash]
at = "10050ms"
"""
TWICE = f'{LOAD.replace("10050", "5050")}every = "10s"\nlimit = "5s"\n'
OWN = '[target]\nsmtp = "smtp://127.0.0.1:2525"\npop3 = "pop3://127.0.0.1:2110"'


@dataclass
class Run:
    """A run that was crashed."""

    load: LoadResult
    crash: CrashResult
    ledger: LedgerResult
    notes: list[str]
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        made = Document(
            kind="load", mailproof="0", run_id="x", started="2026-01-01T00:00:00Z", duration_s=1, verdicts=UNJUDGED,
            exit_code=4, load=self.load, ledger=self.ledger,
        )   # fmt: skip
        self.document = conclude(made, ())

    def said(self, question: str) -> str:
        return "\n".join(reason.sentence for reason in self.document.reasons if reason.verdict == question)


async def crashed(text: str, server: Mortal, crasher: Crasher | None = None, stop: trio.Event | None = None) -> Run:
    """Run a scenario against a server, as `run` does, and read the maildrops afterwards."""
    shard = shard_of(text)
    scenario, over = shard.scenario, trio.Event() if stop is None else stop
    notes: list[str] = []
    crasher = crasher or Crasher(crash_instants_ns(scenario), server.strike, notes.append)
    await server.start()
    async with trio.open_nursery() as crashing:
        crashing.start_soon(crasher.watch, over)
        books = await run_shard(
            shard, server.routes(), stop=over, observe=lambda progress: None, begin=crasher.begin_now
        )
        over.set()
    crash = crash_result(crasher, scenario, "kill", books.recorder)
    assert crash is not None
    pop3, never = server.route("pop3"), trio.Event()
    settled = await settle(shard, Shared(books, ()), pop3, directory=None, stop=never, crash=crash)
    return Run(load_result(scenario.load, books, crash=crash), crash, settled.result, notes)


async def test_the_command_is_run_at_its_instants_and_the_load_goes_on(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    server = Mortal(nursery, durable=True)
    run = await crashed(TWICE, server)
    assert server.killed_at == [5.05, 15.05]
    assert [moment.at_ns for moment in run.crash.moments] == [5_050_000_000, 15_050_000_000]
    assert [moment.took_ns for moment in run.crash.moments] == [3 * NS_PER_S] * 2
    assert run.load.sessions.arrived == 100, "whether the server was there or not"
    assert len(run.notes) == 2
    nursery.cancel_scope.cancel()


async def test_what_was_refused_and_cut_is_an_outage_and_no_error_and_recovery_is_timed(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    run = await crashed(TWICE, Mortal(nursery, durable=True))
    assert run.load.sessions.failed == run.load.sessions.outage == run.crash.refused + run.crash.cut
    assert run.crash.refused == 2 * 15, "three seconds of five a second"
    assert run.crash.cut >= 2, "those that were under way"
    for moment in run.crash.moments:
        [outage] = moment.outages
        assert outage.recovery_ns is not None
        # Back with the first session that began when it lived again: nine answers of 50 ms.
        assert 2.8 < outage.recovery_ns / NS_PER_S < 3.8
    timed = run.load.session_times["smtp-deliver"]
    assert timed.count == run.load.sessions.accepted, "to be refused is fast, and tells nothing"
    assert "SMTP after the crash at 5.05 s was back after 3." in run.said("fast_enough")
    assert run.document.verdicts.fast_enough is Verdict.PASS
    nursery.cancel_scope.cancel()


async def test_a_queue_that_survives_loses_nothing(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    run = await crashed(TWICE, Mortal(nursery, durable=True))
    assert run.ledger.accepted == run.ledger.delivered_once == run.load.messages.accepted
    assert run.ledger.lost == 0
    assert run.document.verdicts.correct is Verdict.PASS
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("seed", range(2))
async def test_a_server_in_memory_loses_and_is_caught_for_exactly_what_it_had_said_250_to(
    seed: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """What it had taken and not yet answered is nobody's: the reply was lost, not the mail (RFC 1047)."""
    server = Mortal(nursery, latency_s=0.05 + seed / 100)
    run = await crashed(LOAD, server)
    [taken] = server.taken
    never_answered = taken - run.ledger.lost
    assert 0 <= never_answered <= run.ledger.ambiguous <= 5
    assert run.ledger.lost > 40, "ten seconds of five a second, but for those under way"
    assert run.ledger.lost + run.ledger.delivered_once == run.ledger.accepted
    assert run.document.verdicts.correct is Verdict.FAIL
    assert f"{run.ledger.lost} of {run.ledger.accepted} accepted deliveries were lost" in run.said("correct")
    nursery.cancel_scope.cancel()


async def test_a_server_that_does_not_come_back_has_failed_and_of_its_mail_nothing_is_known(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    run = await crashed(f'{LOAD}recover_within = "5s"\n', Mortal(nursery, away_s=None))
    assert run.document.verdicts.fast_enough is Verdict.FAIL
    assert run.said("fast_enough") == "SMTP after the crash at 10.1 s was not back after 9.8 s, at most 5 s is expected"
    assert (run.ledger.lost, run.ledger.pending) == (0, run.ledger.accepted), "it may well have it on its disk"
    assert run.document.verdicts.correct is Verdict.INCONCLUSIVE
    assert "not looked for to the end" in run.said("correct")
    nursery.cancel_scope.cancel()


async def test_where_the_load_ends_before_the_server_had_its_time_nobody_knows(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    run = await crashed(f'{LOAD}recover_within = "30s"\n', Mortal(nursery, away_s=15.0, durable=True))
    assert run.document.verdicts.fast_enough is Verdict.INCONCLUSIVE
    assert "when the load ended; at most 30 s is expected, so the load must last longer" in run.said("fast_enough")
    assert run.ledger.accepted == run.ledger.delivered_once, "the maildrops are read when it is there again"
    assert run.document.verdicts.correct is Verdict.PASS
    nursery.cancel_scope.cancel()


async def test_a_command_that_fails_makes_the_run_inconclusive(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async def strike() -> Struck:
        return Struck(3, "no such service", "the command ended with status 3")

    notes: list[str] = []
    run = await crashed(LOAD, Mortal(nursery), Crasher((10_050_000_000,), strike, notes.append))
    assert run.document.verdicts.correct is Verdict.INCONCLUSIVE
    sentence = 'the crash at 10.1 s cannot be judged: the command ended with status 3, and said "no such service"'
    assert run.said("correct") == sentence
    assert notes[-1] == "crash: the command ended with status 3"
    nursery.cancel_scope.cancel()


async def test_a_command_that_does_nothing_proves_nothing(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    async def strike() -> Struck:
        return Struck(0)

    run = await crashed(LOAD, Mortal(nursery), Crasher((10_050_000_000,), strike, lambda _: None))
    assert run.document.verdicts.correct is Verdict.INCONCLUSIVE
    assert run.said("correct").startswith("nobody noticed the crash at 10.1 s: no connection was refused or cut")
    nursery.cancel_scope.cancel()


async def test_a_stop_before_its_instant_leaves_the_server_alone(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    server, stop = Mortal(nursery), trio.Event()

    async def press() -> None:
        await trio.sleep(4)
        stop.set()

    nursery.start_soon(press)
    run = await crashed(TWICE, server, stop=stop)
    assert server.killed_at == []
    assert "the server was never crashed: the load ended before its time" in run.said("correct")
    nursery.cancel_scope.cancel()


async def test_a_stop_amid_the_command_sees_it_to_its_end(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    """It has killed the server, and it is the one that starts it again."""
    server, stop = Mortal(nursery, away_s=4.0, durable=True), trio.Event()

    async def press() -> None:
        await trio.sleep(6)
        stop.set()

    nursery.start_soon(press)
    run = await crashed(TWICE, server, stop=stop)
    assert server.killed_at == [5.05]
    assert [moment.took_ns for moment in run.crash.moments] == [4 * NS_PER_S]
    assert run.ledger.lost == 0
    assert "crashed 1 of 2 times" in run.said("correct")
    nursery.cancel_scope.cancel()


def of_own_server(text: str) -> Scenario:
    return scenario_of(text, head=OWN)


def test_only_the_command_line_says_how_a_server_is_crashed() -> None:
    with pytest.raises(UserError) as told:
        check_command(of_own_server(LOAD), None)
    assert str(told.value) == HOW
    check_command(of_own_server(LOAD), "kill")
    check_command(of_own_server(LOAD.partition("[crash]")[0]), None)


def test_the_embedded_server_is_crashed_by_us_and_by_nobody_else() -> None:
    check_command(scenario_of(LOAD), None)
    with pytest.raises(UserError) as told:
        check_command(scenario_of(LOAD), "kill")
    assert str(told.value) == OURS
