"""Which readiness serves a run, and how its service ends."""

import os
import select
import socket

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from loadgen.transport.epoll import EpollReadiness, EpollWatch, serve_epoll
from loadgen.transport.readiness import TRIO_READINESS, best_readiness
from tests.transport.peers import open_sockets

FAR = 1e6   # a deadline no test reaches


async def test_when_the_service_ends_nobody_waits_for_ever_and_nothing_stays_open() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    before = open_sockets(), sorted(os.listdir("/proc/self/fd"))
    woken = []

    async def read(watch: EpollWatch) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await watch.readable(FAR)
        woken.append(watch)

    async with trio.open_nursery() as readers, trio.open_nursery() as service:
        readiness: EpollReadiness = await service.start(serve_epoll)
        watch = readiness.watch(ours)
        readers.start_soon(read, watch)
        await wait_all_tasks_blocked()
        service.cancel_scope.cancel()
    assert woken == [watch]
    watch.close()
    assert (open_sockets(), sorted(os.listdir("/proc/self/fd"))) == before
    ours.close()
    theirs.close()


async def test_the_best_readiness_is_the_epoll_where_there_is_one(nursery: trio.Nursery) -> None:
    assert isinstance(await best_readiness(nursery), EpollReadiness)


async def test_the_best_readiness_is_trios_where_there_is_no_epoll(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "epoll")
    assert await best_readiness(nursery) is TRIO_READINESS
