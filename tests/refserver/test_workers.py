"""The work of the server: a queue before so many workers, as queueing theory knows it."""

import math
from random import Random

import pytest

from conformance.refserver.behaviour import Behaviour
from conformance.refserver.workers import Work, Workers
from tests.refserver.bench import make_bench
from tests.refserver.test_variants import CONTENT, Clock

MESSAGES = 40_000


def erlang_c(workers: int, load: float) -> float:
    """Return the probability that who comes has to wait; `load` in erlangs, below `workers`."""
    tail = load**workers / math.factorial(workers) * workers / (workers - load)
    return tail / (sum(load**k / math.factorial(k) for k in range(workers)) + tail)


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_who_comes_by_chance_waits_as_erlang_says(workers: int, busy: float) -> None:
    arrivals, queue, work = Random(3), Workers(seed=5), Work(service_s=0.02, workers=workers)
    rate = busy * workers / work.service_s
    now_s, times = 0.0, list[float]()
    for _ in range(MESSAGES):
        now_s += arrivals.expovariate(rate)
        times.append(queue.take(work, now_s))
    expected = work.service_s + erlang_c(workers, busy * workers) / (workers / work.service_s - rate)
    assert sum(times) / MESSAGES == pytest.approx(expected, rel=0.08)


def test_a_constant_time_and_one_worker_give_a_queue_that_can_be_counted_out() -> None:
    queue, work = Workers(), Work(service_s=1.0, constant=True)
    assert [queue.take(work, at) for at in (0.0, 0.5, 0.5, 4.0)] == [1.0, 1.5, 2.5, 1.0]
    two, work = Workers(), Work(service_s=1.0, constant=True, workers=2)
    assert [two.take(work, 0.0) for _ in range(5)] == [1.0, 1.0, 2.0, 2.0, 3.0]


def test_workers_without_limit_never_let_wait_and_the_law_slows_each_by_how_many_there_are() -> None:
    queue, work = Workers(), Work(1.0, None, constant=True, contention=0.1, coherency=0.01)
    law = [1 + 0.1 * (n - 1) + 0.01 * n * (n - 1) for n in range(1, 5)]
    assert [queue.take(work, 0.0) for _ in range(4)] == pytest.approx(law)
    assert queue.take(work, 100.0) == 1.0, "those that are done slow nobody"


def test_the_reply_to_the_final_dot_and_a_message_given_out_wait_for_their_worker() -> None:
    clock = Clock()
    bench = make_bench(Behaviour(work=Work(2.0, 1, constant=True)), clock=clock)
    smtp = bench.smtp()
    smtp.receive(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n")
    assert smtp.pause_s == 0.0, "only messages are work"
    assert smtp.receive(CONTENT + b".\r\n").startswith(b"250")
    assert smtp.pause_s == 2.0
    clock.now_s += 1.0
    pop3 = bench.pop3(1)
    assert pop3.pause_s == 0.0
    assert pop3.receive(b"RETR 1\r\n").startswith(b"+OK")
    assert pop3.pause_s == 3.0, "the one before it takes another second"
    smtp.receive(b"NOOP\r\n")
    assert smtp.pause_s == 0.0


def test_without_a_service_time_nothing_waits() -> None:
    service = make_bench(Behaviour()).service
    assert [service.work_s() for _ in range(3)] == [0.0, 0.0, 0.0]
