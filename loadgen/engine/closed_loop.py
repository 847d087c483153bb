"""The closed model: a fixed population of virtual users, each waiting for its own session to end."""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from loadgen.engine.arrivals import Arrivals
from loadgen.engine.attempt import Attempt
from loadgen.engine.session_limit import Seat
from loadgen.engine.succession import Succession
from loadgen.schedule.plans import Plan
from loadgen.transport.instants import Instants

BEGIN_AT_ONCE_MAX = 64       # users, before others have their turn: two milliseconds
BEGIN_EVERY_S = 0.01         # the most a user is late: those of a fast ramp begin together, while the code is cached

# Runs on with what a user has begun; returns the attempt that is to come after it.
RunOn = Callable[[Seat], Awaitable[Attempt | None]]


class Population:
    """The virtual users of a load that one process runs, and what they have in common.

    While the sessions of a user follow each other in series and go as hoped it has no task, which would cost as much
    as two of them. For all else it has one: from when it is needed, to the end.
    """

    def __init__(
        self, arrivals: Arrivals, nursery: trio.Nursery, *, virtual_users: int, users: Sequence[int],
        think_ns: Callable[[int, int], int], sessions: int | None, drain_s: float,
    ) -> None:  # fmt: skip
        self.arrivals = arrivals
        self.virtual_users = virtual_users
        self.think_ns = think_ns
        self.sessions = math.inf if sessions is None else sessions
        self.instants = Instants()   # of the users who think
        self.over = False            # no session starts any more
        self.to_start = math.inf if sessions is None else sum(len(range(u, sessions, virtual_users)) for u in users)
        self._nursery = nursery
        self._users = users
        self._drain_s = drain_s
        self._turns: list[tuple[float, int]] = []   # of users who have yet to begin: when, and who; the first is last
        self._all_have_begun = trio.Event()
        self._tasks_started = 0
        self._led: dict[User, Succession] = {}      # of those without a task
        self._none_is_led = trio.Event()

    async def begin(self) -> None:
        """Begin all users, each at its turn, and wait until nobody is without a task. Run it in the nursery's body."""
        try:
            await self._begin_in_turn()
            while self._led:
                self._none_is_led = trio.Event()
                await self._none_is_led.wait()
        finally:                     # cancelled: only tasks can say what becomes of the sessions under way
            while self._led:
                user, sessions = self._led.popitem()
                self.start_task(user, sessions.run_on)

    async def _begin_in_turn(self) -> None:
        now_ns = self.arrivals.now_ns()
        turns = [(now_ns + self.think_ns(user, 0), user) for user in self._users if user < self.sessions]
        self._turns = [(self.arrivals.instant_s(due_ns), user) for due_ns, user in sorted(turns, reverse=True)]
        async with trio.open_nursery() as beginning:
            beginning.start_soon(self.arrivals.at_instants, self.arrivals.instant_s(now_ns), self._begin_who_are_due)
            await self._all_have_begun.wait()
            beginning.cancel_scope.cancel()

    def _begin_who_are_due(self) -> float:
        """Begin some users, and return when to begin the next: now, if tasks are to have their turn first."""
        now_s, started_before = self.arrivals.clock(), self._tasks_started
        due: list[tuple[User, Plan]] = []
        while self._turns and self._turns[-1][0] <= now_s and len(due) < BEGIN_AT_ONCE_MAX:
            _, number = self._turns.pop()
            user = User(number, self)
            due.append((user, user.next_plan()))
        for user, plan in due:           # all plans before the first connects: what makes them is cached no longer
            user.begin(plan)
        if self._turns:
            next_s = self._turns[-1][0]
            if next_s <= now_s or self._tasks_started != started_before:
                return now_s
            return max(next_s, now_s + BEGIN_EVERY_S)
        if self._all_have_begun.is_set():
            return math.inf
        self._all_have_begun.set()
        return now_s

    def end(self) -> None:
        """Start no session any more, and drain."""
        self.over = True
        self._turns.clear()
        self._all_have_begun.set()
        self.instants.end()
        self.drain()

    def drain(self) -> None:
        """Let what is under way end, for as long as it may."""
        scope = self._nursery.cancel_scope
        scope.deadline = min(scope.deadline, trio.current_time() + self._drain_s)

    def lead(self, user: "User", sessions: Succession) -> None:
        """Begin sessions in series of a user without a task."""
        self._led[user] = sessions
        sessions.begin(user.led_to_the_end)

    def leave(self, user: "User") -> bool:
        """Let a user go on, now that its series has come to an end: in a task, or not at all.

        Say whether a task is to go on now.
        """
        sessions = self._led.pop(user, None)
        if sessions is None:         # it has a task already, which has not run yet
            return True
        goes_on = not (sessions.over and user.is_done())
        if goes_on:
            self.start_task(user, sessions.run_on)
        if not self._led:
            self._none_is_led.set()
        return goes_on or not self._led

    def start_task(self, user: "User", run_on: RunOn) -> None:
        """Let a user run on in a task."""
        self._tasks_started += 1
        self._nursery.start_soon(user.run, run_on)


