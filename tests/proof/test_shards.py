"""The shards of a run are the run: whatever their number, their union has its arrivals, its octets and its books."""

from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.result import load_result
from loadgen.engine.shard import Shard
from loadgen.engine.workers import put_together
from tests.engine.house import House
from tests.engine.test_shard import Played, play, shard_of

# Nothing here depends on what another session of the run has left in a maildrop.
SESSIONS = """
[[session]]
kind = "smtp-deliver"
weight = 3
messages = {uniform = [1, 3]}
recipients = {uniform = [1, 3]}
size = {uniform = ["500", "3 KiB"]}
pipelining = "if-offered"
chunking = "if-offered"
auth = "plain"
[[session]]
kind = "lmtp-deliver"
weight = 2
recipients = {uniform = [1, 4]}
content = "8bit"
[[session]]
kind = "idle-hold"
hold = {uniform = ["200ms", "900ms"]}
noop_every = "70ms"
[[session]]
kind = "smtp-probe"
loops = {uniform = [1, 4]}
[[session]]
kind = "rset-loop"
loops = {uniform = [1, 4]}
[[session]]
kind = "auth-storm"
[[session]]
kind = "slow-sender"
size = "600"
octets_per_s = 1000
segment_octets = 100
[[session]]
kind = "half-open"
hold = "300ms"
[[session]]
kind = "steps"
recipients = 2
steps = [
    {expect = "220"}, {send = "EHLO client.example.test", expect = "250"},
    {send = "MAIL FROM:<{reverse_path}>", expect = "2yz"},
    {send = "RCPT TO:<{recipient}>", expect = "2yz"}, {think = {uniform = ["10ms", "90ms"]}},
    {send = "DATA", expect = "354"}, {send_message = true, expect = "2yz"},
]
[ledger]
verify = true
"""
OPEN = (
    """
[load]
model = "open"
arrivals = [
    {shape = "ramp", from = 0, to = 40, over = "1s"},
    {shape = "poisson", rate = 25, for = "1s"},
    {shape = "spike", base = 2, peak = 60, at = "200ms", rise = "100ms", hold = "200ms", fall = "100ms", for = "1s"},
]
"""
    + SESSIONS
)
CLOSED = (
    """
[load]
model = "closed"
virtual_users = 7
sessions = 50
think = {exponential = {mean = "100ms", max = "1s"}}
"""
    + SESSIONS
)
Sent = dict[tuple[str, int], bytearray]


async def played(shard: Shard) -> tuple[Played, Sent]:
    async with trio.open_nursery() as nursery:
        house = House(nursery)
        return await play(shard, house.routes()), house.sent


def run_of(shard: Shard) -> tuple[Played, Sent]:
    return trio.run(played, shard, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize(("seed", "workers"), [(3, 2), (4, 3), (5, 5)])
@pytest.mark.parametrize("text", [OPEN, CLOSED], ids=["open", "closed"])
def test_the_union_of_the_shards_is_the_whole(text: str, seed: int, workers: int) -> None:
    whole, sent = run_of(shard_of(text, seed))
    assert whole.load.sessions.arrived >= 50
    assert len(whole.load.kinds) == 9
    union: Sent = {}
    parts = []
    for worker in range(workers):
        shard = shard_of(text, seed)
        part, octets = run_of(Shard(shard.scenario, shard.book, shard.run_token, shard.date, worker, workers))
        assert not octets.keys() & union.keys(), "no arrival belongs to two"
        union |= octets
        parts.append(part.books)
    assert union == sent, "every octet of every arrival"
    together = load_result(shard.scenario.load, put_together(parts, shard).whole)
    assert (together.sessions, together.messages, together.kinds) == (
        whole.load.sessions, whole.load.messages, whole.load.kinds,
    )
    assert Counter(together.replies) == Counter(whole.load.replies)
    assert together.timeline.arrived == whole.load.timeline.arrived
