"""The arithmetic of a calibration: processor time over messages, of client and sink alike."""

import pytest
from msgspec import structs

from loadgen.calibrate.level import level_of, scenario_for
from loadgen.calibrate.sink import Used
from loadgen.scenario.model import ClosedLoad, SmtpDeliver
from reports.document import Document, FailureCount, Health, Quantiles, SessionCounts, Throughput
from reports.errors import PreconditionFailed
from reports.load_result import LoadResult, WorkerResult
from reports.verdict import UNJUDGED

BEFORE, AFTER = Used(10, 1_000, 4.0), Used(30, 13_000, 4.6)


def document(load: LoadResult) -> Document:
    return Document(
        kind="load", mailproof="0", run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=3,
        load=load,
    )   # fmt: skip


def load_at(rate: float, *healths: Health) -> LoadResult:
    workers = [WorkerResult(worker=number, health=health) for number, health in enumerate(healths, start=1)]
    return LoadResult(
        model="closed", steady_s=2.0, sessions=SessionCounts(), health=healths[0],
        throughput=Throughput(messages_accepted_per_s=rate), workers=tuple(workers) if len(workers) > 1 else (),
    )   # fmt: skip


def test_a_message_costs_the_processor_time_over_the_messages_it_was_spent_on() -> None:
    health = Health(cpu_share=0.9, loop_lag_ns=Quantiles(p99=3_000_000))
    level = level_of("fresh", 100, document(load_at(4_500.0, health)), BEFORE, AFTER)
    assert level.client_cpu_ns_per_message == 200_000            # 0.9 s of every second, for 4,500 messages
    assert level.sink_cpu_ns_per_message == 50_000               # 0.6 s for 12,000 messages
    assert level.sink_cpu_share == pytest.approx(0.225)          # 50 µs, 4,500 times a second
    assert level.ceiling_per_core == pytest.approx(5_000)
    assert (level.busier, level.seconds, level.loop_lag_ns_p99) == ("client", 2.0, 3_000_000)


def test_of_several_workers_the_times_add_and_the_busiest_and_the_latest_are_told() -> None:
    first = Health(cpu_share=0.5, loop_lag_ns=Quantiles(p99=9_000_000))
    second = Health(cpu_share=0.7, loop_lag_ns=Quantiles(p99=1_000_000))
    level = level_of("reused", 100, document(load_at(6_000.0, first, second)), BEFORE, AFTER)
    assert level.client_cpu_ns_per_message == 200_000
    assert (level.client_cpu_share, level.loop_lag_ns_p99) == (0.7, 9_000_000)


def test_a_sink_that_was_the_busier_is_named() -> None:
    level = level_of("fresh", 1, document(load_at(15_000.0, Health(cpu_share=0.6))), BEFORE, AFTER)
    assert level.busier == "sink"
    assert level.sink_cpu_share == pytest.approx(0.75)


def test_without_messages_there_is_no_level_and_the_cause_is_told() -> None:
    failed = structs.replace(
        load_at(0.0, Health()), failures=(FailureCount("smtp.connect", "No ephemeral port is left", 9),)
    )
    with pytest.raises(PreconditionFailed, match=r"with 1,000 fresh sessions .* accepted: No ephemeral port is left"):
        level_of("fresh", 1_000, document(failed), BEFORE, AFTER)
    with pytest.raises(PreconditionFailed, match="no message was accepted"):
        level_of("fresh", 1, document(load_at(5.0, Health(cpu_share=0.1))), BEFORE, BEFORE)


def test_the_scenario_of_a_level_is_a_closed_load_of_that_many() -> None:
    scenario = scenario_for("smtp://127.0.0.1:2525", "reused", 1_000, 2.0, 1_024)
    assert isinstance(scenario.load, ClosedLoad)
    assert scenario.load.virtual_users == 1_000
    assert scenario.load.duration is not None
    assert (scenario.load.duration.s, scenario.load.warm_up.s) == (2.5, 0.5)
    [session] = scenario.sessions
    assert isinstance(session, SmtpDeliver)
    assert (session.messages.plain(), session.size.plain()) == (100, "1 KiB")
