"""The capacity search on the whole of both ends, in virtual time: engine, sessions, wire, and the reference server.

Its work is set, so that its capacity is known. What takes ten thousand sessions to tell, exponential times and
arrivals by chance, is proved on the same work counted out (`tests/capacity/test_known_ceiling.py`).
"""

from collections.abc import Sequence

import pytest
import trio
import trio.testing

from conformance.refserver.behaviour import Behaviour
from conformance.refserver.workers import Work
from loadgen.capacity.search import Asked, Bounds, Search
from loadgen.engine.result import load_result
from loadgen.engine.shard import run_shard
from reports.capacity import scaling_law
from reports.capacity_stage import Measured, judged_stage, with_always
from reports.conclude import conclude
from reports.document import Document
from reports.gate import Gate
from reports.gate_spelt import gates_spelt
from reports.verdict import UNJUDGED
from tests.engine.house import House
from tests.engine.test_shard import shard_of

OPEN = """
[load]
model = "open"
arrivals = [{{shape = "constant", rate = {level}, for = "{length}s"}}]
warm_up = "10s"
[[session]]
kind = "smtp-deliver"
size = 500
"""
CLOSED = """
[load]
model = "closed"
virtual_users = {level}
for = "{length}s"
warm_up = "10s"
[[session]]
kind = "smtp-deliver"
size = 500
"""


def measured(text: str, work: Work, asked: Asked) -> Document:
    """Run one stage to its end, and return its result."""
    shard = shard_of(text.format(level=f"{asked.level:g}", length=round(10 + asked.seconds)), seed=asked.number)

    async def stage() -> Document:
        async with trio.open_nursery() as nursery:
            house = House(nursery, behaviour=Behaviour(work=work))
            books = await run_shard(shard, house.routes(), stop=trio.Event(), observe=lambda progress: None)
            nursery.cancel_scope.cancel()
        load = load_result(shard.scenario.load, books)
        made = Document(
            kind="load", mailproof="0", run_id="virtual", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED,
            exit_code=3, load=load,
        )   # fmt: skip
        return conclude(made, [])

    return trio.run(stage, clock=trio.testing.MockClock(autojump_threshold=0))


def searched(text: str, work: Work, bounds: Bounds, gates: Sequence[Gate] = ()) -> Search:
    search = Search(bounds)
    for asked in search:
        stage = Measured(asked.number, asked.purpose, asked.level, asked.seconds)
        search.tell(judged_stage(measured(text, work, asked), with_always(gates), stage))
    return search


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_ceiling_of_the_reference_server_is_found_within_five_per_cent(workers: int) -> None:
    work = Work(service_s=workers / 8, workers=workers, constant=True)        # eight a second
    search = searched(OPEN, work, Bounds(start=7.7, stage_s=30, confirm_s=30, resolution=0.05, top=8.4))
    assert search.ended == "found"
    assert search.good == pytest.approx(8, rel=0.05)
    [bad] = [stage for stage in search.stages if stage.level == search.bad]
    assert "backlog" in {broke.what for broke in bad.broke}


def test_users_who_wait_meet_the_response_time_of_their_number_and_the_law_is_the_servers_own() -> None:
    work = Work(service_s=0.5, workers=None, constant=True, contention=0.1, coherency=0.01)
    gates = gates_spelt("p99(response)<1s", protocols=["smtp"])
    search = searched(CLOSED, work, Bounds(start=1, stage_s=30, confirm_s=30, whole=True), gates)
    slowest = [0.5 * (1 + 0.1 * (n - 1) + 0.01 * n * (n - 1)) for n in range(1, 20)]
    assert search.good == sum(each < 1.0 for each in slowest), "each user more makes all of them wait longer"
    law, why = scaling_law(search.stages)
    assert law is not None, why
    assert law.sigma.estimate == pytest.approx(0.1, abs=0.03)
    assert law.kappa.estimate == pytest.approx(0.01, abs=0.003)
    assert law.peak.estimate == pytest.approx((0.9 / 0.01) ** 0.5, rel=0.1)