class User:
    """One of a population: its sessions, one after another.

    User u of n runs the arrivals u, u + n, u + 2n …, so what each does never depends on the speed of the others.
    """

    __slots__ = ("_next", "_number", "_population", "_started")

    def __init__(self, number: int, population: Population) -> None:
        self._population = population
        self._number = self._next = number
        self._started = 0            # sessions

    def is_done(self) -> bool:
        """Say whether it starts no more sessions."""
        return self._population.over or self._next >= self._population.sessions

    def next_plan(self) -> Plan:
        """Return what its next session does."""
        return self._population.arrivals.plan_for(self._next)

    def begin(self, plan: Plan) -> None:
        """Begin its first session, of this plan: in a task, unless it goes in series."""
        sessions = self._start(plan)
        if isinstance(sessions, Succession):
            self._population.lead(self, sessions)
        else:
            self._population.start_task(self, sessions)

    def led_to_the_end(self) -> bool:
        """Take note that the series has come to its end, or to a session that is not as hoped.

        Say whether a task is to go on now.
        """
        return self._population.leave(self)

    async def run(self, run_on: RunOn) -> None:
        """Run on with what has begun, and then all sessions that are left."""
        population = self._population
        arrivals = population.arrivals
        with arrivals.limit.seat() as seat:
            while True:
                await _try_again(arrivals, await run_on(seat), seat)
                if self.is_done():
                    return
                pause_ns = population.think_ns(self._number, self._started)
                if pause_ns:         # else there was a checkpoint in the session before
                    await population.instants.reached(arrivals.instant_s(arrivals.now_ns() + pause_ns))
                    if population.over:
                        return
                sessions = self._start(self.next_plan())
                if isinstance(sessions, Succession):
                    sessions.begin()
                    run_on = sessions.run_on
                else:
                    run_on = sessions

    def _start(self, plan: Plan) -> Succession | RunOn:
        """Start the next session, of this plan: return it, or a succession in series, which has yet to begin."""
        arrivals = self._population.arrivals
        self._take()
        now_ns, in_series = arrivals.now_ns(), arrivals.in_series
        arrivals.recorder.started(now_ns)
        if in_series is not None and in_series.takes(plan):
            return Succession(arrivals, in_series, plan, now_ns, self._follow)
        return partial(arrivals.run_plan, plan, now_ns)

    def _take(self) -> int:
        """Start the next session; return its arrival. With the last one of all the drain begins."""
        population, arrival = self._population, self._next
        self._next = arrival + population.virtual_users
        self._started += 1
        population.to_start -= 1
        if not population.to_start:
            population.drain()
        return arrival

    def _follow(self) -> int | None:
        """Start the next session if it can follow at once; return its arrival."""
        if self.is_done() or self._population.think_ns(self._number, self._started):
            return None
        return self._take()


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
    async def end_the_load(population: Population) -> None:
        with trio.move_on_at(math.inf if end_ns is None else arrivals.instant_s(end_ns)) as time:
            await stop.wait()
        arrivals.recorder.end_load(
            arrivals.now_ns(), cut_short=population.to_start > 0 and not time.cancelled_caught
        )
        population.end()

    async with trio.open_nursery() as timekeeping:
        async with trio.open_nursery() as nursery:
            population = Population(
                arrivals, nursery, virtual_users=virtual_users, users=users, think_ns=think_ns, sessions=sessions,
                drain_s=drain_s,
            )
            timekeeping.start_soon(end_the_load, population)
            timekeeping.start_soon(arrivals.limit.watch)
            timekeeping.start_soon(population.instants.serve)
            await population.begin()
        timekeeping.cancel_scope.cancel()
    if not population.over:          # every session there was to start has been, and has ended
        arrivals.recorder.end_load(arrivals.now_ns())


async def _try_again(arrivals: Arrivals, attempt: Attempt | None, seat: Seat) -> None:
    """Run an attempt, and whatever has to come after it, each when it is due."""
    while attempt is not None:
        await trio.sleep_until(arrivals.instant_s(attempt.due_ns))
        arrivals.recorder.started_again(arrivals.now_ns())
        attempt = await arrivals.run_again(attempt, seat)
