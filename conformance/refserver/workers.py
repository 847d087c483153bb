"""How much the server gets done: so many workers, one queue, first come first served.

A lawful server is as slow as it is. With one mean and exponential times this is the M/M/c of queueing theory, whose
ceiling (workers / mean) and waiting times (Erlang C) are known: what measures capacity is proved on it.
"""

import heapq
from dataclasses import dataclass
from random import Random
from typing import Final

_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Work:
    """What one message costs, taken or retrieved: a worker for this long.

    `contention` and `coherency` are the sigma and kappa of the Universal Scalability Law (Gunther): with N messages
    in work or waiting each takes 1 + sigma * (N - 1) + kappa * N * (N - 1) times as long. With a kappa a server that
    is asked for more than it can do gets less done.
    """

    service_s: float = 0.0          # mean; 0: nothing takes time
    workers: int | None = 1         # None: as many as there are messages
    constant: bool = False          # not exponential: each takes the mean
    contention: float = 0.0
    coherency: float = 0.0


NO_WORK: Final = Work()


class Workers:
    """When each worker is free again. One of a server's few memories that outlast a session."""

    __slots__ = ("_busy_until", "_done", "_random")

    def __init__(self, seed: int = _SEED) -> None:
        self._random = Random(seed)  # noqa: S311  a spread, no secret
        self._busy_until: list[float] = []      # of the workers that are busy, or were; a heap
        self._done: list[float] = []            # when each message in work or waiting will be done; a heap

    def take(self, work: Work, now_s: float) -> float:
        """Return in how many seconds a message that comes now is done. Instants never go back."""
        while self._done and self._done[0] <= now_s:
            heapq.heappop(self._done)
        begins_s = now_s
        if work.workers is not None and len(self._busy_until) >= work.workers:
            begins_s = max(now_s, heapq.heappop(self._busy_until))
        there = len(self._done) + 1
        slower = 1 + work.contention * (there - 1) + work.coherency * there * (there - 1)
        drawn_s = work.service_s if work.constant else self._random.expovariate(1 / work.service_s)
        ends_s = begins_s + drawn_s * slower
        heapq.heappush(self._done, ends_s)
        if work.workers is not None:
            heapq.heappush(self._busy_until, ends_s)
        return ends_s - now_s
