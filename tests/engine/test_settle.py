"""After the load: mail is waited for wherever it is looked for, and timed as well as it was looked for."""

import os
import sqlite3
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from conformance.keeping_sink import KeepingSink
from conformance.sink_faults import misfortunes_of
from loadgen.engine.settle import LOOK_PAUSE_S, Settled, settle
from loadgen.engine.shard import Shard, run_shard
from loadgen.engine.workers import Shared
from loadgen.ledger.record import Record
from loadgen.ledger.sink_file import SinkFile
from loadgen.ledger.store import Store
from reports.errors import UserError
from reports.ledger_result import LedgerResult
from tests.engine.house import House, served_by
from tests.engine.test_shard import shard_of

POLLED = """
[load]
model = "open"
arrivals = [{shape = "constant", rate = 20, for = "10s"}]
[[session]]
kind = "smtp-deliver"
messages = 2
[[session]]
kind = "pop3-retrieve"
[ledger]
verify = true
"""
FIVE = """
[load]
model = "closed"
virtual_users = 1
sessions = 5
[[session]]
kind = "smtp-deliver"
[ledger]
verify = true
settle = "10s"
"""


async def loaded(shard: Shard, house: House) -> Shared:
    return Shared(await run_shard(shard, house.routes(), stop=trio.Event(), observe=lambda progress: None), ())


async def test_mail_is_timed_between_two_looks_and_the_first_look_times_nothing(autojump_clock: MockClock) -> None:
    shard = shard_of(POLLED)
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        shared = await loaded(shard, house)
        settled = await settle(shard, shared, house.route("pop3"), directory=None, stop=trio.Event())
    ledger, times = settled.result, settled.result.end_to_end
    assert ledger.delivered_once == ledger.accepted > 100
    assert times is not None
    assert times.count + times.untimed == ledger.accepted
    assert times.count > 10 < times.untimed
    assert times.least_ns.max <= times.latency_ns.max <= times.poll_ns.max + times.least_ns.max
    assert times.poll_ns.max > 0
    assert (ledger.backlog[-1], max(ledger.backlog) > 10, ledger.reordered) == (0, True, 0)


async def test_mail_that_comes_late_into_a_maildir_is_waited_for(tmp_path: Path, autojump_clock: MockClock) -> None:
    shard = shard_of(FIVE + f'maildir = "{tmp_path}/{{local}}"\n')
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        shared = await loaded(shard, house)
        began_s = trio.current_time()

        async def deliver_late() -> None:
            await trio.sleep(3.1)
            for number in range(1, shard.book.count + 1):
                address = shard.book.address(number)
                new = tmp_path / address.partition("@")[0] / "new"
                new.mkdir(parents=True)
                (new.parent / "cur").mkdir()
                drop = house.drops.maildrop(address)
                for listed in drop.listing():
                    (new / listed.unique_id).write_bytes(drop.read(listed.unique_id) or b"")

        nursery.start_soon(deliver_late)
        settled = await settle(shard, shared, None, directory=tmp_path, stop=trio.Event())
    assert settled.result.delivered_once == settled.result.accepted == 5
    assert 3.1 <= trio.current_time() - began_s <= 3.1 + LOOK_PAUSE_S


async def lost_by_a_sink(directory: Path, *, stopped: bool) -> Settled:
    path = directory / "kept.jsonl"
    sink = KeepingSink(path, misfortunes_of(["loses=5"]))
    shard, stop = shard_of(FIVE + f'sink = "{path}"\n'), trio.Event()
    async with trio.open_nursery() as nursery:
        routes = {"smtp": served_by(sink.serve, nursery, "smtp")}
        books = await run_shard(shard, routes, stop=stop, observe=lambda progress: None)   # type: ignore[arg-type]
        if stopped:
            stop.set()
        settled = await settle(shard, Shared(books, ()), None, directory=directory, stop=stop)
    sink.close()
    return settled


async def test_what_never_comes_is_lost_when_the_settling_time_is_over(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    settled = await lost_by_a_sink(tmp_path, stopped=False)
    assert (settled.result.lost, settled.result.pending) == (1, 0)
    assert trio.current_time() >= 10


async def test_what_is_owed_when_somebody_stops_is_pending(tmp_path: Path, autojump_clock: MockClock) -> None:
    settled = await lost_by_a_sink(tmp_path, stopped=True)
    assert (settled.result.lost, settled.result.pending, settled.result.delivered_once) == (0, 1, 4)
    assert trio.current_time() < 1


@pytest.mark.parametrize("which", ["rows", "lines", "sink"])
async def test_books_that_cannot_be_made_cost_nothing_but_the_books(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def full(*_: object) -> None:
        raise UserError(f"no room for the {which}")

    monkeypatch.setattr(*{
        "rows": (Store, "flush", full), "lines": (Record, "write", full), "sink": (SinkFile, "read", full),
    }[which])   # fmt: skip
    settled = await lost_by_a_sink(tmp_path, stopped=False)
    assert settled.result == LedgerResult(not_made=f"no room for the {which}")
    assert os.listdir(tmp_path) == ["kept.jsonl"], "half a ledger misleads"


async def test_the_books_are_kept_in_a_database_for_whoever_has_another_question(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await lost_by_a_sink(tmp_path, stopped=False)
    database = sqlite3.connect(tmp_path / "ledger.sqlite")
    assert database.execute("SELECT kind, count(*) FROM irregular GROUP BY kind").fetchall() == [("lost", 1)]
    assert database.execute("SELECT count(*) FROM attempt WHERE word = 'accepted'").fetchone() == (5,)
    assert database.execute("SELECT count(*) FROM copy").fetchone() == (4,)
    database.close()
