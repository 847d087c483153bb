"""The closed model: a fixed population of virtual users, each waiting for its own session to end."""

import math
from collections.abc import Callable, Sequence

import trio

from loadgen.engine.arrivals import Arrivals
from loadgen.engine.attempt import Attempt
from loadgen.engine.instants import Instants
from loadgen.engine.session_limit import Seat


class Turns:
    """The sessions of one virtual user of a population, one after another.

    User u of n runs the arrivals u, u + n, u + 2n …, so what each does never depends on the speed of the others.
    """

    __slots__ = ("_end", "_next", "_users", "taken")

    def __init__(self, user: int, users: int, sessions: int | None) -> None:
        self._next = user
        self._users = users
        self._end = math.inf if sessions is None else sessions
        self.taken = 0

    def __bool__(self) -> bool:
        """Say whether there is another."""
        return self._next < self._end

    def take(self) -> int:
        """Begin the next; return its arrival."""
        arrival = self._next
        self._next += self._users
        self.taken += 1
        return arrival


async def closed_loop(
    arrivals: Arrivals,
    *,
    virtual_users: int,
    users: Sequence[int],
    think_ns: Callable[[int, int], int],
    sessions: int | None,
    end_ns: int | None,
    drain_s: float,
    stop: trio.Event,
) -> None:
    """Run these `users` of a population of `virtual_users` until `sessions` have been
    started by all of it, `end_ns` has come, or `stop`; then let it end.

    User u thinks `think_ns(u, i)` before its i-th session; where that is nothing, they go on in series. Nothing is due
    at an instant in a closed load: a session's intended instant is the one it starts at, and its response time is its
    service time. What was put off keeps its user waiting, its back-off included: the population never has more
    sessions open than it has users.

    Once the last session has started, those open have `drain_s`; then they are cancelled, and recorded as
    interrupted. A load that ends by its count is steady until its last session has ended: were it over with the
    last start, a load of one session for each user would have no steady phase at all.
    """
    over = trio.Event()          # no session starts any more
    instants = Instants()        # of the users who think, or wait for their turn in the ramp
    to_start = math.inf if sessions is None else sum(len(range(user, sessions, virtual_users)) for user in users)

    async def user(number: int, population: trio.CancelScope) -> None:
        turns = Turns(number, virtual_users, sessions)

        def begin() -> int:
            nonlocal to_start
            to_start -= 1
            if not to_start:
                population.deadline = trio.current_time() + drain_s
            return turns.take()

        def follow() -> int | None:
            return begin() if turns and not (over.is_set() or think_ns(number, turns.taken)) else None

        with arrivals.limit.seat() as seat:
            while turns:
                pause_ns = think_ns(number, turns.taken)
                if pause_ns or not turns.taken:      # else there was a checkpoint in the session before
                    await instants.reached(arrivals.instant_s(arrivals.now_ns() + pause_ns))
                if over.is_set():
                    return
                arrival, now_ns = begin(), arrivals.now_ns()
                arrivals.recorder.started(now_ns)
                after = await arrivals.run(arrival, now_ns, now_ns, seat, follow)
                await _try_again(arrivals, after, seat)

    async def end_the_load(population: trio.CancelScope) -> None:
        with trio.move_on_at(math.inf if end_ns is None else arrivals.instant_s(end_ns)) as time:
            await stop.wait()
        over.set()
        instants.end()
        arrivals.recorder.end_load(arrivals.now_ns(), cut_short=to_start > 0 and not time.cancelled_caught)
        population.deadline = min(population.deadline, trio.current_time() + drain_s)

    async with trio.open_nursery() as timekeeping:
        async with trio.open_nursery() as population:
            timekeeping.start_soon(end_the_load, population.cancel_scope)
            timekeeping.start_soon(arrivals.limit.watch)
            timekeeping.start_soon(instants.serve)
            for number in users:
                population.start_soon(user, number, population.cancel_scope)
        timekeeping.cancel_scope.cancel()
    if not over.is_set():        # every session there was to start has been, and has ended
        arrivals.recorder.end_load(arrivals.now_ns())


async def _try_again(arrivals: Arrivals, attempt: Attempt | None, seat: Seat) -> None:
    """Run an attempt, and whatever has to come after it, each when it is due."""
    while attempt is not None:
        await trio.sleep_until(arrivals.instant_s(attempt.due_ns))
        arrivals.recorder.started_again(arrivals.now_ns())
        attempt = await arrivals.run_again(attempt, seat)
