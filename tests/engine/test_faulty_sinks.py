"""Sinks that do wrong by every so many messages: each wrong is caught, classed and counted, and no other is."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from conformance.keeping_sink import KeepingSink
from conformance.sink_faults import FAULTS, misfortunes_of
from loadgen.engine.settle import settle
from loadgen.engine.shard import run_shard
from loadgen.engine.workers import Shared
from reports.ledger_result import COUNTS, LedgerResult
from tests.engine.house import served_by
from tests.engine.test_shard import shard_of

SESSIONS, EVERY = 60, 7
SUFFERED = SESSIONS // EVERY
LOAD = """
[load]
model = "closed"
virtual_users = 3
sessions = {sessions}
[[session]]
kind = "smtp-deliver"
size = "2 KiB"
{more}
[ledger]
verify = true
settle = "1s"
sink = "{sink}"
"""


async def run(
    directory: Path, faults: Sequence[str], more: str = ""
) -> tuple[LedgerResult, KeepingSink, list[dict[str, object]]]:
    """Load a sink that has these faults; return the ledger, the sink, and the lines beside the result."""
    path = directory / "kept.jsonl"
    sink = KeepingSink(path, misfortunes_of(faults))
    shard = shard_of(LOAD.format(sessions=SESSIONS, more=more, sink=path))
    async with trio.open_nursery() as nursery:
        routes = {"smtp": served_by(sink.serve, nursery, "smtp")}
        books = await run_shard(shard, routes, stop=trio.Event(), observe=lambda progress: None)   # type: ignore[arg-type]
        settled = await settle(shard, Shared(books, ()), None, directory=directory, stop=trio.Event())
        nursery.cancel_scope.cancel()
    sink.close()
    lines = (directory / "ledger.jsonl").read_bytes().splitlines()
    assert not settled.doubts
    return settled.result, sink, [msgspec.json.decode(line, type=dict[str, object]) for line in lines]


def counted(ledger: LedgerResult) -> dict[str, int]:
    """Return what there is any of, but for the common case."""
    ordinary = {"sent", "accepted", "delivered_once"}
    return {name: getattr(ledger, name) for name in COUNTS if name not in ordinary and getattr(ledger, name)}


async def test_a_clean_sink_is_accused_of_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    ledger, sink, lines = await run(tmp_path, [])
    assert (ledger.sent, ledger.accepted, ledger.delivered_once) == (SESSIONS, SESSIONS, SESSIONS)
    assert (counted(ledger), lines, sink.kept) == ({}, [], SESSIONS)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("loses", {"lost": SUFFERED}),
        ("duplicates", {"duplicate": SUFFERED}),
        ("flips", {"corrupt": SUFFERED}),
        ("misdelivers", {"lost": SUFFERED, "misdelivered": SUFFERED}),
        ("hushes", {"ambiguous": SUFFERED, "ambiguous_arrived": SUFFERED}),
    ],
)
async def test_each_wrong_is_caught_and_counted_and_no_other_is(
    fault: str, expected: dict[str, int], tmp_path: Path, autojump_clock: MockClock
) -> None:
    ledger, sink, lines = await run(tmp_path, [f"{fault}={EVERY}"])
    assert sink.misfortunes.befell == {fault: SUFFERED}
    assert counted(ledger) == expected
    assert ledger.sent == SESSIONS
    assert {str(line["kind"]) for line in lines} == expected.keys() - {"ambiguous_arrived"}
    assert len(lines) == sum(count for name, count in expected.items() if name != "ambiguous_arrived")


async def test_all_at_once_are_told_apart(tmp_path: Path, autojump_clock: MockClock) -> None:
    every = {"loses": 11, "duplicates": 13, "flips": 17, "misdelivers": 19, "hushes": 23}
    ledger, sink, _ = await run(tmp_path, [f"{name}={number}" for name, number in every.items()])
    befell = sink.misfortunes.befell
    assert befell.keys() == FAULTS.keys(), "each has had its turn"
    assert counted(ledger) == {
        "lost": befell["loses"] + befell["misdelivers"], "duplicate": befell["duplicates"],
        "corrupt": befell["flips"], "misdelivered": befell["misdelivers"],
        "ambiguous": befell["hushes"], "ambiguous_arrived": befell["hushes"],
    }   # fmt: skip


async def test_what_is_sent_again_when_an_answer_was_lost_is_lawfully_there_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    ledger, sink, _ = await run(tmp_path, ["hushes=29"], 'retry = {after = "1s"}')
    assert counted(ledger) == {"duplicate_lawful": sink.misfortunes.befell["hushes"]}
    assert ledger.accepted == SESSIONS


async def test_the_octet_that_was_changed_is_named(tmp_path: Path, autojump_clock: MockClock) -> None:
    ledger, _, lines = await run(tmp_path, [f"flips={SESSIONS}"])
    [told] = ledger.irregularities
    assert told.kind == "corrupt"
    assert told.sentence.startswith("octet ")
    assert " of its body is 0x" in told.sentence
    assert [line["sentence"] for line in lines] == [told.sentence]


async def test_what_came_to_a_sink_is_timed_to_the_instant(tmp_path: Path, autojump_clock: MockClock) -> None:
    ledger, _, _ = await run(tmp_path, [])
    assert ledger.end_to_end is not None
    assert (ledger.end_to_end.count, ledger.end_to_end.untimed) == (SESSIONS, 0)
    assert ledger.end_to_end.poll_ns.max == 0
    assert ledger.backlog[-1] == 0
    assert ledger.drain_s is not None
